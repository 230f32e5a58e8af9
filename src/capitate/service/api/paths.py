"""Parameters that several routes share, and what their OpenAPI descriptions share."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Header, Path
from pydantic import BaseModel

from capitate.service.api.schemas import ProblemDocument
from capitate.service.problems import Problem, ProblemCode

__all__ = ["AssessmentId", "IfMatch", "described", "revision_of", "with_media"]

AssessmentId = Annotated[str, Path(min_length=1, max_length=64, description="Id of an assessment.")]
IfMatch = Annotated[str | None, Header(alias="If-Match", description="ETag of the assessment that is changed.")]
_EVERYWHERE = (401, 403, 421, 429, 500, 503)
_BINARY: dict[str, Any] = {"type": "string", "format": "binary"}


def described(*statuses: int, also: dict[int, type[BaseModel]] | None = None) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with, and other answers.

    Args:
        *statuses: of problems, beside those of every route.
        also: further answers.
    """
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted({*_EVERYWHERE, *statuses, 404, 422})
    }
    for status, model in (also or {}).items():
        found[status] = {"description": HTTPStatus(status).phrase, "model": model}
    return found


def with_media(*kinds: str, problems: tuple[int, ...] = ()) -> dict[int | str, dict[str, Any]]:
    """Describe an answer of bytes, and the problems of its route.

    Args:
        *kinds: media types.
        problems: statuses.
    """
    content = {kind: {"schema": _BINARY} for kind in kinds}
    return {200: {"description": "OK", "content": content}, **described(*problems)}


def revision_of(if_match: str | None) -> int:
    """Read the revision that a change is of.

    Raises:
        Problem: if the header is missing or none.
    """
    if if_match is None:
        raise Problem(
            ProblemCode.REVISION_NEEDED, 'the header If-Match is missing; send the ETag of the assessment, such as "1"'
        )
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Problem(
            ProblemCode.INVALID_REQUEST, f'If-Match is the ETag of an assessment, such as "1", got {if_match[:40]!r}'
        )
    return int(text)


SCHEMAS: tuple[type[BaseModel], ...] = (ProblemDocument,)
"""Models that only descriptions of problems refer to."""
