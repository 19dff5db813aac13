// What a text asks for. It is understood as a whole or not at all: who asks for a red car is not
// shown all cars. It is language/searching.py, rule by rule.

const UNCLEAR = ["vague", "behind", "either", "known", "voids", "voided", "units", "others", "noun"];

// Returns { counts: class of the table -> how many, 0: none; unclear: words }. Words that only stand
// beside an unclear one, as "two" of "two unicorns", are left out.
function askedFor(text, table) {
  const items = itemsOf(text, table);
  const read = new (table.spaced ? CountedText : CountedSigns)(items, table);
  const counts = read.readings();
  const unclear = items.filter((_, at) => isUnclear(read, at)).map(({ phrase, word }) => phrase ?? word);
  const doubtful = items.filter((_, at) => isIdleNumber(read, at)).map(({ word }) => word);
  items.forEach(({ word }, at) => {
    const key = read.classOf(at);
    if (key < 0) return;
    if (read.doubtful.has(key)) doubtful.push(word);
    else if (!read.used.has(at) && !counts.has(key)) counts.set(key, 1);
  });
  return { counts, unclear: [...new Set(unclear.length ? unclear : doubtful)] };
}

// Whether a number counts nothing; an article is no number here.
function isIdleNumber(read, at) {
  const { word, roles } = read.items[at];
  const isArticle = roles.number === 1 && !isNumber(word);
  return Boolean(roles.number) && !isArticle && !read.used.has(at) && !(at && read.listed(at - 1) !== null); // "dogs: 2"
}

// Whether a word says something else than which objects there are.
function isUnclear(read, at) {
  const { word, roles } = read.items[at];
  if (read.used.has(at) || read.classOf(at) >= 0 || read.has(at, "zero", "zero_behind")) return false;
  if (roles.number) return false;
  const isCounted = read.has(at + 1, "number") || (read.items[at + 1] && read.classOf(at + 1) >= 0);
  const isOwn = read.table.own.includes(word); // a word of "I can see ..."
  if (isOwn && !(read.has(at, "known") && isCounted)) return false; // "the two dogs"
  if (read.has(at, "within") && !read.has(at, "counters", "of")) return true; // "kırmızı", red
  return !read.isKnown(at) || read.has(at, ...UNCLEAR) || /\p{Nd}/u.test(word);
}

// Returns { terms: [{ label, classes, count }], unclear: words }; no terms: it is not understood.
// It may be in any language, and is read in the chosen one first. ``classes`` are of this report,
// and empty if it has none.
function understood(text) {
  const english = data.languages.find(({ tag }) => tag === "en");
  const likely = new Set([words(), data.languages[ownLanguage], english ?? words()]);
  let best = null;
  for (const language of new Set([...likely, ...data.languages])) {
    const { search } = language;
    const { counts, unclear } = askedFor(text, search);
    if (counts.size && !unclear.length) {
      const term = ([key, count]) => ({ label: search.labels[key], classes: search.classes[key], count });
      return { terms: [...counts].map(term), unclear };
    }
    const isLess = !best?.length || (unclear.length && unclear.length < best.length);
    if (likely.has(language) && isLess) best = unclear;
  }
  return { terms: [], unclear: best };
}
