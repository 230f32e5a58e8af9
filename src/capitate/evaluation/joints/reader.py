"""From a film to its named hand, as an assessment makes it: locator, detector, naming."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import ModelReference
from capitate.assessor import NO_HAND
from capitate.assessor.looking import as_detection, look_for_joints
from capitate.errors import NoHandError, UsageError
from capitate.evaluation.bundle_folds import REPORTED_APART, FoldModels
from capitate.evaluation.detection import LEAST_SCORE
from capitate.hand import BoneClass, NamedHand, name_joints
from capitate.runtime.bundle import load_bundle
from capitate.runtime.joint_boxes import FoundJoint, JointDetector
from capitate.runtime.locator import HandLocator
from capitate.runtime.views import squash

__all__ = ["BundleReader", "HandReading", "JointReader"]


@dataclass(frozen=True, eq=False)
class HandReading:
    """What was found on a film.

    Attributes:
        shape: rows and columns of the film.
        found: joints by falling score, weak ones too.
        hand: named of those that are not weak.
    """

    shape: tuple[int, int]
    found: tuple[FoundJoint, ...]
    hand: NamedHand


class JointReader(Protocol):
    """What an evaluation needs."""

    @property
    def threshold(self) -> float:
        """Score from which on a joint counts as found."""

    @property
    def models(self) -> tuple[ModelReference, ...]:
        """The bundles that answer."""

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in the detector's training."""

    def read(self, pixels: NDArray[np.float32], /, *, film: str) -> HandReading:
        """Find and name the joints of a film.

        Args:
            pixels: float32 (height, width) in [0, 1].
            film: its file stem.

        Raises:
            NoHandError: if the locator finds no single whole hand.
        """


class BundleReader:
    """A joint-detector bundle with the released locator."""

    def __init__(self, name: str, *, out_of_fold: bool = False, threads: int | None = None) -> None:
        """Load the models.

        Args:
            name: of the bundle, or its folder.
            out_of_fold: run for every film of the bundle's training the network that never saw it.
            threads: for one network.

        Raises:
            BundleError: if the weights cannot be used.
            UsageError: if the bundle is of another task or has other classes, or has no network a fold and
                `out_of_fold` is asked for.
        """
        self._bundle = load_bundle(name)
        self._detectors = FoldModels(
            self._bundle, JointDetector, out_of_fold=out_of_fold, instead=REPORTED_APART, threads=threads
        )
        strange = sorted(set(self._detectors.whole.classes) - set(BoneClass))
        if strange:
            raise UsageError(
                f"joints are named from the classes {', '.join(BoneClass)}; {name!r} finds {', '.join(strange[:5])} as "
                "well; choose another bundle"
            )
        self._locator = HandLocator(threads=threads)

    @property
    def threshold(self) -> float:
        """Score from which on a joint counts as found, the bundle's."""
        return self._detectors.whole.threshold

    @property
    def models(self) -> tuple[ModelReference, ...]:
        """Detector and locator."""
        return (self._bundle.reference, self._locator.bundle.reference)

    def seen(self, film: str, /) -> bool:
        """Whether the film of this file stem took part in the detector's training."""
        return self._detectors.seen(film)

    def read(self, pixels: NDArray[np.float32], /, *, film: str) -> HandReading:
        """Find and name the joints of a film; see `JointReader`."""
        square = squash(pixels)
        located = self._locator.locate(square)
        if located.disagreement > NO_HAND:
            raise NoHandError(
                f"no single whole hand was found: the hand's place differs by {located.disagreement:.2f} hand lengths "
                f"between the film and its mirror image, more than {NO_HAND}; give a film of one hand"
            )
        if located.negated:
            pixels, square = np.float32(1) - pixels, np.float32(1) - square
        detector = self._detectors.answering(film)
        found = look_for_joints(
            detector, pixels, located.frame, square=square, least=self.threshold, threshold=LEAST_SCORE
        )
        sure = [as_detection(one) for one in found if one.score >= self.threshold]
        shape = (pixels.shape[0], pixels.shape[1])
        return HandReading(shape, tuple(found), name_joints(sure, film=shape))
