// The color of a class: that which the robot draws with, where it is known by the class's name;
// else far from those of the other classes that this page has shown.

import { request } from "./api.js";

const HUES = 12; // 30 degrees apart; more classes have the same hues in darker colors
const DARKER = 0.72; // brightness of each further round, times that of the one before

const TABLE = Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

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
    const wanted = Math.round((HUES * crc32(new TextEncoder().encode(name))) / 2 ** 32) % HUES;
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
