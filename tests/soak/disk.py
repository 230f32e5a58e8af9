"""A disk that is full: films are refused in words, nothing lies there half written, and room makes all well again."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from capitate.service.store import Store
from soak.films import File, marked
from soak.running import Running, client_of, over, ready, running, send
from soak.tally import NotHereError, Part, Plan

_DISK_BYTES = 64 << 20
_FILM_BYTES = 1_500_000
"""More than a form keeps in memory, so that uploads need the disk of temporary files too."""
_LEFT = (0, 8 << 10, 128 << 10, _FILM_BYTES // 2, _FILM_BYTES + (16 << 10), 2 * _FILM_BYTES + (32 << 10))
"""Bytes that are left free: for nothing, the row, a part of the film, the film without its row ..."""


def run(plan: Plan, part: Part) -> None:
    """Fill a small disk to several levels under a running service.

    Raises:
        NotHereError: if no small disk can be made here.
    """
    with _small_disk(plan.folder / "disk") as disk:
        temporary = disk / "tmp"
        temporary.mkdir()
        options = ["--workers", "1", "--model", plan.model]
        for kind, elsewhere in (("store", None), ("store and temporary files", {"TMPDIR": str(temporary)})):
            levels = _LEFT[:: max(1, round(0.3 / plan.scale))] if plan.scale < 1 else _LEFT
            log = plan.folder / f"disk-{len(kind)}.log"
            with running(disk / f"data-{len(kind)}", *options, environment=elsewhere, log=log) as service:
                found = asyncio.run(_Filled(part, disk, service).run(levels, kind=kind))
                part.expect("Traceback" not in service.log(), f"{kind}: the log holds a traceback")
            part.figures[kind] = {"levels": len(levels), **found}
            _sound(disk / f"data-{len(kind)}", part)


class _Filled:
    """A service on a small disk."""

    def __init__(self, part: Part, disk: Path, service: Running) -> None:
        self._part, self._disk, self._service = part, disk, service

    async def run(self, levels: tuple[int, ...], *, kind: str) -> dict[str, Any]:
        """Fill it to each level, send, and make room."""
        statuses: dict[int, int] = {}
        async with client_of(self._service) as client:
            await ready(client)
            began = time.monotonic()
            await over(client, await self._taken(client, f"{kind} at first"))
            usual = time.monotonic() - began
            for level in levels:
                meanwhile = await self._taken(client, f"{kind} meanwhile {level}")
                film = _film(f"{kind} at {level}")
                with self._full(but=level):
                    answer = await send(client, film.content, wait=False, sex="female", maps="false")
                    await self._worded(client, answer, film)
                    # long enough for the one under way to be done, and to find no room
                    await over(client, meanwhile, seconds=2 + 3 * usual)
                statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
                for one in (meanwhile, *([answer.json()["id"]] if answer.is_success else [])):
                    record = await over(client, one, seconds=60)
                    done = record.get("status") == "done" or (
                        record.get("status") == "failed" and record["error_message"]
                    )
                    self._part.expect(
                        bool(done), f"{kind}, {level} bytes left: a film that was taken is {record['status']}"
                    )
                again = await send(client, film.content, sex="female", maps="false")
                self._part.expect(again.is_success, f"{kind}, room again: {again.status_code} {again.text[:200]}")
        self._part.expect(any(one >= 400 for one in statuses), f"{kind}: nothing was refused")
        return {"statuses": statuses}

    async def _taken(self, client: httpx.AsyncClient, mark: str) -> str:
        answer = await send(client, _film(mark).content, wait=False, sex="female", maps="true")
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def _worded(self, client: httpx.AsyncClient, answer: httpx.Response, film: File) -> None:
        """A refusal is a problem document that says what to do, and leaves nothing."""
        if answer.is_success:
            return
        document = answer.json() if "problem" in answer.headers.get("content-type", "") else {}
        worded = answer.status_code in {503, 507} and "free space" in document.get("detail", "")
        self._part.expect(worded, f"a full disk was answered {answer.status_code}: {answer.text[:300]}")
        left = [one.name for one in self._disk.glob("data-*/incoming/*")] + [
            film.sha256 for _ in self._disk.glob(f"data-*/films/{film.sha256[:2]}/{film.sha256[2:]}*")
        ]
        self._part.expect(not left, f"a refused upload left {left}")
        health = await client.get("/health")
        self._part.expect(health.status_code == 200, f"health on a full disk: {health.status_code}")

    @contextmanager
    def _full(self, *, but: int) -> Iterator[None]:
        """Fill the disk but for some bytes, until the context ends."""
        ballast = self._disk / "ballast"
        free = shutil.disk_usage(self._disk).free
        with ballast.open("wb") as stream:
            os.posix_fallocate(stream.fileno(), 0, max(1, free - but))
        try:
            yield
        finally:
            ballast.unlink()


def _film(mark: str) -> File:
    plain = marked(0, mark)
    return marked(0, mark, padding=max(0, _FILM_BYTES - len(plain.content)))


def _sound(folder: Path, part: Part) -> None:
    """Let the store look itself over, once there is room."""
    with Store.open(f"sqlite:///{folder}/capitate.db", folder=folder, migrate=False) as store:
        part.complaints += [problem.message for problem in store.check()]


@contextmanager
def _small_disk(folder: Path) -> Iterator[Path]:
    """Mount a file system in memory.

    Raises:
        NotHereError: if that is not allowed here.
    """
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        raise NotHereError("a small disk is mounted for it, which takes root on Linux")
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)]
    mounted = subprocess.run(words, capture_output=True, text=True, check=False)
    if mounted.returncode:
        raise NotHereError(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)
