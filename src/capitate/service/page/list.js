// The list of assessments: searched, filtered by status, opened, deleted.

import { assessments, at } from "./api.js";
import { announce, byId, make, replace, shown } from "./dom.js";
import { finished, follow } from "./jobs.js";
import { problem, question } from "./notices.js";
import { set, state, watch } from "./state.js";
import { age, moment, words, wordsOr } from "./words.js";

const PAGE = 40;
const SEARCH_PAUSE_MS = 250;
const THUMBNAIL = 96;

let timer = null;
let turn = 0;
let onOpen = () => {};
let onGone = () => {};

/** Show the list; `open` shows an assessment, `gone` hears of one that was deleted. */
export function show({ open, gone }) {
  onOpen = open;
  onGone = gone;
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => load(), SEARCH_PAUSE_MS);
  };
  byId("search").addEventListener("input", changed);
  byId("status").addEventListener("change", changed);
  byId("search-form").addEventListener("submit", (event) => (event.preventDefault(), load()));
  byId("more").addEventListener("click", () => load({ more: true }));
  watch(["items", "openId", "lang", "next", "role"], draw);
}

/** Fetch the list again, or one page more of it. */
export async function load({ more = false } = {}) {
  const mine = (turn += 1);
  const search = { text: byId("search").value.trim(), status: byId("status").value, limit: PAGE };
  try {
    const { items, next } = await assessments.list(more ? { ...search, cursor: state.next } : search);
    if (mine !== turn) return;
    set({ items: more ? [...state.items, ...items] : items, next });
    for (const item of items) if (!finished(item)) follow(item);
  } catch (error) {
    problem(error, { key: "list", actions: [[words("retry"), () => load()]] });
  }
}

/** Put the newer state of an assessment into the list, first if it was not there. */
export function changedItem(record) {
  const item = itemOf(record);
  const known = state.items.some((one) => one.id === item.id);
  if (!known && (byId("search").value || byId("status").value)) return;
  set({ items: known ? state.items.map((one) => (one.id === item.id ? { ...one, ...item } : one)) : [item, ...state.items] });
}

function itemOf(record) {
  const { assessment, ...item } = record;
  if (assessment === undefined || assessment === null) return item;
  return {
    ...item,
    bone_age_text: assessment.bone_age?.text ?? null,
    has_corrections: Boolean(assessment.joints?.some((joint) => joint.grade?.corrected_by)),
  };
}

/** Open the film after the one that is open, or before. */
export function next(by) {
  const index = state.items.findIndex((item) => item.id === state.openId);
  const item = state.items[index < 0 ? 0 : index + by];
  if (item) onOpen(item.id);
}

const drawn = new Map();
const pictureless = new Set();

function draw() {
  const { items } = state;
  // Entries that did not change stay as they are, so that their pictures are not fetched again.
  const entries = items.map((item) => {
    const look = JSON.stringify([item, item.id === state.openId, state.lang, state.role]);
    const known = drawn.get(item.id);
    return known?.look === look ? known : { id: item.id, look, element: entry(item) };
  });
  const same = entries.length === drawn.size && entries.every((one) => drawn.get(one.id) === one);
  drawn.clear();
  for (const one of entries) drawn.set(one.id, one);
  if (!same) replace(byId("items"), entries.map((one) => one.element));
  shown(byId("more"), Boolean(state.next));
  const searched = byId("search").value || byId("status").value;
  byId("no-items").textContent = items.length ? "" : words(searched ? "none_found" : "none_yet");
}

function entry(item) {
  const current = item.id === state.openId;
  const open = make("button", { type: "button", class: "item", "aria-current": current ? "true" : null,
    data: { focus: `item-${item.id}`, id: item.id }, on: { click: () => onOpen(item.id) } },
    thumbnail(item),
    make("span", { class: "item-text" },
      make("span", { class: "name", text: item.film_name }),
      make("span", { class: "value", text: value(item) }),
      make("span", { class: "hint", text: [item.child, item.study_date ?? moment(item.created_at)].filter(Boolean).join(" · ") })));
  const remove = state.role === "write"
    ? make("button", { type: "button", class: "remove", text: "×", title: words("delete"), data: { focus: `remove-${item.id}` },
      "aria-label": `${words("delete")}: ${item.film_name}`, on: { click: () => discard(item) } })
    : null;
  return make("li", { class: `${item.status}${current ? " current" : ""}` }, open, remove);
}

function thumbnail(item) {
  if (item.status !== "done" || pictureless.has(item.id)) return make("span", { class: "thumb" });
  const image = make("img", { class: "thumb", src: at.preview(item.id, THUMBNAIL), alt: "", width: 44, height: 56, loading: "lazy" });
  image.addEventListener("error", () => {
    pictureless.add(item.id);
    image.replaceWith(make("span", { class: "thumb" }));
  });
  return image;
}

function value(item) {
  if (item.status === "done") {
    const { bone_age_months: months, bone_age_text: text } = item;
    const told = text && months !== null && !text.startsWith("mature") ? age(months) : text;
    return [told ?? words("status_done"), item.has_corrections ? words("corrected") : ""].filter(Boolean).join(" · ");
  }
  if (item.status === "running" && item.progress) return wordsOr(`step_${item.progress}`, words("status_running"));
  return words(`status_${item.status}`);
}

/** Delete an assessment after asking. */
export async function discard(item) {
  const answer = await question({
    title: words("delete"),
    text: words("delete_ask", { name: item.film_name }),
    answers: [{ value: "keep", label: words("keep") }, { value: "delete", label: words("delete"), kind: "danger" }],
  });
  if (answer !== "delete") return;
  try {
    await assessments.remove(item.id);
    set({ items: state.items.filter((one) => one.id !== item.id) });
    announce(words("deleted", { name: item.film_name }));
    onGone(item.id);
  } catch (error) {
    problem(error);
  }
}
