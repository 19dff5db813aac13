// The words of a search. They come from Python (search_words.py), and are found as
// language/counting_words.py finds them; test_report_search.py compares the two.

const SILENT = /[\u00ad\u200b\u200e\u200f\u2066-\u2069\ufeff"“”„«»‹›‘「」『』*`]/g;
const MARKS = "\u0300-\u036f\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u200c\u200d";
const TOKEN = new RegExp(
  `(\\d+(?:[.,:/\\u2044]\\d+)+)|[\\p{L}\\p{N}][\\p{L}\\p{N}_${MARKS}]*`, "gu");
const MARKED = /[(,、](?:推定|추정)[),、]/g; // how a list says "probably"
const BREAK = /[.!?;:,()[\]{}|/\n\r。、…—–।؟،؛]|\s-(?=\s)/;
const PREFIXES = "وفبل"; // Arabic writes "and", "then", "with" and "for" as one word with the next
const LARGEST = 999;
const LONGEST_TEXT = 500;
const LONGEST_PARTICLE = 12;

// Phrases -> what they may be; made once for each language.
function lexiconOf(table) {
  if (table.phrases) return table;
  const phrases = new Map();
  const add = (phrase, role, value) => {
    if (!phrases.has(phrase)) phrases.set(phrase, {});
    phrases.get(phrase)[role] = value;
  };
  for (const role of ["noun", "number", "counted", "alone"]) {
    for (const [phrase, value] of Object.entries(table[role])) add(phrase, role, value);
  }
  for (const [flag, own] of Object.entries(table.flags)) {
    for (const phrase of own) add(phrase, flag, true);
  }
  const longest = new Map();
  for (const phrase of phrases.keys()) {
    const parts = phrase.split(" ");
    const [first, size] = table.spaced ? [parts[0], parts.length] : [phrase[0], phrase.length];
    longest.set(first, Math.max(longest.get(first) ?? 0, size));
  }
  table.phrases = phrases;
  table.longest = longest;
  table.plural = new Intl.PluralRules(table.cldr);
  table.whole = table.tail ? new RegExp(`^(?:${table.tail})$`, "u") : null;
  table.begins = table.tail ? new RegExp(`^(?:${table.tail})`, "u") : null;
  return table;
}

// The text without signs that make no difference.
function legible(text, language) {
  let read = text.normalize("NFKC").replaceAll("_", " ").replace(SILENT, "").replace(MARKED, "");
  read = read.replaceAll("’", "'");
  read = read.replace(/(?<![\p{L}\p{N}])'|'(?![\p{L}\p{N}])/gu, "");
  read = read.replace(/[أإآٱ]/g, "ا").replaceAll("ى", "ي").replace(/ё/gi, "е");
  read = read.replace(/[٠-٩۰-۹०-९]/g, (digit) => digitOf(digit));
  if (language === "tr") read = read.replaceAll("İ", "i").replaceAll("I", "ı");
  if (language === "ko") read = read.replace(/([이을은과])\([가를는와]\)/g, "$1");
  if (language === "ar") read = read.replace(/[\u064b-\u0652\u0670\u0640]/g, "");
  if (language === "hi") {
    read = read.normalize("NFD").replaceAll("\u093c", "").replaceAll("\u0901", "\u0902");
  }
  return read;
}

const lower = (text) => text.toLowerCase().replaceAll("ß", "ss");

function digitOf(digit) {
  const code = digit.codePointAt(0);
  return String(code - [0x0660, 0x06f0, 0x0966].findLast((zero) => zero <= code));
}

const isNumber = (word) => /^\d+$/.test(word);

// What a word that may have digits may be.
function digits(word) {
  if (isNumber(word) && Number(word) <= LARGEST) return { number: Number(word) };
  return /\p{Nd}/u.test(word) ? { joints: true } : {};
}

// The words of a text: [{ word, roles, before, capital, joined }], the longest known phrases being
// one.
function itemsOf(text, table) {
  lexiconOf(table);
  const read = legible(text.slice(0, LONGEST_TEXT), table.language);
  return [...(table.spaced ? spacedItems(read, table) : joinedItems(lower(read), table))];
}

function* spacedItems(text, table) {
  const tokens = [...text.matchAll(TOKEN)];
  const words = tokens.map((token) => lower(token[0]));
  let end = 0;
  for (let at = 0; at < tokens.length;) {
    const token = tokens[at];
    const shorter = words[at].slice(1);
    let joined = "";
    if (table.language === "ar" && !table.longest.has(words[at]) && PREFIXES.includes(words[at][0])
      && (table.longest.has(shorter) || isNumber(shorter))) {
      joined = words[at][0];
      words[at] = shorter;
    }
    const [size, roles] = longestPhrase(text, tokens, words, at, table);
    const capital = /^\p{Lu}/u.test(token[0]);
    const before = text.slice(end, token.index);
    const phrase = words.slice(at, at + size).join(" ");
    yield { word: words[at], phrase, roles: roles ?? digits(words[at]), before, capital, joined };
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
    yield { word, roles: roles ?? {}, before, capital: false, joined };
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
    } else if (table.whole?.test(behind)) {
      return [size, roles, behind];
    }
  }
  return [1, null, ""];
}
