// The words of the page: one JSON file for each language. A file that `extends` another has only
// what differs from it.

import { preferred, scriptOf } from "./tags.js";

// Under their own names, in the order of the menu.
export const LANGUAGES = {
  "en": "English",
  "en-GB": "English (UK)",
  "es": "Español",
  "es-419": "Español (Latinoamérica)",
  "fr": "Français",
  "de": "Deutsch",
  "it": "Italiano",
  "nl": "Nederlands",
  "pt": "Português (Brasil)",
  "pt-PT": "Português (Portugal)",
  "pl": "Polski",
  "ru": "Русский",
  "tr": "Türkçe",
  "id": "Bahasa Indonesia",
  "ar": "العربية",
  "hi": "हिन्दी",
  "zh": "中文（简体）",
  "zh-Hant": "中文（繁體）",
  "ja": "日本語",
  "ko": "한국어",
};

// The digits that the sentences and the robot's drawings have.
const DIGITS = { numberingSystem: "latn" };

const FROM_THE_RIGHT = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;

let chosen = "en";
let strings = {};
const loaded = new Map();

export const language = () => chosen;

export function preferredLanguage() {
  const wanted = [localStorage.getItem("i2t.language"), ...navigator.languages];
  return preferred(wanted, Object.keys(LANGUAGES)) ?? "en";
}

async function load(tag) {
  if (!loaded.has(tag)) {
    const response = await fetch(`static/strings/${tag}.json`);
    if (!response.ok) throw new Error(`${response.status}`);
    const { extends: base, ...own } = await response.json();
    loaded.set(tag, base ? { ...await load(base), ...own } : own);
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
  document.documentElement.dir = scriptOf(tag) === "Arab" ? "rtl" : "ltr";
  document.title = text("title");
  for (const element of document.querySelectorAll("[data-i18n]")) {
    element.textContent = text(element.dataset.i18n);
  }
  for (const element of document.querySelectorAll("[data-i18n-empty]")) {
    element.dataset.empty = text(element.dataset.i18nEmpty);
  }
  for (const element of document.querySelectorAll("[data-i18n-placeholder]")) {
    element.placeholder = text(element.dataset.i18nPlaceholder);
  }
  for (const element of document.querySelectorAll("[data-i18n-label]")) {
    element.setAttribute("aria-label", text(element.dataset.i18nLabel));
  }
}

export function text(key, values = {}) {
  const found = strings[key] ?? "";
  return found.replace(/\{(\w+)\}/g, (all, name) => {
    const value = values[name] ?? all;
    return typeof value === "number" ? count(value) : isolated(value);
  });
}

// A name or a message may be written in the other direction than the words around it: first strong
// isolate and its end keep it together, as <bdi> does among elements.
export function isolated(value) {
  const turned = document.documentElement.dir === "rtl" || FROM_THE_RIGHT.test(value);
  return turned ? `\u2068${value}\u2069` : value;
}

export function count(number) {
  return new Intl.NumberFormat(chosen, DIGITS).format(number);
}

export function listed(texts) {
  return new Intl.ListFormat(chosen, { type: "unit" }).format(texts);
}

export function meters(distance) {
  const unit = { style: "unit", unit: "meter", maximumFractionDigits: 1 };
  return new Intl.NumberFormat(chosen, { ...DIGITS, ...unit }).format(distance);
}

export function percent(score) {
  return new Intl.NumberFormat(chosen, { ...DIGITS, style: "percent" }).format(score);
}

export function milliseconds(time) {
  const unit = { style: "unit", unit: "millisecond", maximumFractionDigits: 0 };
  return new Intl.NumberFormat(chosen, { ...DIGITS, ...unit }).format(time);
}
