"""The bone-age model of a bundle: squashed film and sex to a distribution over months."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from capitate.assessment import ModelReference
from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.calibration import Calibration
from capitate.runtime.ensemble import Disagreement, scatter
from capitate.runtime.session import Network, Session
from capitate.runtime.several_views import TestView, read_test_views
from capitate.runtime.view_mask import without_surroundings
from capitate.runtime.views import HandFrame, ViewRule
from capitate.types import Sex

__all__ = ["SEX_CODES", "Answer", "BoneAgeModel", "TestView", "ask", "smoothed", "view_rule"]

SEX_CODES = {Sex.FEMALE: 0, Sex.MALE: 1, Sex.UNKNOWN: 2}


def view_rule(card: Mapping[str, Any]) -> ViewRule:
    """Read the view of a bundle's card."""
    return ViewRule.read(card["view"])


@dataclass(frozen=True, eq=False)
class Answer:
    """What a bundle says about n films.

    Attributes:
        probabilities: float32 (n, 240), of each month of bone age from 0 to 239.
        scatter: float64 (n,), months by which its networks scatter; NaN if there is one.
    """

    probabilities: NDArray[np.float32]
    scatter: NDArray[np.float64]


def smoothed(probabilities: NDArray[np.floating[Any]], months: float) -> NDArray[np.float32]:
    """Spread distributions by a normal kernel, because readers round to the ages of an atlas's plates.

    Trained on such readings, a network learns the rounding too: its mass lies on few ages, and its median jumps from
    one to the next. The kernel's width stands in the bundle's card; docs/bone-age-model.md says what it costs.

    Args:
        probabilities: (n, bins) of a month each.
        months: standard deviation of the kernel, 0 for none.

    Returns:
        float32 (n, bins), each row with sum 1.
    """
    if months > 0:
        probabilities = gaussian_filter1d(probabilities.astype(np.float64), months, axis=1, mode="nearest")
    return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True), dtype=np.float32)


def ask(session: Network, views: NDArray[np.uint8], codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Give one network's mean distributions over the test views of films.

    Args:
        session: the network.
        views: uint8 (n, views, height, width).
        codes: int64 (n,), see `SEX_CODES`.

    Returns:
        float32 (n, 240), not smoothed.
    """
    films, count = views.shape[:2]
    batch = views.reshape(films * count, 1, *views.shape[2:])
    answers = session.run({"view": batch, "sex": np.repeat(codes, count)})[0]
    return np.asarray(answers.reshape(films, count, -1).mean(axis=1), dtype=np.float32)


def _calibration(card: dict[str, Any], member: int | None) -> dict[str, Any]:
    """Choose the calibration: a member running alone has one that was fitted without its own fold."""
    if member is not None and "member_calibrations" in card:
        return dict(card["member_calibrations"][member])
    return dict(card["calibration"])


class BoneAgeModel:
    """One or several networks whose distributions are averaged, and what they need: view, test views, calibration.

    Attributes:
        reference: which weights answer.
        rule: how the view is cut.
        test_views: whose answers are averaged.
        calibration: of the intervals.
        disagreement: when the networks' scatter is told, or None.
    """

    def __init__(self, bundle: Bundle | None = None, *, threads: int | None = None, member: int | None = None) -> None:
        """Load the networks of a bundle.

        Args:
            bundle: the released `bone-age` if None.
            threads: see `Session`.
            member: run only what held out this fold, as out-of-fold evaluation does.

        Raises:
            UsageError: if the bundle is of another task, or no network held out the fold.
        """
        bundle = bundle or load_bundle("bone-age")
        if bundle.card["task"] != "bone-age":
            raise UsageError(f"bundle {bundle.name!r} does {bundle.card['task']}, not bone-age")
        paths = bundle.networks
        if member is not None:
            paths = tuple(path for path, fold in zip(paths, bundle.held_out, strict=True) if fold == member)
        if not paths:
            raise UsageError(f"no network of {bundle.name!r} held out fold {member}, got {bundle.held_out}")
        card = {**bundle.card, "calibration": _calibration(bundle.card, member)}
        self._set(card, [Session(path, threads=threads) for path in paths], bundle.reference)

    @classmethod
    def of_networks(
        cls, card: Mapping[str, Any], networks: Sequence[Network], *, reference: ModelReference
    ) -> BoneAgeModel:
        """Make a model of networks that are loaded already.

        Args:
            card: `view`, `test_views`, `smoothing_months`, `surroundings_removed`, `calibration` and perhaps
                `disagreement`, as a bundle's card has them.
            networks: at least one.
            reference: which weights these are.
        """
        model = cls.__new__(cls)
        model._set(card, networks, reference)
        return model

    def _set(self, card: Mapping[str, Any], networks: Sequence[Network], reference: ModelReference) -> None:
        self.reference = reference
        self.rule = view_rule(card)
        self.calibration = Calibration.from_card(card["calibration"])
        self.disagreement = Disagreement.from_card(card)
        self.test_views = read_test_views(card["test_views"])
        self._surroundings_removed = bool(card["surroundings_removed"])
        self._smoothing = float(card["smoothing_months"])
        self._sessions = list(networks)

    def views(
        self, pixels: NDArray[np.float32], frame: HandFrame, *, square: NDArray[np.float32] | None = None
    ) -> NDArray[np.uint8]:
        """Cut the view that the networks were trained on and make the bundle's test-time views of it.

        Args:
            pixels: float32 (height, width) in [0, 1], the film.
            frame: the hand.
            square: `squash` of it, where that is there already.

        Returns:
            uint8 (views, height, width).
        """
        view = self.rule.view(self.rule.picture(pixels, square=square), frame)
        if self._surroundings_removed:
            view = without_surroundings(view)
        return np.stack([test_view.of(view) for test_view in self.test_views])

    def predict(self, views: NDArray[np.uint8], sexes: Sequence[Sex]) -> NDArray[np.float32]:
        """Give distributions, averaged over test-time views and networks.

        Args:
            views: uint8 (n, views, height, width).
            sexes: n of them.

        Returns:
            float32 (n, 240): probability of each month of bone age, 0 to 239.
        """
        return self.answer(views, sexes).probabilities

    def answer(self, views: NDArray[np.uint8], sexes: Sequence[Sex]) -> Answer:
        """Give what `predict` gives, and how far the networks scatter; arguments as there."""
        codes = np.array([SEX_CODES[sex] for sex in sexes], dtype=np.int64)
        answers = [ask(session, views, codes) for session in self._sessions]
        members = [smoothed(one, self._smoothing) for one in answers]
        return Answer(smoothed(np.mean(answers, axis=0), self._smoothing), scatter(members))
