"""Killed without notice while clients write: what was acknowledged is there afterwards, and the store is sound."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from capitate.service.store import Store
from service.killing import kill_writers
from soak.films import marked
from soak.running import PATIENCE_SECONDS, Running, client_of, over, ready, send
from soak.tally import Part, Plan

ROUNDS = 50
_MOST_SECONDS = 6.0
"""The kill comes at most so long after the writers began, or after the models were loaded."""
_MOST_WAITING = 4
_HAND_SHARE = 0.3
"""Of the uploads; the others are no films, which the service stores all the same and refuses within milliseconds."""
_JOINT, _LAST_GRADE = "Radius", 13
_AGAIN = 30
"""Of what earlier rounds acknowledged, so many are looked at after each kill; all are at the end."""
_LOADED = 0.5
"""Share of the rounds in which the writers wait for the models, so that films are being assessed when it is killed."""


@dataclass
class Acknowledged:
    """What a client was told of one assessment.

    Attributes:
        sha256: of its film.
        child: that it was sent with.
        revision: the last one that was acknowledged.
        grade: of the radius in that revision; None while nobody has corrected it.
        months: bone age in that revision.
        going: whether it was asked to be deleted.
        gone: whether that was acknowledged.
    """

    sha256: str
    child: str
    revision: int = 0
    grade: int | None = None
    months: float | None = None
    going: bool = False
    gone: bool = False


@dataclass
class Clients:
    """Everybody who writes, and what they were told until the service died."""

    client: httpx.AsyncClient
    dice: random.Random
    label: str
    known: dict[str, Acknowledged]
    complaints: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    sent: int = 0
    ended: bool = False

    async def write(self) -> None:
        """Write until the service is gone."""
        steps = (self._upload, self._upload, self._wait, self._correct, self._correct, self._delete)
        await asyncio.gather(*(self._on_and_on(step) for step in steps))

    async def _on_and_on(self, step: Callable[[], Awaitable[None]]) -> None:
        try:
            while not self.ended:
                await step()
                await asyncio.sleep(self.dice.uniform(0.0, 0.05))
        except httpx.TransportError:
            self.ended = True

    async def _upload(self, *, wait: bool = False) -> None:
        """Send something; every assessment has bytes of its own."""
        if not wait and len(self._with(0)) > _MOST_WAITING:
            return
        self.sent += 1
        mark = f"{self.label} {self.sent}"
        film = marked(0, mark)
        if not wait and self.dice.random() > _HAND_SHARE:
            film = type(film)(0, b"no film: " + mark.encode())
        answer = await send(self.client, film.content, wait=wait, sex="female", maps="false", child=mark)
        if not self._went(answer, {503}):
            return
        record = answer.json()
        self.new.append(record["id"])
        told = self.known[record["id"]] = Acknowledged(film.sha256, mark)
        if record["status"] in {"done", "refused"}:
            self._note(told, record)

    async def _wait(self) -> None:
        await self._upload(wait=True)

    async def _correct(self) -> None:
        """Correct a grade, or take a correction back."""
        open_ones = [one for one in self._with(1) if self.known[one].months is not None]
        if not open_ones:
            await self._look()
            return
        chosen = self.dice.choice(open_ones)
        told = self.known[chosen]
        headers = {"If-Match": f'"{told.revision}"'}
        if told.revision > 1 and self.dice.random() < 0.3:
            answer = await self.client.post(f"/v1/assessments/{chosen}/undo", headers=headers)
        else:
            body = {"grades": {_JOINT: self.dice.randint(1, _LAST_GRADE)}, "by": "soak"}
            answer = await self.client.patch(f"/v1/assessments/{chosen}/grades", json=body, headers=headers)
        if answer.status_code == 412:
            # somebody else's, or one of an earlier round whose acknowledgement the kill cut off
            answer = await self.client.get(f"/v1/assessments/{chosen}")
        if self._went(answer, {404, 409}):
            self._note(told, answer.json())

    async def _look(self) -> None:
        """Read what was not done when it was sent."""
        waiting = self._with(0)
        if waiting:
            chosen = self.dice.choice(waiting)
            answer = await self.client.get(f"/v1/assessments/{chosen}")
            if self._went(answer, {404}):
                self._note(self.known[chosen], answer.json())

    async def _delete(self) -> None:
        """Delete one in so many, rather one that waits."""
        await asyncio.sleep(self.dice.uniform(0.0, 0.3))
        await self._look()
        candidates = [one for one in self.new if not self.known[one].going]
        if len(candidates) < 4:
            return
        chosen = self.dice.choice(candidates)
        self.known[chosen].going = True
        answer = await self.client.delete(f"/v1/assessments/{chosen}")
        if self._went(answer, set()):
            self.known[chosen].gone = True

    def _with(self, least: int) -> list[str]:
        """Assessments at a revision of at least so many; those at none if 0 is asked for."""
        return [
            one for one, told in self.known.items()
            if not told.going and (told.revision >= least if least else told.revision == 0)
        ]  # fmt: skip

    def _went(self, answer: httpx.Response, allowed: set[int]) -> bool:
        if not answer.is_success and answer.status_code not in allowed:
            self.complaints.append(f"{answer.request.method} was answered {answer.status_code}: {answer.text[:200]}")
        return answer.is_success

    @staticmethod
    def _note(told: Acknowledged, record: dict[str, Any]) -> None:
        """Remember the latest state that was told; answers may come in another order than they were made."""
        if record["revision"] >= told.revision:
            told.revision, told.months, told.grade = record["revision"], record["bone_age_months"], grade_of(record)


def grade_of(record: dict[str, Any]) -> int | None:
    """The radius' grade in a record, if it was corrected."""
    joints = (record.get("assessment") or {}).get("joints") or []
    grades = [one["grade"] for one in joints if one["name"] == _JOINT and one.get("grade")]
    return next((one["value"] for one in grades if one.get("corrected_by")), None)


