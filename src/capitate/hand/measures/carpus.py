"""The carpal bones: how many show, how large they are for the hand, and which two can be told by their place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull

from capitate.errors import NoHandError
from capitate.hand.affine import Affine
from capitate.hand.joints import Joint
from capitate.hand.measures.axis import bone_axis, hand_length
from capitate.hand.measures.pieces import part
from capitate.hand.measures.polygons import Polygon, area_within, outline
from capitate.hand.measures.view import OutlinePicture, sampled
from capitate.hand.named import NamedHand
from capitate.types import Box

__all__ = ["CarpalBone", "CarpalMeasures", "carpal_box", "carpal_view", "measure_carpals"]

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

_REGION = (-0.19, 0.23, -0.38, -0.02)
"""Left, right, top and bottom of the carpus on the plan of a left hand: the outlined carpal bones of the 329 hands that
have outlines and joints, and a margin."""
_CENTRES = (-0.16, 0.20, -0.35, -0.06)
"""Within which the middle of a carpal bone lies; beyond lie the bases of metacarpals and the ends of the forearm."""
_STEP = 0.0015
"""Distance of samples in plan units: about one pixel of a film of 900 rows."""
_LEAST = 0.0003
"""Area of the smallest thing that counts as a bone, in squares of the hand's length: 2 mm across in a child of 3 years,
less than any outlined carpal bone has."""
_LINE, _DARK, _NECK = 15, 0.14, 0.66
_SOLID = 0.9
"""Least share of its convex hull that a bone with a name fills: two bones outlined as one fill less."""
_NEIGHBOURS = (Joint.RADIUS, Joint.ULNA, Joint.MCP_FIRST)
_EPIPHYSIS = (0.22, 0.15)
_CAPITATE = (-0.04, 0.09, -0.27, -0.14)
_HAMATE = (-0.105, -0.03, -0.04, 0.045)


@dataclass(frozen=True)
class CarpalBone:
    """One bone.

    Attributes:
        name: `capitate` or `hamate`, None for the others and where the place does not settle it.
        area_of_hand: its area in squares of the hand's length.
        centre: (x, y) of its middle, film pixels.
        outline: its polygon, film pixels.
    """

    name: str | None
    area_of_hand: float
    centre: tuple[float, float]
    outline: Polygon


@dataclass(frozen=True)
class CarpalMeasures:
    """The carpus.

    Attributes:
        bones: from the thumb's side to the little finger's.
        area_of_hand: area of all of them in squares of the hand's length, which is the distance from the middle of
            radius and ulna to the third finger's distal joint, taken from all named joints.
    """

    bones: tuple[CarpalBone, ...]
    area_of_hand: float

    @property
    def count(self) -> int:
        """How many bones show."""
        return len(self.bones)


def carpal_box(hand: NamedHand) -> Box:
    """Return the box in which a hand's carpal bones lie, film pixels.

    Raises:
        NoHandError: if the joints are no hand.
    """
    left, right, top, bottom = _REGION
    corners = _to_plan(hand).inverse(np.array([[left, top], [right, top], [right, bottom], [left, bottom]]))
    low, high = corners.min(axis=0), corners.max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def measure_carpals(
    pixels: Floats, outlined: OutlinePicture, *, hand: NamedHand, tolerance: float = 0.5
) -> CarpalMeasures:
    """Count and measure the carpal bones.

    Epiphyses of radius, ulna and the thumb's metacarpal are told by their places and left out. Bones that touch are
    parted along dark lines between them and at their necks; bones that lie over each other count as one.

    Args:
        pixels: film, float32 (height, width) in [0, 1], bone bright.
        outlined: outlines of the carpus, such as in `carpal_box`, or of the whole film.
        hand: its joints.
        tolerance: how far outlines may run from the contour, film pixels.

    Raises:
        NoHandError: if the joints are no hand.
    """
    to_film, grid = _view(hand)
    field = sampled(outlined.bone, outlined.to_film.inverse(grid), fine=1.0, mode="constant")
    film = sampled(pixels, grid, fine=_STEP * hand_length(hand), mode="nearest")
    numbers = _parted(field > 0.5, film)
    found = []
    for number, centre, size in _pieces(numbers):
        place = _place(centre)
        area = size * _STEP**2
        if area < _LEAST or not _within(place, _CENTRES) or _is_epiphysis(to_film(centre), hand):
            continue
        alone = np.where((numbers == number) | (numbers == 0) & _near(numbers == number), field, 0)
        drawn = outline(alone, to_film=to_film, tolerance=tolerance)
        if drawn:
            found.append((place, area, to_film(centre), drawn[0]))
    found.sort(key=lambda each: -each[0][0])
    names = _names([each[0] for each in found], [each[1] for each in found], [each[3] for each in found])
    bones = tuple(
        CarpalBone(names.get(k), area, (round(float(at[0]), 1), round(float(at[1]), 1)), drawn)
        for k, (_, area, at, drawn) in enumerate(found)
    )
    return CarpalMeasures(bones, float(sum(bone.area_of_hand for bone in bones)))


def carpal_view(outlined: OutlinePicture, *, hand: NamedHand) -> NDArray[np.bool_]:
    """Show where carpal bones were outlined, on the plan of the hand.

    Args:
        outlined: of the carpus, or of the whole film.
        hand: its joints.

    Raises:
        NoHandError: if the joints are no hand.
    """
    to_film, grid = _view(hand)
    numbers = part(sampled(outlined.bone, outlined.to_film.inverse(grid), fine=1.0, mode="constant") > 0.5)
    own = [
        number
        for number, centre, _ in _pieces(numbers)
        if _within(_place(centre), _CENTRES) and not _is_epiphysis(to_film(centre), hand)
    ]
    return np.isin(numbers, own)


def _view(hand: NamedHand) -> tuple[Callable[[Array], Array], Array]:
    """Give the map from columns and rows of the carpus' view to the film, and all its pixels there."""
    to_plan = _to_plan(hand)
    left, right, top, bottom = _REGION

    def to_film(points: Array) -> Array:
        return to_plan.inverse(_place(points))

    rows, columns = np.indices((round((bottom - top) / _STEP), round((right - left) / _STEP)))
    return to_film, to_film(np.stack([columns, rows], axis=-1))


