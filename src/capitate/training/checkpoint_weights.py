"""Runs in training as the model of an evaluation: one network or several, each film by those that may answer for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from capitate.assessment import ModelReference
from capitate.errors import UsageError
from capitate.runtime.bone_age import BoneAgeModel
from capitate.training.calibrate import LEVEL, fit
from capitate.training.checkpoints import Checkpoint, TorchNetwork
from capitate.training.ensemble import load_joined
from capitate.training.run_views import view_card

__all__ = ["CheckpointWeights"]

Members = tuple[int, ...]

_CENTRAL = {
    "level": LEVEL,
    "reach": {sex: [LEVEL / 2] * 4 for sex in ("female", "male", "unknown")},
    "mature_months": {"female": 180.0, "male": 198.0, "unknown": 198.0},
}
"""The distribution's own interval, which stands in until there is a calibration and is not reported."""


class CheckpointWeights:
    """Weights of runs, evaluated by torch through the reading, locating and views of assessment.

    Attributes:
        name: of the runs.
        calibrated: whether intervals rest on the runs' own out-of-fold predictions.
    """

    def __init__(self, paths: Sequence[Path], *, out_of_fold: bool = False) -> None:
        """Open the runs.

        Args:
            paths: run folders, or files of weights in them.
            out_of_fold: let each film be answered for by the networks alone that never saw it.

        Raises:
            UsageError: if a file is damaged, of another task or network, or the runs see films differently.
        """
        self._checkpoints = [Checkpoint.open(path) for path in paths]
        twice = [one.weights for k, one in enumerate(self._checkpoints) if one in self._checkpoints[:k]]
        if twice:
            raise UsageError(f"{twice[0]} was given twice; give each run once")
        self.name = ", ".join(one.folder.name for one in self._checkpoints)
        self._out_of_fold = out_of_fold
        self._card = view_card([one.config for one in self._checkpoints], [one.folder for one in self._checkpoints])
        self._answers = [path for one in self._checkpoints if (path := one.out_of_fold) is not None]
        self.calibrated = len(self._answers) == len(self._checkpoints) and _both_sexes(self._answers)
        self._networks = [TorchNetwork(one.network()) for one in self._checkpoints]

    def seen(self, film: str, /) -> bool:
        """Whether a network has seen the film of this file stem in training."""
        return any(film in one.training_ids for one in self._checkpoints)

    def members(self, film: str, /) -> Members:
        """Number the networks that answer for a film: all of them, or out of fold those that never saw it.

        Raises:
            UsageError: if all have seen it and none may answer.
        """
        everyone = tuple(range(len(self._checkpoints)))
        if not self._out_of_fold:
            return everyone
        unseen = tuple(k for k in everyone if film not in self._checkpoints[k].training_ids)
        if not unseen:
            raise UsageError(
                f"the film {film!r} was learnt from by each of the runs {self.name}; give the run that held it out, or "
                "leave --out-of-fold out"
            )
        return unseen

    def model(self, members: Members, /, *, threads: int | None = None) -> BoneAgeModel:
        """Put the networks with these numbers together; `threads` are torch's own and set for the whole process."""
        some = [self._checkpoints[k] for k in members]
        digests = "".join(one.sha256 for one in some)
        sha256 = digests if len(some) == 1 else hashlib.sha256(digests.encode()).hexdigest()
        names = (", ".join(one.folder.name for one in some), ", ".join(dict.fromkeys(one.weights.name for one in some)))
        reference = ModelReference(*names, sha256, "not released")
        card = {**self._card, "calibration": self._calibration(members)}
        return BoneAgeModel.of_networks(card, [self._networks[k] for k in members], reference=reference)

    def _calibration(self, members: Members) -> dict[str, Any]:
        """Calibrate on the runs' own answers: out of fold on those of the other folds, where there are others."""
        if not self.calibrated:
            return _CENTRAL
        folds = {self._checkpoints[k].fold for k in members}
        others = [k for k, one in enumerate(self._checkpoints) if self._out_of_fold and one.fold not in folds]
        paths = [self._answers[k] for k in others] if others else self._answers
        return fit(load_joined(paths).films).to_card()


def _both_sexes(paths: Sequence[Path]) -> bool:
    """Say whether there are answers for girls and for boys, without which nothing is calibrated."""
    return {0, 1} <= set(load_joined(paths).films.sexes.tolist())
