"""Which fold a film belongs to: decided by its id alone, so that every table and every run agrees, or by a table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError
from capitate.training.manifest import Study

__all__ = ["FOLDS", "fold_of", "given_folds", "patients_of"]

FOLDS = 5


def fold_of(film_id: str, *, folds: int = FOLDS) -> int:
    """Assign a film to a fold: the first eight bytes of the sha256 of its id, modulo the number of folds."""
    return int.from_bytes(hashlib.sha256(film_id.encode()).digest()[:8], "big") % folds


def given_folds(studies: Sequence[Study]) -> list[int]:
    """Take folds from the column `split`, as `capitate data split --folds` writes it: whole numbers from 0.

    Raises:
        TableError: if a film has none, it is no whole number, a number is left out, or a patient stands in two.
    """
    numbers = []
    groups: dict[str, int] = {}
    for study in studies:
        text = study.split or ""
        if not text.isdigit():
            raise TableError(
                f"the film {study.id!r} has no fold, got split {text!r}; make folds with `capitate data split`"
            )
        fold = int(text)
        numbers.append(fold)
        group = _patient(study)
        if groups.setdefault(group, fold) != fold:
            raise TableError(
                f"films of one patient stand on two folds, got {study.id!r} on fold {fold} and another on "
                f"{groups[group]}; make folds with `capitate data split`"
            )
    if sorted(set(numbers)) != list(range(len(set(numbers)))):
        raise TableError(f"folds must be numbered 0, 1, 2, ... without gaps, got {sorted(set(numbers))}")
    return numbers


def patients_of(studies: Sequence[Study]) -> NDArray[np.str_] | None:
    """Name the patient of every film, (n,): its study, or the film itself, where the table tells no more.

    Returns:
        None if the table tells nothing about patients or studies.
    """
    if not any(study.patient_id or study.study_id for study in studies):
        return None
    return np.array([_patient(study) for study in studies])


def _patient(study: Study) -> str:
    return study.patient_id or study.study_id or f"film {study.id}"
