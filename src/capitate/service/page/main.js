// The page from its parts: what is open, its address, the keys.

import { assessments } from "./api.js";
import * as agescale from "./agescale.js";
import * as compare from "./compare.js";
import * as details from "./details.js";
import { announce, byId, remember, remembered, shown } from "./dom.js";
import { save, undo, unsaved } from "./edits.js";
import { film, negated } from "./films.js";
import * as findings from "./findings.js";
import { follow as gestures } from "./gestures.js";
import * as grades from "./grades.js";
import * as changes from "./history.js";
import { finished, follow, hear } from "./jobs.js";
import { choose, overlay, step } from "./joints.js";
import * as keys from "./keys.js";
import * as list from "./list.js";
import * as maps from "./maps.js";
import { problem } from "./notices.js";
import * as report from "./report.js";
import { begin } from "./session.js";
import { set, state, watch } from "./state.js";
import * as tabs from "./tabs.js";
import * as toolbar from "./toolbar.js";
import * as upload from "./upload.js";
import { Viewer } from "./viewer.js";
import { VIEWS } from "./views.js";
import { preferred, speak, words } from "./words.js";

const viewer = new Viewer(byId("stage"));
// As in layout.css: the list lies over the film and makes room for it.
const NARROW = "(max-width: 1180px)";
let fetching = new AbortController();

/** Open an assessment; its address is the page's, so that a reload finds it again. */
async function open(id, joint = null) {
  if (id === state.openId) return;
  if (unsaved()) await save();
  fetching.abort();
  fetching = new AbortController();
  const { signal } = fetching;
  set({ openId: id, record: null, film: null, joint, pending: {}, map: null });
  viewer.show(null);
  address();
  if (!id) return;
  if (matchMedia(NARROW).matches) showList(false);
  try {
    const record = await assessments.get(id, signal);
    if (state.openId === id) arrived(record);
    // The film is there before its reading is.
    if (state.openId === id) pixels(record);
    if (!finished(record)) follow(record, (now) => state.openId === id && (now ? newer(now) && arrived(now) : lost(id)));
  } catch (error) {
    if (error.status === 404) lost(id);
    else problem(error, { actions: [[words("retry"), () => (set({ openId: null }), open(id))]] });
  }
}

/** Whether an assessment went on, so that what shows it has to be drawn again. */
function newer(now) {
  const { record } = state;
  return record === null || now.status !== record.status || now.progress !== record.progress;
}

function arrived(record) {
  set({ record });
  list.changedItem(record);
  if (state.film && record.status === "done") pixels(record);
  if (record.status === "done") announce(`${record.film_name}: ${record.assessment.bone_age?.text ?? words("status_done")}`);
}

async function pixels(record) {
  if (state.film && state.film.negated === negated(record)) return;
  shown(byId("loading"), true);
  try {
    const found = await film(record, fetching.signal);
    if (state.openId !== record.id) return;
    viewer.show(found);
    set({ film: found });
  } catch (error) {
    // A film that was refused as unreadable has no pixels; its refusal says why already.
    const { record: now } = state;
    if (error.status !== 422 || (now?.id === record.id && now.status === "done")) problem(error);
  } finally {
    shown(byId("loading"), false);
  }
}

function lost(id) {
  problem({ title: words("not_there"), detail: id });
  set({ openId: null });
  address();
}

function address() {
  const wanted = state.openId ? `#${[state.openId, state.joint].filter(Boolean).join("/")}` : "";
  if (wanted !== location.hash) history.replaceState(null, "", wanted || location.pathname);
}

function fromAddress() {
  const [id, joint] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return [id || null, joint || null];
}

function headings() {
  const { record } = state;
  byId("film-name").textContent = record?.film_name ?? "";
  document.title = record ? `${record.film_name} · Capitate` : "Capitate";
  byId("canvas").setAttribute("aria-label", record ? words("film_alt", { name: record.film_name }) : words("no_film"));
  shown(byId("panel"), Boolean(record));
  // While a film is being read there is nothing to show of it but that.
  byId("panel").classList.toggle("waiting", Boolean(record) && !finished(record));
  document.body.classList.toggle("has-film", Boolean(state.openId));
}

