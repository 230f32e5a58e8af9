"""Outlining epiphyses and carpal bones on the best pixels that a film has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.runtime.bundle import Bundle
from capitate.runtime.film_rule import FilmRule, Fitted, rule_of_card
from capitate.runtime.session import Session
from capitate.types import Box

__all__ = ["Outlined", "Outliner"]


@dataclass(frozen=True, eq=False)
class Outlined:
    """One picture of a film with a class for every pixel.

    Attributes:
        probabilities: float32 (classes, height, width): background, joint region, epiphysis or carpal bone.
        fitted: how it was cut from the film.
    """

    probabilities: NDArray[np.float32]
    fitted: Fitted

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The most likely class of every pixel of the picture, uint8 (height, width)."""
        labels: NDArray[np.uint8] = self.probabilities.argmax(axis=0).astype(np.uint8)
        return labels

    def on_film(self, kind: int, *, shape: tuple[int, int]) -> NDArray[np.float32]:
        """Bring the probability of a class to the film's own pixels.

        Args:
            kind: 1 for joint region, 2 for epiphysis or carpal bone.
            shape: rows and columns of the film.

        Returns:
            float32 of that shape, 0 outside the picture.
        """
        (across, down), (left, top) = self.fitted.scale, self.fitted.origin
        picture = Image.fromarray(np.ascontiguousarray(self.probabilities[kind]))
        affine = (across, 0.0, left, 0.0, down, top)
        size = (shape[1], shape[0])
        moved = picture.transform(size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=0.0)
        return np.asarray(moved, dtype=np.float32)


class Outliner:
    """A bundle of the task `outlines`, loaded once."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        """Load the network.

        Args:
            bundle: of the task `outlines`.
            threads: for one run, `capitate.runtime.session.default_threads` if None.
        """
        self.bundle = bundle
        self.rule = rule_of_card(bundle.card)
        self._session = Session(bundle.networks[0], threads=threads)

    def outline(self, pixels: NDArray[np.float32], boxes: Sequence[Box] = ()) -> list[Outlined]:
        """Outline what lies in some boxes, all of them in one run of the network.

        Args:
            pixels: float32 (height, width) in [0, 1], as `Radiograph.pixels`.
            boxes: in film pixels, such as those of joints; a network for whole hands needs none and gives one answer.
        """
        if isinstance(self.rule, FilmRule):
            cuts = [self.rule.fitted(pixels)]
        else:
            cuts = [self.rule.cut(pixels, box) for box in boxes]
        if not cuts:
            return []
        found = self._session.run({"picture": np.stack([cut.pixels for cut in cuts])[:, None]})[0]
        return [Outlined(each, cut) for each, cut in zip(found, cuts, strict=True)]
