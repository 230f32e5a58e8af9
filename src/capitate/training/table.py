"""Text tables as people really save them, read into rows that remember their line for error messages."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import NoReturn

from capitate.errors import CellError, FilmError, TableError
from capitate.files.archive import archive_of, read_member
from capitate.files.limits import Limits
from capitate.types import Sex, Side

__all__ = ["Row", "Table", "read_table", "read_text"]

MAX_BYTES = 256 * 1024 * 1024
MAX_MONTHS = 360.0
_SEXES = {
    "female": Sex.FEMALE,
    "f": Sex.FEMALE,
    "male": Sex.MALE,
    "m": Sex.MALE,
    "unknown": Sex.UNKNOWN,
    "u": Sex.UNKNOWN,
}
_SIDES = {"left": Side.LEFT, "l": Side.LEFT, "right": Side.RIGHT, "r": Side.RIGHT, "unknown": Side.UNKNOWN}
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_NOT_READ = frozenset({"na", "n/a"})


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        path: the table's file.
        line: line number in the file, the header is line 1.
        values: cell by column name; names in lower case, cells stripped.
        decimal_comma: whether `126,5` is a number here; true where the comma does not separate cells.
    """

    path: Path
    line: int
    values: Mapping[str, str]
    decimal_comma: bool = False

    def fail(self, column: str, problem: str, advice: str, *, fault: str = "bad_cell") -> NoReturn:
        """Raise a `CellError` that names file, line, column, the value received and what to do."""
        value = self.values.get(column, "")
        where = f"{self.path.name}, line {self.line}, column {column!r}"
        message = f"{where}: {problem}, got {value!r}; {advice}"
        raise CellError(message, line=self.line, column=column, value=value, fault=fault)

    def text(self, column: str) -> str | None:
        """Return the cell, or None if the column is missing or the cell empty."""
        return self.values.get(column) or None

    def number(self, column: str, *, most: float, unit: str = "months") -> float | None:
        """Return a finite number of [0, most], or None if the cell is empty or the column missing."""
        text = self.text(column)
        if text is None:
            return None
        try:
            value = float(text.replace(",", ".") if self.decimal_comma else text)
        except ValueError:
            self.fail(column, "not a number", f"write a number of {unit} such as 126.5, or leave the cell empty")
        if not math.isfinite(value):
            advice = f"write a number of {unit}, or leave the cell empty"
            self.fail(column, "not a finite number", advice, fault="not_finite")
        if not 0 <= value <= most:
            problem = f"it must be 0 to {most:g} {unit}"
            self.fail(column, problem, f"correct it, or convert it to {unit}", fault="out_of_range")
        return value

    def sex(self, column: str) -> Sex | None:
        """Return the sex, or None if the cell is empty or the column missing.

        `0`, `1`, `True` and `False` are refused here: which sex they mean depends on who wrote the table. The
        published layouts have a column named `male` for them, see `truth`.
        """
        text = self.text(column)
        if text is None:
            return None
        if text.casefold() not in _SEXES:
            self.fail(column, "unknown sex", "write female, male or unknown (or F, M, U)", fault="bad_sex")
        return _SEXES[text.casefold()]

    def side(self, column: str) -> Side:
        """Return the side of the body; an empty cell or missing column is `Side.UNKNOWN`."""
        text = self.text(column)
        if text is None:
            return Side.UNKNOWN
        if text.casefold() not in _SIDES:
            self.fail(column, "unknown side", "write left, right or unknown")
        return _SIDES[text.casefold()]

    def truth(self, column: str) -> bool | None:
        """Return a yes or no written as True/False, 1/0 or yes/no, or None if the cell is empty."""
        text = self.text(column)
        if text is None:
            return None
        if text.casefold() not in _TRUTHS:
            self.fail(column, "neither true nor false", "write True or False, or 1 or 0")
        return _TRUTHS[text.casefold()]

    def label(self, column: str) -> bool | None:
        """Return a reading: as `truth`, and None where the cell is NA because nobody has read the study.

        A fraction such as 1.0, which spreadsheets make of a column with NA, counts as its whole number.
        """
        text = (self.text(column) or "").casefold()
        if not text or text in _NOT_READ:
            return None
        if text in {"0.0", "1.0"}:
            return text == "1.0"
        return self.truth(column)

    def day(self, column: str) -> date | None:
        """Return a date written as 2017-05-31 or, as DICOM does, 20170531; None if the cell is empty."""
        text = self.text(column)
        if text is None:
            return None
        for form in ("%Y-%m-%d", "%Y%m%d"):
            try:
                return datetime.strptime(text, form).date()
            except ValueError:
                continue
        self.fail(column, "not a date", "write year-month-day, such as 2017-05-31")


