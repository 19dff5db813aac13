// Taking a photo: with a viewfinder where the browser allows that, else with the phone's own
// camera. Browsers allow it to pages of a secure origin only.

import { $ } from "./elements.js";
import { jpegOf } from "./shrink.js";

let camera = null;
let taken = () => {};
let closed = () => {};

export function startViewfinder(onPhoto, onClose) {
  taken = onPhoto;
  closed = onClose;
  $("take").addEventListener("click", open);
  $("shoot").addEventListener("click", shoot);
  $("cancel").addEventListener("click", () => closeViewfinder() && closed());
  // Beside the page's own Escape: only an open viewfinder listens.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && closeViewfinder()) closed();
  });
}

// Returns whether it was open.
export function closeViewfinder() {
  if (!camera) return false;
  for (const track of camera.getTracks()) track.stop();
  camera = null;
  $("viewfinder").hidden = true;
  $("shutter").hidden = true;
  return true;
}

async function open() {
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

async function shoot() {
  const canvas = document.createElement("canvas");
  canvas.width = $("viewfinder").videoWidth;
  canvas.height = $("viewfinder").videoHeight;
  canvas.getContext("2d").drawImage($("viewfinder"), 0, 0);
  const photo = await jpegOf(canvas, 0.92);
  if (photo) taken(photo);
}
