"""Who may come in: host, rate, token or session, origin; before any route is looked at."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from capitate.service.api.answers import problem_answer
from capitate.service.api.service import Service
from capitate.service.api.tokens import LOCAL, Client, Role
from capitate.service.problems import Problem, ProblemCode
from capitate.service.settings import is_loopback

__all__ = ["SAFE", "SESSION_COOKIE", "SESSION_PATH", "Gate", "session_id"]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
SESSION_COOKIE = "capitate_session"
SESSION_PATH = "/v1/session"
_FREE_OF_RATES = frozenset({"/health", "/ready"})


class Gate:
    """ASGI middleware that lets in whom the settings allow, and notes who it is."""

    def __init__(self, app: ASGIApp, *, service: Service) -> None:
        """Stand before an application."""
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer it with a problem."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            scope["capitate_client"] = self._client(scope)
        except Problem as problem:
            await problem_answer(problem, path=scope["path"])(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _client(self, scope: Scope) -> Client:
        """Say who asks.

        Raises:
            Problem: if the request is not to be answered.
        """
        headers, path = Headers(scope=scope), scope["path"]
        if self._service.tokens is None:
            _check_host(headers)
            client, by_cookie = LOCAL, False
        else:
            found, by_cookie = self._known(headers)
            client = found or Client("", Role.READ)
        if path not in _FREE_OF_RATES:
            self._check_rate(client.name if client.name and client is not LOCAL else _address(scope))
        unsafe = scope["method"] not in SAFE
        if unsafe:
            _check_origin(headers)
        if self._service.tokens is None or not _guarded(path):
            return client
        if not client.name:
            raise Problem(
                ProblemCode.NOT_SIGNED_IN,
                "no valid token came with the request; send Authorization: Bearer TOKEN, or sign in on the page",
                headers={"WWW-Authenticate": 'Bearer realm="capitate"'},
            )
        if unsafe:
            self._check_change(client, headers, by_cookie=by_cookie)
        return client

    def _known(self, headers: Headers) -> tuple[Client | None, bool]:
        """Find whose token or session came with a request, and whether it was a session."""
        kind, _, token = headers.get("authorization", "").partition(" ")
        if kind.casefold() == "bearer" and self._service.tokens is not None:
            return self._service.tokens.client(token.strip()), False
        session = self._service.sessions.find(session_id(headers))
        return (None, False) if session is None else (session.client, True)

    def _check_change(self, client: Client, headers: Headers, *, by_cookie: bool) -> None:
        """Refuse a change by a token that may only read, or by a page that is not ours."""
        if client.role is not Role.WRITE:
            raise Problem(
                ProblemCode.NOT_ALLOWED,
                f"the token {client.name!r} may read and not change anything; use one with the role write",
            )
        session = self._service.sessions.find(session_id(headers)) if by_cookie else None
        if session is not None and headers.get("x-csrf-token") != session.csrf:
            raise Problem(
                ProblemCode.NOT_ALLOWED,
                "the header X-CSRF-Token is missing or not the one of this session; reload the page",
            )

    def _check_rate(self, client: str) -> None:
        wait = self._service.rates.wait(client)
        if wait:
            raise Problem(
                ProblemCode.TOO_MANY_REQUESTS,
                f"more than {self._service.settings.rate_per_minute} requests a minute came from this client; "
                f"wait for {wait} s",
                headers={"Retry-After": str(wait)},
            )


def session_id(headers: Headers) -> str:
    """Give the session that a browser names; empty without one."""
    return cookie_parser(headers.get("cookie", "")).get(SESSION_COOKIE, "")


def _guarded(path: str) -> bool:
    """Whether a path needs a token: all data do; the page, signing in and probes do not."""
    return path == "/metrics" or (path.startswith("/v1/") and path != SESSION_PATH)


def _check_host(headers: Headers) -> None:
    """Refuse names that are not of this machine: another site may have had its own name lead here (DNS rebinding)."""
    host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
    if not is_loopback(host):
        raise Problem(
            ProblemCode.FOREIGN_HOST,
            f"without tokens the service answers to this machine's own names, got {host!r}; "
            "use http://127.0.0.1 or http://localhost, or start it with --tokens",
        )


def _check_origin(headers: Headers) -> None:
    """Refuse changes that a page of another site sends; programs other than browsers name no origin."""
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    foreign = origin is not None and urlsplit(origin).netloc != headers.get("host")
    if foreign or site not in {None, "same-origin", "none"}:
        told = origin if foreign else site
        raise Problem(
            ProblemCode.FOREIGN_ORIGIN,
            f"a change was sent from {told!r}, which is not this service; use the service's own page",
        )


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "unknown"
