// What the page begins and ends with: the recordings, what was selected, what could not be read.

const FIRST_CLASSES = matchMedia("(max-width: 520px)").matches ? 6 : 15;
let allClasses = false;

function showSummary() {
  const recordings = new Map();
  for (const stream of data.streams) {
    if (!recordings.has(stream.recording)) recordings.set(stream.recording, []);
    recordings.get(stream.recording).push(stream);
  }
  byId("recordings").replaceChildren(...[...recordings.values()].map(recordingItem));
  byId("facts").replaceChildren(...facts().flatMap(([key, ...values]) => [
    element("dt", {}, text(key)),
    element("dd", {}, ...values.flatMap((value, at) => (at ? [isButton(value) ? " " : " · ", value] : [value]))),
  ]));
  byId("notes").replaceChildren(...notes().map((note) => element("span", {}, note)));
  showDamage();
}

const isButton = (value) => value instanceof HTMLButtonElement;

function recordingItem(streams) {
  const [{ source, begin }] = streams;
  const images = streams.reduce((sum, stream) => sum + stream.images, 0);
  const pair = (key, value) => text("pair", { name: text(key), value });
  const said = [pair("images", images)];
  if (isTimed(streams[0])) said.unshift(pair("length", timeOf(lengthOf(streams), 0)));
  if (begin !== null) said.push(pair("begins", clockOf(streams[0], 0)));
  const topics = streams.filter(({ topic }) => topic).map(({ topic }) => nameOf(topic));
  return element("li", {}, nameOf(source, { class: "source" }),
    ...topics.map((topic) => element("span", { class: "topic" }, topic)),
    element("span", { class: "soft" }, said.join(" · ")));
}

function facts() {
  const { topics, every, start, end } = data.selection;
  const classes = classesSeen();
  const found = [classes.length ? ["objectsIn", ...classes] : ["objects", text("nothingFound")]];
  if (data.models.length) found.push(["model", ...data.models.map((name) => nameOf(name))]);
  found.push(["tasks", ...data.tasks.map((name) => nameOf(name))]);
  if (topics.length) found.push(["topics", ...topics.map((name) => nameOf(name))]);
  const chosen = [];
  if (every) chosen.push(text("every", { time: secondsOf(every) }));
  if (start || end !== null) {
    const last = end ?? Math.max(...data.streams.map((stream) => stream.last));
    chosen.push(text("period", { start: shortTime(start), end: shortTime(last) }));
  }
  return chosen.length ? [...found, ["selected", ...chosen]] : found;
}

// The classes, with the number of images in which they are; those seen most first.
function classesSeen() {
  const shown = allClasses ? data.classes : data.classes.slice(0, FIRST_CLASSES);
  const classes = shown.map(([, images, most], name) => element(
    "span", { class: "class", title: `${text("seenIn", { count: images })} · ${text("mostAtOnce", { count: most })}` },
    nameOf(labelOf(name)), element("small", { class: "soft" }, ` ${numeral(images)}`)));
  const hidden = data.classes.length - FIRST_CLASSES;
  const others = data.left_out.classes;
  if (others && (allClasses || hidden <= 0)) classes.push(text("andMore", { count: others }));
  if (hidden > 0) classes.push(moreButton(allClasses, hidden, toggleClasses));
  return classes;
}

function toggleClasses() {
  allClasses = !allClasses;
  showSummary();
  byId("facts").querySelector(".quiet").focus();
}

const shortTime = (time) => timeOf(time, time % 1000 ? 1 : 0);

function notes() {
  const { moments, thumbnails: all, grain } = data.left_out;
  const said = [];
  if (data.moments.length < moments) {
    said.push(text("thinnedMoments", { kept: data.moments.length, all: moments }));
  }
  if (thumbnails.length < all) said.push(text("thinnedThumbnails", { kept: thumbnails.length, all }));
  if (grain) said.push(text("coarse", { time: secondsOf(grain) }));
  return said;
}

function showDamage() {
  const more = data.left_out.damage;
  byId("damage").hidden = !data.damage.length;
  byId("damaged").replaceChildren(
    ...data.damage.map(([source, topic, time, what]) => element("li", {},
      nameOf(source, { class: "source" }), topic ? nameOf(topic, { class: "topic" }) : null,
      time === null ? null : nameOf(timeOf(time), { class: "soft" }), element("span", { dir: "auto" }, what))),
    ...(more ? [element("li", { class: "soft" }, text("andMore", { count: more }))] : []));
}
