"""Width ratio and gap read off drawn pixels, as a reader would with a line tool: the order of grades shows in them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import ndimage

from capitate.phantom import RUS_JOINTS, DrawnJoint, draw_joint, grade_count
from capitate.phantom.reference import FINGERS, anatomy
from capitate.phantom.skeleton import at_head

FINE = 10
"""Steps a pixel, along the bone."""


@dataclass(frozen=True)
class Measured:
    """Width of the epiphysis and thickness of the gap, over the metaphyseal width; None where nothing lies apart."""

    width_ratio: float | None
    gap: float


def axis_degrees(joint: str) -> float:
    """Anticlockwise turn that brings the bone upright with its epiphysis uppermost, from the plan of the hand."""
    if joint in ("Radius", "Ulna"):
        start, end = anatomy("forearm")[joint]
    else:
        finger = next(f for f in FINGERS if joint.endswith(f))
        parts = ("MCP", "PIP", "DIP") if finger == "First" else ("MCP", "PIP", "MIP", "DIP")
        place = parts.index(joint.removesuffix(finger))
        points = anatomy("rays")[finger]
        start, end = points[place], points[place + 1]
        if at_head(joint):
            start, end = end, start
    x, y = np.array(end) - np.array(start)
    return float(np.rad2deg(np.arctan2(-x, y)))


def measure(drawn: DrawnJoint) -> Measured:
    """Measure a plain drawing."""
    turned = ndimage.rotate(drawn.pixels, axis_degrees(drawn.joint), reshape=False, order=1, mode="nearest")
    shaft = ndimage.rotate(drawn.shaft.astype(np.float32), axis_degrees(drawn.joint), reshape=False, order=1) > 0.5
    beside = ndimage.binary_dilation(shaft, iterations=8) & ~ndimage.binary_dilation(shaft, iterations=3)
    level = (float(np.median(turned[shaft])) + float(np.quantile(turned[beside], 0.2))) / 2
    bone = turned > level
    middle = round(float(np.median(np.nonzero(shaft)[1])))
    line = turned[:, middle - 2 : middle + 3].mean(axis=1)
    fine = np.interp(np.arange(0, len(line), 1 / FINE), np.arange(len(line)), line) > level
    runs, _ = ndimage.label(fine)
    own = int(np.bincount(np.where(shaft[:, middle], runs[::FINE], 0))[1:].argmax()) + 1
    begins = int(np.nonzero(runs == own)[0][0])
    wide = _width(bone & shaft, begins // FINE, begins // FINE + 24, middle)
    above = np.nonzero(fine[:begins])[0]
    if not len(above) or begins - above[-1] > 0.3 * wide * FINE:
        return Measured(None, 0.0)
    epiphysis = np.nonzero(runs == runs[above[-1]])[0] // FINE
    ratio = _width(bone, int(epiphysis[0]), int(epiphysis[-1]) + 1, middle) / wide
    return Measured(ratio, float(begins - above[-1]) / FINE / wide)


def _width(bone: NDArray[np.bool_], top: int, bottom: int, middle: int) -> float:
    """Widest run of bone through the middle column."""
    widest = 0
    for line in bone[top:bottom]:
        runs, _ = ndimage.label(line)
        if runs[middle]:
            widest = max(widest, int((runs == runs[middle]).sum()))
    return float(widest)


@pytest.mark.parametrize("joint", RUS_JOINTS)
def test_the_order_of_grades_shows_in_the_pixels(joint):
    drawn = [
        draw_joint(joint, g, seed=None, size=224 if joint.startswith("DIP") else 160)
        for g in range(1, grade_count(joint) + 1)
    ]
    apart = [d for d in drawn if d.fused == 0]
    found = [measure(d) for d in apart]
    ratios, gaps = [f.width_ratio for f in found], [f.gap for f in found]
    assert len(apart) >= 6
    assert None not in ratios
    grown = next(k for k, d in enumerate(apart) if d.width_ratio >= 1)
    assert all(later > earlier + 0.02 for earlier, later in pairwise(ratios[: grown + 1]))
    assert min(ratios[grown:]) > 0.95
    assert all(later <= earlier + 0.003 for earlier, later in pairwise(gaps))
    assert gaps[0] > 2 * gaps[-1]
    for one, read in zip(apart, found, strict=True):
        assert read.width_ratio == pytest.approx(one.width_ratio, abs=0.12)
        assert read.gap == pytest.approx(one.gap, abs=0.045)


@pytest.mark.parametrize("joint", RUS_JOINTS)
def test_a_fused_joint_has_no_dark_line(joint):
    def darkest(grade):
        """Depth of the valley where the open joint's plate lies, over the bone's brightness."""
        drawn = draw_joint(joint, grade, seed=None)
        line = ndimage.gaussian_filter(drawn.pixels, 1)[place]
        return 1 - float(np.median(line)) / float(np.median(drawn.pixels[drawn.shaft]))

    early = draw_joint(joint, 4, seed=None)
    near = [ndimage.binary_dilation(part, iterations=6) for part in (early.epiphysis, early.shaft)]
    place = near[0] & near[1] & ~early.epiphysis & ~early.shaft
    assert darkest(4) > 0.1
    assert darkest(grade_count(joint)) < 0.06


def test_outlines_have_the_widths_that_are_said():
    for joint in ("Radius", "MCPThird", "MIPThird"):
        drawn = draw_joint(joint, 5, seed=None, size=256)
        wide = [_extent(part, joint) for part in (drawn.epiphysis, drawn.shaft)]
        assert wide[0] / wide[1] == pytest.approx(drawn.width_ratio, abs=0.06)
        assert not (drawn.epiphysis & drawn.shaft).any()
        assert drawn.pixels[drawn.epiphysis].mean() > drawn.pixels[~drawn.epiphysis & ~drawn.shaft].mean()


def _extent(part: NDArray[np.bool_], joint: str) -> int:
    turned = ndimage.rotate(part.astype(np.float32), axis_degrees(joint), reshape=False, order=1) > 0.5
    return int(np.ptp(np.nonzero(turned)[1]))
