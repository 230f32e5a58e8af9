"""Whether a grader looks at the joint: the middle of a crop exchanged for that of an older or younger hand.

A hand assembled from joints of different ages is graded joint by joint only if each grade follows the joint that is
there. Here the joint's own box comes from a donor, and what lies around it from a host; the grade of the assembled crop
is regressed on the grades of both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.evaluation.bootstrap import Estimate, with_interval

__all__ = ["Transplants", "assembled", "joint_window", "transplants"]

_FEATHER = 0.02
"""Standard deviation of the seam between donor and host, shares of the crop."""
_RESAMPLES = 1000

Floats = NDArray[np.float32]
Grader = Callable[[Floats, NDArray[np.int64]], NDArray[np.float64]]


@dataclass(frozen=True)
class Transplants:
    """How grades of assembled crops hang on their two hands.

    Attributes:
        donor: grades gained for every grade that the donor's joint has more.
        host: the same of the host, whose joint is not in the crop.
        pairs: how many were assembled.
    """

    donor: Estimate
    host: Estimate
    pairs: int


def joint_window(size: int, *, margin: float) -> Floats:
    """Give the share of the donor in every pixel of an assembled crop, float32 (size, size).

    Args:
        size: side of the crop.
        margin: shown around the joint's box, as a share of its longer side.
    """
    inner = size / (1 + 2 * margin)
    at = np.arange(size) + 0.5
    inside = np.abs(at - size / 2) <= inner / 2
    window = np.logical_and.outer(inside, inside).astype(np.float32)
    return np.asarray(ndimage.gaussian_filter(window, _FEATHER * size), dtype=np.float32)


def assembled(host: Floats, donor: Floats, window: Floats) -> Floats:
    """Put donors' joints into hosts' crops, (n, height, width)."""
    return host * (1 - window) + donor * window


def transplants(
    pictures: Floats,
    categories: NDArray[np.int64],
    joints: NDArray[np.str_],
    ages: NDArray[np.float64],
    *,
    grade: Grader,
    margin: float,
    apart: float = 36.0,
    pairs: int = 400,
    seed: int = 0,
) -> Transplants:
    """Assemble crops of two hands and grade them.

    Args:
        pictures: float32 (n, height, width), crops of hands that the network never saw.
        categories: int64 (n,).
        joints: (n,), donor and host show the same one.
        ages: bone ages, months (n,).
        grade: gives mean grades (n,) of pictures and categories.
        margin: of the crops.
        apart: least difference of the two ages, months.
        pairs: how many to assemble.
        seed: of the choice.
    """
    random = np.random.default_rng(seed)
    hosts, donors = _pairs(joints, ages, apart=apart, pairs=pairs, random=random)
    own = grade(pictures, categories)
    window = joint_window(pictures.shape[1], margin=margin)
    mixed = grade(assembled(pictures[hosts], pictures[donors], window), categories[hosts])
    design = np.stack([np.ones(hosts.size), own[donors], own[hosts]], axis=1)
    value = np.linalg.lstsq(design, mixed, rcond=None)[0]
    drawn = []
    for _ in range(_RESAMPLES):
        rows = random.integers(hosts.size, size=hosts.size)
        drawn.append(np.linalg.lstsq(design[rows], mixed[rows], rcond=None)[0])
    many = np.array(drawn)
    return Transplants(
        with_interval(float(value[1]), many[:, 1]), with_interval(float(value[2]), many[:, 2]), int(hosts.size)
    )


def _pairs(
    joints: NDArray[np.str_], ages: NDArray[np.float64], *, apart: float, pairs: int, random: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw hosts and donors of one joint whose ages lie apart."""
    hosts = random.integers(joints.size, size=40 * pairs)
    donors = random.integers(joints.size, size=40 * pairs)
    fit = (joints[hosts] == joints[donors]) & (np.abs(ages[hosts] - ages[donors]) >= apart)
    return hosts[fit][:pairs].astype(np.int64), donors[fit][:pairs].astype(np.int64)
