"""The hand's plan for one child: every bone's axis, widths and epiphysis, in plan units, before it meets a film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.phantom.maturity import EpiphysisLook, carpal_size, look_of, sesamoid_size, youth
from capitate.phantom.pose import Pose, turn
from capitate.phantom.reference import CARPALS, FINGERS, JOINTS, anatomy
from capitate.types import Sex

__all__ = ["Carpal", "Hand", "LongBone", "build_hand"]

Array = NDArray[np.float64]

_SPREAD_SHARE = {"Second": 0.5, "Third": 0.12, "Fourth": -0.2, "Fifth": -0.5}
_PARTS = {"First": ("MCP", "PIP", "DIP"), **dict.fromkeys(FINGERS[1:], ("MCP", "PIP", "MIP", "DIP"))}


@dataclass(frozen=True)
class LongBone:
    """A tubular bone with one epiphysis.

    Attributes:
        joint: name of the joint that its epiphysis belongs to.
        profile: how its width runs along the shaft, a key of `bones.PROFILES`.
        start: plan position of the joint at its epiphysis.
        end: plan position of its other end.
        width: full width at the metaphysis, plan units.
        height: height of the full-grown epiphysis, plan units.
        radial: +1 if `end` lies below `start` on the plan, else -1; orients distances towards the thumb.
        look: what its epiphysis looks like.
        youth: 1 at birth to 0; young bones end farther from their joints.
    """

    joint: str
    profile: str
    start: Array
    end: Array
    width: float
    height: float
    radial: int
    look: EpiphysisLook
    youth: float


@dataclass(frozen=True)
class Carpal:
    """A carpal bone or the thumb's sesamoid; `size` is 0 before it appears. Lengths in plan units."""

    name: str
    centre: Array
    axes: tuple[float, float]
    turn_degrees: float
    lobes: tuple[tuple[float, float, float], ...]
    size: float


@dataclass(frozen=True)
class Hand:
    """Everything that is drawn, in plan units.

    Attributes:
        rays: joint centres of each finger, from metacarpal base to tip, shape (4 or 5, 2).
        bones: the 21 tubular bones.
        carpals: the eight carpal bones, then the sesamoid.
        plumpness: soft-tissue radius over the usual.
        youth: 1 at birth to 0 at twelve years.
    """

    rays: dict[str, Array]
    bones: tuple[LongBone, ...]
    carpals: tuple[Carpal, ...]
    plumpness: float
    youth: float

    def bone(self, joint: str) -> LongBone:
        """Return the bone whose epiphysis a joint name stands for."""
        return self.bones[JOINTS.index(joint)]


def _ray(points: Array, *, finger: str, pose: Pose, young: float, rng: np.random.Generator, variation: float) -> Array:
    """Bend, spread and vary one ray's joint centres."""
    steps = np.diff(points, axis=0) * (1 + variation * 0.025 * rng.standard_normal((len(points) - 1, 1)))
    base = points[0] * np.array([1 + 0.10 * young, 1.0])
    angles = variation * np.array([0.8, 1.6, 1.2, 1.2])[: len(steps)] * rng.standard_normal(len(steps))
    bend = pose.flexion * np.array([0.0, 22.0, 42.0, 30.0])[: len(steps)]
    if finger == "First":
        angles[0] += 0.8 * pose.thumb_degrees
        angles[1] += 0.4 * pose.thumb_degrees
        bend = bend / 2
    else:
        angles[0] += 0.12 * _SPREAD_SHARE[finger] * pose.spread_degrees + 4 * young * _SPREAD_SHARE[finger]
        angles[1] += 0.88 * _SPREAD_SHARE[finger] * pose.spread_degrees
    shorten = np.cos(np.deg2rad(np.cumsum(bend)))
    moved = [turn(a) @ s * c for a, s, c in zip(np.cumsum(angles), steps, shorten, strict=True)]
    return np.vstack([base, base + np.cumsum(moved, axis=0)])


def at_head(joint: str) -> bool:
    """Return whether a bone carries its epiphysis at the head: metacarpals II to V; all others carry it at the base."""
    return joint.startswith("MCP") and joint != "MCPFirst"


