// The ages and their intervals on one scale from 0 to 19 years, and the words beside it.

import { byId, draw, make, replace } from "./dom.js";
import { problem } from "./notices.js";
import { setSex } from "./edits.js";
import { scoreAge, scoresOf } from "./scores.js";
import { assessment, editable, state, watch } from "./state.js";
import { age, fullAge, interval, percent, words } from "./words.js";

const YEARS = 19;
const WIDTH = 340;
const LEFT = 8;
const ROW = 26;

/** Draw the ages of the open assessment whenever it changes. */
export function show() {
  watch(["record", "lang", "saving"], () => {
    const result = assessment();
    replace(byId("ages"),
      result?.bone_age ? make("div", { class: "headlines" }, ...headline(result)) : null,
      result && !result.error ? body(result) : null);
    byId("saving").textContent = result && !result.error ? words(state.saving === "unsaved" ? "unsaved" : state.saving) : "";
    byId("saving").className = `saving ${state.saving}`;
  });
}

function ages(result) {
  const { bone_age: bone } = result;
  if (!bone) return [];
  const all = bone.by_sex ? Object.entries(bone.by_sex) : [[null, bone]];
  return all.map(([sex, one]) => ({
    kind: "bone", label: sex ? `${words("bone_age")}, ${words(`if_${sex}`)}` : words("bone_age"), ...one,
  }));
}

function headline(result) {
  const told = (one) => (one.mature ? words("mature", { age: age(one.months) }) : fullAge(one.months));
  return ages(result).map((one) =>
    make("div", { class: "headline" },
      make("span", { class: "label", text: one.label }),
      make("strong", { class: "age", text: told(one) }),
      make("span", { class: "range", text:
        `${words("interval_at", { percent: percent(one.interval.level) })}: ${interval(one.interval)}` }),
    ),
  );
}

function body(result) {
  const known = result.subject.chronological_age_months;
  const bone = result.bone_age;
  const difference = known !== null && bone && !bone.by_sex && !bone.mature ? bone.months - known : null;
  const sign = difference < 0 ? "−" : "+";
  return [
    result.subject.sex === "unknown" && editable() ? sexButtons() : null,
    scale(result),
    make("dl", { class: "facts" },
      ...scoresOf(result).flatMap(({ label, score }) => fact(label, scoreWords(score))),
      ...(known === null ? [] : fact(words("known_age"), age(known) + (difference === null ? "" :
        words("difference", { count: `${sign}${Math.abs(difference).toFixed(1)}` })))),
      ...fact(words("sex"), `${words(result.subject.sex)}, ${words(`sex_from_${result.subject.sex_source}`)}`),
      ...screen(result),
    ),
  ];
}

function fact(name, value) {
  return [make("dt", { text: name }), make("dd", { text: value })];
}

function scoreWords(score) {
  if (score.total === null) return words("not_scored");
  const told = score.interval ? words("score_range", years(score.interval)) : "";
  return `${words("points", { total: Math.round(score.total) })} · ${scoreAge(score)}${told}`;
}

function years({ low, high }) {
  return { low: (low / 12).toFixed(1), high: (high / 12).toFixed(1) };
}

function screen({ abnormality }) {
  if (!abnormality) return [];
  const above = abnormality.above ?? abnormality.probability >= abnormality.threshold;
  const verdict = words(above ? "screen_above" : "screen_below");
  const [probability, threshold] = [percent(abnormality.probability), percent(abnormality.threshold)];
  return fact(words("screen"), words("screen_value", { probability, threshold, verdict }));
}

function sexButtons() {
  const button = (sex) =>
    make("button", { type: "button", text: words(sex), data: { focus: `sex-${sex}` },
      on: { click: () => setSex(sex).catch(problem) } });
  return make("div", { class: "row", role: "group", "aria-label": words("set_sex") },
    make("span", { text: words("set_sex") }), button("female"), button("male"));
}

/** Rows of the scale: label, age in months, interval, and whether the age is a bound. */
function rows(result) {
  const scored = scoresOf(result)
    .filter(({ score }) => score.age_years !== null || score.limit_years !== null)
    .map(({ label, score }) => ({
      kind: "score", label, interval: score.interval,
      months: 12 * (["mature", "below_table"].includes(score.reach) ? score.limit_years : score.age_years),
      mature: score.reach === "mature",
    }));
  return [...ages(result), ...scored];
}

function scale(result) {
  const all = rows(result);
  if (!all.length) return null;
  const known = result.subject.chronological_age_months;
  const at = (months) => LEFT + ((WIDTH - 2 * LEFT) * Math.min(Math.max(months, 0), 12 * YEARS)) / (12 * YEARS);
  const top = known === null ? 2 : 18;
  const foot = top + all.length * ROW + 4;
  const told = all.map((one) =>
    one.interval
      ? words("scale_row", { label: one.label, age: age(one.months), interval: interval(one.interval) })
      : `${one.label} ${age(one.months)}`);
  return draw("svg", { class: "scale", viewBox: `0 0 ${WIDTH} ${foot + 30}`, role: "img",
    "aria-label": words("scale_alt", { rows: told.join("; ") }) },
    ...axis(at, foot, top), ...(known === null ? [] : chronological(at(known), top, foot)),
    ...all.flatMap((one, index) => bar(one, at, top + index * ROW)));
}

function axis(at, foot, top) {
  const years = Array.from({ length: YEARS + 1 }, (_, year) => year);
  return [
    draw("line", { class: "axis", x1: at(0), x2: at(12 * YEARS), y1: foot, y2: foot }),
    ...years.flatMap((year) => [
      draw("line", { class: year % 3 ? "tick" : "grid", x1: at(12 * year), x2: at(12 * year),
        y1: year % 3 ? foot : top, y2: foot + 4 }),
      year % 3 ? null : draw("text", { class: "tick-label", x: at(12 * year), y: foot + 16, "text-anchor": "middle", text: year }),
    ]).filter(Boolean),
    draw("text", { class: "tick-label", x: at(12 * YEARS), y: foot + 28, "text-anchor": "end", text: words("axis_years") }),
  ];
}

function chronological(x, top, foot) {
  const anchor = x > WIDTH - 80 ? "end" : x < 80 ? "start" : "middle";
  return [
    draw("line", { class: "chronological", x1: x, x2: x, y1: top - 4, y2: foot }),
    draw("text", { class: "tick-label", x, y: 11, "text-anchor": anchor, text: words("chronological") }),
  ];
}

function bar(one, at, top) {
  const middle = top + 18;
  const drawn = [];
  if (one.interval) {
    drawn.push(draw("rect", { class: `interval ${one.kind}`, x: at(one.interval.low), y: middle - 4, height: 8, rx: 4,
      width: Math.max(2, at(one.interval.high) - at(one.interval.low)) }));
  }
  const x = at(one.months);
  drawn.push(one.mature
    ? draw("path", { class: `point ${one.kind}`, d: `M${x - 4} ${middle - 6} l9 6 l-9 6 z` })
    : draw("circle", { class: `point ${one.kind}`, cx: x, cy: middle, r: 5.5 }));
  const low = one.interval ? at(Math.min(one.interval.low, one.months)) : x;
  const right = low > WIDTH / 2;
  const high = one.interval ? at(Math.max(one.interval.high, one.months)) : x;
  drawn.push(draw("text", { class: "row-label", x: right ? high : low, y: middle - 8, "text-anchor": right ? "end" : "start",
    text: one.label }));
  return drawn;
}
