"""Draw one joint of known grade at the size of a grader's crop, in a few milliseconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import GradeError, UsageError
from capitate.phantom.canvas import Canvas
from capitate.phantom.carpus import draw_carpal
from capitate.phantom.joint_bones import BoneParts, draw_bone, formed
from capitate.phantom.joint_film import develop
from capitate.phantom.joint_scene import Scene, scene_of
from capitate.phantom.joint_tissue import soft_tissue, trabeculae
from capitate.phantom.joint_variation import BoneShape, JointExposure, JointPose, JointVariation
from capitate.phantom.pose import Placement, turn
from capitate.phantom.reference import JOINTS, grade_count
from capitate.phantom.skeleton import LongBone
from capitate.types import Sex

__all__ = ["DrawnJoint", "draw_joint"]

Field = NDArray[np.float32]
Mask = NDArray[np.bool_]

_LEAST = 96
"""Smaller pictures are drawn finer and averaged, so that no thin growth plate is lost between pixels."""


@dataclass(frozen=True, eq=False)
class DrawnJoint:
    """A drawn crop of one joint and what is known about it.

    Attributes:
        pixels: float32 (size, size) in [0, 1], bone bright.
        joint: one of the 21 names.
        grade: RUS-CHN grade, 0 (not yet visible) to the joint's last.
        maturity: continuous value whose floor the grade is; see `capitate.phantom.maturity`.
        sex: of the hand, which sets its other joints' maturity.
        epiphysis: bool (size, size); none where it does not show or is half united.
        shaft: bool (size, size), the rest of its bone.
        width_ratio: width of the epiphysis over that of the metaphysis; 0 when not visible.
        gap: thickness of the growth plate in its middle over the metaphyseal width, 0 when closed; None where no
            epiphysis shows.
        fused: share of the growth plate's width that bone has bridged.
    """

    pixels: Field
    joint: str
    grade: int
    maturity: float
    sex: Sex
    epiphysis: Mask
    shaft: Mask
    width_ratio: float
    gap: float | None
    fused: float


def draw_joint(
    joint: str,
    grade: int,
    *,
    size: int = 128,
    seed: int | np.random.Generator | None = 0,
    variation: JointVariation | None = None,
    fraction: float | None = None,
    sex: Sex | None = None,
) -> DrawnJoint:
    """Draw a crop of one joint of known grade, as its box with the usual margin would cut it from a film.

    The same arguments give the same picture. Size changes the sampling, not the anatomy.

    Args:
        joint: one of the 21 names; fingers II and IV have the grades of the third.
        grade: RUS-CHN grade, 0 (not yet visible) to the joint's last.
        size: rows and columns, 16 to 1024.
        seed: seed or generator of everything random; None for the plain drawing of the textbook.
        variation: spreads of shape, pose and film; None for the widest, with a seed.
        fraction: how far the joint is within its grade, 0 to just below 1; drawn if None, with a seed, else 0.5.
        sex: of the hand; drawn if None, with a seed, else female.

    Raises:
        GradeError: if there is no such joint or grade.
        UsageError: if another value is out of its range, or a variation comes without a seed.
    """
    _check(joint, grade, size, fraction)
    if seed is None and variation is not None:
        raise UsageError("a variation draws random values and needs a seed, got seed None; give one, or no variation")
    rng = None if seed is None else np.random.default_rng(seed)
    variation = variation or (JointVariation.none() if rng is None else JointVariation())
    if rng is not None:
        drawn, girl = float(rng.random()) * 0.999, bool(rng.random() < 0.5)
        fraction = drawn if fraction is None else fraction
        sex = (Sex.FEMALE if girl else Sex.MALE) if sex is None else sex
    maturity = grade + (0.5 if fraction is None else fraction)
    scene = scene_of(joint, maturity=maturity, sex=sex or Sex.FEMALE, variation=variation, rng=rng)
    shapes = [BoneShape() if rng is None else variation.draw_shape(rng) for _ in range(len(scene.bones) + 1)]
    pose = JointPose() if rng is None else variation.draw_pose(rng)
    exposure = JointExposure() if rng is None else variation.draw_exposure(rng)
    own = formed(scene.own, shapes[0])
    placement = _placement(scene, pose, size=size)
    attenuation, parts = _render(scene, own, shapes, placement, size=size, exposure=exposure, rng=rng)
    epiphysis, shaft = _masks(parts, size)
    return DrawnJoint(
        pixels=develop(attenuation, exposure=exposure, rng=rng),
        joint=joint,
        grade=int(grade),
        maturity=maturity,
        sex=sex or Sex.FEMALE,
        epiphysis=epiphysis,
        shaft=shaft,
        width_ratio=own.look.width if own.look.visible else 0.0,
        gap=None if parts is None else parts.gap,
        fused=own.look.fusion,
    )


def _check(joint: str, grade: int, size: int, fraction: float | None) -> None:
    if joint not in JOINTS:
        raise GradeError(f"no joint is named {joint!r}; choose one of {', '.join(JOINTS)}")
    if isinstance(grade, bool) or int(grade) != grade or not 0 <= grade <= grade_count(joint):
        raise GradeError(f"{joint} has grades 0 to {grade_count(joint)}, got {grade!r}; choose one of them")
    if not 16 <= size <= 1024:
        raise UsageError(f"size must be 16 to 1024 pixels, got {size!r}; choose another")
    if fraction is not None and not 0 <= fraction < 1:
        raise UsageError(f"fraction must be at least 0 and below 1, got {fraction!r}; choose another")


def _placement(scene: Scene, pose: JointPose, *, size: int) -> Placement:
    """Place the crop's square on the picture."""
    scale = size / (2 * scene.half) * pose.scale
    axis = scene.own.end - scene.own.start
    lean = turn(float(np.rad2deg(np.arctan2(axis[1], axis[0]))))
    tilted = lean @ np.array([[pose.foreshortening, pose.shear], [0.0, 1.0]]) @ lean.T
    mirror = np.diag([-1.0 if pose.mirrored else 1.0, 1.0])
    matrix = scale * turn(pose.rotation_degrees) @ mirror @ tilted
    middle = size * (0.5 + np.asarray(pose.shift))
    return Placement(matrix, middle - matrix @ scene.centre)