function settings() {
  byId("language").addEventListener("change", (event) => speak(event.target.value));
  byId("reader").value = remembered("reader", "");
  byId("reader").addEventListener("change", (event) => remember("reader", event.target.value.trim()));
  byId("list-toggle").addEventListener("click", toggleList);
  for (const button of document.querySelectorAll("dialog [data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
}

function showList(visible) {
  document.body.classList.toggle("list-closed", !visible);
  byId("list-toggle").setAttribute("aria-expanded", String(visible));
}

function toggleList() {
  showList(document.body.classList.contains("list-closed"));
}

function keyTable() {
  const acts = toolbar.actions(viewer);
  const onFilm = (keysOf, label, act) => ({ keys: keysOf, label, act, film: true });
  const any = (keysOf, label, act) => ({ keys: keysOf, label, act });
  const views = Object.entries(VIEWS).map(([digit, view]) => onFilm([digit], `view_${digit}`, () => view(viewer)));
  return [
    ["keys_views", [...views, onFilm(["0"], "reset_view", acts.reset)]],
    ["keys_film", [
      any(["drag_key"], "window_level"), any(["shift_drag_key"], "pan"), any(["two_fingers_key"], "pan"), any(["wheel_key", "pinch_key"], "zoom"),
      onFilm(["+", "="], "zoom_in", acts["zoom-in"]), onFilm(["-"], "zoom_out", acts["zoom-out"]),
      onFilm(["Shift+ArrowLeft"], "pan_left", acts.left), onFilm(["Shift+ArrowRight"], "pan_right", acts.right),
      onFilm(["Shift+ArrowUp"], "pan_up", acts.up), onFilm(["Shift+ArrowDown"], "pan_down", acts.down),
      onFilm(["e"], "brighter", acts.brighter), onFilm(["d"], "darker", acts.darker),
      onFilm(["s"], "narrower", acts.narrower), onFilm(["f"], "wider", acts.wider), onFilm(["w"], "auto_window", acts["auto-window"]),
      onFilm(["i"], "invert", acts.invert), onFilm(["r"], "rotate_right", acts["rotate-right"]),
      onFilm(["Shift+r"], "rotate_left", acts["rotate-left"]), onFilm(["v"], "mirror", acts.mirror),
    ]],
    ["keys_joints", [
      onFilm(["ArrowUp"], "grade_up", () => grades.nudge(1)), onFilm(["ArrowDown"], "grade_down", () => grades.nudge(-1)),
      onFilm(["ArrowRight"], "next_joint", () => step(1)), onFilm(["ArrowLeft"], "previous_joint", () => step(-1)),
      onFilm(["c"], "confirm", grades.confirm), onFilm(["Delete", "x"], "leave_out", grades.leaveOut),
      onFilm(["m"], "back_to_machine", grades.machineAgain), onFilm(["u", "Ctrl+z"], "undo", undo),
      onFilm(["j"], "joints_layer", () => toolbar.layer("joints")), onFilm(["n"], "names_layer", () => toolbar.layer("names")),
      onFilm(["o"], "outlines_layer", () => toolbar.layer("outlines")), onFilm(["h"], "map_layer", maps.toggle),
      onFilm(["."], "opacity_more", () => maps.opaquer(1)), onFilm([","], "opacity_less", () => maps.opaquer(-1)),
    ]],
    ["keys_page", [
      any(["PageDown"], "next_film", () => list.next(1)), any(["PageUp"], "previous_film", () => list.next(-1)),
      any(["/"], "focus_search", focusSearch), any(["a"], "add_films", () => byId("choose-files").click()),
      any(["l"], "list_toggle", toggleList), any(["t"], "next_tab", () => tabs.next()), any(["b"], "beside_toggle", compare.toggle),
      onFilm(["p"], "preview", () => report.preview().catch(problem)), onFilm(["Shift+p"], "print", () => report.print().catch(problem)),
      onFilm(["Shift+s"], "pdf", () => report.pdf().catch(problem)),
      onFilm(["Shift+c"], "copy_text", () => report.copyText().catch(problem)),
      any(["Escape"], "no_joint", () => choose(null)), any(["?"], "show_keys", keys.help),
    ]],
  ];
}

function focusSearch() {
  showList(true);
  byId("search").focus();
}

async function start() {
  speak(preferred());
  byId("language").value = state.lang;
  settings();
  // A film that is dropped before the page has begun is not opened in the page's place.
  for (const kind of ["dragover", "drop"]) window.addEventListener(kind, (event) => event.preventDefault());
  await begin();
  await grades.learn();
  const show = (id) => open(id).catch(problem);
  list.show({ open: show, gone: (id) => id === state.openId && show(null) });
  hear(list.changedItem);
  upload.take({ open: show, taken: list.changedItem });
  toolbar.show(viewer, { toggleMap: maps.toggle });
  gestures(viewer, { tool: toolbar.tool, click: (target) => choose(target.dataset?.joint ?? null) });
  overlay(viewer, byId("overlay"));
  maps.over(viewer);
  compare.show({ open: show, tool: toolbar.tool });
  agescale.show();
  grades.show();
  findings.show({ reread: () => details.reread(show).catch(problem) });
  details.show({ open: show });
  report.show();
  changes.show();
  tabs.show();
  keys.listen(keyTable());
  watch(["record", "openId", "lang"], headings);
  watch(["openId", "joint"], () => state.record && address());
  watch(["record"], () => state.record && list.changedItem(state.record));
  window.addEventListener("hashchange", () => open(...fromAddress()).catch(problem));
  window.addEventListener("beforeunload", (event) => (unsaved() || upload.sending()) && event.preventDefault());
  await list.load();
  await open(...fromAddress());
}

start().catch((error) => problem(error, { actions: [[words("retry"), () => location.reload()]] }));
