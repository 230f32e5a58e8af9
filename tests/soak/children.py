"""Many children at once: whatever is asked of one assessment is answered of that child, and of no other."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx

from soak.films import File, marked
from soak.running import Running, client_of, over, ready, running, send
from soak.tally import Part, Plan

REQUESTS = 2000
READERS = 16
"""How many children are looked at at the same time."""
_PICTURES = 6
_EACH = 10
"""Requests about one child: a film, and what is read and changed of it."""
_SEXES = ("female", "male")
_WORKERS = 2


@dataclass(frozen=True)
class Child:
    """A child as the reader sends it: no two have all in common, and none has the film or the dates of another."""

    name: str
    film: File
    sex: str
    birth_date: date
    study_date: date

    @property
    def fields(self) -> dict[str, str]:
        """The form."""
        dates = {"birth_date": self.birth_date.isoformat(), "study_date": self.study_date.isoformat()}
        return {"sex": self.sex, "child": self.name, "maps": "false", **dates}


def make_child(number: int, dice: random.Random, *, pictures: int) -> Child:
    """Make a child of its own film, and of dates that tell it from every other."""
    born = date(2001, 1, 1) + timedelta(days=number)
    film = marked(dice.randrange(pictures), f"child {number}")
    study = born + timedelta(days=dice.randint(3 * 365, 17 * 365))
    return Child(f"child-{number:04}", film, dice.choice(_SEXES), born, study)


def run(plan: Plan, part: Part) -> None:
    """Send and read on two workers."""
    options = ["--workers", str(_WORKERS), "--queue", "1000", "--rate-per-minute", "0", "--wait-seconds", "280"]
    with running(plan.folder / "children", *options, "--model", plan.model) as service:
        asyncio.run(_interleaved(plan, part, service))
        part.expect("Traceback" not in service.log(), "the log holds a traceback")


async def _interleaved(plan: Plan, part: Part, service: Running) -> None:
    """First every picture for itself, then all children at once."""
    dice, pictures = plan.dice("children"), min(_PICTURES, plan.count(3 * _PICTURES, least=2))
    wanted = plan.count(REQUESTS, least=2 * _EACH)
    children = [make_child(number, dice, pictures=pictures) for number in range(-(-wanted // _EACH))]
    async with client_of(service) as client:
        await ready(client)
        alone = {
            (picture, sex): await _alone(client, picture, sex) for picture in range(pictures) for sex in _SEXES
        }  # fmt: skip
        part.expect(len(set(alone.values())) > pictures, f"the drawn hands are too alike to be told apart: {alone}")
        answers: list[httpx.Response] = []
        client.event_hooks["response"].append(_counter(answers))
        places = asyncio.Semaphore(READERS)

        async def visit(child: Child) -> None:
            async with places:
                visitor = _Visit(client, part, child, alone, random.Random(f"{plan.seed} {child.name}"))
                await visitor.go()

        await asyncio.gather(*(visit(child) for child in children))
        await _all_listed(client, part, children)
    statuses: dict[int, int] = {}
    for answer in answers:
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
    part.figures |= {
        "answers_polls_included": len(answers),
        "children": len(children),
        "hands": pictures,
        "statuses": statuses,
    }


def _counter(answers: list[httpx.Response]) -> Callable[[httpx.Response], Awaitable[None]]:
    async def count(answer: httpx.Response) -> None:
        answers.append(answer)

    return count


async def _alone(client: httpx.AsyncClient, picture: int, sex: str) -> float:
    """Bone age of a picture while nothing else is asked."""
    answer = await send(client, marked(picture, f"alone {sex}").content, sex=sex, maps="false", child="alone")
    record = answer.json()
    if record["status"] != "done":
        raise RuntimeError(f"hand {picture} is {record['status']}: {record['error_message']}")
    return float(record["bone_age_months"])


async def _all_listed(client: httpx.AsyncClient, part: Part, children: list[Child]) -> None:
    """The list, page by page, has each child once for its film and once where it was assessed again."""
    found: dict[str, set[str]] = {}
    cursor: str | None = None
    while True:
        more = {} if cursor is None else {"cursor": cursor}
        page = (await client.get("/v1/assessments", params={"limit": 50, **more})).json()
        for item in page["items"]:
            found.setdefault(item["child"], set()).add(item["film_sha256"])
        cursor = page["next"]
        if cursor is None:
            break
    for child in children:
        part.expect(found.get(child.name) == {child.film.sha256}, f"the list has other films of {child.name}")


class _Visit:
    """One child: its film is sent, and everything that is answered is compared with the child."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        part: Part,
        child: Child,
        alone: dict[tuple[int, str], float],
        dice: random.Random,
    ) -> None:
        self._client, self._part, self._child, self._dice = client, part, child, dice
        self._alone = alone
        self._id = ""

    async def go(self) -> None:
        """Send the film, then ask in an order of the child's own."""
        child = self._child
        wait = self._dice.random() < 0.7
        answer = await send(self._client, child.film.content, name=f"{child.name}.png", wait=wait, **child.fields)
        self._part.expect(answer.status_code == (201 if wait else 202), f"an upload was answered {answer.status_code}")
        if not answer.is_success:
            return
        self._id = answer.json()["id"]
        self._own(answer.json() if wait else await over(self._client, self._id), what="record")
        steps = [
            self._read, self._film, self._report_json, self._report_text, self._listed, self._correct, self._again,
            self._history,
        ]  # fmt: skip
        self._dice.shuffle(steps)
        for step in steps:
            await step()

    def _own(self, record: dict[str, Any], *, what: str, sex: str | None = None) -> None:
        """Compare a record, or an assessment's own account of itself."""
        child, wanted = self._child, sex or self._child.sex
        mine = {
            "film_sha256": child.film.sha256, "film_name": f"{child.name}.png", "child": child.name, "sex": wanted,
            "birth_date": child.birth_date.isoformat(), "study_date": child.study_date.isoformat(), "status": "done",
        }  # fmt: skip
        other = {name: record.get(name) for name, value in mine.items() if record.get(name) != value}
        self._part.expect(not other, f"{what} of {child.name} says {other}")
        if record.get("assessment") is not None:
            self._own_assessment(record["assessment"], what=what, sex=wanted)

    def _own_assessment(self, assessment: dict[str, Any], *, what: str, sex: str) -> None:
        """Compare the film, the sex, the age on the study date, and the bone age of the hand when it was alone."""
        child = self._child
        days = (child.study_date - child.birth_date).days
        subject, months = assessment["subject"], assessment["bone_age"]["months"]
        own = (
            assessment["source"]["sha256"] == child.film.sha256
            and subject["sex"] == sex
            and abs(subject["chronological_age_months"] - days / 30.4375) < 1.0
            and abs(months - self._alone[child.film.picture, sex]) < 1e-3
        )
        told = f"{assessment['source']['sha256'][:8]} {subject} {months}"
        self._part.expect(own, f"{what} of {child.name} is of another child: {told}")

    async def _get(self, place: str = "", **parameters: Any) -> httpx.Response:
        answer = await self._client.get(f"/v1/assessments/{self._id}{place}", params=parameters)
        self._part.expect(answer.status_code == 200, f"{place or 'record'} was answered {answer.status_code}")
        return answer

    async def _read(self) -> None:
        self._own((await self._get()).json(), what="record")

    async def _film(self) -> None:
        self._part.expect((await self._get("/film")).content == self._child.film.content, "the film is another one")

    async def _report_json(self) -> None:
        written = (await self._get("/report", format="json")).json()
        self._own_assessment(written, what="JSON report", sex=self._child.sex)

    async def _report_text(self) -> None:
        """The report in words names the child's file and no other."""
        text = (await self._get("/report", format="text")).text
        self._part.expect(f"{self._child.name}.png" in text, f"a text report does not name {self._child.name}.png")

    async def _listed(self) -> None:
        answer = await self._client.get("/v1/assessments", params={"child": self._child.name})
        items = answer.json()["items"]
        self._part.expect({one["child"] for one in items} == {self._child.name}, "a search gave another child")
        for one in items:
            if one["id"] == self._id:
                self._own(one, what="list")

    async def _correct(self) -> None:
        """Correct a grade; the answer is of this child, with what was said."""
        grade, revision = self._dice.randint(3, 9), (await self._get()).json()["revision"]
        answer = await self._client.patch(
            f"/v1/assessments/{self._id}/grades",
            json={"grades": {"Radius": grade}, "by": self._child.name},
            headers={"If-Match": f'"{revision}"'},
        )
        self._part.expect(
            answer.status_code == 200, f"a correction was answered {answer.status_code} {answer.text[:200]}"
        )
        if answer.is_success:
            record = answer.json()
            self._own(record, what="correction")
            grades = {one["name"]: one.get("grade") for one in record["assessment"]["joints"]}
            self._part.expect((grades.get("Radius") or {}).get("value") == grade, "a correction has another grade")

    async def _history(self) -> None:
        authors = {one["by"] for one in (await self._get("/history")).json()["items"]}
        others = {one for one in authors if one.startswith("child-")} - {self._child.name}
        self._part.expect(not others, f"the history of {self._child.name} has changes of {others}")

    async def _again(self) -> None:
        """Some are assessed once more, as of the other sex; the others are read."""
        if self._dice.random() > 0.15:
            await self._read()
            return
        other = next(sex for sex in _SEXES if sex != self._child.sex)
        body = {name: self._child.fields[name] for name in ("birth_date", "study_date")} | {"sex": other}
        answer = await self._client.post(f"/v1/assessments/{self._id}/reassess", json=body)
        self._part.expect(answer.status_code == 201, f"a second assessment was answered {answer.status_code}")
        if answer.is_success:
            self._own(answer.json(), what="second assessment", sex=other)
