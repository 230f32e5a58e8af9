"""How models whose maps are measured are asked: what they say about a film, and where that comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.assessor.hand_on_film import HandOnFilm
from capitate.explain.activation import ActivationMap
from capitate.explain.black_box import Meaning
from capitate.radiograph import Radiograph
from capitate.runtime.bundle import Bundle
from capitate.types import Sex

__all__ = ["Look", "MapSubject", "SeenFilm"]

Films = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Look:
    """What a model says about a film, and where.

    Attributes:
        answer: in the unit of its map, or a score.
        peak: the place that speaks most for it, (x, y) in fractions of the film; None where the model names none.
        map: what the answer rests on; None for a model that names places alone.
    """

    answer: float
    peak: tuple[float, float] | None
    map: ActivationMap | None = None

    @classmethod
    def of(cls, made: ActivationMap) -> Look:
        """Take a map of a whole film."""
        return cls(made.answer, made.peak(), made)


class SeenFilm(Protocol):
    """One film as a model sees it; where the hand lies stays as it was when parts of the film change."""

    def look(self) -> Look:
        """Answer, and say where the answer comes from.

        Raises:
            NoMapError: if the model is one of maps and has none for the film.
        """

    def ask(self, films: Films) -> NDArray[np.float64]:
        """Answer for films (n, rows, columns) that show the same in the map's unit, float64 (n,)."""

    def judged(self, pixels: Films) -> float:
        """Answer for one film (rows, columns) as it is judged, in `MapSubject.judged_in`."""


class MapSubject(Protocol):
    """A model.

    Attributes:
        bundle: that it is of.
        meaning: of its answers.
        threshold: of the judged answer; None without.
        judged_in: unit of the judged answer: `months`, `probability`, `score` or `grades`.
    """

    bundle: Bundle
    meaning: Meaning
    threshold: float | None
    judged_in: str

    def knows(self, film: str) -> bool:
        """Whether the network that answers for the film of this file stem was trained on it."""

    def see(self, film: Radiograph, on_film: HandOnFilm, *, sex: Sex) -> SeenFilm:
        """Look at a film with the hand that was found on it.

        Raises:
            NoHandError: if the model needs a hand, and none was found with confidence.
        """
