// Films on their way to the service: dropped or chosen, sent two at a time with progress, followed until they are read.

import { assessments, newKey, send } from "./api.js";
import { announce, byId, make, replace, shown } from "./dom.js";
import { dropped, isArchive, picked } from "./folders.js";
import { follow, finished } from "./jobs.js";
import { problem } from "./notices.js";
import { state, watch } from "./state.js";
import { percent, words, wordsOr } from "./words.js";

const AT_ONCE = 2;
const SHOWN = 60;
const FIELDS = ["sex", "birth_date", "study_date", "age_years", "child"];

let rows = [];
let sequence = 0;
let onOpen = () => {};
let changed = () => {};

/** Take drops and choices anywhere on the page; `open` shows an assessment, `taken` hears of each that is new. */
export function take({ open, taken }) {
  onOpen = open;
  changed = taken;
  for (const id of ["choose-files", "choose-folder"]) {
    byId(id).addEventListener("change", (event) => {
      add(picked(event.target));
      event.target.value = "";
    });
    byId(`${id}-button`).addEventListener("click", () => byId(id).click());
  }
  byId("clear-fields").addEventListener("click", () => byId("child-form").reset());
  byId("child-form").addEventListener("submit", (event) => event.preventDefault());
  drops();
  watch(["lang"], show);
}

/** Whether films are still being sent, so that leaving would lose them. */
export function sending() {
  return rows.some((row) => ["waiting", "sending"].includes(row.phase));
}

function drops() {
  let inside = 0;
  const veil = (visible) => shown(byId("veil"), visible);
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files") && state.role === "write";
  window.addEventListener("dragenter", (event) => carriesFiles(event) && (inside += 1, veil(true)));
  window.addEventListener("dragleave", () => inside && (inside -= 1) === 0 && veil(false));
  window.addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  window.addEventListener("drop", async (event) => {
    inside = 0;
    veil(false);
    if (!carriesFiles(event)) return;
    event.preventDefault();
    add(await dropped(event.dataTransfer).catch((error) => (problem(error), [])));
  });
}

/** Put files into the queue, with what the form says of the child now. */
export function add(files) {
  if (!files.length) return announce(words("nothing_found"));
  if (!byId("child-form").reportValidity()) return undefined;
  const fields = about();
  const made = files.map((file) => ({
    number: (sequence += 1), file, fields, name: file.name, phase: "waiting", share: 0, key: newKey(), archive: isArchive(file),
  }));
  rows = [...rows.filter((row) => row.phase !== "gone"), ...made];
  show();
  pump();
  return undefined;
}

function about() {
  const form = new FormData(byId("child-form"));
  const given = FIELDS.map((name) => [name, String(form.get(name) ?? "").trim()]).filter(([, value]) => value);
  return [...given, ["maps", String(form.has("maps"))], ["screen", String(form.has("screen"))]];
}

function pump() {
  const busy = rows.filter((row) => row.phase === "sending").length;
  for (const row of rows.filter((one) => one.phase === "waiting").slice(0, Math.max(0, AT_ONCE - busy))) deliver(row);
}

async function deliver(row) {
  row.phase = "sending";
  const form = new FormData();
  // Fields go first, so that the service knows them before the bytes of the film arrive.
  for (const [name, value] of row.fields) form.append(name, value);
  form.append(row.archive ? "archive" : "film", row.file, row.name);
  const path = row.archive ? "/v1/archives" : "/v1/assessments";
  const headers = { Prefer: "respond-async", "Idempotency-Key": row.key };
  const progress = (share) => {
    row.share = share;
    show();
  };
  const { answer, cancel } = send(path, form, { headers, progress });
  row.cancel = cancel;
  show();
  try {
    arrived(row, await answer);
  } catch (error) {
    refused(row, error);
  }
  show();
  pump();
}

function arrived(row, answer) {
  if (!row.archive) return track(row, answer);
  const { assessments: taken, refused: left } = answer;
  row.phase = "unpacked";
  row.note = [words("archive_done", { count: taken.length }),
    ...left.map(({ name, message }) => words("archive_refused", { name, message }))].join(" ");
  for (const record of taken) {
    const one = { number: (sequence += 1), name: record.film_name, fields: row.fields, phase: "reading", share: 1 };
    rows = [...rows, one];
    track(one, record);
  }
  return undefined;
}

