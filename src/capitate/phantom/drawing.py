"""Draw a hand radiograph of which everything is known."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.phantom.annotate import box_corners, carpal_truths, hand_box, joint_truth
from capitate.phantom.bones import draw_long_bone
from capitate.phantom.canvas import Canvas
from capitate.phantom.carpus import draw_carpal
from capitate.phantom.film import FilmLook, expose
from capitate.phantom.flesh import flesh_depth, outline_points, soft_attenuation
from capitate.phantom.maturity import check_age, check_sex, maturity_at
from capitate.phantom.outlines import outline_labels
from capitate.phantom.pose import Placement, Pose, place
from capitate.phantom.reference import JOINTS, anatomy
from capitate.phantom.skeleton import Hand, build_hand
from capitate.phantom.truth import Phantom
from capitate.radiograph import Radiograph
from capitate.types import Sex, Side

__all__ = ["draw"]

Field = NDArray[np.float32]

SMALLEST = 64
"""Least height and width of a film, pixels."""
LARGEST = 6000
"""Greatest height and width of a film, pixels."""
_ASPECT = 0.76
"""Width over height of a usual film (RSNA films: about 1500 x 2000)."""
_FINE_PIXELS_PER_UNIT = 300.0
"""Films with fewer pixels per plan unit are drawn finer and averaged, so that no thin growth plate is lost between
pixels; about 800 rows for a whole hand."""


def draw(
    *,
    age_months: float,
    sex: Sex,
    side: Side = Side.LEFT,
    pose: Pose | None = None,
    height: int = 1024,
    width: int | None = None,
    seed: int | np.random.Generator = 0,
    variation: float = 1.0,
    maturity_scatter_months: float = 0.0,
    look: FilmLook | None = None,
) -> Phantom:
    """Draw a radiograph of a child's hand, palm down, and say what is on it.

    The same arguments give the same film; the size changes the sampling, not the anatomy.

    Args:
        age_months: age in months, 0 to 228; the maturity of the median child of that age and sex.
        sex: female or male.
        side: which hand; a right hand is the mirror image of a left one.
        pose: rotation, shift, scale, fingers; upright and centred if None.
        height: film rows, 64 to 6000.
        width: film columns, or None for the aspect of usual films.
        seed: seed or generator of everything random.
        variation: spread of the individual's proportions, 1 as among children, 0 for the median hand.
        maturity_scatter_months: standard deviation of each joint's own advance or delay, months; 0 keeps the grades a
            function of age and sex.
        look: what the film adds (noise, marker, shutters ...); `FilmLook.clean()` for none of it.

    Raises:
        ValueError: if a value is out of its range, or the pose puts a joint off the film; says which and the value.
    """
    age, sex = check_age(age_months), check_sex(sex)
    height, width = shape = _check_size(height, width)
    _check_film(side, variation, maturity_scatter_months)
    pose, look = pose or Pose(), look or FilmLook()
    body, ripening, structure, exposure = np.random.default_rng(seed).spawn(4)
    maturity = _maturities(age, sex, maturity_scatter_months, ripening)
    hand = build_hand(age_months=age, sex=sex, maturity=maturity, pose=pose, rng=body, variation=variation)
    placement = place(_must_show(hand), side=side, pose=pose, height=height, width=width, fill=_fill(age, sex))
    joints = tuple(
        joint_truth(j, hand=hand, maturity=maturity[j], placement=placement, pose=pose, shape=shape) for j in JOINTS
    )
    attenuation, depth = _render(hand, placement, shape=shape, look=look, rng=structure)
    mask = depth > 0
    pixels = expose(attenuation, mask=mask, side=side, look=look, rng=exposure)
    unit_mm = _hand_length_mm(age, sex) / 1.94 / placement.pixels_per_unit
    return Phantom(
        radiograph=_radiograph(pixels, age=age, sex=sex, side=side, spacing_mm=unit_mm),
        joints=joints,
        hand_box=hand_box(hand, placement, shape),
        carpals=carpal_truths(hand, placement),
        side=side,
        rotation_degrees=pose.rotation_degrees,
        age_months=age,
        sex=sex,
        mask=mask,
        outlines=outline_labels(hand, placement, shape=shape),
    )


def _must_show(hand: Hand) -> NDArray[np.float64]:
    """Return the plan points that should stay on the film, shape (n, 2)."""
    return np.concatenate([outline_points(hand), box_corners(hand)])


def _radiograph(pixels: Field, *, age: float, sex: Sex, side: Side, spacing_mm: float) -> Radiograph:
    """Return the film as reading a file would."""
    return Radiograph(
        pixels=pixels,
        name=f"phantom-{sex.value}-{age:g}-months",
        sha256=hashlib.sha256(pixels.tobytes()).hexdigest(),
        spacing_mm=(spacing_mm, spacing_mm),
        sex=sex,
        side=side,
        bits=16,
    )


def _check_film(side: Side, variation: float, scatter: float) -> None:
    if side not in (Side.LEFT, Side.RIGHT):
        raise ValueError(f"side must be left or right, got {side!r}")
    if variation < 0 or scatter < 0:
        raise ValueError(f"variation and scatter cannot be negative, got {variation!r}, {scatter!r}")


def _check_size(height: int, width: int | None) -> tuple[int, int]:
    """Return height and width, the latter filled in."""
    columns = round(height * _ASPECT) if width is None else width
    for name, value in (("height", height), ("width", columns)):
        least = SMALLEST if width is not None or name == "height" else 1
        if isinstance(value, bool) or int(value) != value or not least <= value <= LARGEST:
            raise ValueError(f"{name} must be a whole number of pixels from {SMALLEST} to {LARGEST}, got {value!r}")
    return int(height), int(columns)


def _maturities(age: float, sex: Sex, scatter: float, rng: np.random.Generator) -> dict[str, float]:
    """Return each joint's maturity, with its own advance or delay."""
    ages = np.clip(age + scatter * rng.standard_normal(len(JOINTS)), 0, None)
    return {j: maturity_at(j, age_months=float(a), sex=sex) for j, a in zip(JOINTS, ages, strict=True)}


