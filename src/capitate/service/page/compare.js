// Earlier films of the same child: a table and a chart of their ages, and one of them beside the open film.

import { assessments, at } from "./api.js";
import { byId, draw, make, replace, shown } from "./dom.js";
import { film } from "./films.js";
import { follow } from "./gestures.js";
import { problem } from "./notices.js";
import { set, state, watch } from "./state.js";
import { Viewer } from "./viewer.js";
import { age, words } from "./words.js";

const MOST = 50;

let others = [];
let fetched = "";
let beside = null;
let viewer = null;

/** Show the earlier films of the open one's child; `open` shows an assessment. */
export function show({ open, tool }) {
  viewer = new Viewer(byId("beside-stage"));
  follow(viewer, { tool });
  byId("beside-close").addEventListener("click", close);
  watch(["record", "items"], () => fetch().catch(problem));
  watch(["record", "lang", "tab"], () => table(open));
}

/** The viewer beside, when a film is shown there. */
export function besideViewer() {
  return beside ? viewer : null;
}

/** Show the last film before the open one beside it, or close it. */
export function toggle() {
  if (beside) return close();
  const one = earlier()[0] ?? others[0];
  return one ? put(one).catch(problem) : set({ tab: "earlier" });
}

function close() {
  beside = null;
  shown(byId("beside"), false);
  viewer.show(null);
  set({ layers: { ...state.layers } });
}

async function fetch() {
  const { record } = state;
  // Films of the same child that are read meanwhile join the others.
  const read = state.items.filter((one) => one.child === record?.child && one.status === "done").map((one) => one.id);
  const key = record?.child ? [record.id, record.status, record.revision, ...read].join(" ") : "";
  if (key === fetched) return;
  fetched = key;
  if (beside && (!record || beside.child !== record.child || beside.id === record.id)) close();
  if (!key) return void (others = []);
  const { items } = await assessments.list({ child: record.child, status: "done", limit: MOST });
  if (fetched !== key) return;
  others = await Promise.all(items.filter((one) => one.id !== record.id && one.film_sha256 !== record.film_sha256).map(whole));
  if (fetched === key) set({ record: { ...state.record } });
}

/** The list leaves the assessment out; its numbers are needed here. */
async function whole(item) {
  return assessments.get(item.id);
}

function earlier() {
  const mine = moment(state.record);
  return others.filter((one) => moment(one) <= mine).sort((one, other) => moment(other).localeCompare(moment(one)));
}

function moment(record) {
  return record.study_date ?? record.created_at.slice(0, 10);
}

async function put(record) {
  const found = await film(record);
  beside = record;
  shown(byId("beside"), true);
  byId("beside-title").textContent = words("beside_title", { name: title(record) });
  const bone = record.assessment?.bone_age;
  byId("beside-age").textContent = bone ? `${words("bone_age")} ${bone.mature ? words("mature", { age: age(bone.months) }) : age(bone.months)}` : "";
  viewer.show(found);
  set({ layers: { ...state.layers } });
}

function title(record) {
  return record.study_date ? words("film_of", { date: record.study_date }) : record.film_name;
}

function table(open) {
  const { record } = state;
  if (!record) return replace(byId("earlier-list"));
  if (!record.child) return replace(byId("earlier-list"), make("p", { text: words("earlier_no_child") }));
  if (!others.length) return replace(byId("earlier-list"), make("p", { text: words("earlier_none") }));
  const all = [record, ...others].sort((one, other) => moment(other).localeCompare(moment(one)));
  return replace(byId("earlier-list"), chart(all), make("ul", { class: "plain films" }, ...all.map((one) => line(one, open))));
}

function line(one, open) {
  const current = one.id === state.record.id;
  const bone = one.assessment?.bone_age;
  const known = one.assessment?.subject.chronological_age_months;
  const image = make("img", { class: "thumb", src: at.preview(one.id, 96), alt: "", width: 44, height: 56 });
  const ages = [bone ? `${words("bone_age")} ${age(bone.months)}` : "", known == null ? "" : `${words("chronological")} ${age(known)}`];
  const button = (key, act) => make("button", { type: "button", text: words(key), "aria-label": `${words(key)}: ${title(one)}`,
    data: { focus: `${key}-${one.id}` }, on: { click: act } });
  return make("li", { class: current ? "current" : "" }, image,
    make("div", { class: "item-text" }, make("strong", { text: title(one) }),
      ...ages.filter(Boolean).map((text) => make("span", { text })), current ? null : make("span", { class: "hint", text: change(one) })),
    current ? null : make("div", { class: "actions" }, button("beside", () => put(one).catch(problem)), button("open", () => open(one.id))));
}

/** How much the bone age changed between a film and the open one, and in which time. */
function change(one) {
  const [now, then] = [state.record, one].map((record) => record.assessment?.bone_age?.months ?? null);
  if (now === null || then === null || !one.study_date || !state.record.study_date) return "";
  const days = (new Date(state.record.study_date) - new Date(one.study_date)) / 86_400_000;
  const months = (value) => words("months_count", { count: Math.abs(value).toFixed(1) });
  const sign = days < 0 ? then - now : now - then;
  return words("change_between", { bone: `${sign < 0 ? "−" : "+"}${months(sign)}`, time: months(days / 30.4375) });
}

function chart(all) {
  const points = all
    .map((one) => ({ id: one.id, known: one.assessment?.subject.chronological_age_months ?? null, bone: one.assessment?.bone_age }))
    .filter((one) => one.known !== null && one.bone);
  if (points.length < 2) return null;
  const size = 320;
  const most = 12 * Math.ceil(Math.max(...points.flatMap((one) => [one.known, one.bone.interval.high])) / 12);
  const least = 12 * Math.max(0, Math.floor(Math.min(...points.flatMap((one) => [one.known, one.bone.interval.low])) / 12));
  const x = (months) => 34 + ((size - 44) * (months - least)) / (most - least);
  const y = (months) => size - 30 - ((size - 44) * (months - least)) / (most - least);
  const every = Math.max(1, Math.ceil((most - least) / 12 / 6));
  const years = Array.from({ length: (most - least) / 12 + 1 }, (_, index) => least / 12 + index).filter((_, index) => index % every === 0);
  return draw("svg", { class: "growth", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": words("growth_alt") },
    draw("line", { class: "grid", x1: x(least), y1: y(least), x2: x(most), y2: y(most) }),
    ...years.flatMap((year) => [
      draw("text", { class: "tick-label", x: x(12 * year), y: size - 14, "text-anchor": "middle", text: year }),
      draw("text", { class: "tick-label", x: 28, y: y(12 * year) + 4, "text-anchor": "end", text: year }),
    ]),
    draw("line", { class: "axis", x1: 34, y1: size - 30, x2: size - 10, y2: size - 30 }),
    draw("line", { class: "axis", x1: 34, y1: 14, x2: 34, y2: size - 30 }),
    draw("text", { class: "tick-label", x: size - 10, y: size - 2, "text-anchor": "end", text: words("chronological") }),
    draw("text", { class: "tick-label", x: 4, y: 10, text: words("bone_age") }),
    ...points.flatMap((one) => [
      draw("line", { class: "whisker", x1: x(one.known), x2: x(one.known), y1: y(one.bone.interval.low), y2: y(one.bone.interval.high) }),
      draw("circle", { class: one.id === state.record.id ? "point bone" : "point score", cx: x(one.known), cy: y(one.bone.months), r: 5 }),
    ]));
}
