"""The abnormality screen of a bundle: a probability a film, and their mean over the films of a study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.explain import ActivationMap
from capitate.explain.integrated import contributions
from capitate.explain.placing import PlacedCells, spread
from capitate.explain.readings import logit_of_mean
from capitate.runtime.bundle import Bundle
from capitate.runtime.picture_model import PictureModel, way_back

__all__ = ["AbnormalityScreen", "StudyAnswer"]

_MAP_TOLERANCE = 0.005
"""By how much the parts of a map may miss the logit minus its base: a probability of 1/2 moves by 0.00125."""
_CERTAIN = 1e-7
"""A probability in 32-bit floats tells nothing finer from 0 or 1; beyond it the logit of a map stays where it is."""


@dataclass(frozen=True)
class StudyAnswer:
    """What the screen says about one study.

    Attributes:
        probability: mean over its films.
        abnormal: whether it reaches the bundle's threshold.
        films: probability of each film, in the order given.
    """

    probability: float
    abnormal: bool
    films: tuple[float, ...]


class AbnormalityScreen(PictureModel):
    """The screening networks of a bundle.

    Attributes:
        threshold: probability from which a study counts as abnormal; the card says how it was chosen.
        regions: parts of the body that the training data had, as they name them; empty where they did not tell.
    """

    task = "abnormality"

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        """Load the networks; arguments and errors as of `PictureModel`."""
        super().__init__(bundle, threads=threads)
        self.threshold = float(bundle.card["threshold"]["value"])
        self.regions = frozenset(str(name) for name in bundle.card.get("regions", ()))

    def films(self, pictures: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Give the probability that each film is abnormal.

        Args:
            pictures: uint8 (n, height, width), from `picture`.

        Returns:
            float64 (n,), the mean over the bundle's networks.
        """
        return self._mean({"picture": pictures[:, None]}).reshape(-1)

    def explained(self, pixels: NDArray[np.float32]) -> tuple[float, ActivationMap]:
        """Give the probability that a film is abnormal, and in the same pass the map of what raises and lowers it.

        Args:
            pixels: float32 (rows, columns), the film.

        Returns:
            The probability that `films` gives, and a map in logits.

        Raises:
            NoMapError: if the bundle's networks carry no feature maps, or the parts do not sum up.
        """
        fitted = self.rule.fitted(pixels)
        mean, features = self._mean_and_features({"picture": fitted.pixels[None, None]})
        probability = float(mean.reshape(-1)[0])
        seen = [network.seen(one) for network, one in zip(self._explained, features, strict=True)]
        found = contributions(seen, logit_of_mean, tolerance=_MAP_TOLERANCE)
        cells = [PlacedCells(one[0], fitted.pixels.shape, way_back(fitted)) for one in found.cells]
        inside = min(max(probability, _CERTAIN), 1 - _CERTAIN)
        answer = float(np.log(inside / (1 - inside)))
        values = spread(cells, pixels.shape)
        return probability, ActivationMap(self.bundle.name, "abnormality", "logit", values, found.base, answer)

    def study(self, pictures: NDArray[np.uint8]) -> StudyAnswer:
        """Judge a study by all its films.

        Args:
            pictures: uint8 (films, height, width).

        Raises:
            UsageError: if there is none: a study without a readable film has no answer.
        """
        if not len(pictures):
            raise UsageError("a study needs a film that can be read to be screened, got none; refuse the study instead")
        films = self.films(pictures)
        probability = float(films.mean())
        return StudyAnswer(probability, probability >= self.threshold, tuple(films.tolist()))
