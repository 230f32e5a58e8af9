"""`capitate serve` in a process of its own: started, watched, ended or killed."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx

PATIENCE_SECONDS = 300.0
"""For whatever takes as long as the machine is slow."""
OVER = frozenset({"done", "refused", "failed", "cancelled"})


class Running:
    """A service; its log lies beside its folder, or where it is told to."""

    def __init__(
        self, folder: Path, *options: str, environment: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        command = [sys.executable, "-m", "capitate", "serve", "--port", "0", "--folder", str(folder), *options]
        variables = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"} | dict(environment or {})
        self._log = log or folder.with_name(f"{folder.name}.log")
        with self._log.open("a") as stream:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, text=True, env=variables)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        if found is None:
            self.kill()
            raise RuntimeError(f"capitate serve did not start: {self.log()[-2000:]}")
        self.url = found[0]

    def log(self) -> str:
        """All that it and its predecessors in the folder have logged."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def family(self) -> dict[int, int]:
        """Resident memory of the service and each of its processes, bytes by number of the process."""
        shown = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
        rows = [tuple(map(int, line.split())) for line in shown.splitlines()]
        return {pid: 1024 * rss for pid, parent, rss in rows if self.process.pid in {pid, parent}}

    def stop(self) -> int:
        """End it as an operator does; gives the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(PATIENCE_SECONDS)
        self._close()
        return code

    def kill(self) -> list[int]:
        """End it without notice; gives the processes of its own that outlive it by more than they may."""
        workers = [pid for pid in self.family() if pid != self.process.pid]
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)
        self._close()
        deadline = time.monotonic() + 30
        while (left := [pid for pid in workers if _lives(pid)]) and time.monotonic() < deadline:
            time.sleep(0.05)
        return left

    def _close(self) -> None:
        if self.process.stdout is not None:
            self.process.stdout.close()


def _lives(pid: int) -> bool:
    """Whether there is such a process, other than one that has ended and was not asked for yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@contextmanager
def running(folder: Path, *options: str, **more: Any) -> Iterator[Running]:
    """Run a service until the context ends; arguments as of `Running`."""
    service = Running(folder, *options, **more)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            try:
                service.stop()
            except subprocess.TimeoutExpired:
                service.kill()


@asynccontextmanager
async def client_of(service: Running) -> AsyncIterator[httpx.AsyncClient]:
    """A client that waits long, and opens as many connections as it is asked to."""
    # the service closes what is idle for 5 s, and a request that is sent at that moment would be lost
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=32, keepalive_expiry=1.0)
    async with httpx.AsyncClient(base_url=service.url, timeout=PATIENCE_SECONDS, limits=limits) as client:
        yield client


async def ready(client: httpx.AsyncClient) -> None:
    """Wait until the models are loaded."""
    await until(lambda: _answers(client), "the service is not ready")


async def _answers(client: httpx.AsyncClient) -> bool:
    return (await client.get("/ready")).status_code == 200


async def until(holds: Any, complaint: str, *, seconds: float = PATIENCE_SECONDS) -> None:
    """Ask again and again until something holds.

    Raises:
        TimeoutError: if it takes too long.
    """
    deadline = time.monotonic() + seconds
    while not await holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{complaint} after {seconds:g} s")
        await asyncio.sleep(0.1)


async def over(client: httpx.AsyncClient, assessment_id: str, *, seconds: float = PATIENCE_SECONDS) -> dict[str, Any]:
    """Wait for an assessment to end; gives its record, the last one if it does not end."""
    deadline = time.monotonic() + seconds
    while True:
        record = (await client.get(f"/v1/assessments/{assessment_id}")).json()
        if record.get("status") in OVER or time.monotonic() > deadline:
            return dict(record)
        await asyncio.sleep(0.1)


async def send(
    client: httpx.AsyncClient, content: bytes, *, name: str = "hand.png", wait: bool = True, **fields: str
) -> httpx.Response:
    """Upload a film."""
    headers = {} if wait else {"Prefer": "respond-async"}
    return await client.post(
        "/v1/assessments", files={"film": (name, content, "image/png")}, data=fields, headers=headers
    )
