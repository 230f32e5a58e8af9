"""How fast assessment is, step by step: medians of wall-clock time, and the memory of a cold start."""

from __future__ import annotations

import importlib.util
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from capitate import files
from capitate.assessment import Assessment
from capitate.assessor import Assessor, Request
from capitate.phantom import draw
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.bundle import bundle_names, load_bundle
from capitate.runtime.locator import HandLocator
from capitate.runtime.views import squash
from capitate.types import Sex

__all__ = [
    "BATCHES",
    "Timing",
    "batches",
    "bundles",
    "cold_start",
    "joints",
    "machine",
    "peak_memory",
    "test_film",
    "timed",
    "warm",
]

BATCHES = (1, 2, 4, 8, 16, 32)
FILM_ROWS, FILM_COLUMNS = 1640, 1230
"""Two megapixels, the size of a usual hand film."""

_BEFORE = 2
_MS = 1000
_JOINT_STEPS = ("joints", "outlines", "grades")
_PEAK = """
import sys
from capitate.cli import main
try:
    main(sys.argv[1:])
finally:
    try:
        with open("/proc/self/status") as status:
            peak = next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        try:
            import resource
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        except ImportError:
            peak = 0
    print(peak, file=sys.stderr)
"""


@dataclass(frozen=True)
class Timing:
    """Wall-clock time of one step.

    Attributes:
        name: of the step.
        median_ms: median of the runs, milliseconds.
        p95_ms: 95th percentile of the runs, milliseconds.
        runs: how many.
    """

    name: str
    median_ms: float
    p95_ms: float
    runs: int


def test_film(path: Path) -> None:
    """Draw a hand film of two megapixels and write it as an 8-bit PNG."""
    phantom = draw(age_months=126, sex=Sex.FEMALE, height=FILM_ROWS, width=FILM_COLUMNS, seed=1)
    Image.fromarray(np.round(phantom.radiograph.pixels * 255).astype(np.uint8)).save(path, format="PNG")


def warm(film: Path, *, write: Callable[[Assessment], object], model: str, threads: int, runs: int) -> list[Timing]:
    """Time the steps of an assessment with the models loaded.

    Args:
        film: to assess.
        write: turns the assessment into what is given out, such as JSON; part of `total`.
        model: bone-age bundle.
        threads: for one network.
        runs: of which the median is taken.

    Returns:
        `read`, `squash`, `locate`, `views`, `network` (alone, over all test-time views) and `total`, from the file to
        what is given out.
    """
    assessor = Assessor(model=model, joints=False, threads=threads)
    request = Request(sex=Sex.FEMALE)
    pixels = files.read(film).pixels
    square = squash(pixels)
    frame = assessor.locator.locate(square).frame
    views = assessor.bone_age.views(pixels, frame)[None]
    steps: dict[str, Callable[[], object]] = {
        "read": lambda: files.read(film),
        "squash": lambda: squash(pixels),
        "locate": lambda: assessor.locator.locate(square),
        "views": lambda: assessor.bone_age.views(pixels, frame, square=square),
        "network": lambda: assessor.bone_age.predict(views, [Sex.FEMALE]),
        "total": lambda: write(assessor.assess(film, request=request).assessment),
    }
    return [timed(name, step, runs=runs) for name, step in steps.items()]


def batches(film: Path, *, model: str, threads: int, runs: int, sizes: Sequence[int] = BATCHES) -> list[Timing]:
    """Time the network on batches; the times are of the whole batch."""
    network = BoneAgeModel(load_bundle(model), threads=threads)
    pixels = files.read(film).pixels
    views = network.views(pixels, HandLocator(threads=threads).locate(squash(pixels)).frame)
    return [
        timed(
            f"batch of {size}",
            lambda size=size: network.predict(np.repeat(views[None], size, axis=0), [Sex.FEMALE] * size),  # type: ignore[misc]
            runs=runs,
        )
        for size in sizes
    ]


def joints(film: Path, *, model: str, threads: int, runs: int) -> list[Timing]:
    """Time the steps of an assessment that reads joints too.

    Returns:
        `joints` (found and named), `outlines` (with measures) and `grades`, as the assessment times them itself, and
        `total with joints`, from the file to the assessment.
    """
    assessor, request = Assessor(model=model, threads=threads), Request(sex=Sex.FEMALE)
    steps: dict[str, list[float]] = {}
    for again in range(_BEFORE + runs):
        began = time.perf_counter()
        assessment = assessor.assess(film, request=request).assessment
        taken = (time.perf_counter() - began) * _MS
        if again < _BEFORE:
            continue
        own = {name: ms for name, ms in assessment.timings_ms.items() if name in _JOINT_STEPS}
        for name, ms in {**own, "total with joints": taken}.items():
            steps.setdefault(name, []).append(ms)
    return [_timing(name, taken) for name, taken in steps.items()]


def bundles(film: Path, *, threads: int, runs: int) -> list[Timing]:
    """Time the released bundles of bone age, and the hand locator, on one film."""
    pixels = files.read(film).pixels
    square = squash(pixels)
    locator = HandLocator(threads=threads)
    frame = locator.locate(square).frame
    timings = []
    for name in bundle_names():
        bundle = load_bundle(name)
        if name == locator.bundle.name:
            timings.append(timed(name, lambda: locator.locate(square), runs=runs))
        if bundle.card["task"] != "bone-age":
            continue
        network = BoneAgeModel(bundle, threads=threads)
        views = network.views(pixels, frame, square=square)[None]
        timings.append(timed(name, lambda n=network, v=views: n.predict(v, [Sex.FEMALE]), runs=runs))  # type: ignore[misc]
    return timings


def cold_start(film: Path, *, model: str, runs: int) -> Timing:
    """Time `capitate assess` as a new process, from the shell's view."""
    command = [sys.executable, "-m", "capitate", *_arguments(film, model)]
    return timed("cold start", lambda: subprocess.run(command, check=True, capture_output=True), runs=runs, before=1)


def peak_memory(film: Path, *, model: str) -> int | None:
    """Measure the largest resident memory of one `capitate assess`, bytes; None where the system does not tell."""
    command = [sys.executable, "-c", _PEAK, *_arguments(film, model)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stderr.split()[-1]) or None


def machine() -> dict[str, Any]:
    """Describe what the figures were measured on."""
    import onnxruntime

    from capitate import __version__

    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "system": platform.system(),
        "python": platform.python_version(),
        "onnxruntime": onnxruntime.__version__,
        "capitate": __version__,
        "torch_importable": importlib.util.find_spec("torch") is not None,
    }


def _arguments(film: Path, model: str) -> list[str]:
    return ["assess", str(film), "--sex", "female", "--format", "json", "--model", model, "--no-joints"]


def timed(name: str, step: Callable[[], object], *, runs: int, before: int = _BEFORE) -> Timing:
    """Time a step: `before` times unmeasured, then `runs` times."""
    for _ in range(before):
        step()
    taken = []
    for _ in range(runs):
        began = time.perf_counter()
        step()
        taken.append((time.perf_counter() - began) * _MS)
    return _timing(name, taken)


def _timing(name: str, taken: Sequence[float]) -> Timing:
    runs = len(taken)
    return Timing(name, round(statistics.median(taken), 3), round(float(np.percentile(taken, 95)), 3), runs)


def _processor() -> str:
    """Name the processor, from Linux's own table where there is one."""
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or platform.machine()
