"""How much a request may hold: counted while it comes, and answered as soon as it is too much."""

from __future__ import annotations

import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from capitate.service.api.answers import problem_answer
from capitate.service.problems import Problem, ProblemCode
from capitate.service.settings import ServiceSettings

__all__ = ["BodyLimit"]

_FORM_BYTES = 64_000
"""For the other fields of a form."""
_JSON_BYTES = 256_000
_DRAIN_SECONDS, _DRAIN_BYTES = 5.0, 1_000_000_000


class BodyLimit:
    """ASGI middleware that ends a request whose body is too large."""

    def __init__(self, app: ASGIApp, *, settings: ServiceSettings) -> None:
        """Stand before an application."""
        self._app = app
        self._limits = {
            "/v1/assessments": ("film", settings.film_bytes + _FORM_BYTES),
            "/v1/archives": ("archive", settings.archive_bytes + _FORM_BYTES),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its bytes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        what, limit = self._limits.get(scope["path"], ("body", _JSON_BYTES))
        counted = _Counted(receive, send, what=what, limit=limit)
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            counted.exceeded = True
            await problem_answer(counted.problem(int(announced)), path=scope["path"])(scope, receive, counted.send)
            return
        await self._app(scope, counted.receive, counted.send)


class _Counted:
    """One request's body."""

    def __init__(self, receive: Receive, send: Send, *, what: str, limit: int) -> None:
        self._receive, self._send = receive, send
        self._what, self._limit, self._count = what, limit, 0
        self.exceeded = False

    async def receive(self) -> Message:
        """Give the next part of the body.

        Raises:
            Problem: if it is too much now.
        """
        message = await self._receive()
        self._count += len(message.get("body", b""))
        if self._count > self._limit and not self.exceeded:
            self.exceeded = True
            raise self.problem(self._count)
        return message

    async def send(self, message: Message) -> None:
        """Pass the answer on; where the client still sends, it has to read the answer before the line is cut."""
        if not self.exceeded or message["type"] != "http.response.body":
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._drain()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _drain(self) -> None:
        """Throw away what still comes, for a moment."""
        until, left = time.monotonic() + _DRAIN_SECONDS, _DRAIN_BYTES
        while left > 0 and time.monotonic() < until:
            message = await self._receive()
            left -= len(message.get("body", b""))
            if message["type"] == "http.disconnect" or not message.get("more_body"):
                return

    def problem(self, got: int) -> Problem:
        """Say that it is too large."""
        return Problem(
            ProblemCode.TOO_LARGE,
            f"the {self._what} is larger than {self._limit:,} bytes, got {got:,} or more; send a smaller one, or have "
            "the limit raised",
            headers={"Connection": "close"},
        )
