"""The plan of a hand, measured on labelled hands: `capitate.hand.plan` ships what this gives."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.hand.affine import fit_affine, fit_similarity
from capitate.hand.joints import FINGERS, Joint
from capitate.hand.plan import JOINTS, HandPlan
from capitate.training.data.boxes import LabelledBox
from capitate.training.hand_points import BoxOfJoint, HandPoints, boxes_by_points
from capitate.training.table import read_table
from capitate.types import Side

__all__ = ["NOISE", "TRUSTED", "labelled_shapes", "measure_plan", "read_aspects"]

Array = NDArray[np.float64]

TRUSTED = 0.1
"""Distance of a box from its bone, in hulls of the hand, above which a hand's labels are not learned from."""
NOISE = 0.008
"""Standard deviation added to every coordinate, plan units: how far a person's box centres scatter, so that the plan
does not take a coordinate that hardly varied among some 260 hands for an exact one."""
_CUT = 4.0
_ROUNDS = 20


def labelled_shapes(
    boxes: Mapping[str, Sequence[LabelledBox]], points: Mapping[str, HandPoints]
) -> dict[str, tuple[Array, Array]]:
    """Take the hands whose boxes and key points agree, as left hands in fractions of the film.

    Returns:
        By film, the centres of the 21 boxes, (21, 2), and the five fingertips, (5, 2).
    """
    shapes = {}
    for film in sorted(boxes.keys() & points.keys()):
        own = boxes_by_points(boxes[film], points[film])
        if len(own) == len(JOINTS) and max(one.off_bone for one in own.values()) <= TRUSTED:
            shapes[film] = _shape(boxes[film], own, points[film])
    return shapes


def measure_plan(
    shapes: Mapping[str, tuple[Array, Array]], *, aspects: Mapping[str, float], leave_out: Collection[str] = ()
) -> HandPlan:
    """Measure mean places and their variation.

    The proportions are those of the hands whose film's aspect is known, brought together by similarities (generalised
    Procrustes analysis with medians). How places vary is measured on all hands, each brought to these proportions by an
    affine map, since the aspect of squashed films is not recorded; deviations above four robust standard deviations
    are cut off there.

    Args:
        shapes: from `labelled_shapes`.
        aspects: width over height of films whose aspect is known.
        leave_out: films that are not measured, such as those that the plan is tried on.

    Raises:
        UsageError: if there are too few hands.
    """
    used = {film: shape for film, shape in shapes.items() if film not in leave_out}
    framed = [shape * np.array([aspects[film], 1.0]) for film, (shape, _) in used.items() if film in aspects]
    if len(framed) < 10 or len(used) < 45:
        raise UsageError(
            f"a plan needs 45 labelled hands, of 10 of which the film's aspect is known; got {len(used)} and "
            f"{len(framed)}"
        )
    mean = _mean_shape(framed)
    maps = {film: fit_affine(shape, mean) for film, (shape, _) in used.items()}
    off = np.array([maps[film](shape) - mean for film, (shape, _) in used.items()]).reshape(len(used), -1)
    middle = np.median(off, axis=0)
    sd = np.median(np.abs(off - middle), axis=0) / 0.6745
    cut = np.clip((off - middle) / sd, -_CUT, _CUT) * sd
    tips = np.median([maps[film](ends) for film, (_, ends) in used.items()], axis=0)
    covariance = cut.T @ cut / len(cut) + NOISE**2 * np.eye(off.shape[1])
    return HandPlan(mean + middle.reshape(-1, 2), covariance, tips, len(used))


def read_aspects(path: Path) -> dict[str, float]:
    """Read width over height of films from a table in the form of `rsna-highres/index.csv`, by id.

    Rows of a `kind` other than `original` and `half-scale` are left out: somebody may have changed their proportions.

    Raises:
        TableError: naming file, line and column.
    """
    table = read_table(path)
    table.require("id", "width", "height")
    aspects = {}
    for row in table.rows:
        width, height = (row.number(name, most=1e6, unit="pixels") for name in ("width", "height"))
        if width and height and row.values.get("kind", "original") in ("original", "half-scale"):
            aspects[row.values["id"]] = width / height
    return aspects


def _shape(boxes: Sequence[LabelledBox], own: Mapping[Joint, BoxOfJoint], points: HandPoints) -> tuple[Array, Array]:
    """Bring one hand to the form of a left one."""
    places = np.array([(boxes[own[joint].number].x, boxes[own[joint].number].y) for joint in JOINTS])
    names = ("thumb4", "forefinger4", "middle_finger4", "ring_finger4", "pinky_finger4")
    tips = np.array([points.at[name] for name in names])
    if points.side is Side.RIGHT:
        return places * [-1, 1] + [1, 0], tips * [-1, 1] + [1, 0]
    return places, tips


def _mean_shape(shapes: Sequence[Array]) -> Array:
    """Bring shapes together and into the plan's frame."""
    mean = _framed(shapes[0])
    for _ in range(_ROUNDS):
        mean = _framed(np.median([fit_similarity(one, mean, mirrored=False)(one) for one in shapes], axis=0))
    return mean


def _framed(shape: Array) -> Array:
    """Put the wrist at (0, 0) and the third finger's end at (0, -1)."""
    wrist = shape[[JOINTS.index(Joint.RADIUS), JOINTS.index(Joint.ULNA)]].mean(axis=0)
    end = shape[JOINTS.index(FINGERS["Third"][-1])]
    ends = np.array([[0.0, 0.0], [0.0, -1.0]])
    return fit_similarity(np.array([wrist, end]), ends, mirrored=False)(shape)
