// A picture of the user's own: chosen, dropped, pasted or taken.

import { request } from "./api.js";
import { remember, renew } from "./recent.js";
import { language, text } from "./strings.js";
import { clearWords, drawOverlay, showProblem, showWords } from "./words.js";

const $ = (id) => document.getElementById(id);

let current = null; // { source: blob or URL, describe: () => promise of a result }
let showTab = () => {};
let camera = null;

export function startPicture(showPictureTab) {
  showTab = showPictureTab;
  $("choose").addEventListener("click", () => $("file").click());
  $("take").addEventListener("click", openCamera);
  $("shoot").addEventListener("click", shoot);
  $("cancel").addEventListener("click", closeCamera);
  $("another").addEventListener("click", () => {
    showDrop();
    clearWords();
    $("choose").focus();
  });
  for (const id of ["file", "capture"]) {
    $(id).addEventListener("change", () => {
      const [file] = $(id).files;
      $(id).value = "";
      if (file) describePicture(file);
    });
  }
  startDropping();
  document.addEventListener("paste", (event) => {
    const [file] = event.clipboardData.files;
    if (file) {
      showTab();
      describePicture(file);
    }
  });
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
    if (file) {
      showTab();
      describePicture(file);
    }
  });
}

// Describe a blob, show it with its boxes, and remember it.
export function describePicture(blob) {
  const describe = () => {
    const query = new URLSearchParams({ language: language() });
    const headers = { "content-type": "application/octet-stream" };
    return request(`v1/describe?${query}`, { method: "POST", headers, body: blob });
  };
  open({ source: URL.createObjectURL(blob), describe }, true);
}

// Show a picture that was described before.
export function showKnown(source, describe, result) {
  open({ source, describe, result }, false);
}

// The view is back: its words take the place of those of the live view.
export function resumePicture() {
  if (current?.result) showWords(current.result); else clearWords();
}

export function retellPicture() {
  if (current && !$("picture").hidden) open({ ...current, result: null }, false);
}

async function open(picture, isNew) {
  current = picture;
  closeCamera();
  showProblem("");
  if (isNew) clearWords();
  $("drop").hidden = true;
  $("result").hidden = false;
  $("result-image").src = picture.source;
  drawOverlay(null);
  $("another").hidden = false;
  $("working").hidden = Boolean(picture.result);
  try {
    const result = picture.result ?? await picture.describe();
    if (current !== picture) return;
    picture.result = result;
    $("result-image").alt = result.sentence;
    drawOverlay(result);
    showWords(result);
    if (isNew) remember(picture); else renew(picture);
  } catch (problem) {
    if (current !== picture) return;
    clearWords();
    showProblem(problem.spoken ?? String(problem));
    if (isNew) showDrop();
  } finally {
    if (current === picture || !current) $("working").hidden = true;
  }
}

function showDrop() {
  current = null;
  $("drop").hidden = false;
  $("result").hidden = true;
  $("another").hidden = true;
  $("working").hidden = true;
}

// Taking a photo: with a viewfinder where the browser allows that, else with the phone's own
// camera. Browsers allow it to pages of a secure origin only.
async function openCamera() {
  showProblem("");
  try {
    camera = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  } catch {
    $("capture").click();
    return;
  }
  $("viewfinder").srcObject = camera;
  await $("viewfinder").play();
  $("viewfinder").hidden = false;
  $("shutter").hidden = false;
  $("drop").hidden = true;
  $("shoot").focus();
}

function closeCamera() {
  if (!camera) return;
  for (const track of camera.getTracks()) track.stop();
  camera = null;
  $("viewfinder").hidden = true;
  $("shutter").hidden = true;
  if (!current) showDrop();
}

async function shoot() {
  const canvas = document.createElement("canvas");
  canvas.width = $("viewfinder").videoWidth;
  canvas.height = $("viewfinder").videoHeight;
  canvas.getContext("2d").drawImage($("viewfinder"), 0, 0);
  canvas.toBlob((blob) => {
    if (blob) describePicture(blob); else showProblem(text("failed", { message: "" }));
  }, "image/jpeg", 0.92);
}
