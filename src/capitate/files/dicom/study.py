"""Which examination a DICOM file belongs to, from its header alone."""

from __future__ import annotations

from pathlib import Path

from pydicom import dcmread
from pydicom.errors import InvalidDicomError

from capitate.files.quiet import quiet

__all__ = ["study_uid"]


def study_uid(path: Path) -> str | None:
    """Return the StudyInstanceUID of a file; None where it is no DICOM file, states none, or cannot be read.

    Pixels are not read. That a file is damaged is said when it is read as a film.
    """
    try:
        with quiet():
            dataset = dcmread(path, stop_before_pixels=True, specific_tags=["StudyInstanceUID"])
            return str(dataset.get("StudyInstanceUID", "")).strip() or None
    except (InvalidDicomError, OSError, ValueError, TypeError, AttributeError, NotImplementedError, EOFError):
        return None
