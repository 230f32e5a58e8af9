"""`capitate serve` as a process: a real film through the networks, and every way to end it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

SECONDS = 180


class Process:
    """A running service."""

    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "capitate", "serve", "--port", "0", "--workers", "1", "--folder", str(folder)]
        self.begun = time.monotonic()
        self.errors = (folder.parent / "serve.log").open("a+")
        self.process = subprocess.Popen(
            [*command, "--model", "bone-age-small", *options], stdout=subprocess.PIPE, stderr=self.errors, text=True
        )
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, self.log()
        self.client = httpx.Client(base_url=found.group(), timeout=SECONDS)
        assert self.client.get("/health").status_code == 200
        self.seconds = time.monotonic() - self.begun

    def log(self) -> str:
        self.errors.flush()
        return Path(self.errors.name).read_text(encoding="utf-8")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> set[int]:
        """Its worker processes."""
        found = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return {int(one) for one in found.stdout.split()}


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Process]:
    service = Process(folder, *options)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait(60)
        service.process.stdout.close()
        service.client.close()
        service.errors.close()


def reached(client: httpx.Client, place: str, *statuses: str) -> dict:
    deadline = time.monotonic() + SECONDS
    while (record := client.get(place).json())["status"] not in statuses:
        assert time.monotonic() < deadline, record
        time.sleep(0.1)
    return record


@pytest.mark.slow
def test_a_film_outlives_the_service_that_began_it(tmp_path, film):
    """Ended while the film is assessed, started again, finished; then killed, and no worker stays."""
    folder = tmp_path / "data"
    with running(folder) as service:
        answer = service.client.post(
            "/v1/assessments", files={"film": ("Jane Doe.png", film)}, data={"sex": "female", "maps": "false"},
            headers={"Prefer": "respond-async"},
        )  # fmt: skip
        place = answer.headers["location"]
        reached(service.client, place, "running")
        assert service.end(signal.SIGTERM) == 0, service.log()
    with running(folder) as service:
        record = reached(service.client, place, "done", "failed", "refused")
        assert record["status"] == "done"
        assert record["assessment"]["models"][0]["name"] == "bone-age-small"
        corrected = service.client.patch(f"{place}/grades", json={"grades": {"Radius": 5}}, headers={"If-Match": '"1"'})
        assert corrected.json()["has_corrections"]
        workers = service.children()
        assert workers
        assert service.end(signal.SIGKILL) != 0
        deadline = time.monotonic() + 30
        while any(Path(f"/proc/{pid}").exists() for pid in workers):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert "Jane" not in service.log()
        assert "Traceback" not in service.log()


def run(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "capitate", "serve", *options]
    return subprocess.run(
        command, capture_output=True, text=True, env=os.environ | environment, timeout=SECONDS, check=False
    )


def test_a_port_in_use_is_said(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run("--port", str(taken.getsockname()[1]), "--folder", str(tmp_path))
    assert done.returncode == 2
    assert "--port" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_an_open_address_without_tokens_is_refused(tmp_path):
    done = run("--folder", str(tmp_path), CAPITATE_HOST="0.0.0.0")
    assert (done.returncode, "--tokens" in done.stderr) == (2, True)


def test_a_store_that_cannot_be_opened_is_said(tmp_path):
    done = run("--port", "0", "--folder", str(tmp_path), "--database", "postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("capitate: ")