def _hand_length_mm(age: float, sex: Sex) -> float:
    table = anatomy("hand_length_mm")
    return float(np.interp(age, table["age_months"], table[sex.value]))


def _fill(age: float, sex: Sex) -> float:
    """Return how much of the film the hand fills: small hands are framed with more room around them."""
    return float(0.95 * (_hand_length_mm(age, sex) / 190.0) ** 0.3)


def _render(
    hand: Hand,
    placement: Placement,
    *,
    shape: tuple[int, int],
    look: FilmLook,
    rng: np.random.Generator,
) -> tuple[Field, Field]:
    """Return attenuation and depth inside the outline, both of the film's shape."""
    finer = int(np.clip(np.ceil(_FINE_PIXELS_PER_UNIT / placement.pixels_per_unit), 1, 4))
    rows, columns = shape[0] * finer, shape[1] * finer
    fine = placement.zoomed(finer)
    depth = flesh_depth(hand, placement=fine, height=rows, width=columns)
    grain = ndimage.gaussian_filter(rng.standard_normal((256, 256)).astype(np.float32), 1.2, mode="wrap")
    canvas = Canvas(soft_attenuation(depth), fine, grain / np.float32(grain.std()), look.texture)
    for bone in hand.bones:
        draw_long_bone(canvas, bone)
    for carpal in hand.carpals:
        draw_carpal(canvas, carpal)
    if finer == 1:
        return canvas.attenuation, depth
    return _averaged(canvas.attenuation, finer), _averaged(depth, finer)


def _averaged(field: Field, factor: int) -> Field:
    rows, columns = field.shape[0] // factor, field.shape[1] // factor
    mean: Field = field.reshape(rows, factor, columns, factor).mean(axis=(1, 3), dtype=np.float32)
    return mean
