// What the service found about a film: warnings beside the age, everything under its tab, and why a film was refused.

import { assessments } from "./api.js";
import { byId, make, replace, shown } from "./dom.js";
import { problem } from "./notices.js";
import { assessment, state, watch } from "./state.js";
import { words, wordsOr } from "./words.js";

const CONTRADICTIONS = ["sex_contradiction", "age_contradiction", "side_contradiction", "dates_implausible", "sex_not_used"];
const ORDER = { refusal: 0, warning: 1, info: 2 };
const NOT_ASSESSED = /_not_assessed$/;

/** Draw the findings whenever the assessment changes; `reread` reads the film again. */
export function show({ reread }) {
  watch(["record", "lang"], () => {
    const findings = sorted(assessment()?.quality.findings ?? []);
    const urgent = findings.filter((one) => one.severity !== "info" || CONTRADICTIONS.includes(one.code));
    replace(byId("warnings"), outcome(reread), ...(state.record?.status === "refused" ? [] : urgent.map(card)));
    replace(byId("findings-list"), assessment() ? everything(findings) : null);
    const warnings = findings.filter((one) => one.severity !== "info").length;
    byId("findings-count").textContent = warnings ? String(warnings) : "";
    shown(byId("findings-count"), warnings > 0);
  });
}

function sorted(findings) {
  const rank = (one) => {
    if (CONTRADICTIONS.includes(one.code)) return -1;
    return ORDER[one.severity] + (NOT_ASSESSED.test(one.code) ? 1 : 0);
  };
  return [...findings].sort((one, other) => rank(one) - rank(other));
}

function card(finding) {
  const contradicts = CONTRADICTIONS.includes(finding.code);
  const title = wordsOr(`finding_${finding.code}`, words(contradicts ? "contradiction" : `finding_${finding.severity}`));
  return make("li", { class: `finding ${finding.severity}${contradicts ? " contradiction" : ""}`, data: { code: finding.code } },
    make("strong", { text: title }), make("span", { text: finding.message }));
}

function everything(findings) {
  const { bone_age: bone, carpals, hand, models, source, timings_ms: timings } = assessment();
  const seconds = Object.values(timings).reduce((sum, one) => sum + one, 0) / 1000;
  const fact = (name, value) => [make("dt", { text: name }), make("dd", { text: value })];
  return [
    findings.length ? make("ul", { class: "plain cards" }, ...findings.map(card)) : make("p", { text: words("no_findings") }),
    make("dl", { class: "facts" },
      ...(bone ? fact(words("standard"), bone.standard) : []),
      ...(["left", "right"].includes(hand?.side) ? fact(words("side"), words(hand.side)) : []),
      ...(carpals ? fact(words("carpals_name"), carpals.count) : []),
      ...fact(words("file"), source.name),
      ...(source.sha256 ? fact(words("digest"), source.sha256) : []),
      ...fact(words("timings"), `${seconds.toFixed(1)} s`),
      ...fact(words("models"), models.map(({ name, version }) => words("model_line", { name, version })).join(", "))),
    make("p", { class: "hint", text: wordsOr("notice", assessment().notice) }),
  ];
}

/** Say what became of a film that has no result. */
function outcome(reread) {
  const { record } = state;
  if (!record || record.status === "done") return null;
  const error = record.assessment?.error ?? (record.error_code ? { code: record.error_code, message: record.error_message } : null);
  const waiting = ["queued", "running"].includes(record.status);
  const title = words(waiting ? "waiting_title" : `${record.status}_title`);
  const step = record.progress ? wordsOr(`step_${record.progress}`, words("status_running")) : words(`status_${record.status}`);
  const again = () => make("button", { type: "button", text: words("try_again"), on: { click: reread } });
  const stop = () => make("button", { type: "button", text: words("cancel"), data: { focus: "cancel-reading" },
    on: { click: () => assessments.cancel(record.id).catch(problem) } });
  return make("li", { class: `finding outcome ${record.status}` },
    make("strong", { text: title }),
    make("span", { text: waiting ? step : error?.message ?? "" }),
    error && !waiting ? make("span", { class: "hint", text: `${words("code")} ${error.code}` }) : null,
    waiting ? make("progress", { "aria-label": title }) : null,
    state.role === "write" ? (waiting ? stop() : again()) : null);
}
