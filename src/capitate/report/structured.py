"""The assessment as JSON (`capitate.assessment/1`), there and back."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any

import numpy as np

from capitate.assessment import SCHEMA, Assessment, BoneAge, Hand, SexBoneAge
from capitate.report.joints_json import box_json, carpals_json, joints_json
from capitate.types import Interval

__all__ = ["dumps", "schema", "to_json"]

_SCHEMA_FILE = "assessment-1.schema.json"


def schema() -> dict[str, Any]:
    """Return the published JSON Schema (draft 2020-12) of what `to_json` writes."""
    text = resources.files(__package__).joinpath(_SCHEMA_FILE).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def dumps(assessment: Assessment, *, indent: int | None = None) -> str:
    """Write an assessment as JSON text: one line, as JSON Lines want it, unless `indent` is given.

    Raises:
        ValueError: if a number is not finite.
    """
    return json.dumps(to_json(assessment), ensure_ascii=False, allow_nan=False, indent=indent)


def to_json(assessment: Assessment) -> dict[str, Any]:
    """Return an assessment as plain JSON values, every key of the schema present.

    Ages and intervals are in months with two decimals, boxes [x, y, width, height] in film pixels with one,
    probabilities and everything else with six.

    Raises:
        ValueError: if a number is not finite; the message names it.
    """
    bone_age = assessment.bone_age
    written = {
        "schema": SCHEMA,
        "source": {"name": assessment.source.name, "sha256": assessment.source.sha256},
        "subject": {
            "sex": assessment.subject.sex,
            "sex_source": assessment.subject.sex_source,
            "chronological_age_months": _optional_months(assessment.subject.chronological_age_months),
        },
        "hand": None if assessment.hand is None else _hand(assessment.hand),
        "quality": {
            "accepted": assessment.quality.accepted,
            "findings": [
                {"code": finding.code, "severity": finding.severity, "message": finding.message}
                for finding in assessment.quality.findings
            ],
        },
        "bone_age": None if bone_age is None else _bone_age(bone_age),
        "reference": assessment.reference,
        "joints": None if assessment.joints is None else joints_json(assessment.joints),
        "carpals": None if assessment.carpals is None else carpals_json(assessment.carpals),
        **{key: getattr(assessment, key) for key in _PLAIN_KEYS},
        "models": [
            {"name": model.name, "version": model.version, "sha256": model.sha256, "licence": model.licence}
            for model in assessment.models
        ],
        "timings_ms": {step: round(taken, 3) for step, taken in assessment.timings_ms.items()},
        "notice": assessment.notice,
        "error": None
        if assessment.error is None
        else {"code": assessment.error.code, "message": assessment.error.message},
    }
    plain: dict[str, Any] = _plain(written, at="assessment")
    return plain


_PLAIN_KEYS = ("marks", "maps", "methods", "abnormality", "adult_height")


def _hand(hand: Hand) -> dict[str, Any]:
    return {
        "side": hand.side,
        "rotation_degrees": round(hand.rotation_degrees, 2),
        "box": box_json(hand.box),
        "side_source": hand.side_source,
    }


def _bone_age(age: BoneAge) -> dict[str, Any]:
    distribution = age.distribution
    return {
        "months": _months(age.months),
        "text": age.text,
        "standard": age.standard,
        "mature": age.mature,
        "interval": _interval(age.interval),
        "distribution": {
            "start_months": distribution.start_months,
            "step_months": distribution.step_months,
            "probabilities": list(distribution.probabilities),
        },
        "by_sex": None if age.by_sex is None else {sex: _sex_bone_age(one) for sex, one in age.by_sex.items()},
    }


def _sex_bone_age(age: SexBoneAge) -> dict[str, Any]:
    return {
        "months": _months(age.months),
        "text": age.text,
        "mature": age.mature,
        "interval": _interval(age.interval),
    }


def _interval(interval: Interval) -> dict[str, float]:
    return {"low": _months(interval.low), "high": _months(interval.high), "level": interval.level}


def _optional_months(value: float | None) -> float | None:
    return None if value is None else _months(value)


def _months(value: float) -> float:
    """Round to two decimals, on the side that keeps the one decimal of `age_text` what it was before."""
    rounded = round(float(value), 2)
    if round(rounded, 1) != round(float(value), 1):
        rounded = round(rounded - math.copysign(0.01, rounded - value), 2)
    return rounded


def _plain(value: object, *, at: str) -> Any:  # noqa: ANN401 - JSON of any kind
    """Return `value` as JSON's own types: finite numbers with six decimals, text that UTF-8 can hold."""
    if value is None or (isinstance(value, bool | int) and not isinstance(value, np.generic)):
        return value
    if isinstance(value, str):
        return str(value).encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist(), at=at)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{at} must be a finite number, got {value!r}")
        return round(value, 6)
    if isinstance(value, Mapping):
        return {_plain(str(key), at=at): _plain(item, at=f"{at}.{key}") for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item, at=f"{at}[{index}]") for index, item in enumerate(value)]
    raise ValueError(f"{at} must be a plain JSON value, got {type(value).__name__}")
