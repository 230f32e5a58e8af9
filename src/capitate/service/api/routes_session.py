"""Routes by which browsers sign in with a token, and out."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from capitate.service.api.gate import SESSION_COOKIE, SESSION_PATH, session_id
from capitate.service.api.paths import described
from capitate.service.api.schemas import SessionAnswer, SessionBody
from capitate.service.api.service import Here
from capitate.service.api.tokens import LOCAL, Client
from capitate.service.problems import Problem, ProblemCode
from capitate.service.store import AuditAction

__all__ = ["router"]

router = APIRouter(tags=["session"])
_CSRF_COOKIE = "capitate_csrf"


@router.get(SESSION_PATH, response_model=SessionAnswer, responses=described(401))
def read(request: Request, service: Here) -> Response:
    """Say who is signed in."""
    if service.tokens is None:
        return _answer(LOCAL, tokens=False)
    session = service.sessions.find(session_id(request.headers))
    if session is None:
        raise Problem(ProblemCode.NOT_SIGNED_IN, "nobody is signed in; send a token with POST /v1/session")
    return _answer(session.client, tokens=True, csrf=session.csrf)


@router.post(SESSION_PATH, status_code=201, response_model=SessionAnswer, responses=described(401, 422))
def sign_in(request: Request, body: SessionBody, service: Here) -> Response:
    """Sign a browser in: a cookie that scripts cannot read, and `csrf` for the header X-CSRF-Token."""
    if service.tokens is None:
        return _answer(LOCAL, tokens=False, status=201)
    client = service.tokens.client(body.token)
    if client is None:
        service.store.audit.write("", AuditAction.DENIED, detail={"route": SESSION_PATH})
        raise Problem(ProblemCode.NOT_SIGNED_IN, "the token is not known; ask who runs the service for one")
    session = service.sessions.begin(client)
    service.told(client, AuditAction.SIGN_IN)
    answer = _answer(client, tokens=True, csrf=session.csrf, status=201)
    secure, age = request.url.scheme == "https", int(service.sessions.seconds)
    answer.set_cookie(SESSION_COOKIE, session.id, max_age=age, httponly=True, secure=secure, samesite="strict")
    answer.set_cookie(_CSRF_COOKIE, session.csrf, max_age=age, secure=secure, samesite="strict")
    return answer


@router.delete(SESSION_PATH, status_code=204, responses=described())
def sign_out(request: Request, service: Here) -> Response:
    """Sign a browser out."""
    key = session_id(request.headers)
    session = service.sessions.find(key)
    if session is not None:
        service.sessions.end(key)
        service.told(session.client, AuditAction.SIGN_OUT)
    answer = Response(status_code=204)
    answer.delete_cookie(SESSION_COOKIE)
    answer.delete_cookie(_CSRF_COOKIE)
    return answer


def _answer(client: Client, *, tokens: bool, csrf: str | None = None, status: int = 200) -> Response:
    return JSONResponse({"name": client.name, "role": client.role.value, "tokens": tokens, "csrf": csrf}, status)
