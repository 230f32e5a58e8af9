// Assessments that are being read: asked for again until they are finished, a few at a time.

import { assessments } from "./api.js";
import { problem, settled } from "./notices.js";
import { words } from "./words.js";

const PAUSE_MS = 500;
const SLOWEST_MS = 8000;
const AT_ONCE = 3;
const OVER = ["done", "refused", "failed", "cancelled"];

const followed = new Map();
const listeners = [];
let timer = null;
let looking = false;
let pause = PAUSE_MS;

/** Whether an assessment will not change by itself any more. */
export function finished(record) {
  return OVER.includes(record.status);
}

/** Call `tell` with each newer state of every assessment that is followed. */
export function hear(tell) {
  listeners.push(tell);
}

// A browser all but stops the clock of a page that nobody looks at.
document.addEventListener("visibilitychange", () => {
  if (document.hidden || looking || !timer) return;
  clearTimeout(timer);
  timer = setTimeout(look);
});

/** Call `tell` with each newer state of an assessment until it is finished; with null if it was deleted meanwhile. */
export function follow(record, tell = () => {}) {
  if (finished(record)) return void tell(record);
  const known = followed.get(record.id);
  if (known) known.tells.push(tell);
  else followed.set(record.id, { tells: [tell] });
  tell(record);
  if (!timer) timer = setTimeout(look, PAUSE_MS);
}

async function look() {
  looking = true;
  await Promise.all([...followed.keys()].slice(0, AT_ONCE).map(ask));
  looking = false;
  timer = followed.size ? setTimeout(look, pause) : null;
}

async function ask(id) {
  const one = followed.get(id);
  let record;
  try {
    record = await assessments.get(id);
  } catch (error) {
    if (error.status === 404) return over(id, one);
    pause = Math.min(SLOWEST_MS, error.retryAfter ? 1000 * error.retryAfter : 2 * pause);
    if (error.status !== 429) problem({ title: error.title || words("problem"), detail: error.detail }, { key: "jobs" });
    return undefined;
  }
  pause = PAUSE_MS;
  settled("jobs");
  // Back of the line, so that every film gets its turn.
  if (followed.delete(id) && !finished(record)) followed.set(id, one);
  pass([...listeners, ...one.tells], record);
  return undefined;
}

function over(id, one) {
  followed.delete(id);
  pass(one.tells, null);
}

/** Tell everyone; what goes wrong with one is shown and keeps no film from being followed. */
function pass(tells, record) {
  for (const tell of tells) {
    try {
      tell(record);
    } catch (error) {
      problem(error);
      reportError(error);
    }
  }
}
