// The buttons over the film, and the reading of window, level and zoom below it.

import { byId, shown } from "./dom.js";
import { state, set, watch } from "./state.js";
import { VIEWS } from "./views.js";
import { percent, words } from "./words.js";

const ZOOM = 1.25;
const NUDGE = 40;

let drag = "window";

/** What a plain drag does: "window" or "pan". */
export function tool() {
  return drag;
}

/** What the buttons and keys do to a viewer, by the button's id. */
export function actions(viewer) {
  return {
    "zoom-in": () => viewer.zoom(ZOOM),
    "zoom-out": () => viewer.zoom(1 / ZOOM),
    fit: () => viewer.fit(),
    invert: () => viewer.invert(),
    "rotate-left": () => viewer.rotate(-90),
    "rotate-right": () => viewer.rotate(90),
    mirror: () => viewer.mirror(),
    "auto-window": () => {
      viewer.window = { ...viewer.auto };
      viewer.changed();
    },
    reset: () => viewer.reset(),
    narrower: () => viewer.adjust(-NUDGE, 0),
    wider: () => viewer.adjust(NUDGE, 0),
    brighter: () => viewer.adjust(0, -NUDGE / 2),
    darker: () => viewer.adjust(0, NUDGE / 2),
    left: () => viewer.pan(NUDGE, 0),
    right: () => viewer.pan(-NUDGE, 0),
    up: () => viewer.pan(0, NUDGE),
    down: () => viewer.pan(0, -NUDGE),
  };
}

/** Turn a layer over the film on or off. */
export function layer(name) {
  set({ layers: { ...state.layers, [name]: !state.layers[name] } });
}

/** Choose what a plain drag does. */
export function take(wanted) {
  drag = wanted;
  for (const name of ["window", "pan"]) byId(`tool-${name}`).setAttribute("aria-pressed", String(name === drag));
  byId("stage").dataset.tool = drag;
}

/** Make the buttons work on the viewer. */
export function show(viewer, { toggleMap }) {
  const acts = actions(viewer);
  for (const id of ["zoom-in", "zoom-out", "fit", "invert", "rotate-left", "rotate-right", "mirror", "auto-window", "reset"]) {
    byId(id).addEventListener("click", acts[id]);
  }
  for (const name of ["window", "pan"]) byId(`tool-${name}`).addEventListener("click", () => take(name));
  for (const name of ["joints", "names", "outlines"]) byId(`layer-${name}`).addEventListener("click", () => layer(name));
  byId("layer-map").addEventListener("click", toggleMap);
  byId("view").addEventListener("change", (event) => {
    if (event.target.value) VIEWS[event.target.value](viewer);
    event.target.value = "";
  });
  viewer.addEventListener("view", () => reading(viewer));
  watch(["layers", "film"], () => {
    for (const [name, on] of Object.entries(state.layers)) byId(`layer-${name}`).setAttribute("aria-pressed", String(on));
    for (const button of byId("toolbar").querySelectorAll("button, select")) button.disabled = !state.film;
    shown(byId("no-film"), !state.openId);
  });
  watch(["openId"], () => shown(byId("no-film"), !state.openId));
  take("window");
}

function reading(viewer) {
  byId("invert").setAttribute("aria-pressed", String(viewer.inverted));
  byId("mirror").setAttribute("aria-pressed", String(viewer.mirrored));
  if (!viewer.film) return void (byId("reading").textContent = "");
  const eighth = (value) => Math.round(value / 256);
  const parts = [
    words("window_reading", { width: eighth(viewer.window.width), level: eighth(viewer.window.center) }),
    words("zoom_reading", { percent: percent(viewer.scale * (window.devicePixelRatio || 1)) }),
  ];
  if (Math.round(viewer.angle)) parts.push(words("rotate_angle", { angle: Math.round(viewer.angle) }));
  byId("reading").textContent = parts.join("   ");
}
