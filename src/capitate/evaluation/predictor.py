"""The released models as the predictor of an evaluation, out of fold where that is asked for."""

from __future__ import annotations

from capitate.assessment import Assessment
from capitate.assessor import Assessor, Request
from capitate.errors import UsageError
from capitate.radiograph import Radiograph
from capitate.runtime.bundle import load_bundle
from capitate.training.folds import FOLDS, fold_of
from capitate.training.manifest import Study
from capitate.types import Sex

__all__ = ["BoneAgePredictor"]


class BoneAgePredictor:
    """Predicts the bone age of a table's films."""

    def __init__(
        self, *, model: str = "bone-age", out_of_fold: bool = False, hide_sex: bool = False, threads: int | None = None
    ) -> None:
        """Load the bundle.

        Args:
            model: name or folder of a bone-age bundle.
            out_of_fold: run for every film of the bundle's training only what never saw it, and for any other film all
                networks; see `Bundle.held_out`.
            hide_sex: tell the model that the sex is unknown, whatever the table says.
            threads: for one network.

        Raises:
            BundleError: if the weights cannot be used.
            UsageError: if the bundle has no network a fold and `out_of_fold` is asked for.
        """
        bundle = load_bundle(model)
        if out_of_fold and set(bundle.held_out) != set(range(FOLDS)):
            raise UsageError(
                f"out of fold needs a bundle with a network for each of {FOLDS} folds, got {model!r} with "
                f"{len(bundle.networks)}; use --model bone-age-ensemble"
            )
        self._training_ids = bundle.training_ids
        self._model, self._threads = model, threads
        self._out_of_fold, self._hide_sex = out_of_fold, hide_sex
        self._assessors: dict[int | None, Assessor] = {}

    def hiding_sex(self) -> BoneAgePredictor:
        """Return this predictor with the sex hidden from the model; it shares the loaded networks."""
        other = BoneAgePredictor(model=self._model, out_of_fold=self._out_of_fold, hide_sex=True, threads=self._threads)
        other._assessors = self._assessors
        return other

    def predict(self, row: Study, /) -> Assessment:
        """Read and assess one film of the table."""
        return self._assessor(row).assess(row.path, request=self._request(row)).assessment

    def assess(self, film: Radiograph, row: Study, /) -> Assessment:
        """Assess a film that was read already."""
        return self._assessor(row).assess_radiograph(film, request=self._request(row)).assessment

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in training."""
        return film in self._training_ids

    def _assessor(self, row: Study) -> Assessor:
        """Choose the network for a film."""
        film = row.path.stem
        member = fold_of(film) if self._out_of_fold and self.seen(film) else None
        if member not in self._assessors:
            self._assessors[member] = Assessor(model=self._model, threads=self._threads, member=member)
        return self._assessors[member]

    def _request(self, row: Study) -> Request:
        """Put what the table says."""
        return Request(
            sex=Sex.UNKNOWN if self._hide_sex else row.sex,
            sex_source="given" if self._hide_sex else "table",
            chronological_age_months=row.chronological_age_months,
            birth_date=row.birth_date,
            study_date=row.study_date,
        )
