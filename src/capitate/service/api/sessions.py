"""Browsers that are signed in, in memory: a restart signs them out."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass

from capitate.service.api.tokens import Client

__all__ = ["Session", "Sessions"]

_MOST = 10_000


@dataclass(frozen=True)
class Session:
    """A browser that is signed in.

    Attributes:
        id: secret, in a cookie that scripts cannot read.
        csrf: secret, which the page repeats in the header X-CSRF-Token.
        client: whose token signed in.
        until: on the clock `time.monotonic`.
    """

    id: str
    csrf: str
    client: Client
    until: float


class Sessions:
    """The sessions; safe to share between threads."""

    def __init__(self, *, seconds: float) -> None:
        """Begin without one.

        Args:
            seconds: how long each lasts.
        """
        self._seconds, self._lock = seconds, threading.Lock()
        self._sessions: dict[str, Session] = {}

    @property
    def seconds(self) -> float:
        """How long a session lasts."""
        return self._seconds

    def begin(self, client: Client) -> Session:
        """Sign a browser in."""
        now = time.monotonic()
        session = Session(secrets.token_urlsafe(32), secrets.token_urlsafe(32), client, now + self._seconds)
        with self._lock:
            self._sessions = {key: one for key, one in self._sessions.items() if one.until > now}
            if len(self._sessions) >= _MOST:
                self._sessions.pop(next(iter(self._sessions)))
            self._sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """Give a session that lasts; None otherwise."""
        session = self._sessions.get(session_id)
        return session if session is not None and session.until > time.monotonic() else None

    def end(self, session_id: str) -> None:
        """Sign a browser out."""
        with self._lock:
            self._sessions.pop(session_id, None)
