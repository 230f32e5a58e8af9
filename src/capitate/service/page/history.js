// What was changed, by whom and when; fetched when somebody looks.

import { assessments } from "./api.js";
import { byId, make, replace } from "./dom.js";
import { problem } from "./notices.js";
import { state, watch } from "./state.js";
import { jointName, moment, words } from "./words.js";

/** Show the changes whenever the list is open. */
export function show() {
  const details = byId("history");
  const draw = () => details.open && state.record && fetch(state.record.id).catch(problem);
  details.addEventListener("toggle", draw);
  watch(["record", "lang"], draw);
}

async function fetch(id) {
  const answer = await assessments.history(id);
  if (state.record?.id !== id) return;
  const entries = answer.items.toReversed();
  replace(byId("history-list"), entries.map((one) => make("li", { text: line(one) })));
}

function line({ created_at: when, by, change, restores }) {
  return words("history_line", { when: moment(when), who: by ?? "–", what: restores === null ? told(change) : words("history_undone") });
}

function told(change) {
  const parts = Object.entries(change.grades ?? {}).map(([joint, grade]) =>
    `${jointName(joint)} ${grade === null ? words("left_out") : words("grade_n", { grade })}`);
  parts.push(...(change.clear ?? []).map((joint) => `${jointName(joint)} ${words("back_to_machine")}`));
  if (change.sex) parts.push(`${words("sex")}: ${words(change.sex)}`);
  return parts.join(", ") || words("history_created");
}
