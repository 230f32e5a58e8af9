// One joint at a time: its crop, the machine's probabilities, drawings of the grades around it, and its change.

import { at, joints } from "./api.js";
import { byId, make, replace } from "./dom.js";
import { clearGrade, moveGrade, setGrade, undo } from "./edits.js";
import { choose, GRADED, step } from "./joints.js";
import { assessment, editable, gradeOf, jointOf, state, watch } from "./state.js";
import { jointName, percent, shortName, words } from "./words.js";

const PICTURE = 192;

let catalogue = {};

/** Learn which grades each joint has, and the stage of Tanner and Whitehouse of each. */
export async function learn() {
  const { items } = await joints();
  catalogue = Object.fromEntries(items.map((one) => [one.name, one]));
}

/** The greatest grade of a joint; null for the eight that no method scores. */
export function lastGrade(name) {
  return catalogue[name]?.last_grade ?? null;
}

/** Draw the chosen joint and the table of all, whenever they change. */
export function show() {
  watch(["record", "joint", "pending", "lang", "role"], () => {
    const all = assessment()?.joints;
    replace(byId("joint-table"), all ? table(all) : null);
    replace(byId("joint-detail"), all ? detail(state.joint ? jointOf(state.joint) : null) : null);
  });
}

/** Change the chosen joint's grade by one. */
export function nudge(by) {
  const most = lastGrade(state.joint);
  if (most !== null) moveGrade(state.joint, by, most);
}

/** Say that the machine's grade is right. */
export function confirm() {
  const joint = jointOf(state.joint);
  const grade = joint ? gradeOf(joint) : null;
  if (grade !== null && lastGrade(state.joint) !== null) setGrade(state.joint, grade);
}

/** Let the chosen joint not count. */
export function leaveOut() {
  if (lastGrade(state.joint) !== null) setGrade(state.joint, null);
}

/** Let the machine's grade of the chosen joint count again. */
export function machineAgain() {
  if (state.joint) clearGrade(state.joint);
}

function detail(joint) {
  if (!joint) return make("p", { class: "hint", text: words("choose_joint") });
  const scored = lastGrade(joint.name) !== null;
  return [
    make("div", { class: "joint-head" },
      arrow("previous_joint", "‹", () => step(-1), "joint-previous"),
      make("h3", { text: jointName(joint.name) }),
      arrow("next_joint", "›", () => step(1), "joint-next")),
    make("p", { class: `status ${joint.status}`, text: statusWords(joint) }),
    scored ? pictures(joint) : crop(joint),
    scored ? stepper(joint) : null,
    scored ? probabilities(joint) : null,
    scored ? actions(joint) : null,
    epiphysis(joint),
  ];
}

function arrow(key, text, act, focus) {
  return make("button", { type: "button", class: "arrow", "aria-label": words(key), title: words(key), text,
    data: { focus }, on: { click: act } });
}

function statusWords(joint) {
  return [words(`joint_${joint.status}`), origin(joint), joint.remark].filter(Boolean).join(" · ");
}

function origin(joint) {
  const { grade } = joint;
  if (!grade || joint.name in state.pending) return "";
  if (grade.corrected_by && grade.value === grade.machine_value) return words("confirmed_by", { reader: grade.corrected_by });
  if (grade.corrected_by) return words("set_by", { reader: grade.corrected_by, machine: grade.machine_value ?? "–" });
  return grade.suggestion ? words("to_confirm") : "";
}

