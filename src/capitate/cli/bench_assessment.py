"""`capitate bench` alone: every step of an assessment, batches, each bundle, a cold start, memory."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from capitate.cli.writing import writing

if TYPE_CHECKING:
    from capitate.evaluation.speed import Timing

__all__ = ["bench_assessment"]

_THREADS = (1, 2)


def bench_assessment(film: Path | None, *, runs: int, model: str, out: Path | None) -> None:
    """Measure, print, and write the figures if asked for.

    Args:
        film: to measure with; a drawn one if None.
        runs: of which medians are taken.
        model: bone-age bundle.
        out: JSON file.

    Raises:
        FilmError: if the film cannot be read; nothing is measured then.
    """
    with tempfile.TemporaryDirectory(prefix="capitate-bench-") as folder:
        figures = _measure(film, Path(folder), runs=runs, model=model)
    _print(figures)
    if out is not None:
        with writing(out):
            out.write_text(json.dumps(figures, indent=2, default=asdict) + "\n", encoding="utf-8")


def _measure(film: Path | None, folder: Path, *, runs: int, model: str) -> dict[str, Any]:
    """Take all figures; refuse a film that cannot be read before anything is measured."""
    from capitate import files
    from capitate.evaluation import speed
    from capitate.report import dumps

    if film is None:
        film = folder / "film.png"
        speed.test_film(film)
    radiograph = files.read(film)
    return {
        "machine": speed.machine(),
        "film": {"format": radiograph.format, "width": radiograph.width, "height": radiograph.height},
        "model": model,
        "warm": {t: speed.warm(film, write=dumps, model=model, threads=t, runs=runs) for t in _THREADS},
        "joints": {t: speed.joints(film, model=model, threads=t, runs=runs) for t in _THREADS},
        "batches": {t: speed.batches(film, model=model, threads=t, runs=runs) for t in _THREADS},
        "bundles": {t: speed.bundles(film, threads=t, runs=runs) for t in _THREADS},
        "cold_start": speed.cold_start(film, model=model, runs=min(runs, 5)),
        "peak_memory_bytes": speed.peak_memory(film, model=model),
    }


def _print(figures: dict[str, Any]) -> None:
    """Print the figures as a table."""
    machine, film, cold = figures["machine"], figures["film"], figures["cold_start"]
    torch = "torch importable" if machine["torch_importable"] else "no torch"
    print(f"{machine['processor']}, {machine['cores']} cores, onnxruntime {machine['onnxruntime']}, {torch}")
    print(f"film {film['width']} x {film['height']} {film['format']}, model {figures['model']}, medians in ms\n")
    print(f"{'step':26}" + "".join(f"{f'{threads} thread(s)':>14}" for threads in _THREADS))
    for part in ("warm", "joints", "batches", "bundles"):
        for row in zip(*(figures[part][threads] for threads in _THREADS), strict=True):
            print(_row(row, per_film=part == "batches"))
        print()
    print(f"{'cold start of assess':26}{cold.median_ms:14.0f}")
    peak = figures["peak_memory_bytes"]
    print(f"{'peak memory of assess':26}{'not told here' if peak is None else f'{peak / 1e6:.0f} MB':>14}")


def _row(timings: tuple[Timing, ...], *, per_film: bool) -> str:
    """Print one step; of a batch the time for one film."""
    name = timings[0].name
    size = int(name.rsplit(" ", 1)[1]) if per_film else 1
    return f"{name + (', per film' if per_film else ''):26}" + "".join(
        f"{one.median_ms / size:14.2f}" for one in timings
    )
