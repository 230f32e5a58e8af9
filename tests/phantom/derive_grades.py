"""How `capitate/phantom/tables/grades.json` was derived; the tests derive it again and compare.

RUS-CHN scores were built, like Tanner's, so that the bones of one hand agree: a joint's score over its maximum is an
estimate of the hand's total over 1000. So the transitions of all joints are put in the order of the midpoint of the
normalised scores beside them, and each is given the age at which the published polynomial passes the middle of the
jump that it makes in the total. Appearances (grade 0 to 1) are fixed by the ossification table instead; because the
ulna's alone is worth 25 or 27 points, the other joints keep behind by half of that in the 18 months before it.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
TABLES = HERE.parents[1] / "src" / "capitate" / "phantom" / "tables"
RUS = json.loads((HERE / "rus_chn.json").read_text())
APPEARANCE = json.loads((TABLES / "ossification.json").read_text())["centres"]

SPACING = 1.5
"""Months between two grades of one joint, at least."""
AHEAD = 0.75
"""No joint is ahead of the hand by more than this share of the score: keeps the first years from being rushed."""


def months_of_score(sex: str, score: float) -> float:
    """Age of a total: the polynomial where it is valid, a straight line from the origin below all grades 1."""
    least = sum(s[0] for s in RUS["scores"][sex].values())
    valid = max(score, least)
    months = 12 * float(np.polynomial.polynomial.polyval(valid, RUS["coefficients"][sex]))
    return months * min(1.0, score / least)


def held_back(sex: str, months: float) -> float:
    """Points by which the other joints keep behind before the ulna appears."""
    to_go = APPEARANCE["Ulna"][sex] - months
    return 0.0 if to_go <= 0 else RUS["scores"][sex]["Ulna"][0] / 2 * float(np.clip(1 - to_go / 18, 0, 1))


def due_months(sex: str, score: float) -> float:
    """Age at which the median child's score, held back before the ulna, passes a value."""
    age = months_of_score(sex, score)
    for _ in range(60):
        age += 0.5 * (months_of_score(sex, score + held_back(sex, age)) - age)
    return age


def onsets(sex: str) -> dict[str, list[float]]:
    """Age in months at which each of the 13 joints reaches grade 1, 2, ... N."""
    scores = RUS["scores"][sex]
    ages = {j: [float(APPEARANCE[j][sex])] for j in scores}
    waiting = sorted(((s[g - 1] + s[g]) / 2 / s[-1], j, g) for j, s in scores.items() for g in range(1, len(s)))
    appear = sorted((APPEARANCE[j][sex], j) for j in scores)
    total, now = 0.0, 0.0
    while waiting or appear:
        ready = (w for w in waiting if len(ages[w[1]]) == w[2] and APPEARANCE[w[1]][sex] <= now)
        share, joint, grade = next(ready, (0.0, "", 0))
        due, jump = np.inf, 0
        if joint:
            jump = scores[joint][grade] - scores[joint][grade - 1]
            soonest = max(now, ages[joint][-1] + SPACING, months_of_score(sex, AHEAD * 1000 * share))
            due = max(soonest, due_months(sex, total + jump / 2))
        if appear and appear[0][0] <= due:
            now, joint = appear.pop(0)
            total += scores[joint][0]
            continue
        now = due
        ages[joint].append(round(float(now), 1))
        total += jump
        waiting.remove((share, joint, grade))
    return ages


STAGES = "BCDEFGHI"
TW3 = {
    "Radius": "radius",
    "Ulna": "ulna",
    "MCPFirst": "metacarpal_1",
    "MCPThird": "metacarpal_3",
    "MCPFifth": "metacarpal_5",
    "PIPFirst": "proximal_phalanx_1",
    "PIPThird": "proximal_phalanx_3",
    "PIPFifth": "proximal_phalanx_5",
    "MIPThird": "middle_phalanx_3",
    "MIPFifth": "middle_phalanx_5",
    "DIPFirst": "distal_phalanx_1",
    "DIPThird": "distal_phalanx_3",
    "DIPFifth": "distal_phalanx_5",
}


def stages() -> dict[str, list[float]]:
    """Tanner-Whitehouse stage of the same normalised score as each RUS-CHN grade, sexes averaged.

    Stages count B = 1, C = 2 ... I = 8; the ulna, which has no I, has its last stage H at 8.
    """
    found = {}
    for joint, bone in TW3.items():
        rows = []
        for sex in ("female", "male"):
            chn = np.array(RUS["scores"][sex][joint], float)
            tw = np.array([v for k, v in RUS["tw3"][sex][bone].items() if k in STAGES], float)
            rows.append(np.interp(chn / chn[-1], tw / tw[-1], np.linspace(1, 8, len(tw))))
        mean = np.mean(rows, axis=0)
        mean[0] = 1.0
        for i in range(1, len(mean)):
            mean[i] = max(mean[i], mean[i - 1] + 0.35)
        for i in range(len(mean) - 1, 0, -1):
            mean[i] = min(mean[i], 8.0 - 0.35 * (len(mean) - 1 - i))
        found[joint] = [round(float(v), 2) for v in mean]
    return found


def derive() -> dict[str, object]:
    """The whole table as shipped."""
    return {
        "what": "Age in months at which each of the 13 RUS-CHN joints reaches grade 1, 2, ... N, by sex, and the "
        "Tanner-Whitehouse stage (B = 1, C = 2 ... H = 7, I = 8) that looks like each grade.",
        "source": "Derived, see tests/phantom/derive_grades.py: RUS-CHN (China 05) score tables and score-to-age "
        "polynomial (Zhang SY et al. 2006), ages of appearance from ossification.json, TW3 stage scores (Tanner JM et "
        "al., Assessment of Skeletal Maturity and Prediction of Adult Height, 3rd ed., Saunders 2001) matched to "
        "RUS-CHN grades by score over maximum. No published description of the RUS-CHN grades is reproduced.",
        "onset_months": {sex: onsets(sex) for sex in ("female", "male")},
        "stage": stages(),
    }


if __name__ == "__main__":
    (TABLES / "grades.json").write_text(json.dumps(derive(), indent=1) + "\n")