def _render(
    scene: Scene, own: LongBone, shapes: list[BoneShape], placement: Placement, *, size: int,
    exposure: JointExposure, rng: np.random.Generator | None,
) -> tuple[Field, BoneParts | None]:  # fmt: skip
    """Return the attenuation of bone and soft tissue, and the parts of the graded bone at the fineness of drawing."""
    finer = _finer(size)
    canvas = _canvas(size * finer, placement.zoomed(finer))
    for bone, shape in zip(scene.bones, shapes[1:], strict=True):
        draw_bone(canvas, formed(bone, shape), shape=shape)
    for carpal in scene.carpals:
        draw_carpal(canvas, carpal)
    parts = draw_bone(canvas, own, shape=shapes[0], parts=True)
    bones = canvas.attenuation
    bones *= np.maximum(1 + np.float32(exposure.texture) * trabeculae(canvas, own, rng=rng), np.float32(0.3))
    bones += soft_tissue(scene.flesh, canvas.placement, size=size * finer, thickness=exposure.flesh)
    return _averaged(bones, finer), parts


def _canvas(size: int, placement: Placement) -> Canvas:
    return Canvas(np.zeros((size, size), dtype=np.float32), placement, np.zeros((1, 1), dtype=np.float32), 0.0)


def _averaged(field: Field, finer: int) -> Field:
    if finer == 1:
        return field
    size = field.shape[0] // finer
    mean: Field = field.reshape(size, finer, size, finer).mean(axis=(1, 3), dtype=np.float32)
    return mean


def _masks(parts: BoneParts | None, size: int) -> tuple[Mask, Mask]:
    """Bring a bone's parts to the whole picture: a pixel belongs to what its middle lies in."""
    finer = _finer(size)
    whole = np.zeros((2, size * finer, size * finer), dtype=np.bool_)
    if parts is not None:
        whole[0][parts.window], whole[1][parts.window] = parts.epiphysis, parts.shaft
    found = whole[:, finer // 2 :: finer, finer // 2 :: finer]
    return found[0], found[1]


def _finer(size: int) -> int:
    """Return how many times finer a picture is drawn than it is shown."""
    return -(-_LEAST // size)
