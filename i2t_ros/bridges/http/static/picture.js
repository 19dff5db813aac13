// A picture of the user's own: chosen, dropped, pasted, taken, or behind a URL.

import { askAbout } from "./ask.js";
import { picture as fetchPicture, request, spoken } from "./api.js";
import { $ } from "./elements.js";
import { drawOverlay } from "./overlay.js";
import { newName, showPlace } from "./queue.js";
import { release, remember, renew } from "./recent.js";
import { shrunk } from "./shrink.js";
import { language } from "./strings.js";
import { chosenTasks, learnTasks, startTasks } from "./tasks.js";
import { closeViewfinder, startViewfinder } from "./viewfinder.js";
import { doWithout, forVoice } from "./speech.js";
import { clearWords, showProblem, showWords } from "./words.js";

// { key, source: URL of what is shown, describe: (options) => promise of a result,
//   content: () => promise of what a question about it sends,
//   isNew: not remembered yet, result, before: an older result, stop: while it is being described }
let current = null;
let showTab = () => {};
let limits = { max_side: Infinity, max_bytes: Infinity };

export function startPicture(session, showPictureTab) {
  showTab = showPictureTab;
  limits = session;
  $("url-form").hidden = !session.urls;
  startTasks(session.tasks, retellPicture);
  startViewfinder(describePicture, () => {
    showDrop();
    $("take").focus();
  });
  $("choose").addEventListener("click", () => $("file").click());
  $("another").addEventListener("click", startOver);
  for (const id of ["file", "capture"]) {
    $(id).addEventListener("change", () => {
      const [file] = $(id).files;
      $(id).value = "";
      if (file) describePicture(file);
    });
  }
  $("url-form").addEventListener("submit", (event) => {
    event.preventDefault();
    describeUrl($("url").value.trim());
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && current?.stop && !$("picture").hidden) startOver();
  });
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) take(file);
  });
  startDropping();
}

function take(file) {
  showTab();
  describePicture(file);
}

function startDropping() {
  // Anywhere on the page: a picture that misses must not replace the page.
  let inside = 0;
  const dragging = (on) => document.body.classList.toggle("dragging", on);
  document.addEventListener("dragenter", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    inside += 1;
    showTab();
    dragging(true);
  });
  document.addEventListener("dragleave", () => {
    inside = Math.max(0, inside - 1);
    if (!inside) dragging(false);
  });
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    inside = 0;
    dragging(false);
    const [file] = event.dataTransfer.files;
    if (file) take(file);
  });
}

// Describe a blob, show it with its boxes, and remember it.
export function describePicture(blob) {
  let sent = null;
  const shrink = () => sent ??= shrunk(blob, limits); // a large photo takes seconds
  const describe = async (options) => {
    const smaller = await shrink();
    options.show(smaller); // what is sent, so that the boxes fit
    return ask({ "content-type": "application/octet-stream" }, smaller, options);
  };
  const content = async () => ({ image: await shrink(), ...looks() });
  open({ key: newName(), source: "", describe, content, isNew: true });
}

// The browser may not load pictures of other servers into this page: the robot sends it back, with
// everything drawn on it.
function describeUrl(url) {
  const describe = async (options) => {
    const json = JSON.stringify({ url, annotate: true });
    const result = await ask({ "content-type": "application/json" }, json, options);
    const path = result.annotated.slice(result.annotated.indexOf("v1/pictures/"));
    return { ...result, drawing: URL.createObjectURL(await fetchPicture(path)) };
  };
  const content = async () => ({ url, ...looks() });
  open({ key: newName(), source: "", describe, content, isNew: true });
}

// What is looked for, for a form.
function looks() {
  const tasks = chosenTasks();
  return tasks ? { tasks } : {};
}

async function ask(headers, body, { signal, name }) {
  const tasks = chosenTasks();
  const options = { method: "POST", headers: { ...headers, "x-request-id": name }, body, signal };
  const once = () => {
    const query = new URLSearchParams({ language: language(), ...forVoice() });
    if (tasks) query.set("tasks", tasks);
    return request(`v1/describe?${query}`, options);
  };
  const result = await once().catch((problem) => {
    if (doWithout(problem)) return once();
    throw problem;
  });
  if (!tasks) learnTasks(result);
  return result;
}

// Show a picture that was described before; in new words if it was in another language.
export function showKnown(entry, asItWas) {
  open({ ...entry, result: asItWas ? entry.result : null, before: entry.result });
}

// The view is back: its words take the place of those of the live view.
export function resumePicture() {
  if (current?.result) showWords(current.result, !current.result.drawing); else clearWords();
  offerQuestions();
}

export function retellPicture() {
  if (!current || $("picture").hidden) return;
  open({ ...current, result: null, before: current.result ?? current.before });
}

async function open(picture) {
  current?.stop?.abort();
  current = picture;
  const hadFocus = [$("drop"), $("shutter")].some((part) => part.contains(document.activeElement));
  closeViewfinder();
  showProblem("");
  if (!picture.before && !picture.result) clearWords();
  showPicture(picture);
  if (hadFocus) $("another").focus(); // what had it is gone
  const problem = picture.result ? null : await look(picture);
  if (current === picture) settle(picture, problem);
  // One that is retold already has the same source.
  if (picture.isNew && current?.source !== picture.source) release(picture);
}

function offerQuestions() {
  if (!current) return askAbout("", null);
  const { key, source, content } = current;
  // One of the server's history: it is fetched first.
  askAbout(key, content ?? (async () => ({ image: await fetchPicture(source), ...looks() })));
}

function settle(picture, problem) {
  if (problem) picture.result = picture.before ?? null; // old words are better than none
  if (picture.result) {
    showPicture(picture);
    $("result-image").alt = picture.result.sentence;
    showWords(picture.result, !picture.result.drawing);
  } else {
    clearWords();
    showDrop();
  }
  if (problem) showProblem(spoken(problem));
  else if (picture.isNew) remember(picture);
  else renew(picture);
  if (picture.result) picture.isNew = false;
}

// Have it described, while its place in the queue is shown; returns what went wrong.
async function look(picture) {
  const name = newName();
  picture.stop = new AbortController();
  $("working").hidden = false;
  const placeKnown = showPlace(name);
  const show = (blob) => {
    if (current !== picture || picture.source) return;
    picture.source = URL.createObjectURL(blob);
    showPicture(picture);
  };
  try {
    const result = await picture.describe({ signal: picture.stop.signal, name, show });
    if (result.drawing) picture.source = result.drawing;
    picture.result = result;
    return null;
  } catch (problem) {
    return problem;
  } finally {
    placeKnown();
    picture.stop = null;
    if (current === picture || !current) $("working").hidden = true;
  }
}

function showPicture({ source, result }) {
  $("drop").hidden = true;
  $("result").hidden = false;
  $("another").hidden = false;
  offerQuestions();
  if (source) $("result-image").src = source; else $("result-image").removeAttribute("src");
  drawOverlay(result && !result.drawing ? result : null);
}

function startOver() {
  current?.stop?.abort();
  showDrop();
  clearWords();
  showProblem("");
  $("choose").focus();
}

function showDrop() {
  const hadFocus = document.activeElement === $("another");
  current = null;
  $("drop").hidden = false;
  $("result").hidden = true;
  $("another").hidden = true;
  $("working").hidden = true;
  offerQuestions();
  if (hadFocus) $("choose").focus();
}
