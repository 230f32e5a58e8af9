"""PostgreSQL stopped and started under a running service: refused in words meanwhile, and nothing to do afterwards."""

from __future__ import annotations

import asyncio
import importlib.util
import time
from typing import TYPE_CHECKING

import httpx

from soak.films import marked
from soak.running import Running, client_of, over, ready, running, send, until
from soak.tally import NotHereError, Part, Plan

if TYPE_CHECKING:
    from service.postgres import Cluster

ROUNDS = 3
_ANSWER_SECONDS = 30.0
"""How long a request may take to be refused while there is no database."""


def run(plan: Plan, part: Part) -> None:
    """Stop and start the server several times.

    Raises:
        NotHereError: if there is no PostgreSQL.
    """
    if importlib.util.find_spec("psycopg") is None:
        raise NotHereError("psycopg is not installed: pip install '.[serve]'")
    from service.postgres import Cluster, binaries

    programs = binaries()
    if programs is None:
        raise NotHereError("PostgreSQL is not installed: initdb and pg_ctl are not found")
    cluster = Cluster(programs)
    try:
        options = ["--workers", "1", "--model", plan.model, "--database", cluster.new_schema()]
        with running(plan.folder / "database", *options) as service:
            asyncio.run(_Outages(plan, part, cluster).run(service))
            part.expect("Traceback" not in service.log(), "the log holds a traceback")
    finally:
        cluster.remove()


class _Outages:
    """A service and the server that it needs."""

    def __init__(self, plan: Plan, part: Part, cluster: Cluster) -> None:
        self._part, self._cluster, self._rounds = part, cluster, plan.count(ROUNDS)
        self._refused: list[float] = []
        self._back: list[float] = []

    async def run(self, service: Running) -> None:
        """Go through all outages."""
        async with client_of(service) as client:
            await ready(client)
            for number in range(self._rounds):
                await self._outage(client, number)
        self._part.figures |= {
            "outages": self._rounds,
            "slowest_refusal_s": round(max(self._refused), 2),
            "slowest_recovery_s": round(max(self._back), 2),
        }

    async def _outage(self, client: httpx.AsyncClient, number: int) -> None:
        """One film is done before, one is being assessed meanwhile, one is refused, one comes after."""
        film = marked(0, f"before {number}")
        before = await over(client, await self._taken(client, film.content))
        self._part.expect(before["status"] == "done", f"a film before the outage is {before['status']}")
        meanwhile = await self._taken(client, marked(0, f"meanwhile {number}").content)
        await asyncio.to_thread(self._cluster.stop)
        await self._refuses(client, before["id"], marked(0, f"refused {number}").content)
        await asyncio.to_thread(self._cluster.start)
        began = time.monotonic()
        await until(lambda: _reads(client, before["id"]), "the service does not find the database again", seconds=60)
        self._back.append(time.monotonic() - began)
        again = (await client.get(f"/v1/assessments/{before['id']}")).json()
        self._part.expect(again == before, "a film from before the outage has changed")
        finished = await over(client, meanwhile)
        self._part.expect(finished["status"] == "done", f"the film of the outage is {finished['status']}")
        after = await over(client, await self._taken(client, marked(0, f"after {number}").content))
        self._part.expect(after["status"] == "done", f"a film after the outage is {after['status']}")
        listed = (await client.get("/v1/assessments", params={"limit": 100})).json()["items"]
        self._part.expect(len(listed) == 3 * (number + 1), f"{len(listed)} assessments after {number + 1} outages")

    async def _taken(self, client: httpx.AsyncClient, content: bytes) -> str:
        answer = await send(client, content, wait=False, sex="female", maps="false")
        answer.raise_for_status()
        return str(answer.json()["id"])

    async def _refuses(self, client: httpx.AsyncClient, assessment_id: str, content: bytes) -> None:
        """Without a database: 503 in words for what needs it, and the process itself is healthy."""
        self._part.expect((await client.get("/health")).status_code == 200, "health needs the database")
        began = time.monotonic()
        upload = await send(client, content, wait=False, sex="female")
        self._refused.append(time.monotonic() - began)
        for answer in (upload, await client.get(f"/v1/assessments/{assessment_id}"), await client.get("/ready")):
            document = answer.json() if "problem" in answer.headers.get("content-type", "") else {}
            worded = answer.status_code == 503 and document.get("code") == "store_unavailable" and document["detail"]
            told = f"{answer.request.method} {answer.request.url.path} without a database: {answer.status_code}"
            self._part.expect(bool(worded), f"{told} {answer.text[:200]}")
        self._part.expect(self._refused[-1] < _ANSWER_SECONDS, f"a refusal took {self._refused[-1]:.0f} s")


async def _reads(client: httpx.AsyncClient, assessment_id: str) -> bool:
    return (await client.get(f"/v1/assessments/{assessment_id}")).status_code == 200
