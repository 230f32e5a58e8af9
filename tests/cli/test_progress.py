"""The progress bar: on a terminal's standard error for several films, and nowhere else."""

from __future__ import annotations

import csv
import io
import os
import subprocess
import sys

import pytest

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")


def on_terminal(*words: object) -> tuple[str, str]:
    """Run `capitate` with standard error on a terminal; returns standard output and what the terminal got."""
    terminal, end = pty.openpty()
    command = [sys.executable, "-m", "capitate", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=end, text=True) as process:
        os.close(end)
        out, _ = process.communicate(timeout=120)
    shown = b""
    try:
        while piece := os.read(terminal, 65536):
            shown += piece
    except OSError:  # Linux reports the end of a terminal as an error
        pass
    finally:
        os.close(terminal)
    return out, shown.decode("utf-8", "replace")


def test_bar_counts_films_and_leaves_the_table_alone(drawn):
    out, shown = on_terminal("assess", drawn, "--format", "csv")
    assert "3/3" in shown
    assert len(list(csv.DictReader(io.StringIO(out)))) == 3
    assert "\x1b" not in out


def test_no_bar_for_one_film_or_when_quiet(drawn, film):
    assert on_terminal("assess", film)[1] == ""
    assert on_terminal("assess", drawn, "--quiet")[1] == ""
