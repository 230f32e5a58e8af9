"""Resident memory of this process, as the system tells it."""

from __future__ import annotations

import sys
from pathlib import Path

__all__ = ["peak_memory", "present_memory"]

_STATUS = Path("/proc/self/status")


def present_memory() -> int | None:
    """Read the resident memory now, bytes; None where the system does not tell."""
    return _status("VmRSS")


def peak_memory() -> int | None:
    """Read the largest resident memory of this process so far, bytes; None where the system does not tell.

    Linux's own figure begins anew with each program; `getrusage`, asked elsewhere, may still hold its parent's.
    """
    peak = _status("VmHWM")
    if peak is not None:
        return peak
    try:
        import resource
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def _status(key: str) -> int | None:
    """Read a line of Linux's table, which is in kilobytes."""
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = [int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:")]
    return found[0] if found else None
