"""From what the bone-age networks say to a bone age: point, interval, maturity and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import BoneAge, Distribution, SexBoneAge
from capitate.explain import ActivationMap
from capitate.runtime.bone_age import Answer, BoneAgeModel, OnFilm
from capitate.runtime.calibration import quantile
from capitate.runtime.ensemble import Disagreement
from capitate.types import Finding, Interval, Severity, Sex, age_text

__all__ = ["STANDARD", "Answers", "answers", "bone_age_of", "explained_answers", "member_findings"]

STANDARD = "Greulich-Pyle"

Answers = Mapping[Sex, tuple[NDArray[np.float32], float]]
"""By sex, the distribution over months and how far the networks scatter, months."""


def answers(model: BoneAgeModel, views: NDArray[np.uint8], wanted: Sequence[tuple[Sex, bool]]) -> Answers:
    """Ask the networks once for all sexes that are needed.

    Args:
        model: the networks.
        views: of one film.
        wanted: for each request the sex, and whether the ages under either sex are wanted where it is unknown.
    """
    sexes = _all_sexes(wanted)
    return _by_sex(model.answer(np.repeat(views[None], len(sexes), axis=0), sexes), sexes)


def explained_answers(
    model: BoneAgeModel, views: NDArray[np.uint8], wanted: Sequence[tuple[Sex, bool]], *, hand: OnFilm
) -> tuple[Answers, dict[Sex, ActivationMap]]:
    """Give what `answers` gives, and in the same pass the map of each age that an assessment shows first.

    Args:
        model: the networks.
        views: of one film.
        wanted: as of `answers`.
        hand: where the views were cut.

    Raises:
        NoMapError: if the networks carry no feature maps, or a map's parts do not sum up.
    """
    sexes, found = _all_sexes(wanted), {}
    shown = list(dict.fromkeys(sex for sex, _ in wanted))
    repeated = np.repeat(views[None], len(sexes), axis=0)
    answer, found[shown[0]] = model.explained(repeated, sexes, hand=hand, shown=sexes.index(shown[0]))
    for sex in shown[1:]:
        _, found[sex] = model.explained(views[None], [sex], hand=hand)
    return _by_sex(answer, sexes), found


def bone_age_of(model: BoneAgeModel, answered: Answers, *, sex: Sex, each_sex: bool) -> BoneAge:
    """Read the answer for the sex, and for both sexes where it is unknown and they are wanted."""
    each = {one: _read(model, answered[one][0], one) for one in _sexes(sex, each_sex=each_sex)}
    main = each.pop(sex)
    if each and all(one.mature for one in each.values()):
        main = _mature(min(one.months for one in each.values()), main.interval)
    row = answered[sex][0].astype(np.float64)
    return BoneAge(
        months=main.months,
        text=main.text,
        standard=STANDARD,
        mature=main.mature,
        interval=main.interval,
        distribution=Distribution(0.0, 1.0, tuple(float(p) for p in row / row.sum())),
        by_sex=each or None,
    )


def member_findings(scatter: float, rule: Disagreement | None) -> list[Finding]:
    """Warn where the networks of an ensemble scatter more than the card's rule allows."""
    if rule is None or not scatter >= rule.months:
        return []
    message = (
        f"The model's networks disagree: their bone ages scatter by {scatter:.1f} months, and {rule.months:.1f} or "
        f"more is reached on {100 * rule.share:.0f} % of films; read this bone age with care."
    )
    return [Finding("members_disagree", Severity.WARNING, message)]


def _all_sexes(wanted: Sequence[tuple[Sex, bool]]) -> list[Sex]:
    """List the sexes that some requests need, each once."""
    return list(dict.fromkeys(one for sex, each_sex in wanted for one in _sexes(sex, each_sex=each_sex)))


def _by_sex(answer: Answer, sexes: Sequence[Sex]) -> Answers:
    """Sort an answer by sex."""
    return dict(zip(sexes, zip(answer.probabilities, answer.scatter.tolist(), strict=True), strict=True))


def _read(model: BoneAgeModel, row: NDArray[np.float32], sex: Sex) -> SexBoneAge:
    """Turn one distribution into point, interval and words."""
    calibration = model.calibration
    interval = calibration.interval(row, sex)
    if calibration.is_mature(row, sex):
        return _mature(calibration.mature_months[sex], interval)
    months = float(quantile(row[None], 0.5)[0])
    return SexBoneAge(months, age_text(months), False, interval)


def _sexes(sex: Sex, *, each_sex: bool) -> list[Sex]:
    """List the sexes that the networks are asked for: the child's, and both where it is unknown and they are wanted."""
    return [sex, Sex.FEMALE, Sex.MALE] if sex is Sex.UNKNOWN and each_sex else [sex]


def _mature(at_least: float, interval: Interval) -> SexBoneAge:
    """Report maturity with its lower bound in place of a point."""
    text = age_text(at_least).partition(" (")[0]
    return SexBoneAge(at_least, f"mature (at least {text})", True, interval)
