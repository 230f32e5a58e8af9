"""Released models, and runs in training, as the predictor of an evaluation; out of fold where that is asked for."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, Protocol

from capitate.assessment import Assessment
from capitate.assessor import Assessor, Request
from capitate.errors import UsageError
from capitate.radiograph import Radiograph
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.bundle import load_bundle
from capitate.training.folds import fold_of
from capitate.training.manifest import Study
from capitate.types import Sex

__all__ = ["BoneAgePredictor", "BundleWeights", "Weights"]


class Weights(Protocol):
    """Networks of which each film is answered for by those that may; they are numbered by `members`."""

    @property
    def calibrated(self) -> bool:
        """Whether the intervals were calibrated."""

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in training."""

    def members(self, film: str, /) -> Any:  # noqa: ANN401
        """Say which networks answer for a film; a key for `model`."""

    def model(self, members: Any, /, *, threads: int | None = None) -> BoneAgeModel:  # noqa: ANN401
        """Load these networks."""


class BundleWeights:
    """The networks of a bundle."""

    calibrated = True

    def __init__(self, name: str, *, out_of_fold: bool = False) -> None:
        """Find the bundle.

        Args:
            name: of a bone-age bundle, or its folder.
            out_of_fold: run for every film of the bundle's training only what never saw it, and for any other film all
                networks; see `Bundle.held_out`.

        Raises:
            BundleError: if the weights cannot be used.
            UsageError: if the bundle has no network a fold and `out_of_fold` is asked for.
        """
        self._bundle = load_bundle(name)
        held_out = set(self._bundle.held_out)
        self._folds = len(held_out)
        if out_of_fold and (self._folds < 2 or held_out != set(range(self._folds))):
            raise UsageError(
                f"out of fold needs a bundle with a network for each fold, got {name!r} with "
                f"{len(self._bundle.networks)}; use --model bone-age-ensemble"
            )
        self._out_of_fold = out_of_fold

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in training."""
        return film in self._bundle.training_ids

    def members(self, film: str, /) -> int | None:
        """Give the fold whose networks answer for a film, None for all of them."""
        if not self._out_of_fold or not self.seen(film):
            return None
        given = self._bundle.training_folds.get(film)
        return fold_of(film, folds=self._folds) if given is None else given

    def model(self, members: int | None, /, *, threads: int | None = None) -> BoneAgeModel:
        """Load the networks that held out a fold, or all of them."""
        return BoneAgeModel(self._bundle, threads=threads, member=members)


class BoneAgePredictor:
    """Predicts the bone age of a table's films.

    Attributes:
        weights: what answers.
    """

    def __init__(
        self, *, model: str | Weights = "bone-age", out_of_fold: bool = False, threads: int | None = None
    ) -> None:
        """Load the bundle.

        Args:
            model: name or folder of a bone-age bundle, or weights of another kind.
            out_of_fold: see `BundleWeights`; of other weights they decide themselves.
            threads: for one network.

        Raises:
            BundleError: if the weights cannot be used.
            UsageError: if the bundle has no network a fold and `out_of_fold` is asked for.
        """
        self.weights = BundleWeights(model, out_of_fold=out_of_fold) if isinstance(model, str) else model
        self._threads = threads
        self._assessors: dict[Hashable, Assessor] = {}

    def predict(self, row: Study, /) -> Assessment:
        """Read and assess one film of the table."""
        return self._assessor(row).assess(row.path, request=_request(row)).assessment

    def predict_both(self, row: Study, /) -> tuple[Assessment, Assessment]:
        """Read one film and assess it as the table has it, and with the sex hidden from the model."""
        requests = [_request(row, each_sex=False), _request(row, hidden=True, each_sex=False)]
        given, hidden = self._assessor(row).assess_each(row.path, requests=requests)
        return given.assessment, hidden.assessment

    def assess(self, film: Radiograph, row: Study, /) -> Assessment:
        """Assess a film that was read already."""
        return self._assessor(row).assess_radiograph(film, request=_request(row)).assessment

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in training."""
        return self.weights.seen(film)

    def _assessor(self, row: Study) -> Assessor:
        """Choose the networks for a film."""
        members = self.weights.members(row.path.stem)
        if members not in self._assessors:
            model = self.weights.model(members, threads=self._threads)
            self._assessors[members] = Assessor(model=model, joints=False, threads=self._threads)
        return self._assessors[members]


def _request(row: Study, *, hidden: bool = False, each_sex: bool = True) -> Request:
    """Put what the table says; a hidden sex is unknown whatever the table says."""
    return Request(
        sex=Sex.UNKNOWN if hidden else row.sex,
        sex_source="given" if hidden else "table",
        chronological_age_months=row.chronological_age_months,
        birth_date=row.birth_date,
        study_date=row.study_date,
        each_sex=each_sex,
    )
