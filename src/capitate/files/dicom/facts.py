"""What a DICOM film says about the child and the detector; malformed values become findings, never errors."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from pydicom.dataset import Dataset

from capitate.files.dicom.values import Remarks, numbers, text
from capitate.types import Sex, Side

__all__ = ["Facts", "read_facts"]

_SEXES = {"F": Sex.FEMALE, "M": Sex.MALE, "O": Sex.UNKNOWN, "": Sex.UNKNOWN}
_SIDES = {"L": Side.LEFT, "R": Side.RIGHT, "B": Side.UNKNOWN, "U": Side.UNKNOWN, "": Side.UNKNOWN}
# PS3.5, table 6.2-1: YYYYMMDD; the ACR-NEMA form with dots is still met.
_DATE = re.compile(r"(\d{4})(\.?)(\d{2})\2(\d{2})")
_EARLIEST_YEAR = 1895
_SPACINGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing")
# Detectors and film scanners have 0.02 to 0.5 mm; what was shrunk to some 300 pixels has about 1 mm.
_PLAUSIBLE_SPACING_MM = (0.01, 2.0)


@dataclass(frozen=True)
class Facts:
    """Facts in the terms of `Radiograph`; spacing is (row, column) in millimetres, the body part in lower case."""

    sex: Sex = Sex.UNKNOWN
    birth_date: date | None = None
    study_date: date | None = None
    side: Side = Side.UNKNOWN
    spacing_mm: tuple[float, float] | None = None
    body_part: str = ""

    def as_fields(self) -> dict[str, Any]:
        """Return the facts by the names of `Radiograph`'s fields."""
        return asdict(self)


def read_facts(dataset: Dataset, *, remarks: Remarks) -> Facts:
    """Read sex, dates, side and pixel spacing."""
    birth = _date(dataset, "PatientBirthDate", remarks=remarks)
    study = next(
        (
            found
            for keyword in ("AcquisitionDate", "StudyDate", "ContentDate")
            if (found := _date(dataset, keyword, remarks=remarks))
        ),
        None,
    )
    if birth and study and birth > study:
        remarks.warn("dates_contradict", "The DICOM birth date lies behind the study date; the birth date was ignored.")
        birth = None
    return Facts(
        sex=_sex(dataset, remarks=remarks),
        birth_date=birth,
        study_date=study,
        side=_side(dataset, remarks=remarks),
        spacing_mm=_spacing(dataset, remarks=remarks),
        body_part=text(dataset, "BodyPartExamined", remarks=remarks).casefold(),
    )


def _sex(dataset: Dataset, *, remarks: Remarks) -> Sex:
    """PatientSex: M, F, O or empty."""
    value = text(dataset, "PatientSex", remarks=remarks).upper()
    if value not in _SEXES:
        remarks.malformed("PatientSex", wanted="M, F or O")
    return _SEXES.get(value, Sex.UNKNOWN)


def _date(dataset: Dataset, keyword: str, *, remarks: Remarks) -> date | None:
    """Return a calendar date, or None."""
    value = text(dataset, keyword, remarks=remarks)
    if not value:
        return None
    match = _DATE.fullmatch(value)
    try:
        found = date(int(match[1]), int(match[3]), int(match[4])) if match else None
    except ValueError:
        found = None
    if found is None or found.year < _EARLIEST_YEAR:
        remarks.malformed(keyword, wanted="calendar date")
        return None
    return found


def _side(dataset: Dataset, *, remarks: Remarks) -> Side:
    """ImageLaterality of the image and Laterality of the series; unknown if they contradict each other."""
    sides = set()
    for keyword in ("ImageLaterality", "Laterality"):
        value = text(dataset, keyword, remarks=remarks).upper()
        if value not in _SIDES:
            remarks.malformed(keyword, wanted="L, R, B or U")
        sides.add(_SIDES.get(value, Side.UNKNOWN))
    sides.discard(Side.UNKNOWN)
    if len(sides) > 1:
        remarks.warn("laterality_contradicts", "ImageLaterality and Laterality name different sides; taken as unknown.")
        return Side.UNKNOWN
    return sides.pop() if sides else Side.UNKNOWN


def _spacing(dataset: Dataset, *, remarks: Remarks) -> tuple[float, float] | None:
    """Return the first plausible pixel spacing, at the detector if that is given."""
    low, high = _PLAUSIBLE_SPACING_MM
    for keyword in _SPACINGS:
        found = numbers(dataset, keyword, remarks=remarks)
        if len(found) == 2 and all(low <= value <= high for value in found):
            return found[0], found[1]
        if found:
            remarks.malformed(keyword, wanted=f"pair of spacings of {low} to {high} mm")
    return None
