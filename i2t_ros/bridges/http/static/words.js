// The sentence, what was found, and the boxes over the picture.

import { colorOf } from "./colors.js";
import { say } from "./speech.js";
import { language, text } from "./strings.js";

const $ = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const LETTERS = 15; // height of labels on the screen, in CSS pixels
const FACE_COLOR = "#ff50c8";
const TEXT_COLOR = "#3cbeff";

let shown = null;
let drawn = null;

export function startWords() {
  new ResizeObserver(() => drawOverlay(drawn)).observe($("overlay"));
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
  for (const id of ["objects", "more", "details"]) $(id).replaceChildren();
}

export function showWords(result) {
  const isNew = $("sentence").textContent !== result.sentence;
  shown = result;
  $("sentence").lang = result.language;
  if (isNew) {
    $("sentence").textContent = result.sentence;
    say(result.sentence);
  }
  $("copy").disabled = false;
  showProblem("");
  showObjects(result.objects || []);
  showMore(result);
  const parts = [result.model];
  if (result.width) parts.push(`${result.width} × ${result.height}`);
  if (result.timings_ms) parts.push(result.cached ? text("known") : `${Math.round(result.timings_ms.total)} ms`);
  $("details").textContent = parts.join(" · ");
}

function showObjects(objects) {
  const percent = new Intl.NumberFormat(language(), { style: "percent" });
  const rows = objects.map((object) => {
    const swatch = element("span", "swatch");
    swatch.style.background = colorOf(object.class_id);
    const button = element("button", "");
    button.type = "button";
    button.append(swatch, element("span", "", object.label));
    button.append(element("span", "count", `${object.count} · ${percent.format(object.max_score)}`));
    const pick = (on) => pickClass(on ? object.class_id : null);
    button.addEventListener("pointerenter", () => pick(true));
    button.addEventListener("pointerleave", () => pick(false));
    button.addEventListener("focus", () => pick(true));
    button.addEventListener("blur", () => pick(false));
    const row = element("li", "");
    row.append(button);
    return row;
  });
  // Rows that stay are left alone, so that they keep the focus while the picture is live.
  const list = $("objects");
  const same = list.children.length === rows.length
    && rows.every((row, i) => row.textContent === list.children[i].textContent);
  if (!same && !list.contains(document.activeElement)) list.replaceChildren(...rows);
}

function showMore(result) {
  const more = [];
  if (result.classification?.length) {
    const percent = new Intl.NumberFormat(language(), { style: "percent" });
    const named = result.classification.slice(0, 3)
      .map((entry) => `${entry.label} ${percent.format(entry.score)}`);
    more.push(element("h3", "", text("classes")), element("p", "", named.join(", ")));
  }
  if (result.faces?.length) {
    more.push(element("h3", "", text("faces")), element("p", "", String(result.faces.length)));
  }
  if (result.texts?.length) {
    more.push(element("h3", "", text("texts")));
    for (const line of result.texts) {
      const row = element("p", "");
      const sample = element("span", "sample", line.text || `? (${line.script})`);
      sample.style.color = line.text_color;
      sample.style.background = line.background_color;
      row.append(sample);
      if (line.translation) row.append(` ${line.translation}`);
      more.push(row);
    }
  }
  $("more").replaceChildren(...more);
}

function pickClass(name) {
  $("overlay").classList.toggle("picking", name !== null);
  for (const group of $("overlay").children) {
    group.classList.toggle("picked", name !== null && group.dataset.class === name);
  }
}

// Boxes over a still picture, in its own pixels: the viewBox does the scaling.
export function drawOverlay(result) {
  drawn = result;
  const overlay = $("overlay");
  const { clientWidth, clientHeight } = overlay;
  overlay.replaceChildren();
  if (!result || !clientWidth) return;
  overlay.setAttribute("viewBox", `0 0 ${result.width} ${result.height}`);
  const scale = Math.min(clientWidth / result.width, clientHeight / result.height);
  const letters = LETTERS / scale;
  // The best is drawn last, on top.
  for (const found of [...(result.detections || [])].reverse()) {
    const group = node("g", { "data-class": found.class_id, "data-kind": "object" });
    overlay.append(group);
    const color = colorOf(found.class_id);
    group.append(rectangle(found.box, color));
    const label = `${found.label} ${Math.round(100 * found.score)}%`;
    writeLabel(group, found.box, label, color, letters, result.width);
  }
  for (const face of result.faces || []) {
    const group = node("g", { "data-kind": "face" });
    group.append(rectangle(face.box, FACE_COLOR));
    for (const [x, y] of Object.values(face.landmarks || {})) {
      group.append(node("circle", { cx: x, cy: y, r: letters / 5, fill: FACE_COLOR }));
    }
    overlay.append(group);
  }
  for (const line of result.texts || []) {
    const points = line.corners.map((corner) => corner.join(",")).join(" ");
    const group = node("g", { "data-kind": "text" });
    group.append(node("polygon", { points, stroke: TEXT_COLOR }));
    overlay.append(group);
  }
}

// A line of text on a plate above the box, or inside where there is no room above.
function writeLabel(group, [left, top], label, color, letters, width) {
  const plate = node("rect", { class: "plate", fill: color });
  const words = node("text", { "font-size": letters, fill: inkOn(color) });
  words.textContent = label;
  plate.style.fill = color;
  group.append(plate, words);
  const wide = words.getComputedTextLength() + letters * 0.8;
  const high = letters * 1.4;
  const x = Math.max(0, Math.min(left, width - wide));
  const y = top >= high ? top - high : top;
  for (const [name, value] of Object.entries({ x, y, width: wide, height: high })) {
    plate.setAttribute(name, value);
  }
  words.setAttribute("x", x + letters * 0.4);
  words.setAttribute("y", y + letters * 1.05);
}

function rectangle([left, top, right, bottom], color) {
  return node("rect", { x: left, y: top, width: right - left, height: bottom - top, stroke: color });
}

function inkOn(color) {
  const [red, green, blue] = color.match(/\d+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? "#000" : "#fff";
}

function node(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(key, value);
  }
  return made;
}

export function element(name, className, content = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = content;
  return made;
}
