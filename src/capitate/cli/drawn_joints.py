"""Drawn joints in `JOINT/GRADE/` folders, as `capitate train configs/joint-grades.toml` takes them, with measures."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from capitate.cli.writing import make_folder, writing
from capitate.errors import GradeError

if TYPE_CHECKING:
    from capitate.phantom import DrawnJoint

__all__ = ["JointRequest", "draw_joints"]


@dataclass(frozen=True)
class JointRequest:
    """What to draw.

    Attributes:
        folder: for pictures and table.
        count: of pictures.
        joints: names of RUS-CHN joints; all 13 where empty.
        size: rows and columns of a picture.
        seed: the same seed draws the same pictures.
    """

    folder: Path
    count: int
    joints: tuple[str, ...]
    size: int
    seed: int


def draw_joints(request: JointRequest, *, step: Callable[[], None]) -> Path:
    """Draw joints of evenly spread grades, each picture another hand, and write a table of their measures.

    Args:
        request: what to draw.
        step: called after every picture.

    Returns:
        The table, `joints.csv`.

    Raises:
        GradeError: if a joint is none of the 13 of RUS-CHN.
        ReportWriteError: if a file cannot be written.
    """
    import numpy as np

    from capitate.phantom import RUS_JOINTS, draw_joint, grade_count

    joints = request.joints or RUS_JOINTS
    strange = [joint for joint in joints if joint not in RUS_JOINTS]
    if strange:
        raise GradeError(f"no joint of RUS-CHN is named {strange[0]!r}; choose from {', '.join(RUS_JOINTS)}")
    wanted = [(joint, grade) for joint in joints for grade in range(grade_count(joint) + 1)]
    generators = np.random.default_rng(request.seed).spawn(request.count)
    # Any count shows grades evenly: the places of the pictures in the list of grades are evenly spread over it.
    places = (np.arange(request.count) + 0.5) * len(wanted) / request.count
    order = places.astype(int) if request.count < len(wanted) else np.arange(request.count) % len(wanted)
    rows = []
    for number, (place, generator) in enumerate(zip(order.tolist(), generators, strict=True)):
        joint, grade = wanted[place]
        drawn = draw_joint(joint, grade, size=request.size, seed=generator)
        rows.append(_written(drawn, request.folder, number))
        step()
    table = request.folder / "joints.csv"
    with writing(table), table.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return table


def _written(drawn: DrawnJoint, folder: Path, number: int) -> dict[str, str]:
    """Write a picture and return its row."""
    import numpy as np
    from PIL import Image

    place = Path(drawn.joint) / str(drawn.grade) / f"phantom-{number:06d}__{drawn.joint}.png"
    make_folder(folder / place.parent)
    with writing(folder / place):
        Image.fromarray(np.rint(drawn.pixels * 255).astype(np.uint8)).save(folder / place)
    return {
        "path": place.as_posix(),
        "joint": drawn.joint,
        "grade": str(drawn.grade),
        "maturity": f"{drawn.maturity:.3f}",
        "sex": str(drawn.sex),
        "width_ratio": f"{drawn.width_ratio:.4f}",
        "gap": "" if drawn.gap is None else f"{drawn.gap:.4f}",
        "fused": f"{drawn.fused:.4f}",
    }
