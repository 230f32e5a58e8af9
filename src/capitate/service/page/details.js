// Sex and dates of a film that was read: changed, and the film read again under them.

import { assessments } from "./api.js";
import { byId, shown } from "./dom.js";
import { problem } from "./notices.js";
import { state, watch } from "./state.js";

const FIELDS = ["sex", "birth_date", "study_date", "age_years"];

/** Make the form work; `open` shows the new assessment. */
export function show({ open }) {
  const form = byId("details-form");
  watch(["record", "role"], () => {
    const over = ["done", "refused", "failed", "cancelled"].includes(state.record?.status);
    shown(byId("details"), over && state.role === "write");
    if (over) fill(form, state.record);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    again(form, open).catch(problem);
  });
}

let filled = "";

function fill(form, record) {
  if (filled === record.id) return;
  filled = record.id;
  form.reset();
  form.elements.sex.value = record.sex ?? "";
  form.elements.birth_date.value = record.birth_date ?? "";
  form.elements.study_date.value = record.study_date ?? "";
  const years = record.age_months === null || record.age_months === undefined ? "" : (record.age_months / 12).toFixed(2);
  form.elements.age_years.value = years.replace(/\.?0+$/, "");
}

async function again(form, open) {
  const values = new FormData(form);
  const given = FIELDS.map((name) => [name, String(values.get(name) ?? "").trim()]).filter(([, value]) => value);
  const body = Object.fromEntries(given.map(([name, value]) => [name, name === "age_years" ? Number(value) : value]));
  byId("details").open = false;
  open((await assessments.reassess(state.record.id, body)).id);
}

/** Read the open film again as it was. */
export async function reread(open) {
  const { id, sex, birth_date, study_date, age_months } = state.record;
  const given = Object.entries({ sex, birth_date, study_date, age_years: age_months == null ? null : age_months / 12 });
  const body = Object.fromEntries(given.filter(([, value]) => value !== null && value !== undefined));
  open((await assessments.reassess(id, body)).id);
}
