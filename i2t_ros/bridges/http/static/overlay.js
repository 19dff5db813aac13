// Boxes and labels over a still picture, in its own pixels: the viewBox does the scaling.

import { colorOf } from "./colors.js";
import { $, node } from "./elements.js";
import { placeLabels } from "./labels.js";
import { meters, percent, text } from "./strings.js";

const LETTERS = 15; // height of labels on the screen, in CSS pixels
const SMALL_LETTERS = 12; // the same on a phone
const SMALL_SCREEN = 500; // CSS pixels
const LINE = 2.5; // width of a box's lines, in CSS pixels
const THIN = 1; // the same of the smallest things
const FACE_COLOR = "#ff50c8";
const TEXT_COLOR = "#3cbeff";
// Of skeletons; left and right are the person's own. SURE and LIMBS are those of postures.py.
const SIDE_COLORS = { left: "#ffaa3c", right: "#3cbeff" };
const MIDDLE_COLOR = "#78e65a";
const SURE = 0.4;
const OF_A_SIDE = [
  ["shoulder", "elbow"], ["elbow", "wrist"], ["shoulder", "hip"], ["hip", "knee"], ["knee", "ankle"],
  ["eye", "ear"],
];
const LIMBS = [
  ["left_shoulder", "right_shoulder"], ["left_hip", "right_hip"], ["nose", "left_eye"], ["nose", "right_eye"],
  ...["left", "right"].flatMap((side) => OF_A_SIDE.map((ends) => ends.map((end) => `${side}_${end}`))),
];

let drawn = null;

export function startOverlay() {
  new ResizeObserver(() => drawOverlay(drawn)).observe($("overlay"));
}

export function drawOverlay(result) {
  drawn = result;
  const overlay = $("overlay");
  const { clientWidth, clientHeight } = overlay;
  overlay.replaceChildren();
  if (!result || !clientWidth) return;
  const { width, height } = result;
  overlay.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const scale = Math.min(clientWidth / width, clientHeight / height);
  const letters = (clientWidth < SMALL_SCREEN ? SMALL_LETTERS : LETTERS) / scale;
  // What can be seen around the picture has room for labels too.
  const [aside, above] = [(clientWidth / scale - width) / 2, (clientHeight / scale - height) / 2];
  const area = [-aside, -above, width + aside, height + above];

  const lines = node("g", { "data-kind": "lines" });
  overlay.append(lines);
  const things = [...thingsOf(result)];
  // The best is drawn last, on top; all lines are below all labels.
  for (const thing of [...things].reverse()) drawLines(lines, thing, scale);
  const groups = things.map((thing) => label(overlay, thing, letters));
  const places = placeLabels(groups, things.map((thing) => thing.box), area);
  groups.forEach((group, i) => settle(group, places[i], letters));
  // The smallest on top, so that each can be pointed at.
  const sizeOf = ({ box: [left, top, right, bottom] }) => (right - left) * (bottom - top);
  overlay.append(...groups.sort((a, b) => sizeOf(b) - sizeOf(a)).map(({ group }) => group));
}

export function pickClass(name) {
  const overlay = $("overlay");
  overlay.classList.toggle("picking", name !== null);
  for (const group of overlay.querySelectorAll("g[data-class]")) {
    group.classList.toggle("picked", name !== null && group.dataset.class === name);
  }
  for (const group of overlay.querySelectorAll("g[data-lines]")) {
    group.classList.toggle("strong", name !== null && group.dataset.lines === name);
  }
}

function* thingsOf(result) {
  for (const found of result.detections || []) {
    const away = found.distance ? ` ${meters(found.distance)}` : "";
    const words = `${found.label} ${percent(found.score)}${away}`;
    const color = colorOf(found.class_id);
    yield { kind: "object", of: found.class_id, box: found.box, words, color, outlines: found.polygons };
  }
  for (const person of result.poses || []) {
    yield { kind: "pose", of: "", box: person.box, words: "", color: MIDDLE_COLOR, skeleton: person.points };
  }
  for (const face of result.faces || []) {
    const points = Object.values(face.landmarks || {});
    yield { kind: "face", of: "", box: face.box, words: text("face"), color: FACE_COLOR, points };
  }
  for (const line of result.texts || []) {
    const [across, down] = [0, 1].map((axis) => line.corners.map((corner) => corner[axis]));
    const box = [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
    yield { kind: "text", of: "", box, words: "", color: TEXT_COLOR, corners: line.corners };
  }
}

function drawLines(lines, { of, box, color, corners, skeleton, points = [], outlines = [] }, scale) {
  const [left, top, right, bottom] = box;
  const side = Math.min(right - left, bottom - top) * scale;
  const stroke = { stroke: color, "stroke-width": Math.max(THIN, Math.min(LINE, side / 24)) };
  const group = node("g", { "data-lines": of });
  // Numbers that alternate between x and y are what an SVG takes.
  for (const outline of outlines) {
    const mask = node("polygon", { class: "mask", points: outline.join(" "), ...stroke });
    mask.style.fill = color; // as an attribute, the page's policy would forbid it
    group.append(mask);
  }
  if (skeleton) {
    group.append(...limbsOf(skeleton).map((limb) => node("line", { ...stroke, ...limb })));
  } else if (corners) {
    group.append(node("polygon", { points: corners.map((corner) => corner.join(",")).join(" "), ...stroke }));
  } else {
    group.append(node("rect", { ...rectangle(box), ...stroke }));
  }
  const r = Math.max(1, Math.min(3, side / 24)) / scale;
  group.append(...points.map(([cx, cy]) => node("circle", { cx, cy, r, fill: color })));
  lines.append(group);
}

// The lines between those points of a person that are certain.
function limbsOf(points) {
  const sure = (name) => points[name]?.[2] >= SURE;
  return LIMBS.filter((ends) => ends.every(sure)).map(([start, end]) => {
    const side = start.split("_")[0];
    const stroke = (end.startsWith(side) && SIDE_COLORS[side]) || MIDDLE_COLOR;
    const [[x1, y1], [x2, y2]] = [points[start], points[end]];
    return { x1, y1, x2, y2, stroke };
  });
}

// A plate with the words, and over the box a field that shows them if they had no place.
function label(overlay, { kind, of, box, words, color }, letters) {
  const group = node("g", { "data-class": of, "data-kind": kind });
  overlay.append(group);
  group.append(node("rect", { class: "field", ...rectangle(box) }));
  if (!words) return { group, box, wide: 0, high: 0 };
  const plate = node("rect", { class: "plate" });
  plate.style.fill = color;
  const line = node("text", { "font-size": letters, fill: inkOn(color) });
  line.textContent = words;
  group.append(plate, line);
  return { group, plate, line, box, wide: line.getComputedTextLength() + letters * 0.8, high: letters * 1.4 };
}

function settle({ group, plate, line, wide, high }, { x, y, fits }, letters) {
  if (!plate) return;
  group.classList.toggle("crowded", !fits);
  for (const [name, value] of Object.entries({ x, y, width: wide, height: high })) {
    plate.setAttribute(name, value);
  }
  line.setAttribute("x", x + letters * 0.4);
  line.setAttribute("y", y + letters * 1.05);
}

function rectangle([left, top, right, bottom]) {
  return { x: left, y: top, width: right - left, height: bottom - top };
}

function inkOn(color) {
  const [red, green, blue] = color.startsWith("#")
    ? [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16))
    : color.match(/\d+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? "#000" : "#fff";
}