@dataclass(frozen=True)
class Table:
    """A table in memory: where it stands, its column names in lower case, and its rows in order."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def require(self, *columns: str) -> None:
        """Check that all columns are there.

        Raises:
            TableError: naming the missing column and those that were found.
        """
        for column in columns:
            if column not in self.columns:
                found = ", ".join(self.columns)
                raise TableError(
                    f"{self.path.name}, line 1: column {column!r} is missing, got {found}; add it or rename one to it"
                )


def read_text(path: Path) -> str:
    """Read a UTF-8 text file, with or without a byte order mark.

    Raises:
        TableError: if it is missing, not readable, too large, or not UTF-8 text.
    """
    try:
        raw = _bytes(path)
    except OSError as error:
        raise TableError(f"cannot read the table {str(path)!r}: {error.strerror}; check the path") from error
    except ValueError as error:
        raise TableError(f"cannot read the table {str(path)!r}: {error}; check the path") from error
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TableError(f"{path.name}: wrong encoding, got UTF-16; save the table as CSV in UTF-8")
    if raw[:4] == b"PK\x03\x04":
        raise TableError(f"{path.name}: not a text table, got a workbook or zip archive; save it as CSV in UTF-8")
    if b"\0" in raw:
        raise TableError(f"{path.name}: not a text table, got binary data; give a CSV file in UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        got = f"byte 0x{raw[error.start]:02x}"
        raise TableError(f"{path.name}, line {line}: wrong encoding, got {got}; save the table in UTF-8") from error


def _bytes(path: Path) -> bytes:
    """Read a file, or a member of a zip archive."""
    inside = archive_of(path)
    if inside is not None:
        try:
            return read_member(*inside, limits=Limits(max_bytes=MAX_BYTES))
        except FilmError as error:
            raise TableError(f"cannot read the table {str(path)!r}: {error}") from error
    if path.stat().st_size > MAX_BYTES:
        raise TableError(f"{path.name}: larger than {MAX_BYTES} bytes, got {path.stat().st_size}; split the table")
    return path.read_bytes()


def read_table(path: Path) -> Table:
    """Read a table with a header line; comma, semicolon or tab between cells.

    Raises:
        TableError: if it cannot be read, is empty, or a line does not have as many cells as the header.
    """
    text = read_text(path)
    header = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    columns: tuple[str, ...] = ()
    rows: list[Row] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not columns:
                columns = _column_names(path, cells)
            else:
                rows.append(_row(path, reader.line_num, columns, cells, decimal_comma=delimiter != ","))
    except csv.Error as error:
        raise TableError(f"{path.name}, line {reader.line_num}: not a CSV table, got {error}; check quotes") from error
    if not rows:
        raise TableError(f"{path.name}: the table is empty, got {len(columns)} columns and no row; add films to it")
    return Table(path=path, columns=columns, rows=tuple(rows))


def _column_names(path: Path, cells: list[str]) -> tuple[str, ...]:
    names = tuple(cell.strip().casefold() for cell in cells)
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise TableError(f"{path.name}, line 1: a column stands twice, got {twice[0]!r}; remove or rename one")
    return names


def _row(path: Path, line: int, columns: tuple[str, ...], cells: list[str], *, decimal_comma: bool) -> Row:
    if len(cells) != len(columns):
        raise TableError(
            f"{path.name}, line {line}: the header has {len(columns)} columns, got {len(cells)} cells; "
            "quote cells that hold the separator"
        )
    values = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if name}
    return Row(path=path, line=line, values=values, decimal_comma=decimal_comma)
