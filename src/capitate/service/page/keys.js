// Every key and what it does, in one table: the handler and the help are made from it.

import { byId, make, replace } from "./dom.js";
import { state } from "./state.js";
import { words } from "./words.js";

let table = [];

/**
 * Listen for keys.
 *
 * @param groups pairs of a heading's words and its keys, `{ keys, label, act }`; a key without `act` is only told, such as
 *   a drag of the mouse.
 */
export function listen(groups) {
  table = groups;
  document.addEventListener("keydown", pressed);
  byId("show-keys").addEventListener("click", help);
}

/** Show the help. */
export function help() {
  const row = ({ keys, label }) =>
    make("tr", {}, make("td", {}, ...keys.flatMap((key, index) => [index ? " " : null, make("kbd", { text: told(key) })])),
      make("td", { text: words(label) }));
  replace(byId("keys-body"), table.map(([heading, entries]) =>
    make("section", {}, make("h3", { text: words(heading) }), make("table", {}, make("tbody", {}, ...entries.map(row))))));
  byId("keys-dialog").showModal();
}

const ARROWS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→" };

function told(key) {
  const last = key.split("+").at(-1);
  const plain = key.endsWith("_key") ? words(key) : ARROWS[last] ? key.replace(last, ARROWS[last]) : key;
  return plain.length === 1 ? plain.toUpperCase() : plain.replace(/\+(\p{Ll})$/u, (_, letter) => `+${letter.toUpperCase()}`);
}

function pressed(event) {
  if (document.querySelector("dialog[open]") || event.metaKey || event.altKey || event.isComposing) return;
  const typing = event.target.closest("input:not([type=checkbox]):not([type=button]), textarea, select, [contenteditable]");
  if (typing) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const name = nameOf(event);
  const entry = table.flatMap(([, entries]) => entries).find(({ keys, act }) => act && keys.includes(name));
  if (!entry || (entry.film && !state.film)) return;
  event.preventDefault();
  entry.act();
}

function nameOf(event) {
  const { key } = event;
  const letter = key.length === 1 && /\p{L}/u.test(key);
  // A sign such as ? needs Shift on one keyboard and not on another, so that only letters and arrows carry it.
  const shift = event.shiftKey && (letter || key.length > 1) ? "Shift+" : "";
  return `${event.ctrlKey ? "Ctrl+" : ""}${shift}${letter ? key.toLowerCase() : key}`;
}
