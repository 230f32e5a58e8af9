"""A process that asks `/health` again and again, and tells how long the answers took while every worker was busy.

python health.py URL SECONDS WORKERS: it is one of its own, so that the load that another sends does not delay it.
"""

from __future__ import annotations

import json
import re
import sys
import time

import httpx

_GROUP, _PAUSE_SECONDS = 20, 0.02
_BUSY = re.compile(r"^capitate_workers_busy (\S+)$", re.MULTILINE)


def probe(url: str, *, seconds: float, workers: int) -> list[float]:
    """Measure; groups of probes count where all workers were busy before and after."""
    found: list[float] = []
    with httpx.Client(base_url=url, timeout=60) as client:
        before, end = _busy(client, workers), time.monotonic() + seconds
        while time.monotonic() < end:
            group = [_timed(client) for _ in range(_GROUP)]
            after = _busy(client, workers)
            found += group if before and after else []
            before = after
    return found


def _timed(client: httpx.Client) -> float:
    began = time.perf_counter()
    client.get("/health").raise_for_status()
    taken = time.perf_counter() - began
    time.sleep(_PAUSE_SECONDS)
    return taken


def _busy(client: httpx.Client, workers: int) -> bool:
    found = _BUSY.search(client.get("/metrics").text)
    return found is not None and float(found[1]) >= workers


if __name__ == "__main__":
    print(json.dumps(probe(sys.argv[1], seconds=float(sys.argv[2]), workers=int(sys.argv[3]))))
