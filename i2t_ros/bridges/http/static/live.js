// The live view: the camera's pictures as a stream, its words as events.

import { askAbout } from "./ask.js";
import { picture, refusal, request, spoken } from "./api.js";
import { $ } from "./elements.js";
import { doWithout, forVoice } from "./speech.js";
import { isolated, language, text } from "./strings.js";
import { clearWords, showProblem, showWords } from "./words.js";

const REFRESH = 3000; // ms between two looks at which cameras there are
const WORDS_INTERVAL = 1000; // ms between two changes of the sentence: a listener has to keep up

let running = false;
let events = null;
let timer = 0;
let retry = 0;
let refused = false; // whether the problem that is shown is why there are no words
let latest = null;
let said = 0;
let speaking = ""; // the camera that words come from
let known = "";

export function startLive() {
  if (running) return;
  running = true;
  clearWords();
  refreshCameras();
  watch();
}

export function stopLive() {
  if (!running) return;
  running = false;
  clearTimeout(timer);
  clearTimeout(said);
  clearTimeout(retry);
  said = 0;
  events?.close();
  // An <img> goes on loading a stream until it has something else to show.
  $("stream").removeAttribute("src");
  $("live-note").hidden = true;
  $("sentence").classList.remove("old");
}

export function retellLive() {
  if (!running) return;
  latest = null;
  watch();
  showNote();
  showCameras(null);
}

export async function snapshotLive() {
  const query = new URLSearchParams({ camera: $("camera").value, annotated: "0" });
  try {
    return await picture(`snapshot?${query}`);
  } catch (problem) {
    showProblem(spoken(problem));
    return null;
  }
}

function watch() {
  const query = new URLSearchParams({
    camera: $("camera").value,
    annotated: $("boxes").checked ? "1" : "0",
    language: language(), // of the placeholder
    t: Date.now(),
  });
  $("stream").src = `stream?${query}`;
  const camera = $("camera").value;
  askAbout(`camera ${camera}`, async () => ({ camera }));
  listen();
}

function listen() {
  events?.close();
  clearTimeout(retry);
  const query = new URLSearchParams({
    camera: $("camera").value,
    language: language(),
    ...forVoice(),
  });
  const url = `v1/live?${query}`;
  const source = new EventSource(url);
  events = source;
  source.addEventListener("open", () => {
    if (refused) showProblem("");
    refused = false;
  });
  source.addEventListener("error", async () => {
    $("sentence").classList.add("old");
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
    // The server has refused it: the browser gives up, and does not tell why.
    const problem = await refusal(url);
    if (!running || source !== events) return;
    if (doWithout(problem)) {
      listen();
      return;
    }
    refused = Boolean(problem);
    if (problem) showProblem(spoken(problem));
    retry = setTimeout(() => running && listen(), REFRESH);
  });
  source.addEventListener("words", (event) => {
    latest = JSON.parse(event.data);
    speaking = latest.camera;
    $("sentence").classList.remove("old");
    showNote();
    if (!said) tell();
  });
  source.addEventListener("silence", (event) => {
    speaking = "";
    known = JSON.parse(event.data).camera;
    $("sentence").classList.add("old");
    showNote();
  });
}

function tell() {
  said = 0;
  if (!latest || !running) return;
  $("stream").alt = latest.sentence;
  showWords(latest, false);
  latest = null;
  said = setTimeout(tell, WORDS_INTERVAL);
}

function showNote() {
  const note = speaking ? "" : known ? text("waiting", { camera: known }) : text("noCamera");
  $("live-note").hidden = !note;
  $("live-note").textContent = note;
  $("keep").hidden = !speaking;
}

async function refreshCameras() {
  try {
    showCameras((await request("v1/cameras")).cameras.map((camera) => camera.name));
  } catch {
    // What is wrong is said elsewhere; the list stays as it is.
  }
  if (running) timer = setTimeout(refreshCameras, REFRESH);
}

function showCameras(names) {
  const select = $("camera");
  const there = names ?? [...select.options].map((option) => option.value).filter(Boolean);
  const wanted = ["", ...there];
  const labels = [text("firstCamera"), ...there.map(isolated)];
  // With one camera there is nothing to choose.
  $("cameras").hidden = there.length < 2;
  const same = wanted.length === select.options.length
    && wanted.every((name, i) => select.options[i].value === name && select.options[i].text === labels[i]);
  if (same) return;
  const chosen = select.value;
  select.replaceChildren(...wanted.map((name, i) => {
    const option = new Option(labels[i], name);
    option.dir = "auto";
    return option;
  }));
  select.value = wanted.includes(chosen) ? chosen : "";
  if (select.value !== chosen && running) watch();
}

$("camera").addEventListener("change", watch);
$("boxes").addEventListener("change", watch);
$("stream").addEventListener("error", () => {
  if (running && $("stream").hasAttribute("src")) setTimeout(() => running && watch(), REFRESH);
});
