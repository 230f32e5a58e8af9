"""What a reader measures by eye at one joint: an epiphysis or none, its width, the gap to the shaft, united or not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.hand.joints import Joint
from capitate.hand.measures.axis import bone_axis
from capitate.hand.measures.pieces import part
from capitate.hand.measures.plate import DarkLine, along_bone, dark_line
from capitate.hand.measures.polygons import Polygon, contours, outline
from capitate.hand.measures.shaft import Shaft, trace_shaft
from capitate.hand.measures.view import PIXELS_A_SIDE, JointView, OutlinePicture, cut_view
from capitate.hand.named import NamedHand

__all__ = ["EpiphysisMeasures", "epiphysis_view", "measure_joint"]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

_HALF_WIDTHS: Mapping[str, float] = {
    "Radius": 0.30, "Ulna": 0.215,
    "MCPFirst": 0.18, "MCPSecond": 0.20, "MCPThird": 0.205, "MCPFourth": 0.185, "MCPFifth": 0.18,
    "PIPFirst": 0.21, "PIPSecond": 0.245, "PIPThird": 0.255, "PIPFourth": 0.24, "PIPFifth": 0.245,
    "MIPSecond": 0.20, "MIPThird": 0.22, "MIPFourth": 0.22, "MIPFifth": 0.18,
    "DIPFirst": 0.145, "DIPSecond": 0.12, "DIPThird": 0.125, "DIPFourth": 0.125, "DIPFifth": 0.12,
}  # fmt: skip
"""Half the usual width of a metaphysis in sides of the joint's box: medians over the joints of 14 hands of 1 to 16
years whose measures were looked at."""
_OWN, _NEAR = (0.33, 0.17), 0.24
"""How far across and along the bone from its place the middle of an epiphysis may lie, sides of the joint's box."""
_STEEP = 0.25
_GONE, _GONE_WITHOUT_OUTLINE = 0.06, 0.15
_LEAST_AREA = 40
_OBLIQUE = frozenset({Joint.DIP_FIRST})
"""Joints that films show from the side, so that an open plate need not be seen: of the thumb's distal phalanx 27 of 78
open plates look closed, of the other joints 23 of 1,498 (girls below 12 and boys below 14 years of bone age)."""
_FINE = 50.0
"""Film pixels a side of the joint's box from which on a growth plate is looked for: it is 0.03 to 0.05 sides wide, two
pixels at this size. On films of 299 x 299 pixels open plates look closed."""
_MOST_TURN = 15.0
_ASIDE = 0.25
_WIDEST = 1.8
_SHAFT_FROM, _PLACE = 0.25, 0.08
_AS_DARK = 0.45


@dataclass(frozen=True)
class EpiphysisMeasures:
    """Measures of one joint; None where a measure could not be taken.

    Attributes:
        present: whether an epiphysis shows, as a bone of its own or united with its shaft.
        width_ratio: width of the epiphysis across the bone over that of the metaphysis.
        gap: width of the dark line between them along the bone, in widths of the metaphysis; 0 where it is gone.
        gap_depth: how dark that line is, 0 as the bone beside it, 1 as flesh.
        fused: whether the line is gone.
        metaphysis: the metaphysis' width from edge to edge: two points (x, y) on the film.
        outline: the epiphysis' outlines, film pixels.
    """

    present: bool | None
    width_ratio: float | None = None
    gap: float | None = None
    gap_depth: float | None = None
    fused: bool | None = None
    metaphysis: tuple[tuple[float, float], tuple[float, float]] | None = None
    outline: tuple[Polygon, ...] = ()


@dataclass(frozen=True, eq=False)
class _Seen:
    """An epiphysis above its shaft, both in one view along the shaft's own axis.

    Attributes:
        view: along the shaft.
        bone: of the view's shape, the probability of this epiphysis alone.
        shaft: below it.
        line: between the two, None where it could not be looked for.
    """

    view: JointView
    bone: Floats
    shaft: Shaft
    line: DarkLine | None


