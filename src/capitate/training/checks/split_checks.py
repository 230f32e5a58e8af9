"""Faults of a split: the same patient, film or picture on both sides, and sides that are not alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from capitate.training.checks.duplicates import Pair
from capitate.training.checks.fault import Fault, Gravity, fault
from capitate.training.checks.film_facts import FilmFacts
from capitate.training.manifest import Study
from capitate.types import Sex

__all__ = ["check_alike", "check_overlap"]

Floats = NDArray[np.float64]

_ENOUGH = 10
_CONTRAST_APART = 0.8
_SEX_APART = 0.15
_AGES_APART, _CHANCE = 0.15, 0.001


def check_overlap(studies: Sequence[Study], identical: Sequence[tuple[str, ...]], pairs: Sequence[Pair]) -> list[Fault]:
    """Report patients, films and pictures that stand in more than one split."""
    split = {study.id: study.split for study in studies if study.split}
    patients = _torn((study.patient_id, study.split) for study in studies)
    films_of: dict[str, list[str]] = defaultdict(list)
    for study in studies:
        if study.patient_id in patients:
            films_of[study.patient_id or ""].append(f"{study.id} ({study.split or 'no split'})")
    films = _torn((study.path.as_posix(), study.split) for study in studies)
    copies = [(ids[0], other) for ids in identical for other in ids[1:]] + [(p.first, p.second) for p in pairs]
    across = {
        f"{a} ({split[a]}) ~ {b} ({split[b]})" for a, b in copies if a in split and b in split and split[a] != split[b]
    }
    return [
        *fault(
            "patient_in_two_splits",
            Gravity.ERROR,
            "Films of one patient stand in several splits: what was trained on is tested on. Split by patient.",
            [f"films of one patient: {', '.join(films)}" for films in films_of.values()],
        ),
        *fault(
            "film_in_two_splits",
            Gravity.ERROR,
            "A film stands in several splits. Keep one of its rows.",
            [f"{path.rpartition('/')[2]}: {', '.join(sorted(found))}" for path, found in films.items()],
        ),
        *fault(
            "copy_in_two_splits",
            Gravity.ERROR,
            "Copies of one film stand in different splits. Split again with copies kept together.",
            sorted(across),
        ),
    ]


def check_alike(studies: Sequence[Study], facts: Mapping[str, FilmFacts]) -> list[Fault]:
    """Report splits that differ in contrast, age or sex by more than chance and size of effect allow."""
    groups: dict[str, list[Study]] = defaultdict(list)
    for study in studies:
        if study.split:
            groups[study.split].append(study)
    contrast: list[str] = []
    ages: list[str] = []
    sexes: list[str] = []
    for (one, first), (other, second) in combinations(sorted(groups.items()), 2):
        names = f"{one} and {other}"
        contrast += _contrast_apart(names, *(_details(group, facts) for group in (first, second)))
        ages += _ages_apart(names, *(_ages(group) for group in (first, second)))
        sexes += _sexes_apart(names, *(_girls(group) for group in (first, second)))
    return [
        *fault(
            "contrast_differs_between_splits",
            Gravity.ERROR,
            "Fine contrast differs between splits, as after an equalisation (CLAHE) of one of them alone. Treat every "
            "split alike.",
            contrast,
        ),
        *fault("ages_differ_between_splits", Gravity.WARNING, "Bone ages are distributed differently.", ages),
        *fault("sexes_differ_between_splits", Gravity.WARNING, "The share of girls differs.", sexes),
    ]


def _torn(pairs: Iterable[tuple[str | None, str | None]]) -> dict[str, set[str]]:
    """Return what stands in several splits, with them."""
    found: dict[str, set[str]] = defaultdict(set)
    for value, split in pairs:
        if value and split:
            found[value].add(split)
    return {value: splits for value, splits in found.items() if len(splits) > 1}


def _details(group: Sequence[Study], facts: Mapping[str, FilmFacts]) -> Floats:
    return np.log([facts[study.id].detail + 1e-6 for study in group if study.id in facts])


def _contrast_apart(names: str, first: Floats, second: Floats) -> list[str]:
    """Compare by the difference of means over the pooled standard deviation (Cohen's d)."""
    if min(len(first), len(second)) < _ENOUGH:
        return []
    pooled = np.sqrt((first.var(ddof=1) + second.var(ddof=1)) / 2) or 1e-6
    apart = float((first.mean() - second.mean()) / pooled)
    text = f"{names}: {apart:+.1f} standard deviations ({np.exp(first.mean()):.3f} and {np.exp(second.mean()):.3f})"
    return [text] if abs(apart) > _CONTRAST_APART else []


def _ages(group: Sequence[Study]) -> Floats:
    return np.array([study.bone_age_months for study in group if study.bone_age_months is not None])


def _ages_apart(names: str, first: Floats, second: Floats) -> list[str]:
    """Compare with the two-sample test of Kolmogorov and Smirnov."""
    if min(len(first), len(second)) < _ENOUGH:
        return []
    test = ks_2samp(first, second)
    text = f"{names}: means {first.mean():.0f} and {second.mean():.0f} months, distance {test.statistic:.2f}"
    return [text] if test.statistic > _AGES_APART and test.pvalue < _CHANCE else []


def _girls(group: Sequence[Study]) -> Floats:
    return np.array([study.sex is Sex.FEMALE for study in group if study.sex is not Sex.UNKNOWN], dtype=np.float64)


def _sexes_apart(names: str, first: Floats, second: Floats) -> list[str]:
    if min(len(first), len(second)) < _ENOUGH or abs(first.mean() - second.mean()) <= _SEX_APART:
        return []
    shares = np.concatenate([first, second])
    error = np.sqrt(shares.mean() * (1 - shares.mean()) * (1 / len(first) + 1 / len(second)))
    text = f"{names}: {first.mean():.0%} and {second.mean():.0%}"
    return [text] if abs(first.mean() - second.mean()) > 3 * error else []
