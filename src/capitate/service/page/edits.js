// A reader's corrections on their way to the service: gathered, sent one after the other, never lost silently.

import { assessments } from "./api.js";
import { announce, remembered } from "./dom.js";
import { problem, question, settled } from "./notices.js";
import { editable, gradeOf, jointOf, set, state } from "./state.js";
import { scoresLine } from "./scores.js";
import { jointName, words } from "./words.js";

const GATHER_MS = 350;
const CLEAR = Symbol("back to the machine's grade");

let waiting = {};
let timer = null;
let sending = null;

/** The name that stands beside corrections. */
export function reader() {
  return remembered("reader", "").trim() || "reader";
}

/** Whether something is not stored yet. */
export function unsaved() {
  return Object.keys(waiting).length > 0 || sending !== null;
}

/** Set a joint's grade; null leaves the joint out. */
export function setGrade(name, grade) {
  change(name, grade);
}

/** Let the machine's grade of a joint count again. */
export function clearGrade(name) {
  if (jointOf(name)?.grade?.corrected_by || name in state.pending) change(name, CLEAR);
}

/** Move a joint's grade up or down, within the grades that it has. */
export function moveGrade(name, by, most) {
  const joint = jointOf(name);
  if (!joint) return;
  const now = gradeOf(joint) ?? joint.grade?.machine_value ?? (by > 0 ? -1 : most + 1);
  const grade = Math.min(most, Math.max(0, now + by));
  if (grade !== gradeOf(joint)) setGrade(name, grade);
}

function change(name, grade) {
  if (!editable()) return announce(words("not_editable"));
  waiting = { ...waiting, [name]: grade };
  const shownGrade = grade === CLEAR ? jointOf(name).grade?.machine_value ?? null : grade;
  set({ pending: { ...state.pending, [name]: shownGrade }, saving: "saving" });
  clearTimeout(timer);
  timer = setTimeout(save, GATHER_MS);
}

function body(changes) {
  const grades = Object.fromEntries(Object.entries(changes).filter(([, grade]) => grade !== CLEAR));
  const clear = Object.keys(changes).filter((name) => {
    // A correction that never reached the service needs no taking back there.
    return changes[name] === CLEAR && jointOf(name)?.grade?.corrected_by;
  });
  return { grades, clear, by: reader() };
}

/** Send what is waiting; resolves when everything is stored or was given up. */
export async function save() {
  clearTimeout(timer);
  if (sending) return sending;
  if (!Object.keys(waiting).length) return undefined;
  sending = deliver().finally(() => (sending = null));
  await sending;
  return Object.keys(waiting).length && state.saving === "saving" ? save() : undefined;
}

async function deliver() {
  const changes = waiting;
  const { id, revision } = state.record;
  waiting = {};
  const sent = body(changes);
  try {
    const nothing = !sent.clear.length && !Object.keys(sent.grades).length;
    stored(nothing ? state.record : await assessments.grades(id, revision, sent), changes);
  } catch (error) {
    waiting = { ...changes, ...waiting };
    if (state.openId !== id) return discard();
    set({ saving: "unsaved" });
    if (error.status === 412) await conflict(id, error);
    else failed(error);
  }
}

function stored(record, changes) {
  settled("save");
  if (state.openId !== record.id) return;
  set({ record, pending: shownFor(waiting), saving: Object.keys(waiting).length ? "saving" : "saved" });
  const last = Object.keys(changes).at(-1);
  const grade = last ? jointOf(last)?.grade?.value ?? "–" : "";
  if (last) announce(words("followed", { joint: jointName(last), grade, scores: scoresLine(record.assessment) }));
}

function shownFor(changes) {
  return Object.fromEntries(
    Object.entries(changes).map(([name, grade]) => [name, grade === CLEAR ? jointOf(name)?.grade?.machine_value ?? null : grade]),
  );
}

function failed(error) {
  const refused = error.status >= 400 && error.status < 500 && error.status !== 429 && error.status !== 401;
  const again = [words("retry"), () => (set({ saving: "saving" }), save())];
  const actions = refused ? [] : [again];
  problem(
    { title: words("save_failed"), detail: `${error.title ? `${error.title}. ` : ""}${error.detail}` },
    { key: "save", actions: [...actions, [words("discard"), discard]] },
  );
}

/** Give up what is not stored. */
export function discard() {
  clearTimeout(timer);
  waiting = {};
  settled("save");
  set({ pending: {}, saving: "saved" });
}

async function conflict(id, error) {
  const theirs = error.rest.current ?? (await assessments.get(id).catch((other) => (failed(other), null)));
  if (!theirs || state.openId !== id) return;
  const mine = waiting;
  const rows = Object.keys(mine).map((name) => conflictRow(name, theirs, shownFor({ [name]: mine[name] })[name]));
  const answer = await question({
    title: words("conflict_title"),
    text: words("conflict_text"),
    rows,
    answers: [
      { value: "theirs", label: words("take_theirs") },
      { value: "mine", label: words("apply_mine"), kind: "primary" },
    ],
  });
  set({ record: theirs });
  if (answer === "mine") {
    set({ saving: "saving", pending: shownFor(mine) });
    timer = setTimeout(save);
  } else {
    discard();
  }
}

function conflictRow(name, theirs, mine) {
  const has = theirs.assessment.joints.find((one) => one.name === name)?.grade?.value ?? null;
  const told = (grade) => (grade === null ? words("grade_none") : words("grade_n", { grade }));
  return words("conflict_row", { joint: jointName(name), theirs: told(has), mine: told(mine) });
}

/** Set the sex of a film whose sex is unknown; the corrections stay. */
export async function setSex(sex) {
  await save();
  await revise(() => assessments.grades(state.record.id, state.record.revision, { grades: {}, clear: [], sex, by: reader() }));
}

/** Go back to the state before the last change. What is not stored yet is simply dropped. */
export async function undo() {
  if (!editable()) return;
  if (Object.keys(waiting).length) {
    discard();
    announce(words("history_undone"));
    return;
  }
  await sending;
  if (state.record.revision < 2) return;
  if (await revise(() => assessments.undo(state.record.id, state.record.revision, reader()))) {
    announce(`${words("history_undone")}. ${scoresLine(state.record.assessment)}`);
  }
}

async function revise(act) {
  const { id } = state.record;
  set({ saving: "saving" });
  try {
    const record = await act();
    if (state.openId === id) set({ record, saving: "saved", pending: {} });
    return true;
  } catch (error) {
    set({ saving: "saved" });
    if (error.status !== 412) problem(error);
    else if (state.openId === id) {
      set({ record: error.rest.current ?? (await assessments.get(id)), pending: {} });
      problem({ title: words("conflict_title"), detail: words("conflict_undo") });
    }
    return false;
  }
}
