// What a search asks for, and where it is. The words come from Python (search_words.py), which
// reads "two dogs" with the same ones; test_report_search.py compares the two.

const SILENT = /[\u00ad\u200b\u200e\u200f\u2066-\u2069\ufeff"“”„«»‹›‘「」『』*`]/g;
const MARKS = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d";
const TOKEN = new RegExp(
  `(\\d+(?:[.,:/\\u2044]\\d+)+)|[\\p{L}\\p{N}][\\p{L}\\p{N}_${MARKS}]*`, "gu");
const BREAK = /[.!?;:,()[\]{}|/\n\r。、…—–।؟،؛]|\s-(?=\s)/;
const SPACE = /^[ \u00a0]*[x×']?[ \u00a0]*$/;
const LISTED = /^(?:[ \u00a0]*[:=(][ \u00a0]*|[ \u00a0][-–—][ \u00a0]|[ \u00a0]?[x×][ \u00a0]?)$/;
const PREFIXES = "وفبل"; // Arabic writes "and", "then", "with" and "for" as one word with the next
const FLAGS = ["within", "counters", "people", "zero", "zero_behind", "linked", "of"];
const LARGEST = 999;
const MOST_WITHIN = 4;
const LONGEST_PARTICLE = 12;

// Phrases -> what they may be; made once for each language.
function lexiconOf(table) {
  if (table.phrases) return table;
  const phrases = new Map();
  const add = (phrase, role, value) => {
    if (!phrases.has(phrase)) phrases.set(phrase, {});
    phrases.get(phrase)[role] = value;
  };
  for (const [phrase, classes] of Object.entries(table.nouns)) add(phrase, "noun", classes);
  for (const [phrase, number] of Object.entries(table.numbers)) add(phrase, "number", number);
  for (const [phrase, counted] of Object.entries(table.counted)) add(phrase, "counted", counted);
  for (const [phrase, number] of Object.entries(table.alone)) add(phrase, "alone", number);
  for (const flag of [...FLAGS, "others"]) for (const phrase of table[flag]) add(phrase, flag, true);
  const longest = new Map();
  for (const phrase of phrases.keys()) {
    const parts = phrase.split(" ");
    const [first, size] = table.spaced ? [parts[0], parts.length] : [phrase[0], phrase.length];
    longest.set(first, Math.max(longest.get(first) ?? 0, size));
  }
  table.phrases = phrases;
  table.longest = longest;
  return table;
}

// The text without signs that make no difference, in lower case.
function legible(text, language) {
  let read = text.normalize("NFKC").replaceAll("_", " ").replace(SILENT, "").replaceAll("’", "'");
  read = read.replace(/(?<![\p{L}\p{N}])'|'(?![\p{L}\p{N}])/gu, "");
  read = read.replace(/[أإآٱ]/g, "ا").replaceAll("ى", "ي").replace(/ё/gi, "е");
  read = read.replace(/[٠-٩۰-۹०-९]/g, (digit) => digitOf(digit));
  if (language === "tr") read = read.replaceAll("İ", "i").replaceAll("I", "ı");
  if (language === "ko") read = read.replace(/([이을은과])\([가를는와]\)/g, "$1");
  if (language === "ar") read = read.replace(/[\u064b-\u0652\u0670\u0640]/g, "");
  if (language === "hi") {
    read = read.normalize("NFD").replaceAll("\u093c", "").replaceAll("\u0901", "\u0902");
  }
  return read.toLowerCase().replaceAll("ß", "ss");
}

function digitOf(digit) {
  const code = digit.codePointAt(0);
  return String(code - [0x0660, 0x06f0, 0x0966].findLast((zero) => zero <= code));
}

function digits(word) {
  return /^\d+$/.test(word) && Number(word) <= LARGEST ? { number: Number(word) } : {};
}

// The words of a text: [{ word, roles, before, joined }], the longest known phrases being one.
function itemsOf(text, table) {
  const read = legible(text, table.language);
  return [...(table.spaced ? spacedItems(read, table) : joinedItems(read, table))];
}

function* spacedItems(text, table) {
  const tokens = [...text.matchAll(TOKEN)];
  const words = tokens.map((token) => token[0]);
  let end = 0;
  for (let at = 0; at < tokens.length;) {
    const token = tokens[at];
    const shorter = words[at].slice(1);
    let joined = "";
    if (table.language === "ar" && !table.longest.has(words[at]) && PREFIXES.includes(words[at][0])
      && (table.longest.has(shorter) || /^\d+$/.test(shorter))) {
      joined = words[at][0];
      words[at] = shorter;
    }
    const [size, roles] = longestPhrase(text, tokens, words, at, table);
    const known = roles ?? (token[1] ? {} : digits(words[at]));
    yield { word: words[at], roles: known, before: text.slice(end, token.index), joined };
    at += size;
    end = tokens[at - 1].index + tokens[at - 1][0].length;
  }
}

function longestPhrase(text, tokens, words, at, table) {
  const most = Math.min(table.longest.get(words[at]) ?? 0, words.length - at);
  for (let size = most; size > 0; size -= 1) {
    const roles = table.phrases.get(words.slice(at, at + size).join(" "));
    const from = tokens[at].index + tokens[at][0].length;
    if (roles && (size === 1 || !BREAK.test(text.slice(from, tokens[at + size - 1].index)))) {
      return [size, roles];
    }
  }
  return [1, null];
}

function* joinedItems(text, table) {
  const letter = /[\p{L}\p{N}]/gu;
  let end = 0;
  let number = false;
  for (let match; (match = letter.exec(text));) {
    const at = match.index;
    const before = text.slice(end, at);
    const start = table.language !== "ko" || before || at === 0 || number;
    const sum = /^\d+(?:[.,:/\u2044]\d+)*/.exec(text.slice(at));
    let [size, roles, joined] = [1, null, ""];
    if (sum) [size, roles] = [sum[0].length, digits(sum[0])];
    else if (start) [size, roles, joined] = signPhrase(text, at, table);
    if (!roles && (table.language === "ko" || text[at] < "\u0080")) {
      size = wordAt(text, at).length || 1;
    }
    const word = text.slice(at, at + size);
    number = roles?.number !== undefined;
    yield { word, roles: roles ?? {}, before, joined };
    end = letter.lastIndex = at + size + joined.length;
  }
}

function wordAt(text, at) {
  TOKEN.lastIndex = 0;
  const match = text.slice(at).matchAll(TOKEN).next().value;
  return match?.index === 0 ? match[0] : "";
}

function signPhrase(text, at, table) {
  for (let size = table.longest.get(text[at]) ?? 0; size > 0; size -= 1) {
    const roles = at + size <= text.length && table.phrases.get(text.slice(at, at + size));
    if (!roles) continue;
    if (table.language !== "ko") return [size, roles, ""];
    const behind = wordAt(text, at + size).slice(0, LONGEST_PARTICLE);
    if (behind && roles.number !== undefined) {
      const counters = [1, 2].some((n) => table.phrases.get(behind.slice(0, n))?.counters);
      if (counters) return [size, roles, ""];
    } else if (new RegExp(`^(?:${table.tail})$`, "u").test(behind)) {
      return [size, roles, behind];
    }
  }
  return [1, null, ""];
}

// What a text asks for: [{ classes, count }]. `classes` is empty if these recordings have none;
// `count` is 1 for a bare name, and 0 for "no dog".
function termsOf(text, table) {
  lexiconOf(table);
  const items = itemsOf(text.slice(0, 500), table);
  const clauses = [];
  for (const item of items) clauses.push((clauses.at(-1) ?? 0) + Number(BREAK.test(item.before)));
  const reading = { items, clauses, table, used: new Set(), terms: [] };
  items.forEach((item, at) => {
    if (item.roles.counted) note(reading, ...item.roles.counted);
    else if (reading.used.has(at)) return;
    else if (item.roles.noun) note(reading, item.roles.noun, quantity(reading, at));
    else if (!table.spaced && item.roles.number !== undefined) people(reading, at);
  });
  return reading.terms;
}

// Of the same objects named again there are as many more.
function note(reading, classes, count) {
  const same = reading.terms.find((term) => classes.length && String(term.classes) === String(classes));
  if (same) same.count += count;
  else reading.terms.push({ classes, count });
}

function quantity(reading, at) {
  const listed = reading.items[at + 1];
  if (listed && LISTED.test(listed.before) && /^\d+$/.test(listed.word)) {
    return use(reading, at + 1);
  }
  return reading.table.spaced ? quantityOfWord(reading, at) : quantityOfSigns(reading, at);
}

function use(reading, at) {
  reading.used.add(at);
  return reading.items[at].roles.number;
}

function roles(reading, at) {
  return reading.items[at]?.roles ?? {};
}

function next(reading, at) {
  return reading.clauses[at + 1] === reading.clauses[at] ? at + 1 : -1;
}

function last(reading, at) {
  const same = at > 0 && reading.clauses[at - 1] === reading.clauses[at];
  return same && SPACE.test(reading.items[at].before) ? at - 1 : -1;
}

function isFree(reading, at) {
  return roles(reading, at).number !== undefined && !reading.used.has(at);
}

function quantityOfWord(reading, at) {
  let [here, gap, within] = [at, 0, 0];
  for (let before; (before = last(reading, here)) >= 0 && within < MOST_WITHIN; here = before) {
    const found = roles(reading, before);
    if (isFree(reading, before)) return use(reading, before);
    if (found.zero) return 0;
    if (found.within || found.counters) within += 1;
    else if (Object.keys(found).length || gap === reading.table.gap) break;
    else gap += 1;
  }
  const behind = next(reading, at);
  if (behind >= 0 && roles(reading, behind).zero_behind) return 0;
  if (behind >= 0 && isFree(reading, behind) && !isOfAnother(reading, behind)) {
    return use(reading, behind);
  }
  return roles(reading, at).alone ?? 1;
}

// Whether a number behind a noun counts the noun that comes after it.
function isOfAnother(reading, number) {
  let behind = next(reading, number);
  for (let gap = 0; behind >= 0; behind = next(reading, behind)) {
    const found = roles(reading, behind);
    if (found.noun) return true;
    if (!found.within && !found.counters && (found.others || (gap += 1) > reading.table.gap)) break;
  }
  return false;
}

function quantityOfSigns(reading, at) {
  let before = last(reading, at);
  for (let n = 0; roles(reading, before).within && n < MOST_WITHIN; n += 1) {
    before = last(reading, before);
  }
  if (roles(reading, before).of) before = last(reading, before);
  const number = roles(reading, before).counters ? last(reading, before) : before;
  const joined = number === before || !reading.items[before].joined || ofBehind(reading, before);
  if (isFree(reading, number) && joined) return use(reading, number);
  if (roles(reading, before).zero) return 0;
  return quantityBehind(reading, at);
}

function ofBehind(reading, at) {
  return reading.table.phrases.get(reading.items[at].joined)?.of;
}

function quantityBehind(reading, at) {
  const { joined } = reading.items[at];
  if (joined && !reading.table.phrases.get(joined)?.linked) return 1;
  let behind = next(reading, at);
  if (!joined && roles(reading, behind).linked) behind = next(reading, behind);
  if (roles(reading, behind).zero_behind) return 0;
  const counter = behind < 0 ? -1 : next(reading, behind);
  if (!isFree(reading, behind) || !roles(reading, counter).counters) return 1;
  // The measure word is a noun, too: "人が3人". One that joins a noun behind it belongs to that.
  const isOf = ofBehind(reading, counter) || roles(reading, next(reading, counter)).of;
  if (isOf) return 1;
  reading.used.add(counter);
  return use(reading, behind);
}

function people(reading, at) {
  const counter = next(reading, at);
  const found = roles(reading, counter);
  if (!found.people || reading.used.has(at) || reading.items[counter].before.trim()) return;
  const behind = next(reading, counter);
  const isJoined = ofBehind(reading, counter) || roles(reading, behind).of;
  const zhNoun = reading.table.language === "zh" && roles(reading, behind).noun;
  if (isJoined || zhNoun) return;
  reading.used.add(counter);
  note(reading, reading.table.person, use(reading, at));
}
