"""Drawn films with the boxes of their joints, as files and a table, for tests of the detector."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from capitate.phantom import Phantom, Pose, draw
from capitate.training.data.boxes import LabelledBox, write_boxes
from capitate.training.joints.points import class_of
from capitate.types import Sex, Side


def drawn_hands(count: int, *, height: int = 96) -> list[Phantom]:
    """Hands of both sexes and sides, upright and tilted."""
    return [
        draw(
            age_months=60 + 150 * k / count,
            sex=Sex.MALE if k % 2 else Sex.FEMALE,
            side=Side.RIGHT if k % 3 == 2 else Side.LEFT,
            pose=Pose(rotation_degrees=(0, 20, -30)[k % 3]),
            height=height,
            seed=k,
        )
        for k in range(count)
    ]


def labelled(film: str, hand: Phantom, *, named: bool = False) -> list[LabelledBox]:
    """The joints' boxes as fractions, by the seven classes or the 21 names."""
    rows, columns = hand.radiograph.pixels.shape
    return [
        LabelledBox(
            film,
            joint.name if named else class_of(joint.name),
            (joint.box.x + joint.box.width / 2) / columns,
            (joint.box.y + joint.box.height / 2) / rows,
            joint.box.width / columns,
            joint.box.height / rows,
        )
        for joint in hand.joints
    ]


def write_films(folder: Path, hands: Sequence[Phantom], *, named: bool = False) -> Path:
    """Films, `films.csv` and `boxes.csv` in a folder; gives the table of films."""
    (folder / "films").mkdir(parents=True)
    rows, boxes = ["path,sex,bone_age_months"], []
    for k, hand in enumerate(hands):
        pixels = np.round(hand.radiograph.pixels * 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "films" / f"film-{k}.png")
        rows.append(f"films/film-{k}.png,{hand.sex},{hand.age_months}")
        boxes += labelled(f"film-{k}", hand, named=named)
    (folder / "films.csv").write_text("\n".join(rows) + "\n", encoding="utf8")
    write_boxes(boxes, folder / "boxes.csv")
    return folder / "films.csv"
