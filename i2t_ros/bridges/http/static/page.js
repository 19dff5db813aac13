// The page: views, theme, language, token. Everything else has a module of its own.

import { request, onUnauthorized } from "./api.js";
import { startLive, stopLive, retellLive, snapshotLive } from "./live.js";
import { startPicture, describePicture, resumePicture, retellPicture, showKnown } from "./picture.js";
import { startRecent, retellRecent } from "./recent.js";
import { startSpeech } from "./speech.js";
import { LANGUAGES, chooseLanguage, language, preferredLanguage, text } from "./strings.js";
import { startWords } from "./words.js";

const $ = (id) => document.getElementById(id);
const TABS = ["live", "picture"];

// Views

function show(name) {
  for (const tab of TABS) {
    const chosen = tab === name;
    $(`tab-${tab}`).setAttribute("aria-selected", String(chosen));
    $(`tab-${tab}`).tabIndex = chosen ? 0 : -1;
    $(tab).hidden = !chosen;
  }
  for (const tab of TABS) $(`${tab}-tools`).hidden = tab !== name;
  if (name === "live") {
    startLive();
  } else {
    stopLive();
    resumePicture();
  }
}

function startTabs() {
  for (const tab of TABS) $(`tab-${tab}`).addEventListener("click", () => show(tab));
  $("stage-tabs").addEventListener("keydown", (event) => {
    if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
    const other = TABS.find((tab) => $(tab).hidden);
    $(`tab-${other}`).focus();
    show(other);
    event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) stopLive(); else if (!$("live").hidden) startLive();
  });
  $("keep").addEventListener("click", async () => {
    const blob = await snapshotLive();
    if (blob) {
      show("picture");
      describePicture(blob);
    }
  });
}

// Theme: as the system has it, until the button says otherwise.

function startTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = localStorage.getItem("i2t.theme") || (dark.matches ? "dark" : "light");
    document.documentElement.dataset.theme = chosen;
  };
  $("theme").addEventListener("click", () => {
    const other = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    localStorage.setItem("i2t.theme", other);
    apply();
  });
  dark.addEventListener("change", apply);
  apply();
}

// Language: of the page and of the sentences.

async function startLanguage() {
  for (const [tag, name] of Object.entries(LANGUAGES)) {
    $("language").append(new Option(name, tag));
  }
  $("language").addEventListener("change", () => changeLanguage($("language").value));
  await chooseLanguage(preferredLanguage());
  $("language").value = language();
  $("theme").setAttribute("aria-label", text("theme"));
}

async function changeLanguage(tag) {
  await chooseLanguage(tag);
  localStorage.setItem("i2t.language", tag);
  $("theme").setAttribute("aria-label", text("theme"));
  showState();
  retellLive();
  retellPicture();
  retellRecent();
}

// State of the detector

let unready = "";

function showState() {
  $("state").textContent = text(unready ? `errors.${unready}` : "ready");
  $("state").classList.toggle("bad", Boolean(unready));
}

async function watchState() {
  try {
    const response = await fetch("readyz");
    unready = response.ok ? "" : (await response.json()).error.code;
  } catch {
    unready = "unreachable";
  }
  showState();
  setTimeout(watchState, 5000);
}

// Token

function startLogin(then) {
  $("login-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const headers = { authorization: `Bearer ${$("token").value}` };
    const response = await fetch("v1/session", { method: "POST", headers });
    $("login-problem").hidden = response.ok;
    if (response.ok) {
      $("token").value = "";
      $("login").close();
      then();
    }
  });
  onUnauthorized(() => {
    stopLive();
    if (!$("login").open) $("login").showModal();
  });
}

async function start() {
  startTheme();
  await startLanguage();
  startTabs();
  startSpeech();
  startWords();
  startPicture(() => show("picture"));
  const session = await request("v1/session");
  const begin = async () => {
    show("live");
    await startRecent((...entry) => {
      show("picture");
      showKnown(...entry);
    }, session.history);
  };
  startLogin(begin);
  watchState();
  if (session.token_needed) $("login").showModal(); else await begin();
  document.documentElement.dataset.ready = "true";
}

start();
