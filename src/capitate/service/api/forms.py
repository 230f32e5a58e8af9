"""Forms with a film or an archive, streamed to disk, and the fields that come with it."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, BinaryIO

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from capitate.service.problems import Problem, ProblemCode
from capitate.types import Sex

__all__ = ["ChildFields", "Upload", "form_schema", "uploaded"]

_CHUNK = 1 << 20


class ChildFields(BaseModel):
    """What a form says beside the film; what is left out or empty is taken from the film, where it says it."""

    model_config = ConfigDict(extra="forbid")

    sex: Sex | None = None
    birth_date: date | None = None
    study_date: date | None = None
    age_years: Annotated[float | None, Field(ge=0, le=30)] = None
    child: Annotated[str | None, Field(max_length=200, description="Brings a child's films together; no name.")] = None
    maps: bool = True
    screen: bool = False

    @model_validator(mode="after")
    def _dates_in_order(self) -> ChildFields:
        if self.birth_date and self.study_date and self.study_date < self.birth_date:
            raise ValueError("the study date is before the birth date")
        return self


@dataclass(frozen=True, eq=False)
class Upload:
    """A file that was uploaded whole, and the fields beside it.

    Attributes:
        name: of the file, as the client calls it.
        stream: its bytes, from the beginning.
        child: the fields.
    """

    name: str
    stream: BinaryIO
    child: ChildFields

    def digest(self, *, path: str) -> str:
        """Give the sha256 of everything that was asked for, for idempotency keys.

        Args:
            path: of the request.
        """
        found = hashlib.sha256(f"{path}\0{self.name}\0{self.child.model_dump_json()}\0".encode("utf-8", "replace"))
        self.stream.seek(0)
        while chunk := self.stream.read(_CHUNK):
            found.update(chunk)
        self.stream.seek(0)
        return found.hexdigest()


@asynccontextmanager
async def uploaded(request: Request, *, field: str) -> AsyncIterator[Upload]:
    """Read a form whole; its file is gone afterwards.

    Args:
        request: with the form.
        field: name of the file's field.

    Raises:
        Problem: if it is no form, lacks the file, or a field cannot be used.
    """
    kind = request.headers.get("content-type", "")
    if kind.partition(";")[0].strip().casefold() != "multipart/form-data":
        raise Problem(
            ProblemCode.UNSUPPORTED_MEDIA_TYPE,
            f"a {field} is sent as multipart/form-data in the field {field!r}, got {kind[:100]!r}; send a form",
        )
    try:
        form = await _WholeForm(
            request.headers, request.stream(), max_files=1, max_fields=20, max_part_size=10_000
        ).parse()
    except MultiPartException as error:
        raise Problem(
            ProblemCode.INVALID_UPLOAD, f"the form cannot be read: {error.message}; send it again, whole"
        ) from error
    try:
        file = form.get(field)
        if not isinstance(file, UploadFile):
            raise Problem(
                ProblemCode.INVALID_REQUEST,
                f"the form has no file in the field {field!r}, got {sorted(form)[:10]}; send the {field} there",
            )
        fields = {name: value for name, value in form.multi_items() if name != field and value != ""}
        yield Upload(file.filename or field, file.file, _child(fields))
    finally:
        await form.close()


def form_schema(field: str) -> dict[str, Any]:
    """Describe the form for the OpenAPI document.

    Args:
        field: name of the file's field.
    """
    fields = ChildFields.model_json_schema()
    fields.pop("$defs", None)
    properties = {
        **fields["properties"],
        "sex": {"type": "string", "enum": [one.value for one in Sex]},
        field: {"type": "string", "format": "binary"},
    }
    schema = {"type": "object", "properties": properties, "required": [field], "additionalProperties": False}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}


class _WholeForm(MultiPartParser):
    """Starlette's parser takes a form that breaks off for a whole one, and leaves the file in it open."""

    _ended = False

    def on_end(self) -> None:
        """Note that the last boundary came."""
        self._ended = True

    async def parse(self) -> FormData:
        """Read the form.

        Raises:
            MultiPartException: if it is none, or breaks off.
        """
        form = await super().parse()
        if not self._ended:
            for file in self._files_to_close_on_error:
                file.close()
            raise MultiPartException("it breaks off before its last boundary")
        return form


def _child(fields: dict[str, Any]) -> ChildFields:
    """Check the fields.

    Raises:
        Problem: if one cannot be used; the value is not repeated.
    """
    try:
        return ChildFields.model_validate(fields)
    except ValidationError as error:
        each = [f"{'.'.join(map(str, one['loc'])) or 'dates'}: {one['msg']}" for one in error.errors()]
        raise Problem(ProblemCode.INVALID_REQUEST, f"{'; '.join(each)}; correct it and send the form again") from None
