// What the words of a text count, in languages that stand a number before its noun. It is
// language/counting_text.py, rule by rule.

const MOST_WITHIN = 4;
const SENTENCE = /[.!?\n\r。।؟]/;
const SPACE = /^[ \u00a0]*[x×']?[ \u00a0]*$/;
const RANGE = /^(?: ?[-–—~〜～/、] ?|, ?)$/;
const SIGN = /(?:[#$€£¥₹+%<>=]\s?|-)$/;
const LISTED = /^(?:[ \u00a0]*[:=(][ \u00a0]*|[ \u00a0][-–—][ \u00a0]|[ \u00a0]?[x×][ \u00a0]?)$/;

// Words are numbered; -1 is none. Nouns have the number of their class in the table, -1 if they are
// none that may be asked for, and the plural categories of their form.
class CountedText {
  constructor(items, table) {
    Object.assign(this, { items, table, doubtful: new Set(), used: new Set() });
    this.mentions = new Map();
    this.least = new Map();
    this.sentence = 0;
    this.findClauses();
    items.forEach((item, at) => {
      this.sentence += Number(at > 0 && SENTENCE.test(item.before));
      if (!item.roles.counted) this.read(at);
      else if (!table.spaced || this.isWhole(at, true)) this.note(...item.roles.counted, at, at);
    });
  }

  // The clause of each word, and where nothing counts.
  findClauses() {
    Object.assign(this, { clauses: [], voided: new Set(), voids: new Map() });
    let clause = 0;
    this.items.forEach((item, at) => {
      clause += Number(BREAK.test(item.before));
      this.clauses.push(clause);
      if (this.has(at, "voids", "zero") && !this.voids.has(clause)) this.voids.set(clause, at);
      if (this.has(at, "voided", "zero_behind")) this.voided.add(clause);
    });
  }

  // Class -> how many, likeliest.
  readings() {
    const found = new Map();
    for (const [key, mentions] of this.mentions) {
      if (key < 0 || this.doubtful.has(key)) continue;
      const counts = mentions.map(([count]) => count);
      const largest = Math.max(...counts);
      let total = counts.reduce((sum, count) => sum + count, 0);
      if ((counts.includes(0) && largest) || largest < (this.least.get(key) ?? 0)) continue;
      if (counts.length > 2 && counts[0] * 2 === total) total = largest; // a whole and its parts
      found.set(key, mentions.at(-1)[1] === mentions[0][1] ? total : largest);
    }
    return found;
  }

  has(at, ...roles) {
    const own = this.items[at]?.roles;
    return own !== undefined && roles.some((role) => role in own);
  }

  isKnown(at) {
    return Object.keys(this.items[at].roles).length > 0;
  }

  classOf(at) {
    return this.items[at].roles.noun?.[0] ?? -1;
  }

  // The next word if it is in the same clause.
  next(at) {
    return at >= 0 && this.clauses[at + 1] === this.clauses[at] ? at + 1 : -1;
  }

  // The word before if nothing but a space is between.
  last(at) {
    const same = at > 0 && this.clauses[at - 1] === this.clauses[at];
    return same && SPACE.test(this.items[at].before) ? at - 1 : -1;
  }

  // Notes a count, whose first and last word these are, unless something stands against it.
  note(key, number, first, noun) {
    this.used.add(first);
    const parted = noun > first + 1 && this.isParted(first);
    if (this.isDoubted(first) || parted || this.has(this.next(noun), "behind")) {
      this.doubtful.add(key);
    } else if (this.has(this.last(first), "known")) {
      this.least.set(key, Math.max(this.least.get(key) ?? 0, number));
    } else if (!this.has(first, "number") || !SIGN.test(this.items[first].before)) {
      this.mention(key, number);
    }
  }

  mention(key, number) {
    if (!this.mentions.has(key)) this.mentions.set(key, []);
    this.mentions.get(key).push([number, this.sentence]);
  }

  // Notes that there is none, if that is said of the whole picture.
  none(key, first, last) {
    const behind = this.next(last);
    const isWhole = behind < 0 || this.has(behind, "here");
    if (isWhole && !this.has(this.last(first), "vague", "known")) this.mention(key, 0);
    else this.doubtful.add(key);
  }

  isDoubted(at) {
    const clause = this.clauses[at];
    const isVoid = this.voided.has(clause) || (this.voids.get(clause) ?? at) < at;
    return isVoid || this.has(this.last(at), "vague") || this.isChoice(at);
  }

  // Whether another number belongs to this one: "two or three", "2-3".
  isChoice(at) {
    if (!at || !this.has(at, "number")) return false;
    const { before } = this.items[at];
    if (this.has(at - 1, "number")) return RANGE.test(before) || SPACE.test(before);
    const last = this.last(at);
    return last > 0 && this.has(last, "either", "joints") && this.has(at - 2, "number");
  }

  // Whether a noun is shared with another number: "one large and two small dogs".
  isParted(at) {
    let here = this.last(at);
    if (!this.has(here, "joints")) return false;
    for (let n = 0; n < 2; n += 1) {
      here = this.last(here);
      if (here < 0 || this.isKnown(here)) return false;
      if (this.has(this.last(here), "number")) return true;
    }
    return false;
  }

  // The number in "people: 2" and "dogs (3)"; null: there is none.
  listed(at) {
    const [item, behind] = [this.items[at + 1], this.items[at + 2]];
    if (!item || !LISTED.test(item.before) || !isNumber(item.word)) return null;
    return !behind || BREAK.test(behind.before) ? item.roles.number ?? null : null;
  }

  // Notes what the word at a place counts, if it is a noun.
  read(at) {
    const key = this.classOf(at);
    const forms = this.items[at].roles.noun?.[1] ?? [];
    if (key < 0 || !this.isWhole(at, forms.includes("one"))) return;
    const [listed, { alone }] = [this.listed(at), this.items[at].roles];
    const [first, kind] = this.quantity(at, forms);
    const number = kind === "number" ? this.items[first].roles.number : 0;
    const behind = this.next(at);
    if (listed !== null) this.note(key, listed, at, at + 1);
    else if (kind === "number" && this.fits(number, forms)) this.note(key, number, first, at);
    else if (kind === "vague") this.doubtful.add(key);
    else if (kind === "zero") this.none(key, first, at);
    else if (this.has(behind, "zero_behind")) this.none(key, at, behind);
    else if (alone && kind !== "known" && number < 2 && this.countsAlone(at, alone)) {
      this.note(key, alone, first, at);
    } else if (this.table.plural.select(2) === "other" && !forms.includes("one")) {
      if (!this.least.has(key)) this.least.set(key, 2); // "the people", "both dogs"
    }
  }

  // Whether a noun is no part of another: not "bus stop", "dog's", "dog-friendly".
  isWhole(at, singular) {
    if (at + 1 === this.items.length) return true;
    const item = this.items[at + 1];
    if (/^[-'/]/.test(item.before) || this.items[at].before.endsWith("-")) return false;
    if (this.next(at) < 0 || !this.table.whole || !singular) return true;
    if (this.has(at + 1, "noun") && !this.has(at + 1, "joints")) return false;
    return this.isKnown(at + 1) || this.table.whole.test(item.word);
  }

  fits(number, forms) {
    if (this.table.language === "ar" && number > 10) {
      return ["one", "many", "other"].some((form) => forms.includes(form));
    }
    return forms.includes(this.table.plural.select(number));
  }

  // The word that says how many of a noun there are, and its role; "" if no word does, and the word
  // is then the first that belongs to the noun.
  quantity(at, forms) {
    let [gap, within, here] = [0, 0, at];
    for (let last; (last = this.last(here)) >= 0 && within < MOST_WITHIN; here = last) {
      const role = ["number", "zero", "vague", "known"].find((one) => this.has(last, one));
      if (role) return [last, role];
      const { word, capital } = this.items[last];
      if (this.has(last, "within", "counters")) within += 1;
      else if (this.isKnown(last) || capital || gap === this.table.gap) break;
      else if (this.table.language === "en" && forms.includes("other") && word.endsWith("s")) break;
      else gap += 1;
    }
    return [gap ? at : here, ""];
  }

  // Whether a noun counts as one without a number, as in Russian: "вижу собаку".
  countsAlone(at, number) {
    const [behind, last] = [this.next(at), this.last(at)];
    if (this.has(behind, "number")) {
      this.used.add(behind);
      return this.items[behind].roles.number === number; // كلب واحد
    }
    if (number > 1 || !this.table.bare || last < 0) return true;
    return (this.items[at].joined && this.has(last, "noun", "number")) || this.has(last, "bare");
  }
}
