// Reads sentences aloud, with the browser's own voice, while the button is pressed.

import { $ } from "./elements.js";
import { language, text } from "./strings.js";

const PATIENCE = 2000; // ms: browsers load voices when they are first asked for them
const STOPPED = ["canceled", "interrupted"]; // by this page
const NO_VOICE = ["language-unavailable", "voice-unavailable"];

const button = $("speak");
const voice = window.speechSynthesis;

let retell = () => {};
let hasWords = true; // whether the robot has words for a voice; some lack a package for them
let coming = null; // while the button is pressed, and no voice is there yet
let due = false; // the button was pressed, and nothing has been said yet
let utterance = null; // what is being read: browsers drop one that nobody holds, and its events

// `retellAll` has everything described anew: with words for a voice, or for a reader again.
export function startSpeech(retellAll) {
  if (!voice) {
    button.hidden = true;
    return;
  }
  retell = retellAll;
  button.addEventListener("click", () => isPressed() ? stop() : start());
}

async function start() {
  press(true);
  showNote("");
  const own = voiceComes();
  coming = own;
  await own;
  if (coming !== own) return; // pressed again meanwhile
  coming = null;
  due = true;
  reviewVoice();
  if (isPressed()) retell();
}

// Words for a voice become those for a reader again.
function stop(note = "") {
  const wasAsked = !coming;
  coming = null;
  release(note);
  if (wasAsked) retell();
}

function release(note) {
  press(false);
  voice.cancel();
  showNote(note);
}

function press(on) {
  button.setAttribute("aria-pressed", String(on));
}

function isPressed() {
  return button.getAttribute("aria-pressed") === "true";
}

function showNote(note) {
  $("no-voice").textContent = note;
  $("no-voice").hidden = !note;
}

// The page has another language: what was said of voices may be wrong, and so may be the voice.
export function reviewVoice() {
  if (!isPressed()) showNote("");
  else if (!coming && !hasVoice()) release(lack());
}

function lack() {
  return voice.getVoices().length ? text("noVoice") : text("noVoices");
}

function hasVoice() {
  const wanted = languageOf(language());
  return voice.getVoices().some(({ lang }) => languageOf(lang) === wanted);
}

// Without region and script, which the browser chooses by. Some write "es_MX", or "cmn" for "zh".
function languageOf(tag) {
  try {
    return new Intl.Locale(tag.replaceAll("_", "-")).language;
  } catch {
    return ""; // no tag at all
  }
}

// Ends when there is a voice, or when it is too late for one.
function voiceComes() {
  return new Promise((resolve) => {
    const look = () => hasVoice() && end();
    const end = () => {
      clearTimeout(timer);
      voice.removeEventListener?.("voiceschanged", look);
      resolve();
    };
    const timer = setTimeout(end, PATIENCE);
    voice.addEventListener?.("voiceschanged", look); // Safari had none for long
    look();
  });
}

// What to ask for: `spoken`, while sentences are read aloud.
export function forVoice() {
  return hasWords && isPressed() && !coming ? { spoken: "true" } : {};
}

// Whether to ask again, for a reader's words, because the robot has none for a voice.
export function doWithout(problem) {
  const again = problem?.code === "backend_missing" && "spoken" in forVoice();
  if (again) hasWords = false;
  return again;
}

// A sentence that comes while another is being read is left out: there will be a newer one.
export function say(result, isNew) {
  if (!voice || !result.sentence || !isPressed() || coming || !(isNew || due)) return;
  if (voice.speaking || voice.pending) return;
  due = false;
  speak(result.sentence, result.language);
}

// An answer was asked for: it does not wait for what is being read.
export function sayAnswer(answer, lang) {
  if (!voice || !isPressed() || coming) return;
  voice.cancel();
  speak(answer, lang);
}

function speak(words, lang) {
  utterance = new SpeechSynthesisUtterance(words);
  utterance.lang = lang;
  utterance.addEventListener("error", ({ error }) => {
    if (!isPressed() || STOPPED.includes(error)) return;
    stop(NO_VOICE.includes(error) ? lack() : text("failed", { message: error }));
  });
  voice.speak(utterance);
}
