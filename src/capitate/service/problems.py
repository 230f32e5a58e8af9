"""What can be wrong with a request, as problem documents (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from capitate.errors import CapitateError

__all__ = ["PROBLEMS", "Problem", "ProblemCode", "ProblemKind"]


class ProblemCode(StrEnum):
    """Codes of problems; the type of a document is `/problems/CODE`."""

    INVALID_REQUEST = "invalid_request"
    INVALID_UPLOAD = "invalid_upload"
    INVALID_ARCHIVE = "invalid_archive"
    INVALID_GRADE = "invalid_grade"
    NOT_CORRECTABLE = "not_correctable"
    NOT_SIGNED_IN = "not_signed_in"
    NOT_ALLOWED = "not_allowed"
    FOREIGN_ORIGIN = "foreign_origin"
    FOREIGN_HOST = "foreign_host"
    NOT_FOUND = "not_found"
    NOT_THERE_YET = "not_there_yet"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    NOT_RUNNING = "not_running"
    IN_PROGRESS = "in_progress"
    KEY_REUSED = "key_reused"
    CHANGED_MEANWHILE = "changed_meanwhile"
    REVISION_NEEDED = "revision_needed"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    TOO_MANY_REQUESTS = "too_many_requests"
    QUEUE_FULL = "queue_full"
    STORE_UNAVAILABLE = "store_unavailable"
    STORAGE_FULL = "storage_full"
    NOT_READY = "not_ready"
    DRAWING_FAILED = "drawing_failed"
    FAULT = "fault"


@dataclass(frozen=True)
class ProblemKind:
    """What all problems of a code share: the HTTP status, a title, and a paragraph for the page of the type."""

    status: int
    title: str
    help: str


PROBLEMS: Mapping[ProblemCode, ProblemKind] = MappingProxyType(
    {
        ProblemCode.INVALID_REQUEST: ProblemKind(
            422, "A value of the request cannot be used", "The detail names the value. Correct it and send it again."
        ),
        ProblemCode.INVALID_UPLOAD: ProblemKind(
            400,
            "The upload is no complete form",
            "The body was not multipart/form-data as it announced, or broke off. Send it again, whole.",
        ),
        ProblemCode.INVALID_ARCHIVE: ProblemKind(
            422, "The archive cannot be used", "It has to be a zip file of films, within the limits. Pack it again."
        ),
        ProblemCode.INVALID_GRADE: ProblemKind(
            422, "This grade or joint does not exist", "GET /v1/joints lists the joints and the last grade of each."
        ),
        ProblemCode.NOT_CORRECTABLE: ProblemKind(
            409,
            "This cannot be corrected",
            "Only an assessment that is done has grades, and only a revision after the first can be undone.",
        ),
        ProblemCode.NOT_SIGNED_IN: ProblemKind(
            401, "A token is needed", "Send Authorization: Bearer TOKEN, or sign in on the page."
        ),
        ProblemCode.NOT_ALLOWED: ProblemKind(
            403, "This token may not do that", "Use a token with the role write, or a fresh X-CSRF-Token."
        ),
        ProblemCode.FOREIGN_ORIGIN: ProblemKind(
            403, "The request comes from another site", "Changes are taken from the service's own page alone."
        ),
        ProblemCode.FOREIGN_HOST: ProblemKind(
            421, "The service is not reached by this name", "Without tokens it answers to 127.0.0.1 and localhost only."
        ),
        ProblemCode.NOT_FOUND: ProblemKind(404, "There is no such thing", "It was deleted, or the address is wrong."),
        ProblemCode.NOT_THERE_YET: ProblemKind(
            409, "This is not there yet", "The film is not assessed yet, or was not read. Look at its status."
        ),
        ProblemCode.METHOD_NOT_ALLOWED: ProblemKind(
            405, "The address does not take this method", "/v1/openapi.json lists what it takes."
        ),
        ProblemCode.NOT_RUNNING: ProblemKind(409, "There is nothing to cancel", "Only films that wait or run can be."),
        ProblemCode.IN_PROGRESS: ProblemKind(
            409, "The same request is being answered", "Wait, and send it again with the same Idempotency-Key."
        ),
        ProblemCode.KEY_REUSED: ProblemKind(
            422, "The Idempotency-Key was used for another request", "Take a new key for another film or other fields."
        ),
        ProblemCode.CHANGED_MEANWHILE: ProblemKind(
            412,
            "Somebody else changed the assessment",
            "`current` holds it as it is now. Look at it and send the change again with its ETag in If-Match.",
        ),
        ProblemCode.REVISION_NEEDED: ProblemKind(
            428, "A change says which revision it is of", "Send the ETag of the assessment in the header If-Match."
        ),
        ProblemCode.TOO_LARGE: ProblemKind(
            413, "The upload is too large", "Send a smaller film or archive, or have the limit raised."
        ),
        ProblemCode.UNSUPPORTED_MEDIA_TYPE: ProblemKind(
            415, "The body is of a type that is not taken here", "/v1/openapi.json says what each address takes."
        ),
        ProblemCode.TOO_MANY_REQUESTS: ProblemKind(
            429, "Too many requests", "Wait for the seconds that the header Retry-After says."
        ),
        ProblemCode.QUEUE_FULL: ProblemKind(
            503, "Too many films wait", "Nothing was stored. Send it again after the seconds that Retry-After says."
        ),
        ProblemCode.STORE_UNAVAILABLE: ProblemKind(
            503, "The database does not answer", "The service goes on by itself once it does. Send it again."
        ),
        ProblemCode.STORAGE_FULL: ProblemKind(
            507, "The film cannot be written", "Free space in the service's folder, or make it writable."
        ),
        ProblemCode.NOT_READY: ProblemKind(503, "The service is starting", "Models are loading. Ask /ready again."),
        ProblemCode.DRAWING_FAILED: ProblemKind(
            422, "A picture or report of this film cannot be made", "The detail says why."
        ),
        ProblemCode.FAULT: ProblemKind(
            500, "A fault in Capitate itself", "Report it with the line of the log, without films or names of patients."
        ),
    }
)
"""Every kind of problem; docs/service.md lists them, by test."""


class Problem(CapitateError):  # noqa: N818 - the word of RFC 9457
    """A request that is answered with a problem document."""

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """Say what is wrong.

        Args:
            code: kind of the problem.
            detail: what was wrong, the value received, what to do.
            headers: of the answer, such as Retry-After.
            more: further members of the document.
        """
        super().__init__(detail)
        self.kind, self.problem_code = PROBLEMS[code], code
        self.detail, self.headers, self.more = detail, dict(headers or {}), dict(more or {})

    def document(self, *, instance: str) -> dict[str, Any]:
        """Return the problem document.

        Args:
            instance: path of the request.
        """
        return {
            "type": f"/problems/{self.problem_code}",
            "title": self.kind.title,
            "status": self.kind.status,
            "detail": self.detail,
            "code": self.problem_code.value,
            "instance": instance,
            **self.more,
        }
