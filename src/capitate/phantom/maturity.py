"""How mature a joint is, as one number, and what that number looks like.

A joint's *maturity* runs from 0 at birth to N + 1: its integer part is the RUS-CHN grade (0: not yet visible, N:
fused), its fraction how far the joint is on the way to the next grade; above N the scar of the plate fades. The
drawing is a continuous function of the maturity and the grade is its floor, so a drawn grade is known, not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from capitate.phantom.reference import (
    CARPALS,
    OLDEST_MONTHS,
    appearance_months,
    grade_count,
    grade_onsets,
    grade_stages,
)
from capitate.types import Sex

__all__ = [
    "EpiphysisLook",
    "age_at",
    "carpal_size",
    "check_age",
    "check_sex",
    "grade_of",
    "look_of",
    "maturity_at",
    "sesamoid_size",
    "youth",
]

_SCAR_MONTHS = 24.0
"""Months in which the scar of a closed plate fades on the drawing. An estimate: scars may stay for years."""

_WRIST_MATURE = {Sex.FEMALE: 13.5 * 12, Sex.MALE: 15.5 * 12}
"""Age in months at which the carpal bones have their final shape. Gilsanz and Ratib 2012, last stage of puberty."""

# Columns: stage, epiphysis width over metaphysis, height over full height, gap over metaphyseal width, capping,
# fusion. Stages after Tanner et al. 2001: B a dot; C distinct; D half the width of the metaphysis or more; E, F as
# wide as the metaphysis; G capping; H fusion begun; I completed. The numbers between are interpolated.
_LOOKS = np.array(
    [
        [0.0, 0.00, 0.00, 0.130, 0.0, 0.0],
        [1.0, 0.20, 0.40, 0.120, 0.0, 0.0],
        [2.0, 0.42, 0.55, 0.110, 0.0, 0.0],
        [3.0, 0.62, 0.66, 0.095, 0.0, 0.0],
        [4.0, 0.84, 0.78, 0.085, 0.1, 0.0],
        [5.0, 1.00, 0.90, 0.072, 0.25, 0.0],
        [6.0, 1.08, 1.00, 0.058, 0.8, 0.0],
        [6.6, 1.09, 1.00, 0.040, 1.0, 0.0],
        [7.0, 1.08, 1.00, 0.028, 1.0, 0.25],
        [7.5, 1.06, 1.00, 0.014, 1.0, 0.7],
        [8.0, 1.05, 1.00, 0.000, 1.0, 1.0],
        [9.0, 1.03, 1.00, 0.000, 1.0, 1.0],
    ]
)


@dataclass(frozen=True)
class EpiphysisLook:
    """What an epiphysis and its growth plate look like.

    Attributes:
        visible: whether the centre shows on a film at all.
        width: width over that of the metaphysis, 0 to about 1.1.
        height: height over that of the full-grown epiphysis, 0 to 1.
        gap: thickness of the dark plate over the metaphyseal width; 0 when closed.
        capping: 0 flat, 1 edges drawn over the metaphysis.
        fusion: fraction of the plate's width that bone has bridged, from its middle outwards.
        scar: strength of the dense line where the plate was, 0 to 1.
    """

    visible: bool
    width: float
    height: float
    gap: float
    capping: float
    fusion: float
    scar: float


def check_age(age_months: float) -> float:
    """Return the age as a float.

    Raises:
        ValueError: if it is not a finite number of months between 0 and 228.
    """
    if not 0 <= age_months <= OLDEST_MONTHS:
        raise ValueError(f"age_months must be between 0 and {OLDEST_MONTHS:g}, got {age_months!r}")
    return float(age_months)


def check_sex(sex: Sex) -> Sex:
    """Return the sex.

    Raises:
        ValueError: if it is unknown: ages of appearance and fusion are known by sex only.
    """
    if sex not in (Sex.FEMALE, Sex.MALE):
        raise ValueError(f"a phantom needs sex female or male, because its tables are by sex, got {sex!r}")
    return Sex(sex)


def maturity_at(joint: str, *, age_months: float, sex: Sex) -> float:
    """Return the median maturity of a joint at an age, 0 to N + 1."""
    onsets = grade_onsets(joint, sex)
    ages = (0.0, *onsets, onsets[-1] + _SCAR_MONTHS)
    return float(np.interp(age_months, ages, np.arange(len(ages), dtype=float)))


def age_at(joint: str, *, maturity: float, sex: Sex) -> float:
    """Return the age in months, at most 228, at which a joint has a maturity in the median: `maturity_at` inverted."""
    onsets = grade_onsets(joint, sex)
    ages = (0.0, *onsets, onsets[-1] + _SCAR_MONTHS)
    return min(OLDEST_MONTHS, float(np.interp(maturity, np.arange(len(ages), dtype=float), ages)))


def grade_of(joint: str, *, maturity: float) -> int:
    """Return the RUS-CHN grade that a maturity stands for: its floor, N at most."""
    return min(int(np.floor(maturity)), grade_count(joint))


def look_of(joint: str, *, maturity: float) -> EpiphysisLook:
    """Return what a joint of some maturity looks like."""
    stages = (0.0, *grade_stages(joint), 9.0)
    stage = float(np.interp(maturity, np.arange(len(stages), dtype=float), stages))
    width, height, gap, capping, fusion = (float(np.interp(stage, _LOOKS[:, 0], _LOOKS[:, k])) for k in range(1, 6))
    scar = float(np.clip((stage - 6.8) / 0.5, 0, 1) * np.clip(9.0 - stage, 0.12, 1))
    return EpiphysisLook(
        visible=maturity >= 1, width=width, height=height, gap=gap, capping=capping, fusion=fusion, scar=scar
    )


def carpal_size(carpal: str, *, age_months: float, sex: Sex) -> float:
    """Return the size of a carpal bone over its mature size: 0 before it appears, then 0.18 to 1.

    Growth is fast at first and ends when the wrist is mature (power 0.52: an estimate by eye from the atlas).
    """
    start = appearance_months(carpal, sex=sex)
    if carpal not in CARPALS or age_months < start:
        return 0.0
    grown = min(1.0, (age_months - start) / (_WRIST_MATURE[sex] - start))
    return float(0.18 + 0.82 * grown**0.52)


def sesamoid_size(*, age_months: float, sex: Sex) -> float:
    """Return the size of the adductor sesamoid over its mature size, 0 before it appears; grown in two years."""
    start = appearance_months("sesamoid", sex=sex)
    return 0.0 if age_months < start else float(min(1.0, 0.35 + 0.65 * (age_months - start) / 24.0))


def youth(age_months: float) -> float:
    """Return 1 at birth, falling to 0 at twelve years: how plump and cartilaginous the hand is."""
    return float(np.clip(1 - age_months / 144.0, 0, 1) ** 1.5)
