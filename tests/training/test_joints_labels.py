"""Labels of hands: hulls, direction, and what is wrong with the boxes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from capitate.errors import TableError
from capitate.training.joints_labels import (
    BOX_RIM,
    BOXES_OF_A_HAND,
    audit_boxes,
    hand_labels,
    hull,
    measure_box_rim,
)

FINGERS = ("forefinger", "middle_finger", "ring_finger", "pinky_finger")


def keypoint_row(film: str) -> dict[str, object]:
    """An upright hand: knuckles at height 0.5, wrist below at (0.5, 0.9), fingers up to 0.2."""
    row: dict[str, object] = {"id": film, "side": "left"}
    at = {"wrist": (0.5, 0.9)} | {f"thumb{k}": (0.8, 0.8 - 0.1 * k) for k in (1, 2, 3, 4)}
    for n, finger in enumerate(FINGERS):
        at |= {f"{finger}{k}": (0.65 - 0.1 * n, 0.6 - 0.1 * k) for k in (1, 2, 3, 4)}
    for name, (x, y) in at.items():
        row |= {f"{name}_x": x, f"{name}_y": y}
    return row


def box_rows(film: str, *, leave_out: str = "", beyond: float = 0.0) -> list[tuple[object, ...]]:
    """Boxes whose centres reach from (0.2, 0.1) to (0.8, 0.9), the wrist below the knuckles."""
    rows: list[tuple[object, ...]] = []
    heights = {"Radius": 0.9, "Ulna": 0.9, "MCPFirst": 0.7, "MCP": 0.5, "ProximalPhalanx": 0.4, "MiddlePhalanx": 0.3}
    for name, count in BOXES_OF_A_HAND.items():
        if name != leave_out:
            spread = np.linspace(0.2, 0.8, count) if count > 1 else [0.5]
            rows += [(film, name, x, heights.get(name, 0.1), 0.05, 0.05 + 2 * beyond) for x in spread]
    return rows


def write(path: Path, header: str, rows: list[tuple[object, ...]]) -> Path:
    path.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf8")
    return path


@pytest.fixture
def keypoints(tmp_path):
    rows = [keypoint_row("1"), keypoint_row("2")]
    return write(tmp_path / "keypoints.csv", ",".join(rows[0]), [tuple(row.values()) for row in rows])


def boxes(tmp_path, rows):
    return write(tmp_path / "boxes.csv", "id,joint,x_center,y_center,width,height", rows)


def test_key_points_come_first_and_wrong_counts_teach_nothing(tmp_path, keypoints):
    table = boxes(tmp_path, [*box_rows("2"), *box_rows("3"), *box_rows("4", leave_out="Ulna")])
    labels = {label.film: label for label in hand_labels(keypoints, table)}
    assert {film: label.boxes for film, label in labels.items()} == {"1": False, "2": False, "3": True}
    assert labels["1"].points.shape == (16, 2)
    assert hull(labels["1"].points) == pytest.approx([0.35, 0.3, 0.8, 0.9])
    assert hull(labels["3"].points) == pytest.approx([0.2, 0.1, 0.8, 0.9])
    for label in labels.values():
        assert label.up[0] == pytest.approx(0, abs=1e-9)
        assert label.up[1] == pytest.approx(-0.4)


def test_audit_names_what_is_wrong(tmp_path, keypoints):
    table = boxes(tmp_path, [*box_rows("2"), *box_rows("3", beyond=0.2), *box_rows("4", leave_out="Ulna")])
    audit = audit_boxes(table, keypoints)
    assert audit.hands == 3
    assert audit.wrong_counts == {"4": "Ulna 0 of 1"}
    assert audit.beyond_edge == 7
    assert audit.moved == ("2",)


def test_rim_is_measured_on_hands_with_both(tmp_path, keypoints):
    found = measure_box_rim(boxes(tmp_path, box_rows("2")), keypoints)
    assert found == pytest.approx([(0.2 - 0.35) / 0.45, (0.1 - 0.3) / 0.6, 0, 0])


@pytest.mark.parametrize("value", ["left", "1.5", ""])
def test_a_bad_coordinate_is_named(tmp_path, keypoints, value):
    rows = box_rows("3")
    rows[4] = ("3", "MCP", value, 0.5, 0.1, 0.1)
    with pytest.raises(TableError, match=r"line 6, column 'x_center'"):
        hand_labels(keypoints, boxes(tmp_path, rows))


@pytest.mark.films
def test_the_published_tables(films_root):
    joints = films_root / "joints"
    audit = audit_boxes(joints / "boxes-21.csv", joints / "hand-keypoints-21.csv")
    assert (audit.hands, len(audit.wrong_counts)) == (731, 26)
    assert len(hand_labels(joints / "hand-keypoints-21.csv", joints / "boxes-21.csv")) == 1003
    assert measure_box_rim(joints / "boxes-21.csv", joints / "hand-keypoints-21.csv") == pytest.approx(
        BOX_RIM, abs=1e-4
    )