def _place(points: Array) -> Array:
    """Bring columns and rows of the view to the plan."""
    placed: Array = (np.asarray(points, dtype=np.float64) + 0.5) * _STEP + np.array([_REGION[0], _REGION[2]])
    return placed


def _to_plan(hand: NamedHand) -> Affine:
    if hand.to_plan is None:
        raise NoHandError("measuring needs a named hand, got boxes that are none; measure the film by hand")
    return hand.to_plan


def _parted(mask: NDArray[np.bool_], film: Floats) -> NDArray[np.int64]:
    """Part outlined bones along the dark lines between them, and give every pixel of these to the nearest bone."""
    if not mask.any():
        return np.zeros(mask.shape, dtype=np.int64)
    smooth = ndimage.gaussian_filter(film.astype(np.float64), 2.0)
    low, high = np.percentile(smooth[ndimage.binary_dilation(mask, iterations=8)], [5, 95])
    valley = ndimage.grey_closing(smooth, size=(_LINE, _LINE)) - smooth
    dark = mask & (valley > _DARK * max(float(high - low), 1e-4))
    joined, _ = ndimage.label(dark | ~mask, structure=np.ones((3, 3)))
    cut = dark & np.isin(joined, np.unique(joined[~mask]))
    numbers = part(mask & ~cut, neck=_NECK)
    rows, columns = ndimage.distance_transform_edt(numbers == 0, return_distances=False, return_indices=True)
    return np.where(mask, numbers[rows, columns], 0)


def _pieces(numbers: NDArray[np.int64]) -> list[tuple[int, Array, int]]:
    """List the pieces: number, middle (column, row) and pixels."""
    sizes = np.bincount(numbers.ravel())[1:].tolist()
    middles = ndimage.center_of_mass(numbers > 0, numbers, range(1, len(sizes) + 1))
    each = zip(middles, sizes, strict=True)
    return [(k, np.array(at[::-1], dtype=np.float64), size) for k, (at, size) in enumerate(each, start=1)]


def _near(piece: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(ndimage.binary_dilation(piece), dtype=bool)


def _within(point: Array, box: tuple[float, float, float, float]) -> bool:
    """Whether a point lies within left, right, top and bottom."""
    return bool(box[0] <= point[0] <= box[1] and box[2] <= point[1] <= box[3])


def _is_epiphysis(middle: Array, hand: NamedHand) -> bool:
    """Whether a piece lies where radius, ulna or the thumb's metacarpal have their epiphysis."""
    for joint in _NEIGHBOURS:
        across, along = bone_axis(joint, hand=hand).from_film(middle)
        if np.hypot(across / _EPIPHYSIS[0], along / _EPIPHYSIS[1]) < 1:
            return True
    return False


def _names(places: Sequence[Array], areas: Sequence[float], drawn: Sequence[Polygon]) -> Mapping[int, str]:
    """Name capitate and hamate where both can be told.

    They ossify first, and the capitate is the larger one (Gilsanz and Ratib, Hand Bone Age, 2005). It is taken to be
    the largest bone, if that lies in the middle of the carpus; the hamate is the second largest, if that lies beside it
    towards the little finger, in the same row. Otherwise, or where an outline may hold two bones, neither is named.
    """
    if len(places) < 2:
        return {}
    second, first = (int(k) for k in np.argsort(areas)[-2:])
    there = _within(places[first], _CAPITATE) and _within(places[second] - places[first], _HAMATE)
    if not there or min(_solidity(drawn[first]), _solidity(drawn[second])) < _SOLID:
        return {}
    return {first: "capitate", second: "hamate"}


def _solidity(polygon: Polygon) -> float:
    """Share of its convex hull that a polygon fills."""
    points = np.array(polygon)
    hull = ConvexHull(points)
    return abs(area_within(points)) / max(float(hull.volume), 1e-9)
