// The scores of both methods as words: total, age or bound, interval.

import { words } from "./words.js";

export const METHODS = ["rus_chn", "tw3"];

/** Every score to be shown: one a method, or two where the sex is unknown. */
export function scoresOf(assessment) {
  return METHODS.flatMap((method) => {
    const score = assessment?.methods?.[method];
    if (!score) return [];
    const label = words(method);
    if (!score.by_sex) return [{ method, label, score }];
    return ["female", "male"].map((sex) => ({
      method, label: `${label}, ${words(`if_${sex}`)}`, score: score.by_sex[sex],
    }));
  });
}

/** The age that a score gives, or its bound. */
export function scoreAge(score) {
  const years = (value) => (value === null ? "–" : value.toFixed(1));
  if (score.reach === "mature") return words("at_least", { years: years(score.limit_years) });
  if (score.reach === "below_table") return words("below", { years: years(score.limit_years) });
  return score.age_years === null ? words("not_scored") : words("about", { years: years(score.age_years) });
}

/** Both scores in one line, for the live region. */
export function scoresLine(assessment) {
  return scoresOf(assessment)
    .filter(({ score }) => score.total !== null)
    .map(({ label, score }) => `${label} ${words("points", { total: Math.round(score.total) })}, ${scoreAge(score)}`)
    .join("; ");
}
