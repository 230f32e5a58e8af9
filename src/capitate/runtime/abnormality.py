"""The abnormality screen of a bundle: a probability a film, and their mean over the films of a study."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.runtime.picture_model import PictureModel

__all__ = ["AbnormalityScreen", "StudyAnswer"]


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
