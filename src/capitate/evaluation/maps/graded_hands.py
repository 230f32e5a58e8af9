"""Maps of the grades of a whole hand, its joints found and named as in an assessment."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from capitate.assessor.clock import Clock
from capitate.assessor.hand_on_film import HandOnFilm
from capitate.assessor.joint_reader import JointReader
from capitate.errors import NoHandError, NoMapError
from capitate.explain.activation import ActivationMap
from capitate.radiograph import Radiograph
from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.joint_boxes import JointDetector
from capitate.runtime.joint_grades import JointGrader
from capitate.runtime.locator import HandLocator
from capitate.runtime.views import squash

__all__ = ["GradedHands"]


class GradedHands:
    """A grader with the released detector, loaded once."""

    def __init__(self, bundle: Bundle, *, threads: int | None) -> None:
        """Load the networks.

        Args:
            bundle: of the task `joint-grades`.
            threads: for one network.

        Raises:
            BundleError: if one cannot be used, or no detector is installed.
        """
        detector = JointDetector(load_bundle("joint-detector"), threads=threads)
        self._reader = JointReader(detector, grader=JointGrader(bundle, threads=threads))
        self._locator = HandLocator(threads=threads)

    def map(self, film: Radiograph, on_film: HandOnFilm, *, pixels: NDArray[np.float32]) -> ActivationMap:
        """Map what the grades of a hand together rest on.

        Args:
            film: that the hand was found on.
            on_film: the hand.
            pixels: float32 (rows, columns), the film or what was made of it.

        Raises:
            NoHandError: if no joint can be graded.
            NoMapError: if the grader's networks carry no feature maps.
        """
        film, hand = replace(film, pixels=pixels), replace(on_film, pixels=pixels, square=squash(pixels))
        read = self._reader.read(film, hand, locator=self._locator, clock=Clock(), maps=True)
        if isinstance(read.grades_map, ActivationMap):
            return read.grades_map
        if all(one.grade is None for one in read.joints):
            raise NoHandError("no joint of the hand could be named, so there are no grades to explain")
        raise NoMapError("there is no map of the grades" if read.grades_map is None else read.grades_map.message)
