// What the search form asks for, and the matches.

const FIRST_CHIPS = matchMedia("(max-width: 520px)").matches ? 10 : 24;

class SearchForm {
  // ``changed(hits)`` is called with what matches; null: nothing is asked for.
  constructor(changed) {
    this.changed = changed;
    this.chips = new Set();
    this.allChips = false;
    this.hits = null;
    this.at = -1;
    byId("search").addEventListener("submit", (event) => {
      event.preventDefault();
      this.run();
    });
    byId("query").addEventListener("input", () => this.run());
    for (const id of ["least", "lasting"]) {
      byId(id).addEventListener("input", () => this.run());
      byId(id).addEventListener("focus", () => byId(id).select());
    }
    byId("clear").addEventListener("click", () => this.clear());
  }

  say() {
    byId("query").placeholder = words().example;
    this.sayChips();
    this.run();
  }

  // Those that are seen most; the others come with a button, or if they are chosen.
  sayChips() {
    const names = [...data.classes.keys()];
    const shown = names.filter((name) => this.allChips || name < FIRST_CHIPS || this.chips.has(name));
    const hidden = names.length - Math.min(FIRST_CHIPS, names.length);
    byId("chips").replaceChildren(...shown.map((name) => element("button", {
      type: "button", class: "chip", "aria-pressed": String(this.chips.has(name)), "data-class": name,
      title: text("seenIn", { count: data.classes[name][1] }), click: () => this.press(name),
    }, nameOf(labelOf(name)))));
    if (hidden) byId("chips").append(moreButton(this.allChips, hidden, () => this.toggleChips()));
  }

  toggleChips() {
    this.allChips = !this.allChips;
    this.sayChips();
    byId("chips").lastElementChild.focus();
  }

  press(name) {
    if (!this.chips.delete(name)) this.chips.add(name);
    byId("chips").querySelector(`[data-class="${name}"]`).setAttribute("aria-pressed", this.chips.has(name));
    this.run();
  }

  clear() {
    this.fill(new URLSearchParams());
    byId("query").focus();
  }

  // Fills the form with what an address says: q, class (of each chip), least, for.
  fill(wanted) {
    byId("query").value = (wanted.get("q") ?? "").slice(0, LONGEST_TEXT);
    byId("least").value = Math.max(1, Number.parseInt(wanted.get("least"), 10) || 1);
    byId("lasting").value = Math.max(0, Number(wanted.get("for")) || 0);
    const chips = wanted.getAll("class").map((id) => data.classes.findIndex(([own]) => own === id));
    this.chips = new Set(chips.filter((name) => name >= 0));
    this.say();
  }

  // The same as the parts of an address.
  parts() {
    const parts = this.query ? [["q", this.query]] : [];
    for (const name of this.chips) parts.push(["class", data.classes[name][0]]);
    if (this.chips.size && this.least > 1) parts.push(["least", this.least]);
    if (this.lasting) parts.push(["for", this.lasting / 1000]);
    return parts;
  }

  get query() {
    return byId("query").value.trim();
  }

  get least() {
    return Math.max(1, Number.parseInt(byId("least").value, 10) || 1);
  }

  get lasting() {
    return 1000 * Math.max(0, Number(byId("lasting").value) || 0);
  }

  run() {
    const asked = this.query ? understood(this.query) : { terms: [], unclear: [] };
    const isClear = !this.query || asked.terms.length > 0;
    const chips = [...this.chips].map((name) => ({ classes: [name], count: this.least }));
    const terms = isClear ? [...asked.terms, ...chips] : [];
    this.at = -1;
    byId("least").disabled = !this.chips.size; // it is about them
    this.hits = terms.length ? hitsOf(terms, this.lasting) : isClear ? null : [];
    byId("found").textContent = this.said(terms, asked.unclear);
    this.changed(this.hits, terms);
  }

  // What was looked for, so that nobody wonders, or which words are not understood.
  said(terms, unclear) {
    if (this.hits === null) return "";
    if (unclear.length) return text("unclear", { words: separated(unclear) });
    if (!terms.length) return text("notUnderstood");
    const asked = listed(terms.map(({ label, classes: [name], count }) => (
      name === undefined ? `${label} × ${numeral(count)}` : countedOf(name, count))));
    const found = this.hits.length ? text("hits", { count: this.hits.length }) : text("noHits");
    return text("searched", { found, asked });
  }

  // The next hit, or the one before.
  step(by) {
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    return this.hits[this.at];
  }
}

// [{ stream, start, end }] in the order of the recordings; of pictures, which do not last,
// { stream, moment }.
function hitsOf(terms, lasting) {
  return data.streams.flatMap((stream) => (isTimed(stream)
    ? spansOf(stream, terms, lasting).map(([start, end]) => ({ stream, start, end }))
    : picturesOf(stream, terms, lasting)));
}

function picturesOf(stream, terms, lasting) {
  const shown = lasting ? [] : stream.moments.filter((moment) => showsAll(moment, terms));
  return shown.map((moment) => ({ stream, moment }));
}

// The moments that fall into hits.
function momentsOf(hits) {
  const spans = new Map();
  const pictures = new Set();
  for (const { stream, start, end, moment } of hits) {
    if (moment) pictures.add(moment);
    else if (spans.has(stream)) spans.get(stream).push([start, end]);
    else spans.set(stream, [[start, end]]);
  }
  return data.moments.filter((moment) => pictures.has(moment) || inside(spans.get(moment.stream), moment.time));
}

function inside(spans, time) {
  if (!spans) return false;
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (spans[middle][1] <= time) low = middle + 1;
    else high = middle;
  }
  return low < spans.length && spans[low][0] <= time;
}
