// The data of the page, and how it is said in the chosen language.

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const data = read("data");
const thumbnails = read("thumbnails");
const ownLanguage = Math.max(0, data.languages.findIndex(({ tag }) => tag === data.language));
const FROM_THE_RIGHT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;
const DIGITS = { numberingSystem: "latn" }; // as the sentences have them
let chosenLanguage = ownLanguage;

data.streams.forEach((stream, number) => { stream.moments = []; stream.number = number; });
data.moments = data.moments.map(([stream, time, source, changes, sentence, thumbnail], number) => {
  const moment = { number, stream: data.streams[stream], time, source, changes, sentence, thumbnail };
  moment.stream.moments.push(moment);
  return moment;
});

const words = () => data.languages[chosenLanguage];
const isTimed = (stream) => stream.kind !== "pictures";

function text(key, values = {}) {
  return (words().strings[key] ?? "").replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name] ?? all;
    return typeof value === "number" ? numeral(value) : isolated(value);
  });
}

// Keeps what is written in the other direction together, as <bdi> does among elements.
function isolated(value) {
  const turned = words().direction === "rtl" || FROM_THE_RIGHT.test(value);
  return turned ? `\u2068${value}\u2069` : value;
}

function numeral(number) {
  return formatter("NumberFormat", DIGITS).format(number);
}

function listed(texts) {
  return formatter("ListFormat").format(texts);
}

// Without "and", which might seem to be one of them.
function separated(texts) {
  const comma = { ar: "، ", ja: "、", zh: "、" }[words().search.language] ?? ", ";
  return texts.join(comma);
}

// A tag of a user's own language may be none that the browser knows.
function formatter(kind, options) {
  try {
    return new Intl[kind](words().tag, options);
  } catch {
    return new Intl[kind]("en", options);
  }
}

const labelOf = (name) => words().labels[name];

// "two dogs", or "dog × 30" if the page has no words for so many.
function countedOf(name, count) {
  return words().counted[name][count] ?? `${labelOf(name)} × ${numeral(count)}`;
}

const sentenceOf = (moment) => data.sentences[chosenLanguage]?.[moment.sentence] ?? "";

// The recording of a stream, as short as it can be told from others.
function recordingOf({ source }) {
  const isShort = data.streams.every((stream) => stream.source === source || fileOf(stream.source) !== fileOf(source));
  return isShort ? fileOf(source) : source;
}

const fileOf = (path) => path.replace(/\/+$/, "").split("/").at(-1) || path;
const severalRecordings = data.streams.some(({ recording }) => recording !== data.streams[0].recording);

// The topic, and of which recording it is if there are several; or the file or folder.
function titlesOf(stream) {
  if (!stream.topic) return [recordingOf(stream)];
  return severalRecordings ? [stream.topic, recordingOf(stream)] : [stream.topic];
}

// Milliseconds. A video goes on for as long as its last image is seen, if every image was described.
function lengthOf(streams) {
  const ends = streams.map(({ kind, images, first, last }) => {
    const gap = kind === "video" && images > 1 && !data.selection.every ? (last - first) / (images - 1) : 0;
    return last + Math.min(gap, 1000);
  });
  return Math.round(Math.max(...ends) / 1000) * 1000;
}

// "1:02:03.4", from the beginning; ``parts``: digits of a second.
function timeOf(milliseconds, parts = 1) {
  const unit = 10 ** (3 - parts);
  const time = Math.floor(milliseconds / unit) * unit;
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(time / 3600000), Math.floor(time / 60000) % 60];
  const seconds = two(Math.floor(time / 1000) % 60);
  const rest = parts ? `.${String(time % 1000).padStart(3, "0").slice(0, parts)}` : "";
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${seconds}${rest}`;
}

function clockOf(stream, milliseconds, withDate = true) {
  const date = new Date((stream.begin ?? 0) + milliseconds);
  if (stream.begin === null || Number.isNaN(date.getTime())) return "";
  const [day, time] = date.toISOString().split("T");
  return `${withDate ? `${day} ` : ""}${time.slice(0, 8)} UTC`;
}

function secondsOf(milliseconds) {
  const unit = { ...DIGITS, style: "unit", unit: "second", unitDisplay: "long", maximumFractionDigits: 3 };
  return formatter("NumberFormat", unit).format(milliseconds / 1000);
}

function chooseLanguage(number) {
  chosenLanguage = number;
  const { tag, direction } = words();
  document.documentElement.lang = tag;
  document.documentElement.dir = direction;
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-words]")) {
    element.textContent = text(element.dataset.words);
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", text(element.dataset.label));
  }
}
