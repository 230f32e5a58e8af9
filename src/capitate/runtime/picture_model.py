"""Networks of a bundle that see whole pictures; their answers are averaged."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.runtime.explanation import ExplainedNetwork, explained_networks
from capitate.runtime.film_rule import FilmRule, Fitted
from capitate.runtime.session import Session

__all__ = ["PictureModel", "way_back"]


class PictureModel:
    """What models of pictures share.

    Attributes:
        bundle: that was loaded.
        rule: by which its pictures are made.
        members: numbers of the bundle's networks that are used.
    """

    task: str

    def __init__(self, bundle: Bundle, *, threads: int | None = None, member: int | None = None) -> None:
        """Load the networks.

        Args:
            bundle: of this model's task.
            threads: see `Session`.
            member: use the networks that held out this fold alone; all of them if None, or if none held it out.

        Raises:
            UsageError: if the bundle is of another task.
            BundleDamagedError: if a network or the card cannot be used.
        """
        if bundle.card["task"] != self.task:
            raise UsageError(f"bundle {bundle.name!r} does {bundle.card['task']}, not {self.task}; choose another")
        self.bundle = bundle
        self.rule = FilmRule.from_card(bundle.card)
        every = range(len(bundle.networks))
        self.members = [k for k in every if member is not None and bundle.held_out[k] == member] or list(every)
        self._sessions = [Session(bundle.networks[k], threads=threads) for k in self.members]

    @property
    def held_out(self) -> list[int | None]:
        """The fold that each network in use held out; None where it held out nothing."""
        return [self.bundle.held_out[k] for k in self.members]

    def picture(self, pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Make the picture that the networks were trained on, uint8 (height, width), of a film or crop."""
        return self.rule.fitted(pixels).pixels

    def _mean(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float64]:
        """Average the networks' first outputs."""
        mean: NDArray[np.float64] = np.mean([one.run(inputs)[0].astype(np.float64) for one in self._sessions], axis=0)
        return mean

    def _mean_and_features(
        self, inputs: Mapping[str, NDArray[Any]]
    ) -> tuple[NDArray[np.float64], list[NDArray[np.float32]]]:
        """Average the networks' first outputs, and give each network's feature maps of the same pass.

        Raises:
            NoMapError: if the networks carry none.
        """
        asked = [network.ask(inputs) for network in self._explained]
        mean: NDArray[np.float64] = np.mean([found.astype(np.float64) for found, _ in asked], axis=0)
        return mean, [features for _, features in asked]

    @cached_property
    def _explained(self) -> list[ExplainedNetwork]:
        """The networks with their heads read, once."""
        return explained_networks(self._sessions, model=self.bundle.name)


def way_back(fitted: Fitted) -> NDArray[np.float64]:
    """Give the affine map (2, 3) from pixels of a picture to those of the film that it was made from."""
    (across, down), (x, y) = fitted.scale, fitted.origin
    return np.array([[1 / across, 0.0, -x / across], [0.0, 1 / down, -y / down]])
