// What a text in Chinese, Japanese or Korean counts, where numbers have measure words:
// 两只狗, 2匹の犬, 개 두 마리; and people without the noun: 2人います. It is
// language/counting_signs.py, rule by rule.

const COMPOUND = /^[\u4e00-\u9fff\u30a1-\u30fa\u30fc]+$/;

class CountedSigns extends CountedText {
  read(at) {
    if (this.used.has(at)) return;
    if (this.has(at, "noun")) this.readNoun(at, this.classOf(at));
    else if (this.has(at, "number")) this.readPeople(at);
  }

  readPeople(at) {
    const counter = this.next(at);
    if (!this.has(counter, "people") || this.items[counter].before.trim()) return;
    if (this.isJoined(counter) || !this.ends(counter)) return;
    this.used.add(counter);
    this.note(this.table.person, this.items[at].roles.number, at, counter);
  }

  readNoun(at, key) {
    if (key < 0) return;
    const last = this.before(at);
    if (last < 0) this.readBehind(at, key);
    else if (this.has(last, "counters")) {
      // Not 개 두 마리와 고양이 한 마리: there 고양이 is another thing.
      const number = this.last(last);
      const joined = this.table.language === "zh" || this.isJoined(last);
      if (joined && this.has(number, "number") && this.ends(at)) this.noteBefore(key, number, at);
      else if (!this.has(number, "number") || !joined) this.readBehind(at, key);
    } else if (this.has(last, "number") && last === at - 1) {
      const isPerson = key === this.table.person;
      if (isPerson && !this.isJoined(at) && this.ends(at)) this.noteBefore(key, last, at);
    } else if (this.has(last, "zero")) this.none(key, last, at);
    else if (this.has(last, "vague")) this.doubtful.add(key);
    else this.readBehind(at, key);
  }

  noteBefore(key, number, noun) {
    if (this.used.has(number)) return;
    this.used.add(noun);
    this.note(key, this.items[number].roles.number, number, noun);
  }

  // What stands before a noun and its adjectives.
  before(at) {
    let last = this.last(at);
    while (this.has(last, "within") && at - last <= MOST_WITHIN) last = this.last(last);
    return this.has(last, "of") ? this.last(last) : last;
  }

  // Reads a number that stands behind its noun, or that there is none.
  readBehind(at, key) {
    const [listed, { joined }] = [this.listed(at), this.items[at]];
    if (listed !== null) {
      this.note(key, listed, at, at + 1);
      return;
    }
    if (this.isCompound(at) || (joined && !this.table.phrases.get(joined)?.linked)) return;
    let behind = this.next(at);
    if (!joined && this.has(behind, "linked")) behind = this.next(behind);
    if (this.has(behind, "zero_behind")) this.none(key, at, behind);
    else if (this.has(behind, "vague")) this.doubtful.add(key);
    else if (this.has(behind, "number") && !this.used.has(behind)) {
      const counter = this.next(behind);
      const isPeople = this.has(counter, "people");
      if (!this.has(counter, "counters") || this.isJoined(counter)) return;
      if (isPeople !== (key === this.table.person)) return;
      this.used.add(behind).add(counter);
      this.note(key, this.items[behind].roles.number, behind, counter);
    }
  }

  // Whether a Japanese noun is the end of another: 車椅子.
  isCompound(at) {
    if (this.table.language !== "ja" || !at || this.items[at].before) return false;
    return COMPOUND.test(this.items[at - 1].word) && !this.has(at - 1, "within", "number");
  }

  // Whether a word belongs to a noun behind it: 2匹の, 두 마리의.
  isJoined(at) {
    if (this.table.language !== "ko") return this.has(this.next(at), "of");
    return Boolean(this.table.phrases.get(this.items[at].joined)?.of);
  }

  // Whether a word is whole, as signs without spaces do not show: not 猫头鹰.
  ends(at) {
    const behind = this.next(at);
    if (this.table.language === "ko" || behind < 0 || this.items[behind].before) return true;
    const { roles, word } = this.items[behind];
    const open = ["noun", "counters", "within", "people"];
    return Object.keys(roles).some((role) => !open.includes(role)) || Boolean(this.table.begins?.test(word));
  }
}
