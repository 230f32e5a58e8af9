// Errors and questions, shown until they are answered: what went wrong, and what to do.

import { announce, byId, make, replace, shown } from "./dom.js";
import { words } from "./words.js";

/** Show a problem above the film. `actions` are pairs of words and what they do; the last dismisses it. */
export function problem(error, { actions = [], key = "" } = {}) {
  if (error.name === "AbortError") return;
  const title = error.title || words("problem");
  const detail = error.detail && error.detail !== title ? error.detail : error.detail === undefined ? error.message : "";
  const board = byId("notices");
  if (key) board.querySelector(`[data-notice="${CSS.escape(key)}"]`)?.remove();
  const card = make("div", { class: "notice", role: "group", "aria-label": title, data: { notice: key } });
  const button = ([text, act]) => make("button", { type: "button", text, on: { click: () => (card.remove(), act?.()) } });
  card.append(
    make("div", {}, make("strong", { text: title }), make("p", { text: detail })),
    make("div", { class: "actions" }, ...[...actions, [words("dismiss"), null]].map(button)),
  );
  board.append(card);
  announce(`${title}. ${detail}`);
}

/** Take a notice back whose reason is gone. */
export function settled(key) {
  byId("notices").querySelector(`[data-notice="${CSS.escape(key)}"]`)?.remove();
}

/** Ask a question; the answer is the value of the button, or null if it was closed. */
export function question({ title, text, rows = [], answers }) {
  const dialog = byId("question");
  byId("question-title").textContent = title;
  byId("question-text").textContent = text;
  replace(byId("question-rows"), rows.map((row) => make("li", { text: row })));
  shown(byId("question-rows"), rows.length > 0);
  return new Promise((resolve) => {
    const button = ({ value, label, kind = "" }) =>
      make("button", { type: "button", class: kind, text: label, on: { click: () => dialog.close(value) } });
    replace(byId("question-answers"), answers.map(button));
    dialog.returnValue = "";
    dialog.addEventListener("close", () => resolve(dialog.returnValue || null), { once: true });
    dialog.showModal();
  });
}
