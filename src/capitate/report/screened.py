"""What the screen says about studies: a table for an eye, CSV, JSON Lines, and the two columns of system 002."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from capitate.assessment import NOTICE, ModelReference
from capitate.assessor.screening import ScreenedStudy
from capitate.report.plain import columns, printable
from capitate.report.table import safe_cell
from capitate.report.wording import Language, language, words

__all__ = ["SCREEN_SCHEMA", "ScreenForm", "screened_text"]

SCREEN_SCHEMA = "capitate.screen/1"


class ScreenForm(StrEnum):
    """Forms of a list of screened studies."""

    TABLE = "table"
    KAGGLE = "kaggle"
    JSON = "json"
    CSV = "csv"


_COLUMNS = (
    "id", "films", "regions", "probability", "threshold", "above", "familiar", "findings", "refusal", "refusal_message",
    "model",
)  # fmt: skip

_WORDS = MappingProxyType(
    {
        Language.ENGLISH: {
            "head": ("study", "films", "region", "probability", "", "remarks"),
            "above": "look at",
            "below": "-",
            "refused": "refused",
            "line": "A probability of {threshold:.3f} or more is marked: look there first. It is no finding.",
        },
        Language.CHINESE: {
            "head": ("检查", "片数", "部位", "概率", "", "说明"),
            "above": "请查看",
            "below": "-",
            "refused": "拒绝评估",
            "line": "概率达到 {threshold:.3f} 者予以标记；请先查看。标记并非诊断所见。",
        },
    }
)


def screened_text(
    studies: Sequence[ScreenedStudy], *, form: ScreenForm, models: Sequence[ModelReference], lang: str = "en"
) -> str:
    """Write studies, a line each.

    Args:
        studies: in the order wanted.
        form: see `ScreenForm`; `kaggle` has `id,label` with the probability, empty where a study was refused.
        models: that answered.
        lang: of the table.

    Raises:
        UsageError: if reports are not written in `lang`.
    """
    if form is ScreenForm.JSON:
        return "".join(json.dumps(_json(one, models), ensure_ascii=False, allow_nan=False) + "\n" for one in studies)
    if form is ScreenForm.KAGGLE:
        return _csv(("id", "label"), ((one.id, _number(one.probability)) for one in studies))
    if form is ScreenForm.CSV:
        return _csv(_COLUMNS, ([safe_cell(cell) for cell in _cells(one, models)] for one in studies))
    return _table(studies, lang=lang)


def _csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6f}"


def _truth(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


def _cells(one: ScreenedStudy, models: Sequence[ModelReference]) -> tuple[str, ...]:
    """Give a study's row of the CSV."""
    return (
        one.id,
        str(one.films),
        "; ".join(one.regions),
        _number(one.probability),
        _number(one.threshold),
        _truth(one.above),
        _truth(one.familiar),
        "; ".join(dict.fromkeys(finding.code for finding in one.findings)),
        "" if one.error is None else one.error.code,
        "" if one.error is None else one.error.message,
        "; ".join(f"{model.name} {model.version}" for model in models),
    )


def _json(one: ScreenedStudy, models: Sequence[ModelReference]) -> dict[str, Any]:
    """Give a study as plain values."""
    return {
        "schema": SCREEN_SCHEMA,
        "id": one.id,
        "films": one.films,
        "regions": list(one.regions),
        "probability": None if one.probability is None else round(one.probability, 6),
        "threshold": round(one.threshold, 6),
        "above": one.above,
        "familiar": one.familiar,
        "findings": [{"code": f.code, "severity": str(f.severity), "message": f.message} for f in one.findings],
        "error": None if one.error is None else {"code": one.error.code, "message": one.error.message},
        "models": [{"name": m.name, "version": m.version, "sha256": m.sha256} for m in models],
        "notice": NOTICE,
    }


def _table(studies: Sequence[ScreenedStudy], *, lang: str) -> str:
    """Align studies in columns, the threshold and the notice below."""
    phrases = _WORDS[language(lang)]
    lines = [tuple(phrases["head"]), *(_line(one, phrases) for one in studies)]
    widths = [max(columns(line[k]) for line in lines) for k in range(len(lines[0]) - 1)]
    padded = ["  ".join([*map(_padded, line[:-1], widths), line[-1]]).rstrip() for line in lines]
    threshold = studies[0].threshold if studies else 0.0
    told = str(phrases["line"]).format(threshold=threshold)
    return "\n".join([*padded, "", told, words(lang).get(NOTICE, NOTICE)]) + "\n"


def _line(one: ScreenedStudy, phrases: Any) -> tuple[str, ...]:  # noqa: ANN401 - words of one language
    """Give a study's cells of the table."""
    remarks = [f"{one.error.code}: {one.error.message}"] if one.error else [f.message for f in one.findings]
    called = phrases["refused"] if one.above is None else phrases["above" if one.above else "below"]
    probability = "" if one.probability is None else f"{one.probability:.3f}"
    return (
        printable(one.id), str(one.films), printable(", ".join(one.regions)), probability, called,
        printable(" ".join(remarks)),
    )  # fmt: skip


def _padded(text: str, width: int) -> str:
    return text + " " * (width - columns(text))
