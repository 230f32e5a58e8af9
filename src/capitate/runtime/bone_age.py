"""The bone-age model of a bundle: squashed film and sex to a distribution over months."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.calibration import Calibration
from capitate.runtime.session import Session
from capitate.runtime.views import HandFrame, ViewRule
from capitate.types import Sex

__all__ = ["SEX_CODES", "BoneAgeModel", "view_rule"]

SEX_CODES = {Sex.FEMALE: 0, Sex.MALE: 1, Sex.UNKNOWN: 2}


def view_rule(card: dict[str, Any]) -> ViewRule:
    """Read the view of a bundle's card."""
    view = card["view"]
    return ViewRule(int(view["height"]), int(view["width"]), tuple(view["margins"]), tuple(view["percentiles"]))


def _calibration(card: dict[str, Any], member: int | None) -> dict[str, Any]:
    """Choose the calibration: a member running alone has one that was fitted without its own fold."""
    if member is not None and "member_calibrations" in card:
        return dict(card["member_calibrations"][member])
    return dict(card["calibration"])


class BoneAgeModel:
    """One or several networks of a bundle, whose distributions are averaged."""

    def __init__(self, bundle: Bundle | None = None, *, threads: int | None = None, member: int | None = None) -> None:
        """Load the networks.

        Args:
            bundle: the released `bone-age` if None.
            threads: see `Session`.
            member: run this one network alone, as out-of-fold evaluation does.
        """
        self.bundle = bundle or load_bundle("bone-age")
        if self.bundle.card["task"] != "bone-age":
            raise UsageError(f"bundle {self.bundle.name!r} does {self.bundle.card['task']}, not bone-age")
        self.rule = view_rule(self.bundle.card)
        self.calibration = Calibration.from_card(_calibration(self.bundle.card, member))
        paths = self.bundle.networks if member is None else (self.bundle.networks[member],)
        self._mirrored = bool(self.bundle.card.get("mirrored", False))
        self._sessions = [Session(path, threads=threads) for path in paths]

    def view(self, square: NDArray[np.float32], frame: HandFrame) -> NDArray[np.uint8]:
        """Cut the view that the networks were trained on, uint8 (height, width)."""
        return self.rule.view(square, frame)

    def predict(self, views: NDArray[np.uint8], sexes: Sequence[Sex]) -> NDArray[np.float32]:
        """Give distributions.

        Args:
            views: uint8 (n, height, width).
            sexes: n of them.

        Returns:
            float32 (n, 240): probability of each month of bone age, 0 to 239.
        """
        codes = np.array([SEX_CODES[sex] for sex in sexes], dtype=np.int64)
        batch = views[:, None]
        forms = [batch, np.ascontiguousarray(batch[..., ::-1])] if self._mirrored else [batch]
        answers = [s.run({"view": form, "sex": codes})[0] for s in self._sessions for form in forms]
        return np.asarray(np.mean(answers, axis=0), dtype=np.float32)
