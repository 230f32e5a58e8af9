"""Readers at work: eight of them at 80 % of what the service can do, and four times as much as it can."""

from __future__ import annotations

import asyncio
import itertools
import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from soak.films import File, hand, marked
from soak.running import Running, client_of, over, ready, running, send
from soak.tally import Part, Plan, milliseconds, quantile

CLIENTS, SHARE, EXCESS = 8, 0.8, 4.0
WORKERS, QUEUE = 1, 8
"""One worker, as is the default on two cores. The queue is short, so that it fills in seconds."""
GROWTH, GROWTH_BYTES = 0.10, 64e6
"""How much memory may grow and count as flat: a tenth, or what an allocator keeps."""
HEALTH_SECONDS, REFUSAL_SECONDS = 0.1, 1.0
_EVERY_MAPS = 4
"""One film in so many is asked for with its maps."""
_ALLOWED = frozenset({429, 503})


@dataclass
class Sent:
    """Films that were sent, and what was answered."""

    seconds: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    statuses: dict[int, int] = field(default_factory=dict)
    taken: list[tuple[str, str]] = field(default_factory=list)
    """Number and sha256 of what was taken."""
    wrong: list[str] = field(default_factory=list)


class Load:
    """Films sent to a service, each a file of its own."""

    def __init__(self, plan: Plan, client: httpx.AsyncClient, part: Part) -> None:
        self._plan, self._client, self._part = plan, client, part
        self._numbers = itertools.count()
        hand(0)

    async def capacity(self) -> float:
        """Measure how many films a second are assessed when there is always one that waits."""
        end, done = time.monotonic() + self._plan.seconds(30, least=4), 0

        async def reader() -> None:
            nonlocal done
            while time.monotonic() < end or done < 4:
                answer = await self._send(Sent())
                self._part.expect(answer.status_code == 201, f"capacity: {_told(answer)}")
                done += 1

        began = time.monotonic()
        await asyncio.gather(*(reader() for _ in range(2 * WORKERS)))
        return done / (time.monotonic() - began)

    async def at_work(self, rate: float, *, seconds: float) -> Sent:
        """Let eight readers send at random moments, so many films a second together; latency counts from the moment."""
        sent, began = Sent(), time.monotonic()

        async def reader(number: int) -> None:
            dice, due = self._plan.dice(f"reader {number}"), began
            while (due := due + dice.expovariate(rate / CLIENTS)) < began + seconds:
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                answer = await self._send(sent, since=due)
                record = answer.json()
                if answer.status_code != 201 or record["status"] != "done":
                    sent.wrong.append(f"{_told(answer)} {record.get('status')}")

        await asyncio.gather(*(reader(number) for number in range(CLIENTS)))
        return sent

    async def too_much(self, rate: float, *, seconds: float) -> Sent:
        """Send on and on, whether or not anything is answered; every second film is not waited for."""
        sent, began, under_way = Sent(), time.monotonic(), []
        for number in range(max(3 * (QUEUE + WORKERS), round(rate * seconds))):
            await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
            under_way.append(asyncio.create_task(self._send(sent, wait=number % 2 == 0)))
        for answer in await asyncio.gather(*under_way):
            allowed = answer.is_success or answer.status_code in _ALLOWED
            if not allowed or (not answer.is_success and "retry-after" not in answer.headers):
                sent.wrong.append(_told(answer))
        return sent

    async def finished(self, sent: Sent) -> None:
        """Wait until everything that was taken is done, each with its own film."""
        for assessment_id, sha256 in sent.taken:
            record = await over(self._client, assessment_id)
            own = record.get("status") == "done" and record["assessment"]["source"]["sha256"] == sha256
            self._part.expect(
                own, f"{assessment_id} was taken and is {record.get('status')} {record.get('error_code')}"
            )

    async def _send(self, sent: Sent, *, since: float | None = None, wait: bool = True) -> httpx.Response:
        """Send one film, and note what came of it."""
        number = next(self._numbers)
        film: File = marked(0, f"load {number}")
        began = time.monotonic() if since is None else since
        maps = "true" if number % _EVERY_MAPS == 0 else "false"
        answer = await send(self._client, film.content, wait=wait, sex="female", maps=maps)
        taken = time.monotonic() - began
        sent.statuses[answer.status_code] = sent.statuses.get(answer.status_code, 0) + 1
        (sent.seconds if answer.is_success else sent.refused).append(taken)
        if answer.is_success:
            sent.taken.append((answer.json()["id"], film.sha256))
        return answer


