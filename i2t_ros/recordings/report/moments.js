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

// Of a picture nothing is new: nothing was before.
function changesList(moment) {
  return isTimed(moment.stream) ? element("ul", { class: "changes" }, ...changesOf(moment)) : null;
}

const placeOf = (moment) => (isTimed(moment.stream) ? timeOf(moment.time) : fileOf(moment.source));

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
          several ? nameOf(titlesOf(moment.stream).join(" "), { class: "soft" }) : null),
        element("span", { class: "said", dir: "auto" }, sentenceOf(moment))),
      changesList(moment));
  }
}

// The command with which the recording opens at a time, as `i2t find` prints it; of a picture, its
// file.
function openingOf(stream, time, moment) {
  const seconds = (time / 1000).toFixed(3).replace(/\.?0+$/, "");
  if (stream.kind === "bag") return `ros2 bag play ${quoted(stream.source)} --start-offset ${seconds}`;
  return stream.kind === "video" ? `mpv --start=${seconds} ${quoted(stream.source)}` : moment.source;
}

// As a shell reads it; a name must not become a flag.
function quoted(path) {
  const plain = path.startsWith("-") ? `./${path}` : path;
  return /^[\w@%+=:,./-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", `'"'"'`)}'`;
}

// The last moment of a stream at a time or before it, which tells what was there then; before all
// of them, the first one.
function momentAt({ moments }, time) {
  let [low, high] = [0, moments.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (moments[middle].time <= time) low = middle + 1;
    else high = middle;
  }
  return moments[Math.max(low - 1, 0)] ?? null;
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
  const places = [...titlesOf(stream), isTimed(stream) ? timeOf(time, 2) : "", clock].filter(Boolean);
  byId("chosen-body").replaceChildren(
    figureOf(moment, time),
    element("div", { class: "about" },
      element("p", { class: "where" }, ...places.map((place) => nameOf(place))),
      ...(moment ? [
        element("p", { class: "sentence", dir: "auto" }, sentenceOf(moment)),
        changesList(moment),
      ].filter(Boolean) : []),
      element("h3", {}, text("open")),
      element("div", { class: "line" }, element("code", { dir: "ltr", tabindex: 0 }, opening), copyButton("copy", () => opening)),
      element("div", { class: "buttons" }, copyButton("copyLink", () => location.href))),
  );
}