function track(row, record) {
  Object.assign(row, { phase: "reading", id: record.id, record });
  const alone = rows.filter((one) => one.phase !== "unpacked").length === 1;
  changed(record);
  follow(record, (now) => {
    if (!now) return Object.assign(row, { phase: "gone" }), show();
    row.record = now;
    if (finished(now)) {
      row.phase = now.status;
      const done = rows.filter((one) => one.record && finished(one.record)).length;
      announce(words("uploads_progress", { done, all: rows.filter((one) => one.id).length }));
    }
    // What is read stands in the list; only what needs somebody's eyes stays here.
    if (now.status === "done") tidy();
    return show();
  });
  if (alone || !state.openId) onOpen(record.id);
}

function busy() {
  return rows.some((row) => ["waiting", "sending", "later", "reading"].includes(row.phase));
}

function tidy() {
  if (!busy()) rows = rows.filter((row) => row.phase !== "done");
}

function refused(row, error) {
  if (error.code === "cancelled") return Object.assign(row, { phase: "gone" });
  if ([429, 503].includes(error.status)) return later(row, error);
  Object.assign(row, { phase: "failed", error });
  announce(`${row.name}: ${error.title}. ${error.detail}`);
  return row;
}

function later(row, error) {
  row.phase = "later";
  row.wait = Math.min(60, error.retryAfter ?? 2);
  row.timer = setInterval(() => {
    row.wait -= 1;
    if (row.wait <= 0) again(row);
    show();
  }, 1000);
  return row;
}

function again(row) {
  clearInterval(row.timer);
  // The same key: were the bytes stored after all, the service answers with that assessment and makes no second one.
  Object.assign(row, { phase: "waiting", share: 0, error: null });
  pump();
}

async function stop(row) {
  clearInterval(row.timer);
  if (row.phase === "sending") return row.cancel();
  if (row.id && !finished(row.record)) {
    try {
      row.record = await assessments.cancel(row.id);
      row.phase = row.record.status;
      announce(words("cancelled", { name: row.name }));
    } catch (error) {
      problem(error);
    }
  } else {
    row.phase = "gone";
  }
  return show();
}

function show() {
  rows = rows.filter((row) => row.phase !== "gone");
  shown(byId("uploads"), rows.length > 0);
  if (!rows.length) return replace(byId("upload-rows"));
  const told = rows.filter((row) => row.id);
  const done = told.filter((row) => finished(row.record)).length;
  const all = rows.filter((row) => row.phase !== "unpacked").length;
  byId("upload-count").textContent = busy() ? words("uploads_progress", { done, all }) : "";
  const active = (row) => (["done", "unpacked", "cancelled"].includes(row.phase) ? 1 : 0);
  const ordered = [...rows].sort((one, other) => active(one) - active(other) || one.number - other.number);
  return replace(byId("upload-rows"), ordered.slice(0, SHOWN).map(line));
}

function line(row) {
  const over = ["done", "refused", "failed", "cancelled", "unpacked"].includes(row.phase);
  const text = phaseWords(row);
  const button = (key, act) =>
    make("button", { type: "button", class: "small", text: words(key), "aria-label": `${words(key)}: ${row.name}`,
      data: { focus: `${key}-${row.number}` }, on: { click: act } });
  const bar = make("progress", { max: 1, "aria-label": `${row.name}: ${text}` });
  if (row.phase === "sending" && row.share !== null) bar.value = row.share;
  if (["waiting", "later"].includes(row.phase)) bar.value = 0;
  return make("li", { class: row.phase },
    make("span", { class: "name", text: row.name, title: row.name }),
    make("span", { class: "phase", text }),
    over ? null : bar,
    make("div", { class: "actions" },
      row.id ? button("open", () => onOpen(row.id)) : null,
      row.phase === "failed" && row.file && !row.id ? button("retry", () => (again(row), show())) : null,
      over ? button("dismiss", () => ((row.phase = "gone"), show())) : button("cancel", () => stop(row))));
}

function phaseWords(row) {
  if (row.phase === "waiting") return words("waiting_turn");
  if (row.phase === "later") return words("waiting_retry", { seconds: row.wait });
  if (row.phase === "unpacked") return row.note;
  if (row.error) return `${row.error.title}. ${row.error.detail}`;
  if (row.phase === "sending" && row.share === 1) return words(row.archive ? "unpacking" : "status_queued");
  if (row.phase === "sending") return words("uploading", { percent: percent(row.share ?? 0) });
  const { status, progress, error_message: message } = row.record;
  if (status === "running" && progress) return wordsOr(`step_${progress}`, words("status_running"));
  return message ? `${words(`status_${status}`)}: ${message}` : words(`status_${status}`);
}
