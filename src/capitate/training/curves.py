"""Curves of a run as CSV and for TensorBoard; resumed without a gap or a line that stands twice."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from capitate.training.runs import write_table
from capitate.training.writing import writing

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

__all__ = ["BATCHES", "HISTORY", "Curves"]

BATCHES, HISTORY = "batches.csv", "history.csv"


class Curves:
    """Writes one line every few steps, and the table of epochs."""

    def __init__(self, folder: Path, *, step: int, tensorboard: bool) -> None:
        """Open the curves of a run.

        Args:
            folder: of the run.
            step: steps already taken; later lines are of a stretch that will be trained again, and are dropped.
            tensorboard: whether to write TensorBoard's files too.
        """
        self.folder = folder
        self._lines = _until(folder / BATCHES, step)
        write_table(folder / BATCHES, self._lines)
        self._names = list(self._lines[0]) if self._lines else []
        self._board = _board(folder / "tensorboard", step) if tensorboard else None

    def batch(self, line: Mapping[str, float]) -> None:
        """Add one line to `batches.csv`; its `step` counts from the beginning of the run."""
        path = self.folder / BATCHES
        with writing(path), path.open("a", encoding="utf8", newline="") as stream:
            writer = csv.DictWriter(stream, list(line))
            if not self._names:
                self._names = list(line)
                stream.seek(0)
                stream.truncate()
                writer.writeheader()
            writer.writerow(line)
        self._show("batch", line, int(line["step"]))

    def epoch(self, history: Sequence[Mapping[str, float]]) -> None:
        """Write `history.csv` again with the epoch that has just ended as its last line."""
        write_table(self.folder / HISTORY, history)
        self._show("epoch", history[-1], int(history[-1]["step"]))

    def close(self) -> None:
        """Write what TensorBoard still holds back."""
        if self._board is not None:
            self._board.close()

    def _show(self, kind: str, line: Mapping[str, float], at: int) -> None:
        if self._board is None:
            return
        for name, value in line.items():
            if name not in {"step", "epoch"}:
                self._board.add_scalar(f"{kind}/{name}", value, at)
        self._board.flush()


def _board(folder: Path, step: int) -> SummaryWriter:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=step + 1)


def _until(path: Path, step: int) -> list[dict[str, str]]:
    """Read the lines up to a step; a line that was cut off while it was written is dropped too."""
    if not path.exists():
        return []
    with path.open(encoding="utf8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    return [line for line in lines if None not in line.values() and float(line["step"] or "inf") <= step]
