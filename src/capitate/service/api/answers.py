"""Answers: problem documents for whatever went wrong, and records as JSON."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from capitate.errors import (
    CapitateError,
    FilmTooLargeError,
    GradeError,
    RecordNotFoundError,
    RevisionConflictError,
    StatusConflictError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
    UsageError,
)
from capitate.service.api.schemas import record_json
from capitate.service.problems import Problem, ProblemCode

__all__ = ["PROBLEM_JSON", "as_problem", "handle_errors", "problem_answer"]

_log = logging.getLogger(__name__)
PROBLEM_JSON = "application/problem+json"
_BY_STATUS = {
    400: ProblemCode.INVALID_UPLOAD,
    404: ProblemCode.NOT_FOUND,
    405: ProblemCode.METHOD_NOT_ALLOWED,
    413: ProblemCode.TOO_LARGE,
    415: ProblemCode.UNSUPPORTED_MEDIA_TYPE,
    416: ProblemCode.INVALID_REQUEST,
}
_BY_ERROR: tuple[tuple[type[CapitateError], ProblemCode], ...] = (
    (StoreUnavailableError, ProblemCode.STORE_UNAVAILABLE),
    (StoreFullError, ProblemCode.STORAGE_FULL),
    (StoreReadOnlyError, ProblemCode.STORAGE_FULL),
    (RecordNotFoundError, ProblemCode.NOT_FOUND),
    (RevisionConflictError, ProblemCode.CHANGED_MEANWHILE),
    (StatusConflictError, ProblemCode.NOT_CORRECTABLE),
    (FilmTooLargeError, ProblemCode.TOO_LARGE),
    (GradeError, ProblemCode.INVALID_GRADE),
    (UsageError, ProblemCode.INVALID_REQUEST),
)
_RETRY = {"Retry-After": "5"}
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})


def as_problem(error: Exception) -> Problem:
    """Say any error as a problem; of what nobody expected only the kind and place, since it may quote a film."""
    if isinstance(error, Problem):
        return error
    for kind, code in _BY_ERROR:
        if isinstance(error, kind):
            return _known(error, code)
    if isinstance(error, OSError) and error.errno in _FULL:
        return Problem(ProblemCode.STORAGE_FULL, f"the upload cannot be written: {error.strerror}; free space there")
    _log.error("fault: %s at %s", type(error).__name__, _place(error))
    return Problem(
        ProblemCode.FAULT,
        f"a fault in Capitate itself ({type(error).__name__}); send the request again, and report it if it fails again",
    )


def problem_answer(problem: Problem, *, path: str) -> Response:
    """Write a problem as the answer to a request."""
    return JSONResponse(
        problem.document(instance=path), problem.kind.status, headers=problem.headers, media_type=PROBLEM_JSON
    )


def handle_errors(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""

    def answer(make: Callable[[Any], Problem]) -> Callable[[Request, Any], Response]:
        def handler(request: Request, error: Exception) -> Response:
            return problem_answer(make(error), path=request.url.path)

        return handler

    app.add_exception_handler(Problem, answer(as_problem))
    app.add_exception_handler(CapitateError, answer(as_problem))
    app.add_exception_handler(RequestValidationError, answer(_invalid))
    app.add_exception_handler(HTTPException, answer(_http))
    app.add_exception_handler(ClientDisconnect, answer(_gone))


def _known(error: CapitateError, code: ProblemCode) -> Problem:
    """Say an error of the tree."""
    headers = _RETRY if code is ProblemCode.STORE_UNAVAILABLE else {}
    current = getattr(error, "current", None)
    return Problem(code, str(error), headers=headers, more={} if current is None else {"current": record_json(current)})


def _invalid(error: RequestValidationError) -> Problem:
    """Say what pydantic says, without the value, which may be a name."""
    each = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    if any(one["type"] == "json_invalid" for one in error.errors()):
        return Problem(ProblemCode.INVALID_REQUEST, "the body is no JSON; send a JSON object")
    return Problem(ProblemCode.INVALID_REQUEST, f"{'; '.join(each[:10])}; correct it and send the request again")


def _http(error: HTTPException) -> Problem:
    """Say what the framework raised."""
    code = _BY_STATUS.get(error.status_code)
    if code is ProblemCode.NOT_FOUND:
        detail = "nothing has this address; /v1/openapi.json lists what there is"
    elif code is ProblemCode.METHOD_NOT_ALLOWED:
        detail = f"the address takes {(error.headers or {}).get('allow', 'other methods')}; use one of these"
    else:
        detail = str(error.detail)
    headers = dict(error.headers or {})
    return Problem(code or ProblemCode.FAULT, detail, headers=headers)


def _gone(_error: ClientDisconnect) -> Problem:
    """Note that the client went away in the middle; nobody reads the answer."""
    _log.info("an upload broke off; nothing was stored")
    return Problem(ProblemCode.INVALID_UPLOAD, "the upload broke off; nothing was stored, send it again")


def _place(error: BaseException) -> str:
    """Say where an error was raised: the last places of our own."""
    places, trace = [], error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        places += [f"{module}:{trace.tb_lineno}"]
        trace = trace.tb_next
    return " > ".join([*[one for one in places[:-1] if one.startswith("capitate")][-3:], *places[-1:]])
