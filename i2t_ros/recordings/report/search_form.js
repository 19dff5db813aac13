// What the search form asks for, and the matches.

class SearchForm {
  // ``changed(hits)`` is called with what matches; null: nothing is asked for.
  constructor(changed) {
    this.changed = changed;
    this.chips = new Set();
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
    byId("chips").replaceChildren(...data.classes.map(([, images], name) => element("button", {
      type: "button", class: "chip", "aria-pressed": this.chips.has(name),
      title: text("seenIn", { count: images }), click: () => this.press(name),
    }, nameOf(labelOf(name)))));
    this.run();
  }

  press(name) {
    if (!this.chips.delete(name)) this.chips.add(name);
    byId("chips").children[name].setAttribute("aria-pressed", this.chips.has(name));
    this.run();
  }

  clear() {
    byId("query").value = "";
    byId("least").value = 1;
    byId("lasting").value = 0;
    this.chips.clear();
    this.say();
    byId("query").focus();
  }

  get query() {
    return byId("query").value.trim();
  }

  terms() {
    const least = Math.max(1, Number.parseInt(byId("least").value, 10) || 1);
    const chips = [...this.chips].map((name) => ({ classes: [name], count: least }));
    return [...(this.query ? termsOf(this.query, words().search) : []), ...chips];
  }

  run() {
    const terms = this.terms();
    const lasting = 1000 * Math.max(0, Number(byId("lasting").value) || 0);
    this.at = -1;
    byId("least").disabled = !this.chips.size; // it is about them
    this.hits = terms.length ? hitsOf(terms, lasting) : this.query ? [] : null;
    byId("found").textContent = this.said(terms);
    byId("steps").hidden = !this.hits?.length;
    this.changed(this.hits, terms);
  }

  // The words that were understood, so that nobody wonders what was looked for.
  said(terms) {
    if (this.hits === null) return "";
    if (!terms.length) return text("notUnderstood");
    const known = terms.filter(({ classes }) => classes.length);
    const asked = listed(known.map(({ classes, count }) => (count ? countedOf(classes[0], count) : `0 × ${labelOf(classes[0])}`)));
    const found = this.hits.length ? text("hits", { count: this.hits.length }) : text("noHits");
    return asked ? text("searched", { found, asked }) : found;
  }

  // The next hit, or the one before.
  step(by) {
    this.at = (this.at + by + this.hits.length) % this.hits.length;
    return this.hits[this.at];
  }
}

// [{ stream, start, end }] in the order of the recordings; of pictures, { stream, moment }.
function hitsOf(terms, lasting) {
  return data.streams.flatMap((stream) => (isTimed(stream)
    ? spansOf(stream, terms, lasting).map(([start, end]) => ({ stream, start, end }))
    : stream.moments.filter((moment) => showsAll(moment, terms)).map((moment) => ({ stream, moment }))));
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
