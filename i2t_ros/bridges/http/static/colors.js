// The color of a class: that which the robot draws with, where it is known by the class's name;
// else far from those of the other classes that this page has shown.

import { request } from "./api.js";

const HUES = 12; // 30 degrees apart; more classes have the same hues in darker colors
const DARKER = 0.72; // brightness of each further round, times that of the one before

const colors = new Map();
let taken = new Set(); // hues of this round, 0 to HUES - 1
let brightness = 1;

export async function loadColors() {
  const known = await request("static/class-colors.json").catch(() => ({}));
  for (const [name, color] of Object.entries(known)) colors.set(name, color);
}

export function colorOf(name) {
  if (!colors.has(name)) {
    if (taken.size === HUES) {
      taken = new Set();
      brightness *= DARKER;
    }
    // Of the name, so that it is mostly the same when the page is opened again.
    const wanted = [...name].reduce((sum, letter) => (31 * sum + letter.codePointAt(0)) % HUES, 0);
    const hue = taken.has(wanted) ? farthest() : wanted;
    taken.add(hue);
    colors.set(name, rgb(hue / HUES, brightness));
  }
  return colors.get(name);
}

function farthest() {
  const apart = (a, b) => Math.min((a - b + HUES) % HUES, (b - a + HUES) % HUES);
  const nearest = (hue) => Math.min(...[...taken].map((other) => apart(hue, other)));
  const free = Array.from({ length: HUES }, (_, hue) => hue).filter((hue) => !taken.has(hue));
  return free.reduce((best, hue) => (nearest(hue) > nearest(best) ? hue : best));
}

// Bright and saturated colors stand out in photos.
function rgb(hue, value) {
  const channel = (n) => {
    const k = (n + hue * 6) % 6;
    return Math.round(255 * value * (1 - 0.75 * Math.max(0, Math.min(k, 4 - k, 1))));
  };
  return `rgb(${channel(5)}, ${channel(3)}, ${channel(1)})`;
}
