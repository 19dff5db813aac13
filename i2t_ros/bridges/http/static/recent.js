// The last results: the server's history where it keeps one, else those of this page.

import { request } from "./api.js";
import { $, element, updateList } from "./elements.js";
import { forVoice } from "./speech.js";
import { isolated, language } from "./strings.js";

const LIMIT = 12;

let entries = []; // { key, source, describe, result }
let show = () => {}; // shows an entry on the stage
let shown = ""; // key of the picture on the stage

// Raises a Problem if the server's history cannot be had.
export async function startRecent(showEntry, kept) {
  show = showEntry;
  render();
  if (kept) {
    const page = await request(`v1/history?limit=${LIMIT}`);
    entries = page.results.filter((result) => result.picture).map(fromServer);
    render();
  }
}

function fromServer(result) {
  const describe = () => {
    const query = new URLSearchParams({ language: language(), ...forVoice() });
    return request(`v1/history/${result.id}?${query}`);
  };
  // Not the path that the reply has: the page may be below a path that the server does not know.
  const source = `v1/history/${result.id}/picture`;
  return { key: String(result.id), source, describe, result, isKept: true };
}

export function remember(entry) {
  const known = entries.findIndex((other) => other.result.hash === entry.result.hash);
  if (known >= 0) release(entries.splice(known, 1)[0]);
  entries.unshift(entry);
  for (const old of entries.splice(LIMIT)) release(old);
  shown = entry.key;
  render();
}

// A picture was looked at again, perhaps in another language.
export function renew({ key, source, result }) {
  const entry = entries.find((known) => known.key === key);
  if (entry && entry.source !== source) release(entry);
  if (entry) Object.assign(entry, { source, result });
  shown = key;
  render();
}

export async function retellRecent() {
  for (const entry of entries.filter((known) => known.isKept)) {
    try {
      entry.result = await entry.describe();
    } catch {
      // It keeps its old words, as those do that the server would have to look at again.
    }
  }
  render();
}

// A picture of this page that is shown no more.
export function release(entry) {
  if (entry.source.startsWith("blob:")) URL.revokeObjectURL(entry.source);
}

function render() {
  $("no-recent").hidden = entries.length > 0;
  updateList($("history"), entries, (entry) => entry.key, makeItem, updateItem);
}

function makeItem({ key }) {
  const button = element("button", "");
  button.type = "button";
  const image = element("img", "");
  image.alt = "";
  image.loading = "lazy";
  const caption = element("span", "");
  caption.dir = "auto";
  button.append(image, caption);
  button.addEventListener("click", () => {
    const entry = entries.find((known) => known.key === key);
    // What was said in another language is said anew.
    if (entry) show(entry, entry.result.language === language());
  });
  const item = element("li", "");
  item.append(button);
  return item;
}

function updateItem(item, { key, source, result }) {
  const image = item.querySelector("img");
  if (image.getAttribute("src") !== source) image.src = source;
  const caption = item.querySelector("span");
  caption.textContent = result.sentence;
  caption.lang = result.language;
  item.firstChild.title = isolated(result.sentence);
  if (key === shown) item.firstChild.setAttribute("aria-current", "true");
  else item.firstChild.removeAttribute("aria-current");
}
