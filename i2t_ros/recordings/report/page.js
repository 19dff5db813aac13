// Puts the parts of the page together, and keeps its address up to date.

const chosen = { stream: null, time: 0, moment: null };
const timelines = new Map();
const cards = new Cards((moment) => choose(moment.stream, moment.time, moment, "smooth"));
const form = new SearchForm(showHits);

// ``scroll`` is how to bring the moment into view: "instant" or "smooth"; "": it stays where it is.
function choose(stream, time, moment, scroll = "") {
  Object.assign(chosen, { stream, time, moment: moment ?? momentAt(stream, time) });
  placeChosen(stream);
  for (const [of, timeline] of timelines) timeline.point(of === stream ? time : null);
  showChosen(chosen);
  markCard();
  writeAddress();
  if (scroll) bringIntoView(stream, scroll);
}

// The timeline and the moment below it if there is room for both, else the moment alone.
async function bringIntoView(stream, scroll) {
  const picture = byId("chosen").querySelector("img");
  await picture?.decode().catch(() => null); // without it, its height is not known
  const whole = [timelines.get(stream)?.box, byId("chosen")].find((box) => box?.offsetHeight <= innerHeight);
  const behavior = matchMedia("(prefers-reduced-motion: reduce)").matches ? "instant" : scroll;
  (whole ?? byId("chosen")).scrollIntoView({ block: whole ? "nearest" : "start", behavior });
}

// Below the timeline that it is of, so that both are in sight on a phone, too.
function placeChosen(stream) {
  const box = timelines.get(stream)?.box;
  const focused = document.activeElement;
  if (box && byId("chosen").parentElement !== box) box.append(byId("chosen"));
  else if (!box) byId("moments").before(byId("chosen"));
  if (byId("chosen").contains(focused)) focused.focus({ preventScroll: true }); // moving took it
}

function markCard() {
  for (const card of byId("cards").children) {
    const isChosen = Number(card.dataset.moment) === chosen.moment?.number;
    card.querySelector("button").setAttribute("aria-current", isChosen);
  }
}

// The next moment of a stream, or the one before.
function step(stream, by) {
  const { moments } = stream;
  const time = chosen.stream === stream ? chosen.time : stream.first - 1;
  const next = by > 0
    ? moments.find((moment) => moment.time > time)
    : moments.findLast((moment) => moment.time < time);
  if (next) choose(stream, next.time, next);
}

function showHits(hits) {
  for (const [stream, timeline] of timelines) {
    const own = hits?.filter((hit) => hit.stream === stream) ?? [];
    timeline.mark(own.map(({ start, end }) => [start, end]));
  }
  byId("steps").hidden = byId("chosen-steps").hidden = !hits?.length;
  cards.show(hits ? momentsOf(hits) : data.moments);
  markCard();
  writeAddress();
}

function stepHit(by) {
  const { stream, start, moment } = form.step(by);
  choose(stream, moment ? 0 : start, moment, "smooth");
}

function readAddress() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  form.fill(wanted);
  const stream = data.streams.find(({ name }) => name === wanted.get("stream"));
  const time = Math.round(1000 * Number(wanted.get("t") ?? 0));
  if (stream && isTimed(stream) && Number.isFinite(time)) {
    const within = Math.min(Math.max(time, stream.first), Math.max(stream.first, stream.last));
    choose(stream, within, undefined, "instant");
  } else if (stream) {
    const moment = stream.moments.find(({ source }) => source === wanted.get("picture"));
    if (moment) choose(stream, 0, moment, "instant");
  }
}

let reading = false;

function writeAddress() {
  if (reading) return;
  const { stream, time, moment } = chosen;
  const parts = [];
  if (stream) parts.push(["stream", stream.name]);
  if (stream && isTimed(stream)) parts.push(["t", time / 1000]);
  else if (moment) parts.push(["picture", moment.source]);
  parts.push(...form.parts());
  const hash = parts.map(([key, value]) => `${key}=${encodeURIComponent(value)}`).join("&");
  try {
    history.replaceState(null, "", `#${hash}`);
  } catch {
    // Browsers refuse it more than a hundred times in 30 seconds.
  }
}

function fromAddress() {
  reading = true;
  readAddress();
  reading = false;
  writeAddress();
}

function sayEverything() {
  showSummary();
  byId("timelines").hidden = !timelines.size;
  for (const timeline of timelines.values()) timeline.say();
  form.say();
  showChosen(chosen);
}

function makeTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = (theme) => {
    document.documentElement.dataset.theme = theme;
    for (const timeline of timelines.values()) drawTimeline(timeline);
  };
  const wanted = () => remembered("theme") ?? (dark.matches ? "dark" : "light");
  byId("theme").addEventListener("click", () => {
    const theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    remembered("theme", theme);
    show(theme);
  });
  dark.addEventListener("change", () => show(wanted()));
  addEventListener("beforeprint", () => show("light"));
  addEventListener("afterprint", () => show(wanted()));
  show(wanted());
}

function makeLanguages() {
  const menu = byId("language");
  menu.append(...data.languages.map(({ tag, name }, number) => element("option", { value: number, lang: tag }, name)));
  menu.value = ownLanguage;
  menu.addEventListener("change", () => {
    chooseLanguage(Number(menu.value));
    sayEverything();
  });
}

function start() {
  for (const stream of data.streams.filter(isTimed)) {
    const timeline = new Timeline(stream, (of, time) => choose(of, time), step);
    timelines.set(stream, timeline);
    byId("streams").append(timeline.box);
  }
  makeTheme();
  makeLanguages();
  for (const id of ["previous", "chosen-previous"]) byId(id).addEventListener("click", () => stepHit(-1));
  for (const id of ["next", "chosen-next"]) byId(id).addEventListener("click", () => stepHit(1));
  chooseLanguage(ownLanguage);
  reading = true;
  sayEverything();
  fromAddress();
  addEventListener("hashchange", fromAddress);
  document.documentElement.dataset.ready = "true";
}

start();
