"""A table of graded hands, one a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from capitate.errors import CapitateError, CellError, TableError
from capitate.methods import Joint
from capitate.report.plain import printable
from capitate.report.score_forms import SCORE_COLUMNS
from capitate.training.table import Row, read_table
from capitate.types import Sex

__all__ = ["Hand", "read_hands"]


@dataclass(frozen=True)
class Hand:
    """One hand to score.

    Attributes:
        sex: the sex, None if neither row nor option states it.
        written: what stands in the joints' cells.
        kept: the row's other cells by column; empty where there is no table.
        cells: the row's cells of sex and joints as they stand, by the name of the column.
        shown: name of the row for a reader.
        fault: what is wrong with the row, if anything.
    """

    sex: Sex | None
    written: Mapping[Joint, str]
    kept: Mapping[str, str] = field(default_factory=dict)
    cells: Mapping[str, str] = field(default_factory=dict)
    shown: str = ""
    fault: CapitateError | None = None


def read_hands(table: Path, *, sex: Sex | None) -> list[Hand]:
    """Read a table with columns named as the joints, a column `sex`, and any others, which are kept.

    Columns that `capitate score` writes itself are written anew, so that its own table can be given again.

    Args:
        table: the CSV file.
        sex: for rows without one.

    Raises:
        TableError: if it cannot be read, or has no column of a joint.
    """
    read = read_table(table)
    joints = {joint.casefold(): joint for joint in Joint}
    found = [column for column in read.columns if column in joints]
    if not found:
        names = ", ".join(read.columns)
        raise TableError(f"{table.name}, line 1: no column of a joint, got {names}; name columns {', '.join(Joint)}")
    own = {column.casefold() for column in SCORE_COLUMNS}
    kept = [column for column in read.columns if column and column not in own]
    return [_hand(row, {column: joints[column] for column in found}, kept=kept, sex=sex) for row in read.rows]


def _hand(row: Row, joints: Mapping[str, Joint], *, kept: list[str], sex: Sex | None) -> Hand:
    """Read one row; a wrong sex is a fault of this row alone."""
    fault: CapitateError | None = None
    try:
        stated = row.sex("sex")
    except CellError as error:
        stated, fault = None, error
    others = {column: row.values.get(column, "") for column in kept}
    written = {joint: row.values.get(column, "") for column, joint in joints.items()}
    first = next((cell for cell in others.values() if cell), "")
    return Hand(
        sex=sex if stated in (None, Sex.UNKNOWN) else stated,
        written=written,
        kept=others,
        cells={"sex": row.values.get("sex", "")} | {joint.value: text for joint, text in written.items()},
        shown=printable(f"{row.path.name}, line {row.line}" + (f": {first}" if first else "")),
        fault=fault,
    )