function picture(source, alt) {
  const image = make("img", { src: source, alt, width: PICTURE, height: PICTURE, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(make("span", { class: "no-picture", text: "–", title: alt })));
  return image;
}

function crop(joint) {
  if (!joint.box) return null;
  const alt = words("crop_alt", { joint: jointName(joint.name) });
  return make("figure", {}, picture(at.crop(state.record.id, joint.name, PICTURE), alt), make("figcaption", { text: words("crop") }));
}

function pictures(joint) {
  const grade = gradeOf(joint) ?? joint.grade?.machine_value ?? 0;
  const around = [grade - 1, grade, grade + 1];
  return [
    make("div", { class: "pictures" }, crop(joint) ?? make("figure", {}, make("span", { class: "no-picture", text: "–" }),
      make("figcaption", { text: words("joint_missing") })), ...around.map((one) => drawing(joint, one))),
    make("p", { class: "hint", text: words("drawings_note") }),
  ];
}

function drawing(joint, grade) {
  if (grade < 0 || grade > lastGrade(joint.name)) {
    return make("figure", { class: "none" }, make("span", { class: "no-picture", "aria-hidden": "true" }),
      make("figcaption", { text: words("drawing_none") }));
  }
  const current = grade === gradeOf(joint);
  const alt = words("drawing_alt", { joint: jointName(joint.name), grade });
  const image = picture(at.stage(joint.name, grade, PICTURE), alt);
  const stage = catalogue[joint.name].stages[grade];
  const caption = make("figcaption", {}, words("grade_n", { grade }), stage ? make("br") : null,
    stage ? make("span", { text: words("stage", { stage }) }) : null);
  if (!editable()) return make("figure", { class: current ? "current" : "" }, image, caption);
  return make("figure", { class: current ? "current" : "" },
    make("button", { type: "button", "aria-pressed": String(current), data: { focus: `drawing-${grade}` },
      on: { click: () => setGrade(joint.name, grade) } }, image), caption);
}

function stepper(joint) {
  const grade = gradeOf(joint);
  const most = lastGrade(joint.name);
  const button = (key, text, by, off) =>
    make("button", { type: "button", class: "arrow", "aria-label": words(key), title: words(key), text,
      disabled: !editable() || off, data: { focus: key }, on: { click: () => moveGrade(joint.name, by, most) } });
  return make("div", { class: "stepper", role: "group", "aria-label": words("grade") },
    button("grade_down", "−", -1, grade === 0),
    make("output", { class: "grade", text: grade === null ? words("left_out_or_none") : words("grade_of", { grade, most }) }),
    button("grade_up", "+", 1, grade === most));
}

function probabilities(joint) {
  const shares = joint.grade?.probabilities;
  if (!shares) return null;
  const bar = (share, grade) => {
    const told = words("set_grade", { grade, percent: percent(share) });
    const height = `${Math.max(1, Math.round(56 * share))}px`;
    const stick = make("span", { class: "stick", "aria-hidden": "true" });
    stick.style.height = height;
    return make("button", { type: "button", "aria-label": told, title: told, disabled: !editable(),
      "aria-pressed": String(gradeOf(joint) === grade), data: { focus: `share-${grade}` },
      class: grade === joint.grade.machine_value ? "machine" : "", on: { click: () => setGrade(joint.name, grade) } },
      stick, make("span", { text: grade }));
  };
  return make("div", { class: "shares", role: "group", "aria-label": words("probabilities") }, ...shares.map(bar));
}

function actions(joint) {
  const corrected = joint.grade?.corrected_by || joint.name in state.pending;
  const button = (key, act, off) =>
    make("button", { type: "button", text: words(key), disabled: !editable() || off, data: { focus: key }, on: { click: act } });
  return make("div", { class: "row" },
    button("confirm", confirm, gradeOf(joint) === null || (joint.grade?.corrected_by && !(joint.name in state.pending))),
    button("leave_out", leaveOut, gradeOf(joint) === null),
    button("back_to_machine", machineAgain, !corrected),
    button("undo", undo, state.record.revision < 2 && !Object.keys(state.pending).length));
}

function epiphysis(joint) {
  const { epiphysis: one } = joint;
  if (!one || one.present === null) return null;
  const parts = [words(one.present ? "yes" : "no")];
  if (one.width_ratio !== null) parts.push(`${words("width_ratio")} ${one.width_ratio.toFixed(2)}`);
  if (one.gap !== null) parts.push(`${words("gap")} ${one.gap.toFixed(2)}`);
  if (one.fused !== null) parts.push(`${words("fused")}: ${words(one.fused ? "yes" : "no")}`);
  return make("p", { class: "hint", text: `${words("epiphysis")}: ${parts.join(" · ")}` });
}

function table(all) {
  const graded = GRADED.map((name) => all.find((one) => one.name === name)).filter(Boolean);
  const others = all.filter((one) => !GRADED.includes(one.name));
  const heads = ["joint", "grade", "probability", "points_short"];
  return [
    make("table", {},
      make("thead", {}, make("tr", {}, ...heads.map((key) => make("th", { scope: "col", text: words(key) })))),
      make("tbody", {}, ...graded.map(row))),
    make("details", {}, make("summary", { text: words("other_joints") }),
      make("ul", { class: "plain" }, ...others.map((joint) =>
        make("li", {}, nameButton(joint), make("span", { class: `status ${joint.status}`, text: words(`joint_${joint.status}`) }))))),
  ];
}

function nameButton(joint) {
  return make("button", { type: "button", class: "link", "aria-pressed": String(joint.name === state.joint), title: jointName(joint.name),
    data: { focus: `row-${joint.name}`, row: joint.name }, on: { click: () => choose(joint.name) }, "aria-label": jointName(joint.name),
    text: shortName(joint.name) });
}

function row(joint) {
  const grade = gradeOf(joint);
  const pending = joint.name in state.pending;
  const corrected = pending || joint.grade?.corrected_by;
  const confidence = joint.grade?.confidence;
  const mark = corrected ? "✎" : joint.grade?.suggestion ? "?" : "";
  const told = corrected ? words("corrected") : joint.grade?.suggestion ? words("to_confirm") : "";
  const kind = [joint.name === state.joint ? "chosen" : "", joint.status, corrected ? "corrected" : "", mark === "?" ? "doubtful" : ""];
  return make("tr", { class: kind.join(" ").trim() },
    make("th", { scope: "row" }, nameButton(joint)),
    make("td", {}, grade === null ? "–" : String(grade), mark ? make("span", { class: "mark", title: told, role: "img", "aria-label": told, text: mark }) : null),
    make("td", { text: confidence === null || confidence === undefined ? "–" : percent(confidence) }),
    make("td", { text: pending || joint.score === null ? (pending ? "…" : "–") : Math.round(joint.score) }));
}
