// What the page shows now, in one object; modules listen for the keys that they draw.

const values = {
  lang: "en",
  role: "write",
  items: [],
  next: null,
  search: {},
  openId: null,
  record: null,
  film: null,
  joint: null,
  pending: {},
  saving: "saved",
  tab: "joints",
  layers: { joints: true, names: true, outlines: true, map: false },
  map: null,
  opacity: 0.7,
};
const listeners = [];

/** The values, to be read only; `set` changes them. */
export const state = values;

/** Change values and tell everyone who listens for one of them. */
export function set(changes) {
  const changed = Object.keys(changes).filter((key) => changes[key] !== values[key]);
  Object.assign(values, changes);
  if (changed.length) for (const one of [...listeners]) if (changed.some((key) => one.keys.includes(key))) one.tell();
}

/** Call `tell` now and whenever one of the keys changes. */
export function watch(keys, tell) {
  listeners.push({ keys, tell });
  tell();
}

/** The assessment that is open, with its result; null while there is none. */
export function assessment() {
  return values.record?.assessment ?? null;
}

/** The joint of a name as it was assessed. */
export function jointOf(name) {
  return assessment()?.joints?.find((one) => one.name === name) ?? null;
}

/** The grade that is shown for a joint: what the reader has just set, or what is stored. */
export function gradeOf(joint) {
  return joint.name in values.pending ? values.pending[joint.name] : joint.grade?.value ?? null;
}

/** Whether the assessment can be changed: it is done, it was not refused, and the reader may write. */
export function editable() {
  return values.role === "write" && Boolean(assessment()) && assessment().error === null;
}