def measure_joint(
    pixels: Floats, outlined: OutlinePicture, *, joint: Joint, hand: NamedHand, tolerance: float = 0.5
) -> EpiphysisMeasures:
    """Measure one joint.

    Args:
        pixels: film, float32 (height, width) in [0, 1], bone bright.
        outlined: outlines of this joint, or of the whole film.
        joint: which.
        hand: its joints.
        tolerance: how far outlines may run from the contour, film pixels.

    Raises:
        NoHandError: if the joints are no hand.
    """
    half = _HALF_WIDTHS[joint] * PIXELS_A_SIDE
    view = cut_view(pixels, outlined, axis=bone_axis(joint, hand=hand))
    bone = _own_bone(view)
    if bone is None:
        return _without_outline(view, joint=joint, half=half)
    seen = _settled(pixels, outlined, view=view, bone=bone, half=half)
    if seen is None:
        return EpiphysisMeasures(present=True, outline=outline(bone, to_film=view.to_film, tolerance=tolerance))
    wide = float(seen.shaft.widths[seen.shaft.widest])
    sure = _is_sure(seen)
    line = seen.line
    united = None if line is None else line.depth < _GONE
    if united and joint in _OBLIQUE:
        united = None
    gap = None if line is None or united is None or not sure else 0.0 if united else (line.bottom - line.top) / wide
    return EpiphysisMeasures(
        present=True,
        width_ratio=float(np.ptp(contours(seen.bone)[0][:, 0])) / wide if sure else None,
        gap=gap,
        gap_depth=None if line is None else line.depth,
        fused=united,
        metaphysis=_ends(seen) if sure else None,
        outline=outline(seen.bone, to_film=seen.view.to_film, tolerance=tolerance),
    )


def epiphysis_view(outlined: OutlinePicture, *, joint: Joint, hand: NamedHand) -> Mask | None:
    """Show where a joint's own epiphysis was outlined, in the upright view of the joint; None where it was not.

    Args:
        outlined: of this joint, or of the whole film.
        joint: which.
        hand: its joints.

    Raises:
        NoHandError: if the joints are no hand.
    """
    blank = np.zeros((2, 2), dtype=np.float32)
    own = _own_bone(cut_view(blank, outlined, axis=bone_axis(joint, hand=hand)))
    return None if own is None else own > 0.5


def _own_bone(view: JointView) -> Floats | None:
    """Take the outlined piece nearest to where this joint's epiphysis is to be expected, all others wiped out."""
    numbers = part(view.bone > 0.5)
    sizes = np.bincount(numbers.ravel())[1:]
    if not sizes.size:
        return None
    middles = np.array(ndimage.center_of_mass(numbers > 0, numbers, range(1, len(sizes) + 1)))
    column, row = view.middle
    across, along = (middles[:, 1] - column) / _OWN[0], (middles[:, 0] - row) / _OWN[1]
    off = np.where(sizes < _LEAST_AREA, np.inf, np.hypot(across, along) / PIXELS_A_SIDE)
    best = int(off.argmin()) + 1
    if off[best - 1] > 1:
        return None
    own = numbers == best
    rim = ndimage.binary_dilation(own) & (numbers == 0)
    return np.where(own | rim, view.bone, np.float32(0)).astype(np.float32)


def _settled(pixels: Floats, outlined: OutlinePicture, *, view: JointView, bone: Floats, half: float) -> _Seen | None:
    """Turn the view along the shaft that lies below the epiphysis, and find the line between the two."""
    shaft = _shaft_below(view, bone, half=half)
    if shaft is None:
        return None
    column, slope = shaft.midline
    degrees = float(np.clip(np.degrees(np.arctan(slope)), -_MOST_TURN, _MOST_TURN))
    across, along = view.sides(np.array([column, float(np.argwhere(bone > 0.5).mean(axis=0)[0])])).tolist()
    turned = cut_view(pixels, outlined, axis=view.axis.moved(degrees=degrees, across=across, along=along))
    own = _own_bone(turned)
    if own is not None:
        view, bone = turned, own
    shaft = _shaft_below(view, bone, half=half)
    if shaft is None:
        return None
    fine = view.axis.side >= _FINE
    line = dark_line(view, epiphysis=bone > 0.5, shaft=shaft) if fine else None
    if line is not None and line.depth >= _GONE:
        column, _ = shaft.midline
        shaft = trace_shaft(view, start=line.bottom, column=column, half=half) or shaft
    return _Seen(view, bone, shaft, line)


