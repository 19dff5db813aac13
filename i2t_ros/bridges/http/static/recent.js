// The last results: the server's history where it keeps one, else those of this page.

import { request } from "./api.js";
import { language } from "./strings.js";
import { element } from "./words.js";

const $ = (id) => document.getElementById(id);
const LIMIT = 12;

let entries = []; // { source, describe, result }
let show = () => {}; // shows an entry on the stage
let shown = ""; // source of the picture on the stage

export async function startRecent(showEntry, kept) {
  show = showEntry;
  if (kept) {
    const page = await request(`v1/history?limit=${LIMIT}`);
    entries = page.results.filter((result) => result.picture).map(fromServer);
  }
  render();
}

function fromServer(result) {
  const describe = () => request(`v1/history/${result.id}?language=${language()}`);
  return { source: result.picture, describe, result, isKept: true };
}

export function remember(entry) {
  const known = entries.findIndex((other) => other.result.hash === entry.result.hash);
  if (known >= 0) release(entries.splice(known, 1)[0]);
  entries.unshift(entry);
  for (const old of entries.splice(LIMIT)) release(old);
  shown = entry.source;
  render();
}

// A picture was looked at again, perhaps in another language.
export function renew({ source, result }) {
  const entry = entries.find((known) => known.source === source);
  if (entry) entry.result = result;
  shown = source;
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

function release(entry) {
  if (entry.source.startsWith("blob:")) URL.revokeObjectURL(entry.source);
}

function render() {
  const focused = [...$("history").children].findIndex((item) => item.contains(document.activeElement));
  $("no-recent").hidden = entries.length > 0;
  $("history").replaceChildren(...entries.map((entry) => {
    const button = element("button", "");
    button.type = "button";
    const image = element("img", "");
    image.src = entry.source;
    image.alt = "";
    image.loading = "lazy";
    button.append(image, element("span", "", entry.result.sentence));
    if (entry.source === shown) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => {
      // What was said in another language is said anew.
      const result = entry.result.language === language() ? entry.result : null;
      show(entry.source, entry.describe, result);
    });
    const item = element("li", "");
    item.append(button);
    return item;
  }));
  $("history").children[focused]?.firstChild.focus({ preventScroll: true });
}
