// Reads sentences aloud, with the browser's own voice, while the button is pressed.

import { $ } from "./elements.js";
import { language } from "./strings.js";

const button = $("speak");
const voice = window.speechSynthesis;

export function startSpeech() {
  if (!voice) {
    button.hidden = true;
    return;
  }
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    voice.cancel();
    if (on) say($("sentence").textContent);
  });
}

// A sentence that comes while another is being read is left out: there will be a newer one.
export function say(sentence) {
  if (!voice || !sentence || button.getAttribute("aria-pressed") !== "true") return;
  if (voice.speaking || voice.pending) return;
  const utterance = new SpeechSynthesisUtterance(sentence);
  utterance.lang = language();
  voice.speak(utterance);
}
