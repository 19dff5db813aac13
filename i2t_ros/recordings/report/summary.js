// What the page begins and ends with: the recordings, what was selected, what could not be read.

function showSummary() {
  const recordings = new Map();
  for (const stream of data.streams) {
    if (!recordings.has(stream.recording)) recordings.set(stream.recording, []);
    recordings.get(stream.recording).push(stream);
  }
  byId("recordings").replaceChildren(...[...recordings.values()].map(recordingOf));
  byId("facts").replaceChildren(...facts().flatMap(([key, ...values]) => [
    element("dt", {}, text(key)),
    element("dd", {}, ...values.flatMap((value, at) => (at ? [" · ", value] : [value]))),
  ]));
  byId("notes").replaceChildren(...notes().map((note) => element("span", {}, note)));
  showDamage();
}

function recordingOf(streams) {
  const [{ source, begin }] = streams;
  const images = streams.reduce((sum, stream) => sum + stream.images, 0);
  const end = Math.max(...streams.map(({ last }) => last));
  const pair = (key, value) => text("pair", { name: text(key), value });
  const said = [pair("images", images)];
  if (isTimed(streams[0])) said.unshift(pair("length", timeOf(end, 0)));
  if (begin !== null) said.push(pair("begins", clockOf(streams[0], 0)));
  const topics = streams.filter(({ topic }) => topic).map(({ topic }) => nameOf(topic));
  return element("li", {}, nameOf(source, { class: "source" }),
    ...topics.map((topic) => element("span", { class: "topic" }, topic)),
    element("span", { class: "soft" }, said.join(" · ")));
}

function facts() {
  const { topics, every, start, end } = data.selection;
  const classes = data.classes.map(([, images, most], name) => element(
    "span", { class: "class", title: `${text("seenIn", { count: images })} · ${text("mostAtOnce", { count: most })}` },
    nameOf(labelOf(name)), element("small", { class: "soft" }, ` ${numeral(images)}`)));
  const others = data.left_out.classes;
  if (others) classes.push(text("andMore", { count: others }));
  const found = [["objects", ...(classes.length ? classes : [text("nothingFound")])]];
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
