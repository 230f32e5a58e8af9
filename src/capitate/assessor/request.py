"""What the caller knows about a film, brought together with what its file says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from capitate.assessment import Subject
from capitate.radiograph import Radiograph
from capitate.types import Finding, Severity, Sex

__all__ = ["Request", "subject_of"]

_MONTH_DAYS = 365.25 / 12


@dataclass(frozen=True)
class Request:
    """What the caller knows about a film.

    Attributes:
        sex: as given; None leaves it to the file.
        sex_source: `given` or `table`.
        chronological_age_months: as given; None leaves it to the dates.
        birth_date: as given; None leaves it to the file.
        study_date: as given; None leaves it to the file.
        each_sex: whether the ages under either sex are wanted too where the sex is unknown.
    """

    sex: Sex | None = None
    sex_source: str = "given"
    chronological_age_months: float | None = None
    birth_date: date | None = None
    study_date: date | None = None
    each_sex: bool = True


def subject_of(radiograph: Radiograph, request: Request) -> tuple[Subject, list[Finding]]:
    """Bring together what the caller and the file say about the child; a contradiction is a finding."""
    findings = []
    stated = radiograph.sex
    if request.sex is not None:
        sex, origin = request.sex, request.sex_source
        if Sex.UNKNOWN not in (sex, stated) and sex is not stated:
            message = f"The file says {stated}, the request says {sex}; the request was followed."
            findings.append(Finding("sex_contradiction", Severity.WARNING, message))
        elif sex is Sex.UNKNOWN and stated is not Sex.UNKNOWN and request.sex_source == "given":
            message = f"The file says {stated}; unknown was asked for and used."
            findings.append(Finding("sex_not_used", Severity.INFO, message))
    else:
        sex, origin = stated, "dicom" if stated is not Sex.UNKNOWN else "none"
    age, remark = _chronological_age(radiograph, request)
    return Subject(sex, origin, age), findings + ([remark] if remark else [])


def _chronological_age(radiograph: Radiograph, request: Request) -> tuple[float | None, Finding | None]:
    """Give the age in months: as given, or study date minus birth date."""
    born = request.birth_date or radiograph.birth_date
    taken = request.study_date or radiograph.study_date
    from_dates = (taken - born).days / _MONTH_DAYS if born and taken else None
    if from_dates is not None and not 0 <= from_dates <= 1440:
        message = "The study date lies before the birth date or more than 120 years after it; no age was derived."
        return request.chronological_age_months, Finding("dates_implausible", Severity.WARNING, message)
    if request.chronological_age_months is None:
        return from_dates, None
    if from_dates is not None and abs(from_dates - request.chronological_age_months) > 1.5:
        message = (
            f"The age given is {request.chronological_age_months:.1f} months, the dates say {from_dates:.1f}; "
            "the age given was followed."
        )
        return request.chronological_age_months, Finding("age_contradiction", Severity.WARNING, message)
    return request.chronological_age_months, None
