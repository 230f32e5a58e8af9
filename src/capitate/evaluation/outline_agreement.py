"""A network's outlines against those drawn by hand, as assessment makes them: Dice by joint, carpus and film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import CapitateError, FilmError, NoHandError, UsageError
from capitate.evaluation.bootstrap import RESAMPLES, Estimate
from capitate.evaluation.measured_films import Outlines, Outlining, named_hand, read_film
from capitate.evaluation.overlap import dice_figures
from capitate.hand import BoneClass, Joint, NamedHand, bone_class_of
from capitate.hand.measures import carpal_view, epiphysis_view
from capitate.training.data.boxes import LabelledBox
from capitate.training.manifest import Study

__all__ = ["PARTS", "SharedArea", "agreement_figures", "compare_films"]

PARTS = (*(str(bone) for bone in BoneClass), "carpus")
"""What Dice is told of: the epiphyses of the seven classes of joints, and the carpal bones."""


@dataclass(frozen=True)
class SharedArea:
    """One joint or carpus of one film that was outlined by hand.

    Attributes:
        id: of the film.
        part: joint, or `carpus`.
        shared: area that both outlined.
        both: sum of the two areas, in the same unit.
    """

    id: str
    part: str
    shared: float
    both: float


def compare_films(
    studies: Sequence[Study],
    boxes: Mapping[str, Sequence[LabelledBox]],
    *,
    drawn: Outlining,
    network: Outlining,
    aspects: Mapping[str, float] | None = None,
) -> Iterator[list[SharedArea] | tuple[str, CapitateError]]:
    """Compare outlines of films; what nobody outlined is left out, because it may have been forgotten.

    Args:
        studies: films that the network has not seen.
        boxes: of each film's joints, by its id.
        drawn: by hand.
        network: by the network.
        aspects: width over height of films that were stored squashed, by id.

    Yields:
        The areas of a film, or its id and why it could not be compared.
    """
    for study in studies:
        try:
            pixels = read_film(study, aspect=(aspects or {}).get(study.id))
            hand = named_hand(boxes[study.id], shape=(pixels.shape[0], pixels.shape[1]))
            by_hand, found = drawn(study, pixels, hand), network(study, pixels, hand)
            yield list(_areas(study.id, hand, by_hand, found))
        except (FilmError, NoHandError, UsageError) as error:
            yield study.id, error


def _areas(name: str, hand: NamedHand, drawn: Outlines, found: Outlines) -> Iterator[SharedArea]:
    for joint, picture in found.joints.items():
        if joint in drawn.joints:
            wanted = epiphysis_view(drawn.joints[joint], joint=joint, hand=hand)
            if wanted is not None:
                yield _area(name, joint.value, wanted, epiphysis_view(picture, joint=joint, hand=hand))
    if drawn.carpus is not None and found.carpus is not None:
        bones = carpal_view(drawn.carpus, hand=hand)
        if bones.any():
            yield _area(name, "carpus", bones, carpal_view(found.carpus, hand=hand))


def _area(name: str, part: str, wanted: NDArray[np.bool_], found: NDArray[np.bool_] | None) -> SharedArea:
    other = np.zeros_like(wanted) if found is None else found
    return SharedArea(name, part, float((wanted & other).sum()), float(wanted.sum() + other.sum()))


def agreement_figures(areas: Sequence[SharedArea], *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Estimate]:
    """Take the mean Dice over films of each of `PARTS`, and over the parts, with bootstrap intervals over films.

    The joints of a class are taken together on each film.

    Args:
        areas: of all films.
        resamples: of films.
        seed: of the resampling.
    """
    films = sorted({area.id for area in areas})
    sums = np.zeros((len(films), len(PARTS), 2))
    for area in areas:
        part = area.part if area.part == "carpus" else str(bone_class_of(Joint(area.part)))
        sums[films.index(area.id), PARTS.index(part)] += (area.shared, area.both)
    there = sums[..., 1].sum(axis=0) > 0
    names = [name for name, has in zip(PARTS, there.tolist(), strict=True) if has]
    return dice_figures(sums[:, there, 0], sums[:, there, 1], names=names, resamples=resamples, seed=seed)
