"""Which regions of a film raise an answer and which lower it: a table, and a sentence that names the joints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.explain.regions import HAND, OUTSIDE, Contribution, contributions
from capitate.report.joint_text import joint_name
from capitate.report.map_names import MapKind
from capitate.report.map_words import MAP_PHRASES, amount_text, level_text
from capitate.report.wording import language
from capitate.types import Box

__all__ = ["RegionRow", "explained", "region_rows", "regions"]

_CARPALS = "carpals"
_LISTED = 8
"""Joints that stand in the table by name, those that add or take most; the others share a row."""
_NAMED = 3
"""Joints and other bones that the sentence names for each sign, before what is left of the hand and outside it."""


@dataclass(frozen=True)
class RegionRow:
    """One row of the table.

    Attributes:
        title: name of the region.
        amount: what it adds, in the map's unit.
        area: its share of the film.
    """

    title: str
    amount: float
    area: float


def regions(activation: ActivationMap, assessment: Assessment, *, film: tuple[int, int]) -> tuple[Contribution, ...]:
    """Sum a map over the joints that were found, the carpal bones, the rest of the hand and what is outside.

    Args:
        activation: the map.
        assessment: the film's result.
        film: rows and columns of the film.
    """
    boxes = {one.name: one.box for one in assessment.joints or () if one.box is not None}
    outlines = () if assessment.carpals is None else assessment.carpals.outlines
    if outlines:
        points = np.array([point for outline in outlines for point in outline])
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        boxes[_CARPALS] = Box(left, top, right - left, bottom - top)
    hand = None if assessment.hand is None else assessment.hand.box
    return contributions(activation, boxes, film=film, hand=hand)


def region_rows(parts: Sequence[Contribution], *, unit: str, lang: str) -> tuple[RegionRow, ...]:
    """Put the table: the joints that matter most, the other joints together, then what is no joint.

    Args:
        parts: of `regions`.
        unit: of the map.
        lang: `en` or `zh`.
    """
    rest = [one for one in parts if one.region in (_CARPALS, HAND, OUTSIDE)]
    joints = sorted((one for one in parts if one not in rest), key=lambda one: -abs(one.amount))
    listed = [one for one in joints[:_LISTED] if _shown(one, unit)]
    rows, others = [_row(one, parts, lang=lang) for one in listed], joints[len(listed) :]
    if others:
        title = MAP_PHRASES[language(lang)]["others"].format(count=len(others))
        rows.append(RegionRow(title, sum(one.amount for one in others), sum(one.area for one in others)))
    return (*rows, *(_row(one, parts, lang=lang) for one in rest))


def explained(kind: MapKind, activation: ActivationMap, parts: Sequence[Contribution], *, lang: str) -> tuple[str, str]:
    """Say in two sentences where an answer comes from: base, sum and answer; and what raises and lowers it most.

    Args:
        kind: what the map is of.
        activation: the map.
        parts: of `regions`.
        lang: `en` or `zh`.
    """
    phrases, unit = MAP_PHRASES[language(lang)], activation.unit
    total = float(activation.values.sum(dtype=np.float64))
    start = phrases["from"].format(
        base=level_text(activation.base, unit, lang=lang),
        sum=level_text(total, unit, lang=lang, signed=True),
        answer=level_text(activation.answer, unit, lang=lang),
    )
    told = {}
    for key, sign in (("up", 1), ("down", -1)):
        moved = [one for one in parts if sign * one.amount > 0 and _shown(one, unit)]
        named = sorted((one for one in moved if one.region not in (HAND, OUTSIDE)), key=lambda one: -abs(one.amount))
        left = [one for one in moved if one.region in (HAND, OUTSIDE)]
        texts = [_part(one, parts, unit=unit, lang=lang) for one in (*named[:_NAMED], *left)]
        told[key] = phrases["list"].join(texts) or phrases["nothing"]
    return start, phrases[f"most_{kind}"].format(**told)


def _shown(one: Contribution, unit: str) -> bool:
    """Whether a region adds anything in the decimals that are written."""
    return not amount_text(one.amount, unit).startswith("0")


def _row(one: Contribution, parts: Sequence[Contribution], *, lang: str) -> RegionRow:
    return RegionRow(_title(one, parts, lang=lang), one.amount, one.area)


def _part(one: Contribution, parts: Sequence[Contribution], *, unit: str, lang: str) -> str:
    amount = level_text(one.amount, unit, lang=lang, signed=True)
    return MAP_PHRASES[language(lang)]["part"].format(region=_title(one, parts, lang=lang), amount=amount)


def _title(one: Contribution, parts: Sequence[Contribution], *, lang: str) -> str:
    """Name a region; without joints the hand is no rest."""
    phrases = MAP_PHRASES[language(lang)]
    if one.region == HAND:
        return phrases["hand_alone" if len(parts) == len((HAND, OUTSIDE)) else "hand"]
    return phrases[one.region] if one.region in phrases else joint_name(one.region, lang=lang)
