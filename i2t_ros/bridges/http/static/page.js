// The page: views, theme, language, state. Everything else has a module of its own.

import { request, spoken, spokenError } from "./api.js";
import { retellAsk, startAsk } from "./ask.js";
import { loadColors } from "./colors.js";
import { $ } from "./elements.js";
import { startLive, stopLive, retellLive, snapshotLive } from "./live.js";
import { askForToken, startLogin } from "./login.js";
import { startOverlay } from "./overlay.js";
import { startPicture, describePicture, resumePicture, retellPicture, showKnown } from "./picture.js";
import { startRecent, retellRecent } from "./recent.js";
import { reviewVoice, startSpeech } from "./speech.js";
import { LANGUAGES, chooseLanguage, language, loadOthers, preferredLanguage, text } from "./strings.js";
import { showTasks } from "./tasks.js";
import { showProblem, startWords } from "./words.js";

const TABS = ["live", "picture"];
const AGAIN = 3000; // ms until the server is asked again at the start
const LOOK = 5000; // ms between two looks at the detector's state

// Views

function show(name) {
  for (const tab of TABS) {
    const chosen = tab === name;
    $(`tab-${tab}`).setAttribute("aria-selected", String(chosen));
    $(`tab-${tab}`).tabIndex = chosen ? 0 : -1;
    $(tab).hidden = !chosen;
    $(`${tab}-tools`).hidden = !chosen;
  }
  showProblem("");
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
      $("tab-picture").focus();
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
    const option = new Option(name, tag);
    option.lang = tag;
    option.dir = "auto";
    $("language").append(option);
  }
  $("language").addEventListener("change", () => changeLanguage($("language").value));
  // Without its words the page is as index.html has it, in English.
  await chooseLanguage(preferredLanguage()).catch(() => {});
  $("language").value = language();
}

async function changeLanguage(tag) {
  try {
    await chooseLanguage(tag);
  } catch {
    $("language").value = language();
    showProblem(spokenError({ code: "unreachable" }));
    return;
  }
  localStorage.setItem("i2t.language", tag);
  showState();
  showTasks();
  reviewVoice();
  retell();
  retellRecent();
}

function retell() {
  retellLive();
  retellPicture();
  retellAsk();
}

// State of the detector

let unready = "";

function showState() {
  $("state").textContent = text(unready ? `errors.${unready}` : "ready");
  $("state").classList.toggle("bad", Boolean(unready));
}

async function watchState() {
  try {
    await request("readyz");
    unready = "";
  } catch (problem) {
    unready = problem.code;
  }
  showState();
  setTimeout(watchState, LOOK);
}

async function session() {
  for (;;) {
    try {
      const found = await request("v1/session");
      showProblem("");
      return found;
    } catch (problem) {
      showProblem(spoken(problem));
      await new Promise((resolve) => setTimeout(resolve, AGAIN));
    }
  }
}

async function start() {
  startTheme();
  await startLanguage();
  startTabs();
  startSpeech(retell);
  startWords();
  startAsk(); // before the views: Escape stops an answer first
  startOverlay();
  const found = await session();
  await loadColors();
  startPicture(found, () => show("picture"));
  const begin = async () => {
    show("live");
    try {
      await startRecent((...entry) => {
        show("picture");
        showKnown(...entry);
      }, found.history);
    } catch (problem) {
      showProblem(spoken(problem));
    }
  };
  startLogin(stopLive, begin);
  watchState();
  if (found.token_needed) askForToken(); else await begin();
  document.documentElement.dataset.ready = "true";
  loadOthers();
}

start();