def run(plan: Plan, part: Part) -> None:
    """Measure the capacity, then both loads, on one service with its usual limits."""
    options = ["--workers", str(WORKERS), "--queue", str(QUEUE), "--wait-seconds", "120", "--model", plan.model]
    with running(plan.folder / "load", *options) as service:
        asyncio.run(_loads(plan, part, service))
        part.expect("Traceback" not in service.log(), "the log holds a traceback")


async def _loads(plan: Plan, part: Part, service: Running) -> None:
    async with client_of(service) as client:
        await ready(client)
        load = Load(plan, client, part)
        capacity = await load.capacity()
        part.figures["capacity_films_a_second"] = round(capacity, 3)
        await _usual(plan, part, service, load, rate=SHARE * capacity)
        await _excess(plan, part, service, load, rate=EXCESS * capacity)


async def _usual(plan: Plan, part: Part, service: Running, load: Load, *, rate: float) -> None:
    """Eight readers at 80 %."""
    before = sum(service.family().values())
    seconds = max(plan.seconds(120, least=5), 5 / rate)
    sent = await load.at_work(rate, seconds=seconds)
    after = sum(service.family().values())
    part.figures["usual"] = {
        "clients": CLIENTS, "seconds": round(seconds, 1), "films": len(sent.seconds), "statuses": sent.statuses,
        **milliseconds(sent.seconds), "memory_mb": [round(before / 1e6), round(after / 1e6)],
    }  # fmt: skip
    part.complaints += [f"80 % of capacity: {one}" for one in sent.wrong]
    part.expect(bool(sent.seconds), "80 % of capacity: no film was sent")
    grown = after - before
    told = f"memory grew from {before / 1e6:.0f} to {after / 1e6:.0f} MB, more than {GROWTH:.0%}"
    part.expect(grown <= max(GROWTH * before, GROWTH_BYTES), told)


async def _excess(plan: Plan, part: Part, service: Running, load: Load, *, rate: float) -> None:
    """Four times the capacity, with a probe of `/health` beside it."""
    seconds = plan.seconds(60, least=5)
    probe = _probe(service.url, seconds=max(seconds, 3 * (QUEUE + WORKERS) / rate))
    sent = await load.too_much(rate, seconds=seconds)
    health: list[float] = json.loads((await asyncio.to_thread(probe.communicate))[0] or "[]")
    await load.finished(sent)
    part.figures["excess"] = {
        "films_a_second": round(rate, 2), "seconds": round(seconds, 1), "statuses": sent.statuses,
        "refused": milliseconds(sent.refused), "health_while_busy": {"probes": len(health), **milliseconds(health)},
    }  # fmt: skip
    part.complaints += [f"four times capacity: {one}" for one in sent.wrong]
    part.expect(bool(sent.refused), "four times capacity: nothing was refused, so that it was not too much")
    part.expect(probe.returncode == 0 and bool(health), "health was not measured while every worker was busy")
    if plan.judge_times:
        slowest, late = max(sent.refused, default=0.0), quantile(health, 0.99)
        part.expect(slowest <= REFUSAL_SECONDS, f"a refusal took {slowest:.2f} s, more than {REFUSAL_SECONDS:g} s")
        part.expect(
            not late > HEALTH_SECONDS, f"health p99 {1000 * late:.0f} ms, more than {1000 * HEALTH_SECONDS:g} ms"
        )


def _probe(url: str, *, seconds: float) -> subprocess.Popen[str]:
    script = Path(__file__).with_name("health.py")
    command = [sys.executable, str(script), url, str(seconds), str(WORKERS)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _told(answer: httpx.Response) -> str:
    """What an answer was, with the code of its problem."""
    try:
        body: dict[str, Any] = answer.json()
    except ValueError:
        body = {}
    return f"{answer.request.method} {answer.request.url.path} {answer.status_code} {body.get('code', '')}".strip()
