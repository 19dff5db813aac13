// The sentence, what went wrong, and the reply as JSON.

import { $, pieces } from "./elements.js";
import { clearFound, showFound } from "./found.js";
import { say } from "./speech.js";
import { milliseconds, text } from "./strings.js";

let shown = null;

export function startWords() {
  $("copy").addEventListener("click", async () => {
    if (!shown) return;
    const done = await copied(JSON.stringify(shown, null, 2));
    const label = $("copy").querySelector("span");
    label.textContent = text(done ? "copied" : "notCopied");
    setTimeout(() => { label.textContent = text("copy"); }, 2000);
  });
}

// Only pages of a secure origin have a clipboard; a robot in its own network seldom is one.
async function copied(json) {
  try {
    await navigator.clipboard.writeText(json);
    return true;
  } catch {
    const area = document.createElement("textarea");
    area.value = json;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    $("copy").focus();
    return done;
  }
}

export function showProblem(problem) {
  $("problem").hidden = !problem;
  $("problem").textContent = problem;
}

export function clearWords() {
  shown = null;
  $("sentence").textContent = "";
  $("copy").disabled = true;
  $("details").textContent = "";
  clearFound();
}

export function showWords(result, hasOverlay = true) {
  const isNew = $("sentence").textContent !== result.sentence;
  shown = result;
  $("sentence").lang = result.language;
  if (isNew) $("sentence").textContent = result.sentence;
  say(result, isNew);
  $("copy").disabled = false;
  showProblem("");
  showFound(result, hasOverlay);
  const parts = [result.model];
  if (result.width) parts.push(`${result.width} × ${result.height}`);
  if (result.timings_ms) parts.push(result.cached ? text("known") : milliseconds(result.timings_ms.total));
  $("details").replaceChildren(...pieces(parts));
}
