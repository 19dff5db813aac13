// Reads sentences aloud, with the browser's own voice, while the button is pressed.

import { $ } from "./elements.js";
import { language } from "./strings.js";

const button = $("speak");
const voice = window.speechSynthesis;

let hasWords = true; // whether the robot has words for a voice; some lack a package for them
let due = false; // the button was pressed, and nothing has been said yet

// `retell` has everything described anew: with words for a voice, or for a reader again.
export function startSpeech(retell) {
  if (!voice) {
    button.hidden = true;
    return;
  }
  button.addEventListener("click", () => {
    due = !isPressed();
    button.setAttribute("aria-pressed", String(due));
    voice.cancel();
    retell();
  });
}

function isPressed() {
  return button.getAttribute("aria-pressed") === "true";
}

// What to ask for: `spoken`, while sentences are read aloud.
export function forVoice() {
  return hasWords && isPressed() ? { spoken: "true" } : {};
}

// Whether to ask again, for a reader's words, because the robot has none for a voice.
export function doWithout(problem) {
  const again = problem?.code === "backend_missing" && "spoken" in forVoice();
  if (again) hasWords = false;
  return again;
}

// A sentence that comes while another is being read is left out: there will be a newer one.
export function say(sentence, isNew) {
  if (!voice || !sentence || !isPressed() || !(isNew || due)) return;
  if (voice.speaking || voice.pending) return;
  due = false;
  const utterance = new SpeechSynthesisUtterance(sentence);
  utterance.lang = language();
  voice.speak(utterance);
}
