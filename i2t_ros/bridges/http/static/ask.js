// Questions about what is on the stage: the answer is shown while a language model writes it.

import { events, spokenError } from "./api.js";
import { $, pieces } from "./elements.js";
import { doWithout, forVoice, sayAnswer } from "./speech.js";
import { count, language, listed, milliseconds, text } from "./strings.js";

const NOTHING = { words: "", isWaiting: false, isStopped: false, reply: null, problem: null };

// { key, content: promise of what is sent besides the question, null if there is nothing to ask about }
let about = { key: "", content: null };
let stop = null; // while a question is being answered
let isOff = false; // the robot has no language model
let shown = NOTHING;

export function startAsk() {
  $("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    const question = $("question").value.trim();
    if (question && !stop) ask(question);
  });
  $("ask-send").addEventListener("click", (event) => {
    if (!stop) return;
    event.preventDefault(); // it is a button that asks again before the click is over
    stop.abort();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !stop) return;
    stop.abort();
    event.stopImmediatePropagation(); // it ends one thing at a time
  });
  // A browser keeps a page that is left for a while, in case of a return, and its requests too.
  window.addEventListener("pagehide", () => stop?.abort());
}

// What questions are about from now on. The answer to one about something else is shown no more.
export function askAbout(key, content) {
  if (key !== about.key) {
    stop?.abort();
    stop = null;
    show(NOTHING);
  }
  about = { key, content };
  $("asking").hidden = !content;
}

// In another language; but an answer stays as it was given.
export const retellAsk = () => show({});

async function ask(question) {
  const own = new AbortController();
  stop = own;
  show({ ...NOTHING, isWaiting: true });
  const isCurrent = () => stop === own;
  try {
    const content = await about.content();
    await answered(question, content, own, isCurrent);
  } catch (problem) {
    if (!isCurrent()) return;
    if (own.signal.aborted) show({ isStopped: true });
    else show({ problem: { code: problem.code, message: problem.message } });
    isOff ||= problem.code === "vlm_off";
  } finally {
    if (isCurrent()) {
      stop = null;
      show({ isWaiting: false });
    }
  }
}

async function answered(question, content, own, isCurrent) {
  for (;;) {
    try {
      for await (const { name, data } of coming(question, content, own.signal)) {
        if (!isCurrent()) return;
        if (name === "text") show({ words: data.text });
        if (name !== "answer") continue;
        show({ words: data.answer.text, reply: data });
        sayAnswer(data.answer.text, data.language);
      }
      return;
    } catch (problem) {
      if (!doWithout(problem)) throw problem;
    }
  }
}

// A form and not a query: there a question of some hundred letters could be too long.
function coming(question, content, signal) {
  const form = new FormData();
  const fields = { question, language: language(), ...forVoice(), ...content };
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const headers = { accept: "text/event-stream" };
  return events("v1/ask", { method: "POST", body: form, headers, signal });
}

function show(changes) {
  shown = { ...shown, ...changes };
  const { words, isWaiting, isStopped, reply, problem } = shown;
  const answer = $("answer");
  answer.hidden = !words && !isWaiting;
  // Who listens gets the whole answer at its end, and not its beginning again and again.
  answer.setAttribute("aria-busy", String(isWaiting && Boolean(words)));
  answer.classList.toggle("waiting", isWaiting);
  answer.classList.toggle("old", isStopped);
  answer.lang = reply?.language ?? language();
  const said = words || (isWaiting ? text("working") : "");
  if (answer.textContent !== said) answer.textContent = said;
  const wrong = reply?.answer.counts.filter((check) => check.answered !== check.detected) ?? [];
  const counts = listed(wrong.map((check) => `${count(check.detected)} × ${check.label}`));
  tell("disagreement", wrong.length ? text("counted", { counts }) : "");
  const known = problem ?? (isOff ? { code: "vlm_off" } : null);
  tell("ask-problem", known ? spokenError(known) : "");
  tell("ask-stopped", isStopped ? text("stopped") : "");
  $("answer-details").replaceChildren(
    ...(reply ? pieces([reply.answer.model, milliseconds(reply.answer.elapsed_ms)]) : []),
  );
  showForm(isWaiting);
}

function showForm(isWaiting) {
  const button = $("ask-send");
  button.textContent = isWaiting ? text("stop") : text("askSend");
  // While an answer is written, Enter in the field must not stop it.
  button.type = isWaiting ? "button" : "submit";
  $("question").disabled = isOff;
  button.disabled = isOff;
}

function tell(id, words) {
  $(id).hidden = !words;
  if ($(id).textContent !== words) $(id).textContent = words;
}
