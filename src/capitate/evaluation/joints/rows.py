"""`predictions.csv` of joints: a line a box, found or labelled, and a line for everything that could not be judged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capitate.evaluation.detection_rows import BOX_COLUMNS, BoxRow, box_cells, box_rows
from capitate.evaluation.joints.figures import JointEvaluation
from capitate.evaluation.joints.films import CLASSES, FilmResult
from capitate.evaluation.joints.listing import Unjudged
from capitate.evaluation.joints.naming import naming_outcomes
from capitate.evaluation.joints.truth import TrueHand
from capitate.hand import NamedJoint

__all__ = ["COLUMNS", "prediction_rows"]

COLUMNS = (
    *BOX_COLUMNS, "label", "name", "named", "naming", "status", "remark", "side", "found_side", "in_training",
    "refusal", "unused",
)  # fmt: skip
Cells = dict[str, object]


def prediction_rows(evaluation: JointEvaluation, rest: Unjudged) -> Iterator[Cells]:
    """Give the lines: the headline's films, those seen in training, those left out, and what could not be judged."""
    for result in (*evaluation.results, *evaluation.in_training):
        yield from _of_film(result, evaluation.threshold)
    for result in evaluation.left_out:
        yield from _labels(result.truth, film=result.study.id, unused="wrong_labels")
    for study in rest.films:
        yield {"id": study.id, "unused": "no_labels"}
    for hand in rest.hands:
        yield from _labels(hand, film=hand.film, unused="no_film")
    for one in rest.boxes:
        box = {} if one.box is None else box_cells(np.array([one.box.x, one.box.y, one.box.width, one.box.height]))
        place = {f"true_{name}": cell for name, cell in box.items()}
        yield {"id": one.film, "label": one.joint, **place, "unused": one.reason}


def _labels(hand: TrueHand, **cells: str) -> Iterator[Cells]:
    """Give the labelled joints of a film on which nothing was found."""
    film = cells.pop("film")
    for joint in hand.joints:
        place = {f"true_{name}": cell for name, cell in box_cells(np.array(joint.box)).items()}
        yield {"id": film, "joint": joint.bone, "label": joint.label, "name": joint.joint or "", **place, **cells}


def _of_film(result: FilmResult, threshold: float) -> Iterator[Cells]:
    about = {
        "side": result.side,
        "found_side": "" if result.reading is None else result.found_side,
        "in_training": "true" if result.in_training else "false",
    }
    if result.reading is None:
        yield from _labels(result.truth, film=result.study.id, refusal=result.refusal or "", **about)
        return
    rows, columns = result.reading.shape
    outcomes = naming_outcomes(result.true_places, result.places)
    for row in box_rows(result.by_class, names=CLASSES, threshold=threshold, size=(columns, rows)):
        joint = result.truth.joints[row.truth] if row.truth >= 0 else None
        named = _named(result, row)
        name = None if joint is None else joint.joint
        yield (
            row.cells()
            | about
            | {
                "label": "" if joint is None else joint.label,
                "name": name or "",
                "named": "" if named is None else named.joint,
                "naming": outcomes.get(name, "") if name is not None else "",
                "status": "" if named is None else named.status,
                "remark": "" if named is None else " ".join(one.message for one in named.remarks),
            }
        )


def _named(result: FilmResult, row: BoxRow) -> NamedJoint | None:
    """Find the joint that naming made of a found box."""
    if result.reading is None or row.found < 0:
        return None
    box = result.reading.found[row.found].box
    return next((one for one in result.reading.hand.joints if one.box == box), None)
