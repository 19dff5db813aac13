// What was found: objects, classes of the whole picture, faces, texts, and tasks that failed.

import { spokenError } from "./api.js";
import { colorOf } from "./colors.js";
import { $, element, pieces, updateList } from "./elements.js";
import { pickClass } from "./overlay.js";
import { count, isolated, percent, text } from "./strings.js";
import { taskName } from "./tasks.js";

const LIKELY = 0.1; // probability from which a class is shown: a classifier always has a best
const CLASSES = 5;

// Without colors for a picture on which the robot has drawn: it chooses its own.
export function showFound(result, hasOverlay = true) {
  $("objects").classList.toggle("plain", !hasOverlay);
  const objects = result.objects || [];
  updateList($("objects"), objects, (object) => object.class_id, makeRow, updateRow);
  const likely = (result.classification || []).filter((entry) => entry.score >= LIKELY);
  const more = [];
  if (likely.length) {
    more.push(element("h3", "", text("classes")), classTable(likely.slice(0, CLASSES)));
  }
  if (result.poses?.length) {
    more.push(element("h3", "", text("poses")), element("p", "", count(result.poses.length)));
  }
  if (result.faces?.length) {
    more.push(element("h3", "", text("faces")), element("p", "", count(result.faces.length)));
  }
  if (result.caption && result.style !== "caption") { // as the sentence it is there already
    const caption = element("p", "", result.caption.text);
    caption.dir = "auto";
    more.push(element("h3", "", text("caption")), caption);
  }
  if (result.texts?.length) {
    more.push(element("h3", "", text("texts")), ...result.texts.map(textLine));
  }
  for (const [task, failure] of Object.entries(result.failures || {})) {
    const why = element("p", "failure");
    why.append(element("bdi", "", taskName(task)), `: ${spokenError(failure)}`);
    why.title = isolated(failure.message);
    more.push(why);
  }
  $("more").replaceChildren(...more);
}

export function clearFound() {
  $("objects").replaceChildren();
  $("more").replaceChildren();
}

function makeRow(object) {
  const button = element("button", "");
  button.type = "button";
  const label = element("span", "label");
  label.append(element("bdi", ""));
  button.append(element("span", "swatch"), label, element("span", "count"));
  const pick = (on) => pickClass(on ? object.class_id : null);
  button.addEventListener("pointerenter", () => pick(true));
  button.addEventListener("pointerleave", () => pick(false));
  button.addEventListener("focus", () => pick(true));
  button.addEventListener("blur", () => pick(false));
  const row = element("li", "");
  row.append(button);
  return row;
}

function updateRow(row, object) {
  const [swatch, label, number] = row.firstChild.children;
  swatch.style.background = colorOf(object.class_id);
  label.firstChild.textContent = object.label;
  number.replaceChildren(...pieces([count(object.count), percent(object.max_score)]));
}

function classTable(entries) {
  const list = element("ul", "classes");
  list.append(...entries.map((entry) => {
    const row = element("li", "");
    const bar = document.createElement("meter");
    bar.value = entry.score;
    bar.setAttribute("aria-hidden", "true");
    const label = element("span", "");
    label.append(element("bdi", "", entry.label));
    row.append(label, bar, element("span", "count", percent(entry.score)));
    return row;
  }));
  return list;
}

function textLine(line) {
  const row = element("p", "");
  const sample = element("bdi", "sample", line.text || `? (${line.script})`);
  sample.style.color = line.text_color;
  sample.style.background = line.background_color;
  row.append(sample);
  if (line.translation) row.append(" ", element("bdi", "", line.translation));
  return row;
}
