"""What lies around one joint: the bones, carpal bones and soft tissue of the median hand in which it has its grade."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.phantom.annotate import box_plan
from capitate.phantom.flesh import flesh_depth
from capitate.phantom.joint_variation import JointVariation
from capitate.phantom.maturity import EpiphysisLook, age_at, look_of, maturity_at, sesamoid_size
from capitate.phantom.pose import Placement, Pose
from capitate.phantom.reference import JOINTS, OLDEST_MONTHS
from capitate.phantom.skeleton import Carpal, Hand, LongBone, build_hand
from capitate.types import Sex

__all__ = ["MARGIN", "Flesh", "Scene", "scene_of"]

MARGIN = 0.1
"""What a crop shows beyond the longer side of the joint's box, at each end, as a share of it: the usual of graders."""

_STEP_MONTHS = 12
_ROOM = 2.4
"""Half-width of the soft tissue that is kept around a joint, in half-widths of its crop."""
_RASTER = 112


@dataclass(frozen=True, eq=False)
class Flesh:
    """How deep the surroundings of a joint lie inside the hand's outline: plan units on a raster that covers them."""

    depth: NDArray[np.float32]
    placement: Placement


@dataclass(frozen=True, eq=False)
class Scene:
    """Everything that can be seen in a crop.

    Attributes:
        own: the bone whose epiphysis is graded.
        bones: the others, farther ones first.
        carpals: carpal bones and the sesamoid.
        flesh: see `Flesh`.
        centre: middle of the crop, plan units.
        half: half of the crop's side, plan units.
    """

    own: LongBone
    bones: tuple[LongBone, ...]
    carpals: tuple[Carpal, ...]
    flesh: Flesh
    centre: NDArray[np.float64]
    half: float


def scene_of(
    joint: str, *, maturity: float, sex: Sex, variation: JointVariation, rng: np.random.Generator | None
) -> Scene:
    """Lay out the surroundings of a joint.

    Args:
        joint: one of the 21 names.
        maturity: of that joint; the others have that of their age, each with its own advance or delay.
        sex: of the median hand.
        variation: spreads of the neighbours' maturity and place.
        rng: source of these, None for the median.
    """
    age = age_at(joint, maturity=maturity, sex=sex)
    flesh, hand, near, carpals = _surroundings(joint, round(age / _STEP_MONTHS), sex)
    centre, extent = box_plan(joint, hand)
    half = max(extent) / 2 * (1 + 2 * MARGIN)
    own = replace(hand.bone(joint), look=look_of(joint, maturity=maturity))
    advance = np.zeros(len(near) + 1)
    moved = np.zeros((len(near) + len(carpals), 2))
    if rng is not None:
        advance = variation.neighbours_months * rng.standard_normal(len(near) + 1)
        moved = variation.overlap * 2 * half * rng.standard_normal(moved.shape)
    bones = [
        _moved(hand.bone(name), name, age=age + ahead, sex=sex, by=by)
        for name, ahead, by in zip(near, advance[1:], moved, strict=False)
    ]
    small = [replace(c, centre=c.centre + by) for c, by in zip(carpals, moved[len(near) :], strict=True)]
    if rng is not None and rng.random() < variation.sesamoid:
        small = [replace(c, size=rng.uniform(0, 1)) if c.name == "sesamoid" else c for c in small]
    return Scene(own, tuple(bones), tuple(small), flesh, centre, half)


def _moved(bone: LongBone, name: str, *, age: float, sex: Sex, by: NDArray[np.float64]) -> LongBone:
    """Return a neighbouring bone as mature as at an age, displaced."""
    month = 3 * round(float(np.clip(age, 0, OLDEST_MONTHS)) / 3)
    return replace(bone, look=_look(name, month, sex), start=bone.start + by, end=bone.end + by)


@lru_cache(maxsize=4096)
def _look(joint: str, month: int, sex: Sex) -> EpiphysisLook:
    return look_of(joint, maturity=maturity_at(joint, age_months=float(month), sex=sex))


@lru_cache(maxsize=512)
def _surroundings(joint: str, step: int, sex: Sex) -> tuple[Flesh, Hand, tuple[str, ...], tuple[Carpal, ...]]:
    """Return soft tissue, the median hand of an age, and which bones come near a joint's crop."""
    age = min(OLDEST_MONTHS, float(step * _STEP_MONTHS))
    maturity = {j: maturity_at(j, age_months=age, sex=sex) for j in JOINTS}
    unused = np.random.default_rng(0)
    hand = build_hand(age_months=age, sex=sex, maturity=maturity, pose=Pose(), rng=unused, variation=0.0)
    centre, extent = box_plan(joint, hand)
    half = max(extent) / 2 * (1 + 2 * MARGIN)
    scale = _RASTER / (2 * _ROOM * half)
    placement = Placement(np.eye(2) * scale, np.array([_RASTER / 2, _RASTER / 2]) - scale * centre)
    depth = _without_creases(flesh_depth(hand, placement=placement, height=_RASTER, width=_RASTER))
    near = [b.joint for b in hand.bones if b.joint != joint and _distance(b, centre) < 1.5 * half + b.width / 2]
    carpals = [
        c for c in hand.carpals if float(np.hypot(*(c.centre - centre))) < 1.5 * half + max(c.axes) and c.size > 0
    ]
    if all(c.name != "sesamoid" for c in carpals) and joint == "PIPFirst":
        grown = next(c for c in hand.carpals if c.name == "sesamoid")
        carpals.append(replace(grown, size=sesamoid_size(age_months=age, sex=sex)))
    return Flesh(depth, placement), hand, tuple(near), tuple(carpals)


def _without_creases(depth: NDArray[np.float32]) -> NDArray[np.float32]:
    """Smooth the depth where it is deep: there limbs meet in creases that palms do not have."""
    deep = np.clip((depth - 0.05) / 0.06, 0, 1)
    smooth: NDArray[np.float32] = depth + deep * (ndimage.gaussian_filter(depth, 5.0) - depth)
    return smooth


def _distance(bone: LongBone, point: NDArray[np.float64]) -> float:
    """Return the distance of a point from a bone's axis."""
    axis = bone.end - bone.start
    share = float(np.clip((point - bone.start) @ axis / (axis @ axis), 0, 1))
    return float(np.hypot(*(point - bone.start - share * axis)))
