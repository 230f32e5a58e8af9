"""Studies with a reading through a screen; with networks of folds, each by what never saw it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from capitate.assessor.screening import ScreenedStudy, Screener
from capitate.errors import UsageError
from capitate.evaluation.abnormality.predictions import StudyPredictions
from capitate.evaluation.bundle_folds import BundleFolds
from capitate.training.data.labelled_studies import LabelledStudy

__all__ = ["JudgedStudy", "predictions_of", "screen_studies"]


@dataclass(frozen=True)
class JudgedStudy:
    """A study, what is known of it, what the screen says, and whether its films took part in the training."""

    known: LabelledStudy
    screened: ScreenedStudy
    in_training: bool


def screen_studies(
    studies: Sequence[LabelledStudy],
    screener: Screener,
    *,
    out_of_fold: bool = False,
    progress: Callable[[], None] | None = None,
) -> list[JudgedStudy]:
    """Judge studies.

    Args:
        studies: in any order.
        screener: of one bundle.
        out_of_fold: ask, for a study of the bundle's training, the networks that held it out; it counts as unseen.
        progress: called after every study.

    Raises:
        UsageError: if the bundle has no network a fold and `out_of_fold` is asked for, or there are several bundles.
    """
    if len(screener.screens) != 1:
        raise UsageError(f"one bundle is evaluated at a time, got {len(screener.screens)}; give one")
    folds = BundleFolds(
        screener.screens[0].bundle,
        out_of_fold=out_of_fold,
        instead="export the runs of all folds as one bundle, or leave --out-of-fold out",
    )
    judged = []
    for one in studies:
        seen = [film for film in one.ids if folds.seen(film)]
        members = {folds.member(film) for film in seen}
        if len(members) > 1:
            raise UsageError(
                f"the films of the study {one.study.id!r} were on several folds; give its study_id as then"
            )
        member = next(iter(members), None)
        judged.append(JudgedStudy(one, screener.screen(one.study, member=member), bool(seen) and not out_of_fold))
        if progress is not None:
            progress()
    return judged


def predictions_of(judged: Sequence[JudgedStudy]) -> StudyPredictions:
    """Put studies with a reading and a probability together; others are left out."""
    kept = [one for one in judged if one.known.label is not None and one.screened.probability is not None]
    return StudyPredictions(
        studies=np.array([one.known.study.id for one in kept], dtype=np.str_),
        groups=np.array([one.known.group for one in kept], dtype=np.str_),
        regions=np.array([one.known.region for one in kept], dtype=np.str_),
        films=np.array([one.screened.films for one in kept], dtype=np.int64),
        labels=np.array([bool(one.known.label) for one in kept], dtype=np.bool_),
        probabilities=np.array([one.screened.probability for one in kept], dtype=np.float64),
        thresholds=np.array([one.screened.threshold for one in kept], dtype=np.float64),
    )
