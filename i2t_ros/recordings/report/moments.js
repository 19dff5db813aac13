// The moments as cards, some at a time, and the chosen one with what to do there.

const PAGE = 60;

// What has changed: "new: two dogs", "gone: one person", "one person → two people".
function changesOf(moment) {
  const arrow = words().direction === "rtl" ? "←" : "→";
  return moment.changes.map(([name, before, now]) => {
    const kind = !before ? "appeared" : !now ? "gone" : "other";
    if (kind === "other") {
      const said = [before, now].map((count) => isolated(countedOf(name, count)));
      return element("li", { class: kind }, said.join(` ${arrow} `));
    }
    const sign = element("span", { "aria-hidden": "true" }, before ? "− " : "+ ");
    const said = element("span", { class: "hidden" }, `${text(kind)}: `);
    return element("li", { class: kind }, sign, said, nameOf(countedOf(name, now || before)));
  });
}

const placeOf = (moment) => (isTimed(moment.stream) ? timeOf(moment.time) : fileOf(moment.source));
const fileOf = (path) => path.split("/").at(-1) || path;

function pictureOf(moment, attributes = {}) {
  const found = thumbnails[moment.thumbnail];
  if (!found) return element("p", { class: "empty" }, text("noThumbnail"));
  return element("img", { src: `data:image/jpeg;base64,${found}`, alt: sentenceOf(moment), ...attributes });
}

class Cards {
  constructor(choose) {
    this.choose = choose;
    this.shown = PAGE;
    this.moments = [];
    byId("show-more").addEventListener("click", () => {
      const first = this.shown;
      this.shown += PAGE;
      this.draw();
      byId("cards").children[first]?.querySelector("button").focus();
    });
  }

  show(moments) {
    this.moments = moments;
    this.shown = PAGE;
    this.draw();
  }

  // Those that are there stay, so that a longer list does not load again.
  draw() {
    byId("cards").replaceChildren(...this.moments.slice(0, this.shown).map((moment) => this.card(moment)));
    byId("show-more").hidden = this.shown >= this.moments.length;
    byId("moments-count").textContent = numeral(this.moments.length);
  }

  card(moment) {
    const several = data.streams.length > 1;
    return element("li", { "data-moment": moment.number },
      element("button", { type: "button", class: "card", click: () => this.choose(moment) },
        pictureOf(moment, { loading: "lazy", alt: "" }),
        element("span", { class: "when" }, nameOf(placeOf(moment)),
          several ? nameOf(moment.stream.name, { class: "soft" }) : null),
        element("span", { class: "said", dir: "auto" }, sentenceOf(moment))),
      element("ul", { class: "changes" }, ...changesOf(moment)));
  }
}

// The command or the place with which the recording opens at a time.
function openingOf(stream, time, moment) {
  if (stream.kind === "bag") {
    return `ros2 bag play ${quoted(stream.source)} --start-offset ${(time / 1000).toFixed(3)}`;
  }
  return stream.kind === "video" ? `${stream.source} ${timeOf(time, 3)}` : moment.source;
}

// As a shell reads it.
function quoted(path) {
  if (/^[\w@%+=:,./][\w@%+=:,./-]*$/.test(path)) return path;
  const plain = path.startsWith("-") ? `./${path}` : path;
  return `'${plain.replaceAll("'", `'"'"'`)}'`;
}

// The nearest moment of a stream.
function nearest({ moments }, time) {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle].time < time) low = middle + 1;
    else high = middle;
  }
  const [before, after] = [moments[low - 1], moments[low]];
  if (!before || !after) return before ?? after ?? null;
  return time - before.time < after.time - time ? before : after;
}

// Says when the picture was taken if that is another time than the chosen one.
function figureOf(moment, time) {
  const picture = moment ? pictureOf(moment) : element("p", { class: "empty" }, text("nothingFound"));
  const said = moment && moment.time !== time ? element("figcaption", { class: "soft" }, nameOf(placeOf(moment))) : null;
  return element("figure", { class: "picture" }, picture, said);
}

function showChosen({ stream, time, moment }) {
  const opening = stream && (isTimed(stream) || moment) ? openingOf(stream, time, moment) : "";
  if (!stream) {
    byId("chosen-body").replaceChildren(element("p", { class: "soft" }, text("choose")));
    return;
  }
  const clock = isTimed(stream) ? clockOf(stream, time) : "";
  const places = [stream.name, isTimed(stream) ? timeOf(time, 2) : "", clock].filter(Boolean);
  byId("chosen-body").replaceChildren(
    figureOf(moment, time),
    element("div", { class: "about" },
      element("p", { class: "where" }, ...places.map((place) => nameOf(place))),
      ...(moment ? [
        element("p", { class: "sentence", dir: "auto" }, sentenceOf(moment)),
        element("ul", { class: "changes" }, ...changesOf(moment)),
      ] : []),
      element("h3", {}, text("open")),
      element("div", { class: "line" }, element("code", { dir: "ltr", tabindex: 0 }, opening), copyButton("copy", () => opening)),
      element("div", { class: "buttons" }, copyButton("copyLink", () => location.href))),
  );
}
