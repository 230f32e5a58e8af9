"""How many children of which sex and age stand behind weights and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.calibration import BANDS, band_of

if TYPE_CHECKING:
    from capitate.training.view_store import ViewStore

__all__ = ["NO_AGES", "counted", "counted_from_coverage", "demographics"]

_SEXES = ("female", "male", "unknown")
NO_AGES: Mapping[str, str] = {"training": "not counted"}
"""What a card says in place of counts where the training tells no ages."""
NOT_RECORDED = "ethnicity, nutrition, illness, hospital and equipment"


def demographics(
    ids: frozenset[str],
    coverage: Sequence[Mapping[str, Any]],
    *,
    held_out: Sequence[int | None],
    store: ViewStore | None = None,
) -> dict[str, Any]:
    """Count the children behind weights and figures, for a card.

    Args:
        ids: films that the weights have seen.
        coverage: cells of the calibration report.
        held_out: fold that each network held out, None for one that learnt from every film.
        store: films with their ages and sexes; without it the films of the report count where they are as many and not
            those of a single fold.
    """
    judged = counted_from_coverage(coverage)
    learnt: Any = "not counted; runs keep ids alone, and their store was not given as --data"
    rows: NDArray[np.int64] = np.arange(0) if store is None else np.flatnonzero(np.isin(store.ids, sorted(ids)))
    if store is not None and rows.size:
        learnt = counted(store.months[rows], store.sexes[rows])
    elif judged is not None and judged["films"] == len(ids) and (len(held_out) > 1 or held_out == [None]):
        learnt = judged
    return {"training": learnt, "evaluation": judged or "not counted; no film was held out"}


def counted(months: NDArray[np.floating[Any]], sexes: NDArray[np.int64]) -> dict[str, Any]:
    """Count films by sex and by band of bone age.

    Args:
        months: (n,) reference bone ages.
        sexes: (n,): 0 female, 1 male, 2 unknown.

    Returns:
        Plain values for a card: `films`, `by_sex`, `by_age`, `bone_age_months`, `not_recorded`.
    """
    bands = np.array([band_of(float(value)) for value in months], dtype=np.int64)
    ages = np.asarray(months, dtype=np.float64)
    spread = {
        "mean": round(float(ages.mean()), 1),
        "sd": round(float(ages.std(ddof=1)), 1) if len(ages) > 1 else None,
        "least": round(float(ages.min()), 1),
        "greatest": round(float(ages.max()), 1),
    }
    return {
        "films": len(ages),
        "by_sex": {name: int((sexes == code).sum()) for code, name in enumerate(_SEXES) if (sexes == code).any()},
        "by_age": {_band(k): int((bands == k).sum()) for k in range(len(BANDS))},
        "bone_age_months": spread,
        "not_recorded": NOT_RECORDED,
    }


def counted_from_coverage(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Take the counts from a calibration report's cells by true age; None where there are none.

    Args:
        cells: of `CalibrationReport.to_json`, or of a card's `coverage`.
    """
    known = [cell for cell in cells if cell["by"] == "true" and cell["sex"] != "unknown"]
    if not known:
        return None
    by_sex: dict[str, int] = {}
    by_age: dict[str, int] = {}
    for cell in known:
        band = _band(BANDS.index(tuple(cell["band_months"])))
        by_sex[cell["sex"]] = by_sex.get(cell["sex"], 0) + cell["n"]
        by_age[band] = by_age.get(band, 0) + cell["n"]
    return {"films": sum(by_sex.values()), "by_sex": by_sex, "by_age": by_age, "not_recorded": NOT_RECORDED}


def _band(index: int) -> str:
    low, high = BANDS[index]
    return f"{low}-{high - 1} months"
