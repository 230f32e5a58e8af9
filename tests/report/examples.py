"""Assessments written by hand, and a picture that is roughly a hand."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from capitate.assessed_joints import AssessedJoint, Carpals, Epiphysis, GradeReading
from capitate.assessment import (
    Assessment,
    BoneAge,
    Distribution,
    Hand,
    ModelReference,
    Quality,
    Refusal,
    SexBoneAge,
    Source,
    Subject,
)
from capitate.hand import Joint
from capitate.radiograph import Radiograph
from capitate.types import Box, Finding, Interval, Severity, Sex, Side, age_text

DIGEST = "3f" * 32
WRITTEN = datetime(2025, 3, 4, 9, 30, tzinfo=UTC)


def _distribution(centre: float, spread: float = 7.0) -> Distribution:
    heights = [math.exp(-(((month - centre) / spread) ** 2) / 2) for month in range(1, 229)]
    return Distribution(
        start_months=1.0, step_months=1.0, probabilities=tuple(height / sum(heights) for height in heights)
    )


def _bone_age(months: float, *, mature: bool = False) -> BoneAge:
    years, rest = divmod(int(months), 12)
    return BoneAge(
        months=months,
        text=f"mature (at least {years} years {rest} months)" if mature else age_text(months),
        standard="Greulich-Pyle",
        mature=mature,
        interval=Interval(low=months - 17.5, high=months + 15.9, level=0.9),
        distribution=_distribution(months),
    )


def _sex_age(months: float, *, mature: bool = False) -> SexBoneAge:
    age = _bone_age(months, mature=mature)
    return SexBoneAge(months=age.months, text=age.text, mature=age.mature, interval=age.interval)


NORMAL = Assessment(
    source=Source(name="film.png", sha256=DIGEST),
    subject=Subject(sex=Sex.FEMALE, sex_source="given", chronological_age_months=118.0),
    quality=Quality(
        accepted=True,
        findings=(
            Finding("joints_not_assessed", Severity.INFO, "Joints were not assessed: no joint model is installed."),
        ),
    ),
    hand=Hand(
        side=Side.LEFT, rotation_degrees=-3.25, box=Box(x=60.04, y=40.0, width=280.0, height=420.0), side_source="file"
    ),
    bone_age=_bone_age(126.5),
    models=(ModelReference("bone-age-default", "1.0.0", "ab" * 32, "research only (LICENSE-WEIGHTS.md)"),),
    timings_ms={"decode": 31.2, "prepare": 8.1, "network": 27.4, "total": 71.03},
)
UNKNOWN_SEX = replace(
    NORMAL,
    subject=Subject(sex=Sex.UNKNOWN, sex_source="none"),
    bone_age=replace(_bone_age(126.5), by_sex={Sex.FEMALE: _sex_age(120.0), Sex.MALE: _sex_age(133.26)}),
)
MATURE = replace(
    NORMAL, bone_age=replace(_bone_age(216.0, mature=True), interval=Interval(low=204.0, high=228.0, level=0.9))
)
WARNED = replace(
    NORMAL,
    quality=Quality(
        accepted=True,
        findings=(
            Finding("negated", Severity.WARNING, "The film showed dark bone on bright surroundings and was inverted."),
            Finding("sex_contradicted", Severity.WARNING, "The file states <male>, female was given & used."),
            *NORMAL.quality.findings,
        ),
    ),
)
REFUSED = Assessment(
    source=Source(name="blank.png", sha256="0" * 64),
    subject=Subject(sex=Sex.MALE, sex_source="table"),
    quality=Quality(
        accepted=False, findings=(Finding("blank", Severity.REFUSAL, "The film is blank: all pixels are 0."),)
    ),
    error=Refusal(code="not_a_radiograph", message="The film is blank: all pixels are 0; send a hand radiograph."),
)
UNREADABLE = Assessment(
    source=Source(name="gone.png", sha256=None),
    subject=Subject(sex=Sex.UNKNOWN, sex_source="none"),
    quality=Quality(accepted=False),
    error=Refusal(code="unreadable_path", message="There is no file 'a/gone.png'; check the path."),
)
TRIANGLE = ((1.0, 2.0), (3.0, 4.0), (5.0, 1.0))
RADIUS = AssessedJoint(
    name="Radius",
    box=Box(10.0, 20.0, 30.0, 40.0),
    status="uncertain",
    detection=0.75,
    remark="Radius: its box lies 4.5 standard deviations from where the other joints put it.",
    grade=GradeReading(
        value=9,
        probabilities=(0.0,) * 8 + (0.9, 0.1) + (0.0,) * 5,
        confidence=0.9,
        machine_value=8,
        corrected_by="reader",
        suggestion=False,
    ),
    score=75.0,
    epiphysis=Epiphysis(present=True, width_ratio=0.98, gap=0.12, fused=False, outline=(TRIANGLE,)),
)


def _missing(joint: Joint) -> AssessedJoint:
    return AssessedJoint(joint.value, None, "missing", None, f"{joint}: no box lies at its place.", None, None, None)


_SCORED = {
    "total": 522.25,
    "age_years": 12.7312,
    "reach": "within",
    "limit_years": None,
    "interval": {"low": 140.0, "high": 166.0, "level": 0.9, "low_total": 470.0, "high_total": 610.0},
}
_UNSEXED = {
    **dict.fromkeys(_SCORED),
    "interval_widening": 1.4,
    "missing": ["Ulna"],
    "by_sex": {"female": _SCORED, "male": {**_SCORED, "reach": "early", "limit_years": 3.8}},
}
LATER = replace(
    NORMAL,
    reference={"name": "table", "mean_months": 120.0, "sd_months": 10.1, "z": 0.64, "category": "average"},
    joints=(RADIUS, *(_missing(joint) for joint in tuple(Joint)[1:])),
    carpals=Carpals(count=8, area_of_hand=0.08, outlines=(TRIANGLE, TRIANGLE), names=("capitate", None)),
    marks=({"box": [1.0, 2.0, 3.0, 4.0], "score": 0.4},),
    maps={"bone_age": "film.bone-age.png", "abnormality": None},
    methods={
        "rus_chn": {**_SCORED, "interval_widening": 1.4, "missing": ["Ulna"], "by_sex": None},
        "tw3": _UNSEXED,
    },
    abnormality={"probability": 0.12, "threshold": 0.5},
)

EXAMPLES = {
    "normal": NORMAL,
    "unknown_sex": UNKNOWN_SEX,
    "mature": MATURE,
    "warned": WARNED,
    "refused": REFUSED,
    "unreadable": UNREADABLE,
    "later": LATER,
}


def hand_picture(height: int = 500, width: int = 400) -> Radiograph:
    """Draw five bright bars over a palm on a dark gradient."""
    rows, columns = np.mgrid[0:height, 0:width] / np.array([height, width]).reshape(2, 1, 1)
    pixels = 0.05 + 0.1 * columns
    palm = (abs(columns - 0.5) < 0.24) & (rows > 0.45) & (rows < 0.9)
    pixels[palm] = 0.55
    for finger in range(5):
        at = 0.26 + 0.12 * finger
        top = 0.3 if finger == 0 else 0.12 + 0.04 * abs(finger - 2)
        pixels[(abs(columns - at) < 0.035) & (rows > top) & (rows < 0.7)] = 0.85
    return Radiograph(
        pixels=pixels.astype(np.float32), name="film.png", sha256=DIGEST, format="png", spacing_mm=(0.1, 0.1)
    )
