"""The soak as a program: its options, its parts one after another, and the tally."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from soak import children, database, disk, kills, load
from soak.tally import NotHereError, Part, Plan

PARTS: dict[str, Callable[[Plan, Part], None]] = {
    "load": load.run,
    "kills": kills.run,
    "database": database.run,
    "disk": disk.run,
    "children": children.run,
}


def main(arguments: Sequence[str]) -> int:
    """Run the parts that are asked for; 1 if one of them complains."""
    options = _options(arguments)
    began = datetime.now(UTC)
    parts: list[Part] = []
    with tempfile.TemporaryDirectory(prefix="capitate-soak-") as folder:
        plan = Plan(options.scale, options.seed, options.model, not options.times_unjudged, Path(folder))
        for name in options.parts:
            parts.append(_run(name, plan))
            print(_shown(parts[-1]), flush=True)
            tally = _tally(options, began, parts)
            if options.out is not None:  # after every part: a soak that is broken off keeps what it found
                options.out.write_text(json.dumps(tally, indent=2) + "\n", encoding="utf-8")
    print(f"{tally['verdict']}: {tally['seconds']} s, scale {options.scale:g}, seed {options.seed}")
    return 0 if tally["verdict"] == "passed" else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    reader = argparse.ArgumentParser(prog="make soak", description="Load and faults on the whole service.")
    reader.add_argument("--scale", type=float, default=1.0, help="share of durations and counts; default 1")
    reader.add_argument("--seed", type=int, default=6, help="of every random choice; default 6")
    reader.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="default: all of them")
    reader.add_argument("--model", default="bone-age", help="bone-age bundle; default bone-age")
    reader.add_argument("--out", type=Path, metavar="FILE", help="write the tally as JSON")
    reader.add_argument(
        "--times-unjudged", action="store_true", help="measure times and do not judge them: the machine does other work"
    )
    return reader.parse_args(arguments)


def _run(name: str, plan: Plan) -> Part:
    """Run one part; whatever goes wrong in it is a complaint, and the next part follows."""
    part, began = Part(name), time.monotonic()
    try:
        PARTS[name](plan, part)
    except NotHereError as reason:
        part.skipped = str(reason)
    except Exception as error:
        part.complaints.append(f"{type(error).__name__}: {error}")
    part.seconds = time.monotonic() - began
    return part


def _shown(part: Part) -> str:
    """A part's tally, in lines."""
    lines = [f"{part.name}: {part.verdict} ({part.seconds:.0f} s)" + (f", {part.skipped}" if part.skipped else "")]
    lines += [f"  {name}: {_flat(value)}" for name, value in part.figures.items()]
    return "\n".join([*lines, *(f"  ! {complaint}" for complaint in part.complaints)])


def _flat(value: Any) -> str:
    if not isinstance(value, dict):
        return str(value)
    return ", ".join(
        f"{name} ({_flat(one)})" if isinstance(one, dict) else f"{name} {one}" for name, one in value.items()
    )


def _tally(options: argparse.Namespace, began: datetime, parts: list[Part]) -> dict[str, Any]:
    """Everything, for the JSON file."""
    load_average = os.getloadavg() if hasattr(os, "getloadavg") else ()
    return {
        "verdict": "failed" if any(part.complaints for part in parts) else "passed",
        "began": began.isoformat(timespec="seconds"),
        "seconds": round(sum(part.seconds for part in parts), 1),
        "scale": options.scale,
        "seed": options.seed,
        "model": options.model,
        "times_judged": not options.times_unjudged,
        "machine": {
            "cores": os.cpu_count(), "load_average_at_end": [round(one, 2) for one in load_average],
            "python": platform.python_version(), "system": platform.system(),
        },
        "parts": {part.name: part.written() for part in parts},
    }  # fmt: skip
