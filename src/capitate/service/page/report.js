// The report: preview, print, PDF, text to copy, the other formats, in English and Chinese.

import { assessments, at, Problem, request } from "./api.js";
import { announce, byId, make, replace, shown } from "./dom.js";
import { save } from "./edits.js";
import { problem } from "./notices.js";
import { state, watch } from "./state.js";
import { words } from "./words.js";

const KEPT_MS = 60_000;
const OTHERS = ["html", "json", "csv", "text"];

/** Make the report's tab work. */
export function show() {
  byId("report-lang").value = state.lang;
  byId("report-lang").addEventListener("change", draw);
  byId("report-preview").addEventListener("click", () => preview().catch(problem));
  byId("report-print").addEventListener("click", () => print().catch(problem));
  byId("report-pdf").addEventListener("click", () => pdf().catch(problem));
  byId("report-copy").addEventListener("click", () => copyText().catch(problem));
  byId("preview-print").addEventListener("click", () => byId("report-frame").contentWindow.print());
  watch(["lang"], () => (byId("report-lang").value = state.lang));
  watch(["record", "lang"], draw);
}

function draw() {
  const ready = ["done", "refused"].includes(state.record?.status);
  for (const name of ["preview", "print", "pdf", "copy"]) byId(`report-${name}`).disabled = !ready;
  const link = (format) => make("li", {}, make("a", { href: at.report(state.record.id, format, chosen()), download: fileName(format),
    class: "button", text: format.toUpperCase() }));
  const film = () => make("li", {}, make("a", { href: at.film(state.record.id), download: state.record.film_name, class: "button",
    text: words("original") }));
  replace(byId("report-others"), ready ? [...OTHERS.map(link), film()] : null);
  shown(byId("report-text"), false);
}

function chosen() {
  return byId("report-lang").value;
}

function fileName(format) {
  const stem = state.record.film_name.replace(/\.[^.]+$/, "");
  return `${stem}-${chosen()}.${format === "text" ? "txt" : format}`;
}

/** Show the report as it will be printed. */
export async function preview() {
  if (!state.record) return;
  await save();
  byId("report-dialog").showModal();
  try {
    await load();
  } catch (error) {
    byId("report-dialog").close();
    throw error;
  }
}

/** Print the report. */
export async function print() {
  await preview();
  if (byId("report-dialog").open) byId("report-frame").contentWindow.print();
}

async function load() {
  const frame = byId("report-frame");
  frame.title = words("report_title", { name: state.record.film_name });
  byId("report-dialog-title").textContent = frame.title;
  await new Promise((resolve) => {
    frame.addEventListener("load", resolve, { once: true });
    // A frame whose address stays the same is not fetched again; the revision tells one state from the next.
    frame.src = `${at.report(state.record.id, "html", chosen())}&revision=${state.record.revision}`;
  });
  const { contentType, body } = frame.contentDocument;
  if (contentType !== "text/html") throw new Problem(JSON.parse(body.textContent));
}

/** Save the PDF, with what was changed a moment ago. */
export async function pdf() {
  if (!state.record) return;
  await save();
  const name = fileName("pdf");
  byId("report-said").textContent = words("writing_pdf");
  try {
    // Fetched here and not by the link: a link that meets a problem would save the problem, or nothing, silently.
    const bytes = await (await request(at.report(state.record.id, "pdf", chosen()))).blob();
    const address = URL.createObjectURL(bytes);
    make("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), KEPT_MS);
    byId("report-said").textContent = words("pdf_saved", { name });
    announce(words("pdf_saved", { name }));
  } catch (error) {
    byId("report-said").textContent = "";
    throw error;
  }
}

/** Copy the report's text. */
export async function copyText() {
  if (!state.record) return;
  await save();
  const text = await assessments.reportText(state.record.id, chosen());
  const area = byId("report-text");
  area.value = text;
  if (await copied(text, area)) {
    shown(area, false);
    announce(words("copied"));
    byId("report-said").textContent = words("copied");
  } else {
    shown(area, true);
    area.focus();
    area.select();
    byId("report-said").textContent = words("copy_failed");
  }
}

async function copied(text, area) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // The clipboard is closed to pages without https beyond loopback; marking and copying works there too.
    shown(area, true);
    area.select();
    return document.execCommand("copy");
  }
}
