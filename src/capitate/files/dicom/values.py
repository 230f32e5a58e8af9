"""Attributes of a DICOM data set, read so that a malformed one costs a finding and not the film."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from capitate.errors import CorruptFileError
from capitate.types import Finding, Severity

__all__ = ["Remarks", "integer", "numbers", "tag_name", "text"]


@dataclass
class Remarks:
    """Findings collected while one file is read."""

    collected: list[Finding] = field(default_factory=list)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was remarked so far, each once."""
        return tuple(dict.fromkeys(self.collected))

    def warn(self, code: str, message: str) -> None:
        """Add a warning."""
        self.collected.append(Finding(code=code, severity=Severity.WARNING, message=message))

    def extend(self, findings: tuple[Finding, ...]) -> None:
        """Add findings made elsewhere."""
        self.collected.extend(findings)

    def malformed(self, keyword: str, *, wanted: str) -> None:
        """Remark a value that was ignored; the value itself may identify the patient and is left out."""
        message = f"The DICOM attribute {tag_name(keyword)} holds no {wanted}; it was ignored."
        self.warn("dicom_value_malformed", message)


def tag_name(keyword: str) -> str:
    """Write an attribute as its name and tag, `PatientSex (0010,0040)`."""
    tag = tag_for_keyword(keyword) or 0
    return f"{keyword} ({tag >> 16:04X},{tag & 0xFFFF:04X})"


def text(dataset: Dataset, keyword: str, *, remarks: Remarks) -> str:
    """Return a single string without surrounding blanks, empty if the attribute is missing, empty or malformed."""
    try:
        return _stored_text(dataset, keyword) or ""
    except Exception:  # pydicom may convert the value here, and raises whatever went wrong
        remarks.malformed(keyword, wanted="readable text")
        return ""


def numbers(dataset: Dataset, keyword: str, *, remarks: Remarks) -> list[float]:
    """Return the finite numbers of an attribute, empty if it is missing, empty or malformed."""
    try:
        stored = _stored_text(dataset, keyword) if _is_textual(keyword) else dataset.get(keyword)
        if stored is None or stored == "":
            return []
        many = stored.split("\\") if isinstance(stored, str) else np.atleast_1d(stored)
        converted = [float(one) for one in many]
    except Exception:  # as in `text`
        converted = [math.nan]
    if all(map(math.isfinite, converted)):
        return converted
    remarks.malformed(keyword, wanted="finite numbers")
    return []


def _is_textual(keyword: str) -> bool:
    """Whether the standard stores an attribute as characters."""
    return dictionary_VR(keyword) in ("CS", "DA", "DS", "IS", "LO", "SH")


def _stored_text(dataset: Dataset, keyword: str) -> str | None:
    """Return the characters of an attribute as they are stored.

    pydicom writes a value that it finds malformed into its log when it converts it, and such a value may name the
    patient; so the bytes are taken before conversion.
    """
    element = dataset.get_item(keyword) if keyword in dataset else None
    value = element.value if element is not None else None
    if value is None:
        return None
    if isinstance(value, bytes):
        value = value.decode("ascii")
    elif isinstance(value, MultiValue):
        value = "\\".join(map(str, value))
    return str(value).strip(" \0")


def integer(dataset: Dataset, keyword: str, *, default: int | None = None) -> int:
    """Return an integer that decoding depends on.

    Raises:
        CorruptFileError: if it is malformed, or missing without a default.
    """
    try:
        value = dataset.get(keyword)
        if value is None or value == "":
            if default is not None:
                return default
            found = "missing"
        else:
            return int(value)
    except Exception:  # as in `text`
        found = "malformed"
    raise CorruptFileError(f"the DICOM attribute {tag_name(keyword)} is {found}; export the film again")
