// The timeline of one stream: a row for each class, drawn on a canvas. Time runs from the left in
// every language.

const ROW = 38;
const AXIS = 40;
const FIRST_ROWS = 8;
const CLOSEST = 500; // milliseconds that fill the width at least
const STEPS = [100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5, 36e5,
  72e5, 144e5, 216e5, 432e5, 864e5];

class Timeline {
  // ``choose(stream, time)`` is called when somebody chooses a time; ``step(stream, by)`` when the
  // next or the last moment is wanted.
  constructor(stream, choose, step) {
    Object.assign(this, { stream, choose, step, spans: [], cursor: null, all: false });
    this.length = Math.max(stream.last, stream.first + 1000);
    this.whole();
    this.pointers = new Map();
    this.canvas = element("canvas", { tabindex: 0, role: "slider", "aria-orientation": "horizontal" });
    this.labels = element("div", { class: "labels" });
    this.host = element("div", { class: "rows", dir: "ltr" }, this.canvas, this.labels);
    this.tools = element("div", { class: "buttons", dir: "ltr" });
    this.rest = element("button", { type: "button", class: "quiet", click: () => this.toggle() });
    this.heading = element("h3", { id: `stream-${stream.number}` }, ...titlesOf(stream).flatMap((title, at) => (
      at ? [" ", nameOf(title, { class: "soft" })] : [nameOf(title)])));
    this.box = element("article", { class: "stream", "aria-labelledby": this.heading.id },
      element("div", { class: "bar" }, this.heading, this.tools), this.host, this.rest);
    this.listen();
    new ResizeObserver(() => this.draw()).observe(this.host);
  }

  // Everything that has words.
  say() {
    const quiet = (sign, key, click) => element(
      "button", { type: "button", class: "icon", title: text(key), "aria-label": text(key), click }, sign);
    this.tools.replaceChildren(
      quiet("−", "zoomOut", () => this.zoom(2)),
      quiet("+", "zoomIn", () => this.zoom(0.5)),
      quiet("‹", "earlier", () => this.pan(-0.5)),
      quiet("›", "later", () => this.pan(0.5)),
      quiet("↔", "whole", () => { this.whole(); this.draw(); }),
    );
    this.canvas.setAttribute("aria-label", text("pair", { name: text("timelines"), value: titlesOf(this.stream).join(" ") }));
    const rows = this.rows();
    this.labels.replaceChildren(...rows.map(([name, values]) => {
      const most = values.reduce((most, value, at) => (at % 3 === 2 ? Math.max(most, value) : most), 0);
      const said = text("row", { label: labelOf(name), count: most });
      return element("div", { title: said }, nameOf(labelOf(name)), element("span", { class: "hidden" }, said));
    }));
    const hidden = this.stream.rows.length - FIRST_ROWS;
    this.rest.hidden = hidden <= 0;
    this.rest.textContent = this.all ? text("fewer") : text("more", { count: hidden });
    this.rest.setAttribute("aria-expanded", this.all);
    this.host.classList.toggle("without", !rows.length);
    if (!rows.length) this.labels.replaceChildren(element("p", { class: "soft", dir: "auto" }, text("nothingFound")));
    this.host.style.height = `${Math.max(1, rows.length) * ROW + AXIS}px`;
    this.draw();
  }

  rows() {
    return this.all ? this.stream.rows : this.stream.rows.slice(0, FIRST_ROWS);
  }

  toggle() {
    this.all = !this.all;
    this.say();
  }

  whole() {
    [this.from, this.to] = [Math.min(this.stream.first, this.length - 1), this.length];
  }

  // Shows ``factor`` times as long a part; the time at ``x``, 0 to 1, stays where it is.
  zoom(factor, x = this.focus()) {
    const [first, whole] = [this.stream.first, this.length - this.stream.first];
    const size = Math.min(whole, Math.max(Math.min(CLOSEST, whole), (this.to - this.from) * factor));
    const at = this.from + x * (this.to - this.from);
    this.from = Math.min(Math.max(first, at - x * size), this.length - size);
    this.to = this.from + size;
    this.draw();
  }

  focus() {
    const x = this.cursor === null ? 0.5 : (this.cursor - this.from) / (this.to - this.from);
    return x >= 0 && x <= 1 ? x : 0.5;
  }

