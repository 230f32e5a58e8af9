"""The bone-age model of a bundle: squashed film and sex to a distribution over months."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from capitate.assessment import ModelReference
from capitate.errors import UsageError
from capitate.explain import ActivationMap
from capitate.explain.integrated import contributions
from capitate.explain.placing import PlacedCells, spread
from capitate.explain.readings import median_age
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.calibration import Calibration, quantile
from capitate.runtime.ensemble import Disagreement, scatter
from capitate.runtime.explanation import ExplainedNetwork, explained_networks
from capitate.runtime.session import Network, Session
from capitate.runtime.several_views import TestView, read_test_views
from capitate.runtime.view_mask import without_surroundings
from capitate.runtime.views import HandFrame, ViewRule
from capitate.types import Sex

__all__ = ["SEX_CODES", "Answer", "BoneAgeModel", "OnFilm", "TestView", "ask", "smoothed", "view_rule"]

SEX_CODES = {Sex.FEMALE: 0, Sex.MALE: 1, Sex.UNKNOWN: 2}
MAP_TOLERANCE_MONTHS = 0.05
"""By how much the parts of a map may miss the age minus the base age; half of what a text rounds to."""


@dataclass(frozen=True)
class OnFilm:
    """Where the hand was found.

    Attributes:
        frame: in the part of the film that was looked at.
        part: rows and columns of that part, pixels.
        left: first of its columns on the film.
        film: rows and columns of the whole film; the part's own if None.
    """

    frame: HandFrame
    part: tuple[int, int]
    left: int = 0
    film: tuple[int, int] | None = None


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
    batch = _batch(views, codes)
    return _mean_of_views(session.run(batch)[0], views)


def _batch(views: NDArray[np.uint8], codes: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Make every test view a film of its own."""
    films, count = views.shape[:2]
    return {"view": views.reshape(films * count, 1, *views.shape[2:]), "sex": np.repeat(codes, count)}


def _mean_of_views(answers: NDArray[np.float32], views: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Average the answers (films * views, 240) over the test views."""
    return np.asarray(answers.reshape(*views.shape[:2], -1).mean(axis=1), dtype=np.float32)


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
        self._heads: list[ExplainedNetwork] | None = None

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
        codes = _codes(sexes)
        return self._answer([ask(session, views, codes) for session in self._sessions])

    def explained(
        self, views: NDArray[np.uint8], sexes: Sequence[Sex], *, hand: OnFilm, shown: int = 0
    ) -> tuple[Answer, ActivationMap]:
        """Give what `answer` gives for one film, and in the same pass the map of what one of the ages rests on.

        Args:
            views: uint8 (n, views, height, width), those of one film n times.
            sexes: n of them.
            hand: where the views were cut.
            shown: which of the n ages the map is of.

        Raises:
            NoMapError: if the bundle's networks carry no feature maps, or the parts do not sum up.
        """
        codes = _codes(sexes)
        asked = [network.ask(_batch(views, codes)) for network in self._explained()]
        answer = self._answer([_mean_of_views(found, views) for found, _ in asked])
        maps = [found.reshape(*views.shape[:2], *found.shape[1:])[shown] for _, found in asked]
        months = float(quantile(answer.probabilities[shown : shown + 1], 0.5)[0])
        return answer, self._map(maps, int(codes[shown]), months, hand)

    def _map(self, maps: Sequence[NDArray[np.float32]], code: int, months: float, hand: OnFilm) -> ActivationMap:
        """Share an age out among the cells of the networks' feature maps, and bring them to the film."""
        seen = [network.seen(one, code=code) for network, one in zip(self._explained(), maps, strict=True)]
        reading = median_age(smoothing_months=self._smoothing)
        found = contributions(seen, reading, tolerance=MAP_TOLERANCE_MONTHS)
        film, picture = hand.film or hand.part, (self.rule.height, self.rule.width)
        to_part = np.vstack([self.rule.to_picture(hand.frame, shape=hand.part), [0.0, 0.0, 1.0]])
        to_part[0, 2] += hand.left
        back = [(to_part @ np.vstack([one.to_view(*picture), [0.0, 0.0, 1.0]]))[:2] for one in self.test_views]
        placed = [PlacedCells(cells, picture, affine) for cells, affine in _by_view(found.cells, back)]
        return ActivationMap(self.reference.name, "bone_age", "months", spread(placed, film), found.base, months)

    def _answer(self, answers: Sequence[NDArray[np.float32]]) -> Answer:
        """Join the networks' mean distributions."""
        members = [smoothed(one, self._smoothing) for one in answers]
        return Answer(smoothed(np.mean(answers, axis=0), self._smoothing), scatter(members))

    def _explained(self) -> list[ExplainedNetwork]:
        """Read the networks' heads, once."""
        if self._heads is None:
            self._heads = explained_networks(self._sessions, model=self.reference.name)
        return self._heads


def _codes(sexes: Sequence[Sex]) -> NDArray[np.int64]:
    return np.array([SEX_CODES[sex] for sex in sexes], dtype=np.int64)


def _by_view(
    cells: Sequence[NDArray[np.float64]], back: Sequence[NDArray[np.float64]]
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Give cells with their view's way back; networks whose maps have one shape are added up first."""
    shapes = dict.fromkeys(one.shape for one in cells)
    for shape in shapes:
        yield from zip(np.sum([one for one in cells if one.shape == shape], axis=0), back, strict=True)
