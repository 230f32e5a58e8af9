// Heat maps over the film: which one, how opaque, what its colours mean.

import { assessments, at, request } from "./api.js";
import { byId, draw, make, replace } from "./dom.js";
import { problem } from "./notices.js";
import { arrays } from "./npz.js";
import { set, state, watch } from "./state.js";
import { words, wordsOr } from "./words.js";

const STEP = 0.1;
// The ends of capitate.explain's colour scales, for the legend; the layers themselves come coloured.
const UP = ["rgb(213 94 0)", "rgb(230 159 0)"];
const DOWN = ["rgb(0 114 178)", "rgb(86 180 233)"];

let known = [];
let listed = null;

/** Lay the chosen map over the viewer's film. */
export function over(viewer) {
  byId("opacity").addEventListener("input", (event) => set({ opacity: Number(event.target.value) / 100 }));
  watch(["record", "film"], () => available().catch(problem));
  watch(["map", "layers", "opacity", "film"], () => {
    viewer.opacity = state.opacity;
    viewer.lay(state.layers.map && state.film && state.map ? { picture: state.map.picture, box: whole() } : null);
  });
  watch(["map", "layers", "opacity", "lang", "record"], show);
}

/** Show or hide the map. */
export function toggle() {
  if (!known.length) return set({ tab: "maps" });
  const map = !state.layers.map;
  set({ layers: { ...state.layers, map }, tab: map ? "maps" : state.tab });
  return map && !state.map ? choose(known[0]).catch(problem) : undefined;
}

/** Make the map more or less opaque. */
export function opaquer(by) {
  set({ opacity: Math.min(1, Math.max(0, Math.round(10 * (state.opacity + by * STEP)) / 10)) });
}

function whole() {
  return { x: 0, y: 0, width: state.film.width, height: state.film.height };
}

async function available() {
  const { record } = state;
  const key = record?.status === "done" && record.assessment?.maps ? record.id : null;
  if (key === listed) return;
  listed = key;
  known = [];
  if (state.map?.id !== key) set({ map: null });
  show();
  if (!key) return;
  const { items } = await assessments.maps(key);
  if (listed !== key) return;
  known = items;
  show();
  if (state.layers.map && known.length) await choose(known[0]);
}

async function choose({ kind, layer, array }) {
  const { id } = state.record;
  const [pixels, stored] = await Promise.all([request(at.map(id, layer)), request(at.map(id, array))]);
  const picture = await createImageBitmap(await pixels.blob());
  const { values, quantity, unit, base, answer } = await arrays(await stored.arrayBuffer());
  if (state.openId !== id) return;
  const strongest = values.values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const signed = quantity === "bone_age" || values.values.some((value) => value < 0);
  // Spread over its share of the film, so that maps of different grids can be compared; as the reports say it.
  const limit = ((strongest * values.values.length) / 100).toPrecision(3);
  set({
    map: { id, kind, picture, unit, signed, limit, base: base.values[0], answer: answer.values[0] },
    layers: { ...state.layers, map: true },
  });
}

function show() {
  const { map, layers } = state;
  byId("opacity").value = Math.round(100 * state.opacity);
  byId("opacity-value").textContent = `${Math.round(100 * state.opacity)} %`;
  byId("opacity").disabled = !known.length;
  const choice = (one) =>
    make("button", { type: "button", "aria-pressed": String(layers.map && map?.kind === one.kind), data: { focus: `map-${one.kind}` },
      text: wordsOr(`map_${one.kind}`, one.kind), on: { click: () => choose(one).catch(problem) } });
  const off = make("button", { type: "button", "aria-pressed": String(!layers.map || !map), text: words("map_off"), data: { focus: "map-off" },
    on: { click: () => set({ layers: { ...layers, map: false } }) } });
  replace(byId("map-choice"), known.length ? [off, ...known.map(choice)] : make("p", { text: words("map_none") }));
  replace(byId("map-legend"), map && layers.map ? legend(map) : null);
}

function legend(map) {
  const unit = wordsOr(`unit_${map.unit}`, map.unit);
  const number = (value) => value.toFixed(map.unit === "months" ? 1 : 2);
  const told = words(map.signed ? "map_bar" : "map_bar_up", { limit: map.limit, unit });
  const line = (colours, key, dashed) =>
    make("li", {}, draw("svg", { viewBox: "0 0 28 10", width: 28, height: 10, "aria-hidden": "true" },
      draw("line", { x1: 0, x2: 28, y1: 5, y2: 5, stroke: colours.at(-1), "stroke-width": 3, "stroke-dasharray": dashed ? "6 4" : null })),
    words(key));
  return [
    bar(map.signed, told),
    make("p", { class: "hint", text: told }),
    make("p", { text: words("map_from", { base: number(map.base), answer: number(map.answer), unit }) }),
    make("ul", { class: "plain" }, line(UP, "map_up", false), map.signed ? line(DOWN, "map_down", true) : null),
    make("p", { class: "hint", text: words("map_note") }),
  ];
}

function bar(signed, told) {
  const stops = signed ? [[0, DOWN[1], 1], [0.49, DOWN[0], 0.1], [0.51, UP[0], 0.1], [1, UP[1], 1]] : [[0, UP[0], 0.1], [1, UP[1], 1]];
  return draw("svg", { class: "map-bar", viewBox: "0 0 300 14", role: "img", "aria-label": told },
    draw("defs", {}, draw("linearGradient", { id: "map-gradient" }, ...stops.map(([offset, colour, opacity]) =>
      draw("stop", { offset, "stop-color": colour, "stop-opacity": opacity })))),
    draw("rect", { width: 300, height: 14, rx: 3, fill: "url(#map-gradient)" }));
}
