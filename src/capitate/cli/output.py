"""Printing results one by one, writing them to a folder, and showing how far a run is."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from capitate import report
from capitate.cli.options import Form, Lang
from capitate.cli.writing import make_folder, writing

if TYPE_CHECKING:
    from rich.progress import Progress

    from capitate.assessment import Assessment
    from capitate.assessor import Assessed

__all__ = ["Printer", "Reports", "counted", "note", "settle"]


def note(message: str, *, quiet: bool) -> None:
    """Tell the user something that is no result."""
    if not quiet:
        print(f"capitate: {message}", file=sys.stderr)


class Printer:
    """Prints results in one form on standard output, with a progress bar on standard error for several films."""

    def __init__(self, *, form: Form, lang: Lang, total: int, quiet: bool) -> None:
        """Prepare; nothing is printed before the context is entered, so that a failed start prints no header.

        Args:
            form: text, JSON Lines or CSV.
            lang: language of the text.
            total: number of films.
            quiet: no progress bar.
        """
        self._form, self._lang, self._total = form, lang, total
        self._progress = None if quiet or total < 2 or not sys.stderr.isatty() else _bar()
        self._buffer = io.StringIO(newline="")
        self._printed = 0

    def __enter__(self) -> Self:
        """Show the bar and the table's header."""
        settle(sys.stdout, exact=self._form is not Form.TEXT)
        if self._progress is not None:
            self._task = self._progress.add_task("films", total=self._total)
            self._progress.start()
        if self._form is Form.CSV:
            self._table = report.TableWriter(self._buffer)
            self._flush()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the bar away."""
        if self._progress is not None:
            self._progress.stop()

    def print(self, assessment: Assessment, *, shown: str) -> None:
        """Print one result."""
        if self._form is Form.CSV:
            self._table.write(assessment, path=shown)
        elif self._form is Form.JSON:
            self._buffer.write(report.dumps(assessment) + "\n")
        else:
            gap = "\n" if self._printed else ""
            self._buffer.write(f"{gap}{report.to_text(assessment, lang=self._lang)}\n")
        self._printed += 1
        self._flush()
        if self._progress is not None:
            self._progress.advance(self._task)

    def _flush(self) -> None:
        """Hand on what is in the buffer; a bar on the same screen has to make room for it."""
        text = self._buffer.getvalue()
        self._buffer.seek(0)
        self._buffer.truncate()
        if self._progress is not None and sys.stdout.isatty():
            self._progress.console.print(text, end="", markup=False, highlight=False, soft_wrap=True)
            return
        sys.stdout.write(text)
        sys.stdout.flush()


class Reports:
    """Writes a page and a JSON file a film, and the table of all, into a folder."""

    def __init__(self, folder: Path, *, lang: Lang, pdf: bool = False) -> None:
        """Make the folder and start the table.

        Args:
            folder: where to.
            lang: language of the reports.
            pdf: whether a film has a PDF too.

        Raises:
            ReportWriteError: if the folder cannot be written.
        """
        self._folder, self._lang = folder, lang
        self._formats = (*report.USUAL, report.Format.PDF) if pdf else report.USUAL
        make_folder(folder)
        self._place = folder / "results.csv"
        with writing(self._place):
            self._stream = self._place.open("w", encoding="utf-8", newline="")
            try:
                self._table = report.TableWriter(self._stream)
            except OSError:
                self._abandon()
                raise

    def __enter__(self) -> Self:
        """Keep the table open."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the table; after an error, whatever can be written of it."""
        if error is not None:
            self._abandon()
            return
        with writing(self._place):
            self._stream.close()

    def _abandon(self) -> None:
        """Close the table though the system may refuse what is left to write."""
        with suppress(OSError):
            self._stream.close()

    def write(self, assessed: Assessed, *, shown: str) -> Assessment:
        """Write one film's files and its row of the table.

        Returns:
            The assessment as it was written, which names the files of maps.

        Raises:
            ReportWriteError: if the folder cannot be written.
        """
        assessment, maps = assessed.assessment, assessed.maps
        page, *_ = report.write(
            assessment,
            self._folder,
            radiograph=assessed.radiograph,
            maps=maps,
            lang=self._lang,
            formats=self._formats,
        )
        if maps:
            assessment = replace(assessment, maps=report.named_maps(maps, stem=page.stem))
        with writing(self._place):
            self._table.write(assessment, path=shown)
        return assessment


@contextmanager
def counted(*, total: int, quiet: bool) -> Iterator[Callable[[], None]]:
    """Show a bar over `total` films where standard error is a terminal; call what is yielded after each film."""
    if quiet or total < 2 or not sys.stderr.isatty():
        yield lambda: None
        return
    with _bar() as progress:
        task = progress.add_task("films", total=total)
        yield lambda: progress.advance(task)


def _bar() -> Progress:
    """Make a progress bar on standard error."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (MofNCompleteColumn(), BarColumn(), TimeRemainingColumn())
    return Progress(
        *columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False
    )


def settle(stream: TextIO, *, exact: bool) -> None:
    """Make JSON and CSV the same bytes on every system, and text printable on every console."""
    if not isinstance(stream, io.TextIOWrapper):
        return
    if exact:
        stream.reconfigure(encoding="utf-8", newline="")
    else:
        stream.reconfigure(errors="replace")
