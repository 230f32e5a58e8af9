"""What comes in: one film, decoded once, bone bright, with the facts that its file states."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from capitate.types import Finding, Severity, Sex, Side

__all__ = ["Radiograph"]


@dataclass(frozen=True, eq=False)
class Radiograph:
    """A decoded film.

    Attributes:
        pixels: float32, shape (height, width), in [0, 1], bone bright, orientation as stored (EXIF applied).
        name: file name without folders, for display and reports.
        sha256: digest of the file's bytes, lower-case hex.
        format: `png`, `jpeg`, `tiff`, `webp`, `dicom` or `array`.
        bits: significant bits of a stored pixel.
        spacing_mm: (row, column) pixel spacing at the detector in millimetres, or None.
        sex: as the file states it.
        birth_date: as the file states it, or None.
        study_date: date of acquisition, study or content, in this order of trust, or None.
        side: as the file states it.
        body_part: as the file states it, in lower case, such as `hand`; empty where it does not.
        findings: what reading remarked.
    """

    pixels: NDArray[np.float32]
    name: str
    sha256: str
    format: str = "array"
    bits: int = 8
    spacing_mm: tuple[float, float] | None = None
    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    study_date: date | None = None
    side: Side = Side.UNKNOWN
    body_part: str = ""
    findings: tuple[Finding, ...] = field(default=())

    def __post_init__(self) -> None:
        """Check the pixel contract."""
        if self.pixels.ndim != 2 or self.pixels.dtype != np.float32:
            raise ValueError(
                f"pixels must be float32 of shape (height, width), got {self.pixels.dtype} {self.pixels.shape}"
            )

    @property
    def height(self) -> int:
        """Rows of pixels."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns of pixels."""
        return int(self.pixels.shape[1])

    def negated(self) -> Radiograph:
        """Return the film with bone and surroundings exchanged, and a finding that says so."""
        finding = Finding(
            code="negated",
            severity=Severity.WARNING,
            message="The film showed dark bone on bright surroundings and was inverted.",
        )
        return replace(self, pixels=np.float32(1) - self.pixels, findings=(*self.findings, finding))
