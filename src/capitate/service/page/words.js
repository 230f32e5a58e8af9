// English and Chinese: the words of the page, ages, dates, and the elements of index.html that carry words.

import { remember, remembered } from "./dom.js";
import { set, state } from "./state.js";
import { ENGLISH } from "./words-en.js";
import { CHINESE } from "./words-zh.js";

const TABLES = { en: ENGLISH, zh: CHINESE };
const ROMAN = { First: "I", Second: "II", Third: "III", Fourth: "IV", Fifth: "V" };

/** The words of a key in the language that is chosen, with `{name}` filled in. */
export function words(key, values = {}) {
  const text = TABLES[state.lang][key];
  if (text === undefined) throw new Error(`no words for ${key} in ${state.lang}`);
  return text.replace(/\{(\w+)\}/g, (all, name) => (name in values ? values[name] : all));
}

/** The words of a key where there are any: codes that a newer service may add have none. */
export function wordsOr(key, otherwise) {
  return TABLES[state.lang][key] ?? otherwise;
}

/** Choose a language and put its words into the page. */
export function speak(lang) {
  const chosen = lang in TABLES ? lang : "en";
  remember("lang", chosen);
  document.documentElement.lang = chosen === "zh" ? "zh-Hans" : "en";
  set({ lang: chosen });
  fillPage();
}

/** The language that the reader chose before, or the browser's. */
export function preferred() {
  return remembered("lang", navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
}

function fillPage() {
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = words(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", words(element.dataset.label));
    if (element.matches("button")) element.title = words(element.dataset.label) + hint(element.dataset.key);
  }
  for (const element of document.querySelectorAll("[data-placeholder]")) {
    element.placeholder = words(element.dataset.placeholder);
  }
}

function hint(key) {
  return key ? ` (${key})` : "";
}

/** Name of one of the 21 joints. */
export function jointName(name) {
  return words(`joint_${name}`);
}

/** Name as it stands on the film: MCP III. */
export function shortName(name) {
  const ray = Object.keys(ROMAN).find((one) => name.endsWith(one));
  return ray ? `${name.slice(0, 3)} ${ROMAN[ray]}` : jointName(name);
}

/** An age in years and months: both are rounded down, as in every report. */
export function age(months) {
  const whole = Math.floor(months + 1e-9);
  return words("age", { years: Math.floor(whole / 12), months: whole % 12 });
}

/** An age with its months. */
export function fullAge(months) {
  return words("age_full", { age: age(months), all: months.toFixed(1) });
}

/** An interval of ages. */
export function interval({ low, high }) {
  return words("range", { low: age(low), high: age(high) });
}

/** A share as per cent, never rounded up to a certainty. */
export function percent(share) {
  const rounded = Math.round(100 * share);
  if (rounded === 100 && share < 1) return "> 99 %";
  return rounded === 0 && share > 0 ? "< 1 %" : `${rounded} %`;
}

/** A date and time where the reader is. */
export function moment(text) {
  const format = { dateStyle: "medium", timeStyle: "short" };
  return text ? new Intl.DateTimeFormat(state.lang === "zh" ? "zh-CN" : "en-GB", format).format(new Date(text)) : "–";
}