def run(plan: Plan, part: Part) -> None:
    """Kill writers of the store, then the whole service."""
    rounds = plan.count(ROUNDS, least=2)
    folder = plan.folder / "written"
    store = kill_writers(f"sqlite:///{folder}/capitate.db", folder, rounds=rounds, seed=plan.seed)
    part.figures["store"] = {"kills": store.kills, "acknowledged": store.acknowledged, "lost": len(store.lost)}
    part.complaints += [f"the store lost {one}" for one in store.lost] + store.problems
    asyncio.run(_Service(plan, part).kill(rounds))


class _Service:
    """The service that is killed, and what is known of it."""

    def __init__(self, plan: Plan, part: Part) -> None:
        self._part, self._folder, self._dice = part, plan.folder / "killed", plan.dice("kills")
        self._options = ["--workers", "1", "--queue", "1000", "--rate-per-minute", "0", "--model", plan.model]
        self._known: dict[str, Acknowledged] = {}
        self._fresh: list[str] = []
        marked(0, "drawn before the clock runs")

    async def kill(self, rounds: int) -> None:
        """Kill it so many times; then let it finish, and look at everything once more."""
        requests = sum([await self._round(number) for number in range(rounds)])
        service = Running(self._folder, *self._options)
        async with client_of(service) as client:
            for one in [one for one, told in self._known.items() if not told.gone]:
                await self._compare(client, one, await over(client, one))
        code = service.stop()
        self._part.expect(code == 0, f"the service ended with the exit code {code} after the last round")
        self._sound("the end")
        self._part.expect("Traceback" not in service.log(), "the log holds a traceback")
        gone = sum(told.gone for told in self._known.values())
        self._part.figures["service"] = {
            "kills": rounds, "uploads": requests, "acknowledged": len(self._known), "deleted": gone,
            "corrected": sum(told.grade is not None for told in self._known.values()),
        }  # fmt: skip

    async def _round(self, number: int) -> int:
        """Start it, look whether it has what the last one acknowledged, write, kill it; gives the uploads."""
        service = Running(self._folder, *self._options)
        async with client_of(service) as client:
            for one in {*self._fresh, *self._dice.sample(list(self._known), min(_AGAIN, len(self._known)))}:
                await self._compare(client, one, (await client.get(f"/v1/assessments/{one}")).json())
            if self._dice.random() < _LOADED:
                await ready(client)
            clients = Clients(client, self._dice, f"round {number}", self._known)
            writing = asyncio.create_task(clients.write())
            await asyncio.sleep(self._dice.uniform(0.05, _MOST_SECONDS))
            left = await asyncio.to_thread(service.kill)
            clients.ended = True
            await asyncio.wait_for(writing, PATIENCE_SECONDS)
        self._fresh = clients.new
        self._part.complaints += [f"round {number}: {one}" for one in clients.complaints]
        self._part.expect(not left, f"round {number}: processes {left} outlived the service")
        self._sound(f"round {number}")
        return clients.sent

    async def _compare(self, client: httpx.AsyncClient, assessment_id: str, record: dict[str, Any]) -> None:
        """Compare what is there with what was acknowledged."""
        told, there = self._known[assessment_id], "id" in record
        if told.gone or (told.going and not there):
            self._part.expect(not there, f"{assessment_id} was deleted and is there")
            told.gone = True
            return
        self._part.expect(there, f"{assessment_id} was acknowledged and is lost: {record.get('code')}")
        if not there:
            return
        film = await client.get(f"/v1/assessments/{assessment_id}/film") if told.sha256 else None
        own = film is not None and film.is_success and record["film_sha256"] == told.sha256
        own = own and record["child"] == told.child
        self._part.expect(own, f"{assessment_id} has another film or child than was sent")
        kept = record["revision"] > told.revision or (
            (record["revision"], record["bone_age_months"], grade_of(record))
            == (told.revision, told.months, told.grade)
        )
        self._part.expect(kept, f"{assessment_id} is not at the revision {told.revision} that was acknowledged")
        told.revision, told.months, told.grade = record["revision"], record["bone_age_months"], grade_of(record)

    def _sound(self, moment: str) -> None:
        """Let the store look itself over: the database, every film and map."""
        with Store.open(f"sqlite:///{self._folder}/capitate.db", folder=self._folder, migrate=False) as store:
            self._part.complaints += [f"{moment}: {problem.message}" for problem in store.check()]