def _shaft_below(view: JointView, bone: Floats, *, half: float) -> Shaft | None:
    """Follow the shaft from just below an epiphysis."""
    rows, columns = np.nonzero(bone > 0.5)
    return trace_shaft(view, start=float(rows.max()) + 0.06 * PIXELS_A_SIDE, column=float(columns.mean()), half=half)


def _is_sure(seen: _Seen) -> bool:
    """Whether the edges are steep, lie to both sides of the epiphysis' middle, and carry no more than one epiphysis."""
    shaft, k = seen.shaft, seen.shaft.widest
    columns = np.nonzero(seen.bone > 0.5)[1]
    if np.ptp(columns) > _WIDEST * shaft.widths[k]:
        return False
    middle = float(columns.mean())
    aside = abs((shaft.left[k] + shaft.right[k]) / 2 - middle) / shaft.widths[k]
    return bool(shaft.steepness >= _STEEP and aside <= _ASIDE)


def _without_outline(view: JointView, *, joint: Joint, half: float) -> EpiphysisMeasures:
    """Tell a joint without an outline: not yet there where its place is dark, united where bone runs through it.

    Whatever lies between, such as an epiphysis that was not outlined, stays unknown. That a joint is united then rests
    on two signs: nothing was outlined, and no dark line crosses the bone.
    """
    column, row = view.middle
    if _outlined_near(view):
        return EpiphysisMeasures(present=None)
    shaft = trace_shaft(view, start=row + _SHAFT_FROM * PIXELS_A_SIDE, column=column, half=half)
    if shaft is None or shaft.steepness < _STEEP:
        return EpiphysisMeasures(present=None)
    grey = along_bone(view, shaft)
    reach = round(_PLACE * PIXELS_A_SIDE)
    if grey[round(row) - reach : round(row) + reach].max() <= _AS_DARK:
        return EpiphysisMeasures(present=False, fused=False)
    through = grey[round(row) : round(shaft.rows[0])].min() > _AS_DARK
    if not through or view.axis.side < _FINE or joint in _OBLIQUE:
        return EpiphysisMeasures(present=None)
    place = np.zeros(view.bone.shape, dtype=bool)
    place[round(row) - 2 : round(row) + round(1.5 * reach)] = True
    line = dark_line(view, epiphysis=place, shaft=shaft)
    if line is None or line.depth >= _GONE_WITHOUT_OUTLINE:
        return EpiphysisMeasures(present=None, gap_depth=None if line is None else line.depth)
    return EpiphysisMeasures(present=True, gap=0.0, gap_depth=line.depth, fused=True)


def _outlined_near(view: JointView) -> bool:
    """Whether some bone, though not where this joint's epiphysis lies, was outlined close to its place."""
    column, row = view.middle
    wide, tall = _OWN[0] * PIXELS_A_SIDE, _NEAR * PIXELS_A_SIDE
    rows = slice(max(0, round(row - tall)), round(row + tall))
    return bool((view.bone[rows, max(0, round(column - wide)) : round(column + wide)] > 0.5).any())


def _ends(seen: _Seen) -> tuple[tuple[float, float], tuple[float, float]]:
    """Give the two ends of the metaphysis' width on the film."""
    shaft, k = seen.shaft, seen.shaft.widest
    ends = seen.view.to_film(np.array([[shaft.left[k], shaft.rows[k]], [shaft.right[k], shaft.rows[k]]]))
    (a, b), (c, d) = np.round(ends, 1).tolist()
    return (a, b), (c, d)