def _finger_bones(rays: dict[str, Array]) -> dict[str, tuple[Array, Array]]:
    """Pair each finger bone's joint name with its epiphyseal and its other end."""
    found: dict[str, tuple[Array, Array]] = {}
    for finger, points in rays.items():
        for part, near, far in zip(_PARTS[finger], points[:-1], points[1:], strict=True):
            found[part + finger] = (far, near) if at_head(part + finger) else (near, far)
    return found


def _long_bones(
    ends: dict[str, tuple[Array, Array]], *, maturity: dict[str, float], young: float, widths: Array
) -> tuple[LongBone, ...]:
    """Build the 21 tubular bones in the order of `JOINTS`."""
    facts = anatomy("bones")
    bones = []
    for joint, factor in zip(JOINTS, widths, strict=True):
        start, end = ends[joint]
        width = facts[joint]["width"] * factor * (1 + 0.06 * young)
        axis = end - start
        bones.append(
            LongBone(
                joint=joint,
                profile=facts[joint]["profile"],
                start=start,
                end=end,
                width=width,
                height=facts[joint]["height"] * width * (1 - 0.35 * young),
                radial=1 if axis[1] > 0 else -1,
                look=look_of(joint, maturity=maturity[joint]),
                youth=young,
            )
        )
    return tuple(bones)


def _carpals(*, age_months: float, sex: Sex, young: float, rng: np.random.Generator, variation: float) -> list[Carpal]:
    """Build the eight carpal bones, drawn in towards the wrist's middle while much of them is cartilage."""
    found = []
    for name in CARPALS:
        facts = anatomy("carpals")[name]
        jitter = 1 + variation * 0.05 * rng.standard_normal(2)
        centre = np.array(facts["centre"]) * [1 + 0.08 * young, 1.0] + variation * 0.004 * rng.standard_normal(2)
        found.append(
            Carpal(
                name=name,
                centre=centre,
                axes=(facts["axes"][0] * jitter[0], facts["axes"][1] * jitter[1]),
                turn_degrees=facts["turn"] + variation * 5 * rng.standard_normal(),
                lobes=tuple(tuple(lobe) for lobe in facts["lobes"]),
                size=carpal_size(name, age_months=age_months, sex=sex),
            )
        )
    return found


def build_hand(
    *, age_months: float, sex: Sex, maturity: dict[str, float], pose: Pose, rng: np.random.Generator, variation: float
) -> Hand:
    """Lay out one child's hand.

    Args:
        age_months: age in months; sets carpals, plumpness and proportions.
        sex: female or male.
        maturity: maturity of each of the 21 joints.
        pose: finger spread, thumb and flexion; the rest of the pose belongs to the film.
        rng: source of the individual's own proportions.
        variation: spread of these, 1 as among children, 0 for the median hand.
    """
    young = youth(age_months)
    rays = {
        f: _ray(np.array(anatomy("rays")[f]), finger=f, pose=pose, young=young, rng=rng, variation=variation)
        for f in FINGERS
    }
    ends = _finger_bones(rays)
    lean = variation * 0.02 * rng.standard_normal()
    for joint, (wrist, elbow) in anatomy("forearm").items():
        ends[joint] = (np.array(wrist) * [1 + 0.1 * young, 1.0], np.array(elbow) + np.array([lean * 2.6, 0.0]))
    robust = 1 + variation * 0.04 * rng.standard_normal()
    widths = robust * (1 + variation * 0.02 * rng.standard_normal(len(JOINTS)))
    if sex is Sex.MALE:
        widths = widths * 1.02
    bones = _long_bones(ends, maturity=maturity, young=young, widths=widths)
    carpals = _carpals(age_months=age_months, sex=sex, young=young, rng=rng, variation=variation)
    carpals.append(_sesamoid(rays["First"], size=sesamoid_size(age_months=age_months, sex=sex)))
    plumpness = (1 + 0.10 * young) * (1 + variation * 0.06 * rng.standard_normal())
    return Hand(rays=rays, bones=bones, carpals=tuple(carpals), plumpness=float(plumpness), youth=young)


def _sesamoid(thumb: Array, *, size: float) -> Carpal:
    """Place the adductor sesamoid beside the thumb's metacarpophalangeal joint, on the side of the index finger."""
    axis = thumb[1] - thumb[0]
    axis = axis / np.hypot(*axis)
    inward = np.array([axis[1], -axis[0]])
    centre = thumb[1] - 0.05 * axis + 0.082 * inward
    return Carpal("sesamoid", centre, (0.026, 0.031), 0.0, (), size)
