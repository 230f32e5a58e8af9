"""What lists show of an assessment, read from its JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from capitate.assessment import SCHEMA
from capitate.errors import UsageError
from capitate.service.store.records import Status
from capitate.service.store.tables import AssessmentRow
from capitate.service.store.texts import storable

__all__ = ["Summary"]


@dataclass(frozen=True)
class Summary:
    """The parts of `capitate.assessment/1` that stand in columns; ages in months."""

    sex: str
    age_months: float | None
    bone_age: Mapping[str, Any] | None
    corrected: bool
    error: Mapping[str, str] | None

    @classmethod
    def of(cls, assessment: Mapping[str, Any]) -> Summary:
        """Read them.

        Raises:
            UsageError: if it is no such JSON.
        """
        if assessment.get("schema") != SCHEMA:
            raise UsageError(f"an assessment is {SCHEMA}, got {str(assessment.get('schema'))[:80]!r}")
        grades = [joint.get("grade") or {} for joint in assessment.get("joints") or ()]
        return cls(
            sex=str(assessment["subject"]["sex"]),
            age_months=assessment["subject"]["chronological_age_months"],
            bone_age=assessment.get("bone_age"),
            corrected=any(grade.get("corrected_by") is not None for grade in grades),
            error=assessment.get("error"),
        )

    @property
    def status(self) -> Status:
        """Return what the assessment is once it is there."""
        return Status.DONE if self.error is None else Status.REFUSED

    def write(self, row: AssessmentRow) -> None:
        """Write them into the columns."""
        bone_age = self.bone_age or {}
        interval = bone_age.get("interval") or {}
        row.sex, row.corrected = self.sex, self.corrected
        if self.age_months is not None:
            row.age_months = self.age_months
        row.bone_age_months, row.bone_age_text = bone_age.get("months"), bone_age.get("text")
        row.interval_low, row.interval_high = interval.get("low"), interval.get("high")
        row.interval_level = interval.get("level")
        row.error_code = None if self.error is None else storable(self.error["code"], length=64)
        row.error_message = None if self.error is None else storable(self.error["message"])
