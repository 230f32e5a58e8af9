"""Reading an assessment back from its JSON form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from capitate.assessment import (
    SCHEMA,
    Assessment,
    BoneAge,
    Distribution,
    Hand,
    ModelReference,
    Quality,
    Refusal,
    SexBoneAge,
    Source,
    Subject,
)
from capitate.errors import UsageError
from capitate.report.joints_json import box_from_json, carpals_from_json, joints_from_json
from capitate.types import Finding, Interval, Severity, Sex, Side

__all__ = ["from_json"]


def from_json(written: Mapping[str, Any] | str) -> Assessment:
    """Read an assessment from what `to_json` or `dumps` wrote.

    Args:
        written: the JSON object, or its text.

    Raises:
        UsageError: if this is no JSON object, of another schema version, or incomplete.
    """
    data = _load(written)
    version = data.get("schema")
    if version != SCHEMA:
        raise UsageError(f"this version reads {SCHEMA}, got {version!r}; assess the film again, or convert the file")
    try:
        return _assessment(data)
    except KeyError as error:
        raise UsageError(f"the assessment lacks the key {error.args[0]!r}; it is no complete {SCHEMA}") from error
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(f"the assessment is no valid {SCHEMA}: {error}") from error


def _load(written: Mapping[str, Any] | str) -> dict[str, Any]:
    """Return a copy of the object that holds nothing but JSON's own types."""
    try:
        text = written if isinstance(written, str) else json.dumps(dict(written), allow_nan=False)
        data = json.loads(text, parse_constant=_refuse_constant)
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"an assessment must be one JSON object: {error}") from error
    if not isinstance(data, dict):
        raise UsageError(f"an assessment must be one JSON object, got {type(data).__name__}")
    return data


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


def _assessment(data: dict[str, Any]) -> Assessment:
    joints, carpals, marks, error = data["joints"], data["carpals"], data["marks"], data["error"]
    return Assessment(
        source=Source(**data["source"]),
        subject=_subject(data["subject"]),
        quality=_quality(data["quality"]),
        hand=None if data["hand"] is None else _hand(data["hand"]),
        bone_age=None if data["bone_age"] is None else _bone_age(data["bone_age"]),
        reference=data["reference"],
        joints=None if joints is None else joints_from_json(joints),
        carpals=None if carpals is None else carpals_from_json(carpals),
        marks=None if marks is None else tuple(marks),
        maps=data["maps"],
        methods=data["methods"],
        abnormality=data["abnormality"],
        adult_height=data["adult_height"],
        models=tuple(ModelReference(**model) for model in data["models"]),
        timings_ms={step: float(taken) for step, taken in data["timings_ms"].items()},
        notice=data["notice"],
        error=None if error is None else Refusal(**error),
    )


def _subject(data: dict[str, Any]) -> Subject:
    age = data["chronological_age_months"]
    return Subject(
        sex=Sex(data["sex"]),
        sex_source=data["sex_source"],
        chronological_age_months=None if age is None else float(age),
    )


def _quality(data: dict[str, Any]) -> Quality:
    findings = tuple(
        Finding(code=one["code"], severity=Severity(one["severity"]), message=one["message"])
        for one in data["findings"]
    )
    return Quality(accepted=data["accepted"], findings=findings)


def _hand(data: dict[str, Any]) -> Hand:
    side = Side(data["side"])
    return Hand(
        side=side,
        rotation_degrees=float(data["rotation_degrees"]),
        box=box_from_json(data["box"]),
        side_source=data.get("side_source", "none" if side is Side.UNKNOWN else "file"),
    )


def _bone_age(data: dict[str, Any]) -> BoneAge:
    distribution, by_sex = data["distribution"], data["by_sex"]
    return BoneAge(
        months=float(data["months"]),
        text=data["text"],
        standard=data["standard"],
        mature=data["mature"],
        interval=_interval(data["interval"]),
        distribution=Distribution(
            start_months=float(distribution["start_months"]),
            step_months=float(distribution["step_months"]),
            probabilities=tuple(map(float, distribution["probabilities"])),
        ),
        by_sex=None if by_sex is None else {Sex(sex): _sex_bone_age(one) for sex, one in by_sex.items()},
    )


def _sex_bone_age(data: dict[str, Any]) -> SexBoneAge:
    return SexBoneAge(
        months=float(data["months"]), text=data["text"], mature=data["mature"], interval=_interval(data["interval"])
    )


def _interval(data: dict[str, Any]) -> Interval:
    return Interval(low=float(data["low"]), high=float(data["high"]), level=float(data["level"]))
