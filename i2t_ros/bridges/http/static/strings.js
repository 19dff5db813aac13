// The words of the page: one JSON file for each language.

export const LANGUAGES = {
  en: "English",
  es: "Español",
  zh: "中文",
  ko: "한국어",
  fr: "Français",
  de: "Deutsch",
  pt: "Português",
  ja: "日本語",
};

let chosen = "en";
let strings = {};
const loaded = new Map();

export const language = () => chosen;

export function preferredLanguage() {
  const wanted = [localStorage.getItem("i2t.language"), ...navigator.languages];
  for (const tag of wanted) {
    const base = (tag || "").toLowerCase().split("-")[0];
    if (base in LANGUAGES) return base;
  }
  return "en";
}

async function load(tag) {
  if (!loaded.has(tag)) {
    const response = await fetch(`static/strings/${tag}.json`);
    if (!response.ok) throw new Error(`${response.status}`);
    loaded.set(tag, await response.json());
  }
  return loaded.get(tag);
}

// So that the language can be changed while the server cannot be reached.
export async function loadOthers() {
  for (const tag of Object.keys(LANGUAGES)) await load(tag).catch(() => {});
}

// Raises, and leaves the page as it is, if the words cannot be had.
export async function chooseLanguage(tag) {
  strings = await load(tag);
  chosen = tag;
  document.documentElement.lang = tag;
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = text(element.dataset.i18n);
  }
  for (const element of document.querySelectorAll("[data-i18n-empty]")) {
    element.dataset.empty = text(element.dataset.i18nEmpty);
  }
  for (const element of document.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", text(element.dataset.i18nLabel));
  }
}

export function text(key, values = {}) {
  const found = strings[key] ?? "";
  return found.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function percent(score) {
  return new Intl.NumberFormat(chosen, { style: "percent" }).format(score);
}