  // By so many times the length that is shown.
  pan(part) {
    const size = this.to - this.from;
    const from = this.from + part * size;
    this.from = Math.min(Math.max(this.stream.first, from), this.length - size);
    this.to = this.from + size;
    this.draw();
  }

  mark(spans) {
    this.spans = spans;
    this.draw();
  }

  point(time) {
    this.cursor = time;
    if (time !== null && (time < this.from || time > this.to)) {
      const size = this.to - this.from;
      this.from = Math.min(Math.max(this.stream.first, time - size / 2), this.length - size);
      this.to = this.from + size;
    }
    this.draw();
  }

  draw() {
    this.wanted ??= requestAnimationFrame(() => {
      this.wanted = null;
      drawTimeline(this);
    });
  }

  timeAt(event) {
    const frame = this.canvas.getBoundingClientRect();
    const x = Math.min(1, Math.max(0, (event.clientX - frame.left) / frame.width));
    return { x, y: event.clientY - frame.top, time: this.from + x * (this.to - this.from) };
  }

  listen() {
    const on = (name, act, options) => this.canvas.addEventListener(name, act, options);
    on("pointerdown", (event) => {
      this.pointers.set(event.pointerId, event);
      this.moved = this.pointers.size > 1;
    });
    on("pointermove", (event) => this.move(event));
    on("pointerup", (event) => {
      const wasDown = this.pointers.delete(event.pointerId);
      if (wasDown && !this.moved) this.choose(this.stream, Math.floor(this.timeAt(event).time));
    });
    for (const name of ["pointercancel", "pointerleave"]) {
      on(name, (event) => {
        this.pointers.delete(event.pointerId);
        showTip(null);
      });
    }
    on("wheel", (event) => this.turn(event), { passive: false });
    on("keydown", (event) => this.key(event));
  }

  move(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) {
      showTip(event, tipOf(this, this.timeAt(event)));
      return;
    }
    const width = this.canvas.clientWidth;
    if (this.pointers.size === 1) {
      const by = event.clientX - before.clientX;
      if (!this.moved && Math.abs(by) < 5) return;
      this.moved = true;
      this.canvas.setPointerCapture(event.pointerId);
      this.pan(-by / width);
    } else {
      const other = [...this.pointers.values()].find(({ pointerId }) => pointerId !== event.pointerId);
      const apart = (a) => Math.max(20, Math.abs(a.clientX - other.clientX));
      this.zoom(apart(before) / apart(event), this.timeAt(other).x);
    }
    this.pointers.set(event.pointerId, event);
  }

  // The wheel scrolls the page, unless the timeline was clicked before or Ctrl is held.
  turn(event) {
    const along = Math.abs(event.deltaX) > Math.abs(event.deltaY) ? event.deltaX : 0;
    const focused = document.activeElement === this.canvas;
    if (along || event.shiftKey) this.pan((along || event.deltaY) / this.canvas.clientWidth);
    else if (event.ctrlKey || event.metaKey || focused) {
      this.zoom(Math.exp(event.deltaY / 400), this.timeAt(event).x);
    } else return;
    event.preventDefault();
  }

  key(event) {
    const acts = {
      "ArrowLeft": () => this.step(this.stream, -1),
      "ArrowRight": () => this.step(this.stream, 1),
      "PageUp": () => this.pan(-0.5),
      "PageDown": () => this.pan(0.5),
      "Home": () => this.choose(this.stream, this.stream.first),
      "End": () => this.choose(this.stream, this.stream.last),
      "+": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      "0": () => { this.whole(); this.draw(); },
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

// Of runs of three values each, the first that ends after a time.
function firstAfter(values, time) {
  let [low, high] = [0, values.length / 3];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle * 3 + 1] < time) low = middle + 1;
    else high = middle;
  }
  return low * 3;
}

function tipOf(timeline, { time, y }) {
  const row = timeline.rows()[Math.floor(y / ROW)];
  const at = row ? firstAfter(row[1], time) : 0;
  if (!row || at >= row[1].length || row[1][at] > time) return timeOf(time);
  return `${countedOf(row[0], row[1][at + 2])} · ${timeOf(row[1][at])} – ${timeOf(row[1][at + 1])}`;
}

function showTip(event, said = "") {
  const tip = byId("tip");
  tip.hidden = !event;
  if (!event) return;
  tip.textContent = said;
  const { innerWidth } = window;
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 12, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${event.clientY + 16}px`;
}
