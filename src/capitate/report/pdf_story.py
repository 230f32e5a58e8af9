"""What stands on the sheets of a PDF report, from top to bottom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from reportlab.platypus import Flowable, KeepInFrame, Spacer, Table, TableStyle

from capitate.assessment import Assessment
from capitate.explain import ActivationMap
from capitate.radiograph import Radiograph
from capitate.report.age_page import age_page, film_facts
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.map_words import MAP_PHRASES
from capitate.report.pdf_charts import Scale
from capitate.report.pdf_film import Film, Legend
from capitate.report.pdf_joints import joint_table, remarks, scores
from capitate.report.pdf_maps import map_panel
from capitate.report.pdf_text import RULE, SOFT, bullets, heading, paragraph
from capitate.report.picture import film_jpeg
from capitate.report.plain import printable
from capitate.report.screen_words import screen_page
from capitate.report.wording import language, words
from capitate.types import Severity

__all__ = ["WIDTH", "Sheet", "story"]

WIDTH = 527.0
"""Width of what is printed on a sheet, points."""
_GAP = 14.0
_LONGEST = 1200
_MOST_UNSPLIT = 470.0
"""Greatest height of a part that does not go on overleaf, points; only names made to do harm come near."""
_PLAIN = [("LEFTPADDING", (0, 0), (-1, -1), 0), ("RIGHTPADDING", (0, 0), (-1, -1), 0),
          ("TOPPADDING", (0, 0), (-1, -1), 0), ("BOTTOMPADDING", (0, 0), (-1, -1), 0),
          ("VALIGN", (0, 0), (-1, -1), "TOP")]  # fmt: skip


@dataclass(frozen=True, eq=False)
class Sheet:
    """What there is to print of one film."""

    assessment: Assessment
    radiograph: Radiograph | None
    maps: Mapping[str, ActivationMap]
    lang: str
    written: datetime | None

    @property
    def name(self) -> str:
        """The film's name, safe to print."""
        return printable(self.assessment.source.name)

    @cached_property
    def picture(self) -> bytes:
        """The film as a JPEG, made once for all attempts at a layout."""
        return b"" if self.radiograph is None else film_jpeg(self.radiograph, longest=_LONGEST)


def story(sheet: Sheet, *, film: tuple[float, float]) -> list[Flowable]:
    """Return the parts of the report in their order.

    Args:
        sheet: what there is to print.
        film: greatest width and height of the film, points.
    """
    return [*_top(sheet, film=film), *_joints(sheet), *_findings(sheet), *_provenance(sheet)]


def _top(sheet: Sheet, *, film: tuple[float, float]) -> Iterator[Flowable]:
    """Yield the film with its result beside it."""
    assessment, radiograph, lang = sheet.assessment, sheet.radiograph, sheet.lang
    phrases, left = words(lang), list[Flowable]()
    width = film[0]
    if radiograph is None:
        width = 0.32 * WIDTH
        left.append(paragraph(phrases["film_absent"], size=7, colour=SOFT))
    else:
        shown = Film(sheet.picture, (radiograph.width, radiograph.height), assessment, most=film)
        width = max(shown.width, 0.3 * WIDTH)
        legend = Legend(assessment, lang=lang)
        left += [shown, Spacer(0, 3), legend, paragraph(phrases["film_stretched"], size=6.5, colour=SOFT)]
    beside = WIDTH - width - _GAP
    right: list[Flowable] = [KeepInFrame(beside, _MOST_UNSPLIT, list(_result(sheet)), mergeSpace=1)]
    yield Table([[left, "", right]], colWidths=[width, _GAP, beside], style=TableStyle(_PLAIN), hAlign="LEFT")


def _result(sheet: Sheet) -> Iterator[Flowable]:
    """Yield age, scale, scores, screen and facts, or the reason of a refusal."""
    assessment, lang, phrases = sheet.assessment, sheet.lang, words(sheet.lang)
    if assessment.error is not None:
        yield paragraph(phrases["refused_title"], size=14, bold=True)
        yield paragraph(assessment.error.message, size=9.5, before=5)
        yield paragraph(phrases["refused_code"].format(code=assessment.error.code), size=7.5, colour=SOFT, before=3)
    else:
        yield from _age(sheet)
        yield from scores(assessment, lang=lang)
        screen = screen_page(assessment, lang=lang)
        if screen is not None:
            yield heading(screen["title"])
            yield _facts(screen["facts"])
    yield Spacer(0, 6)
    yield _facts(list(film_facts(assessment, radiograph=sheet.radiograph, lang=lang)))


def _age(sheet: Sheet) -> Iterator[Flowable]:
    """Yield the bone age in words and on the scale."""
    phrases, age = words(sheet.lang), age_page(sheet.assessment, lang=sheet.lang)
    yield heading(phrases["bone_age"])
    if age is None:
        yield paragraph(phrases["not_assessed"], size=14, bold=True)
        return
    yield paragraph(age["headline"], size=18, bold=True)
    if age["detail"]:
        yield paragraph(age["detail"], size=8.5)
    yield paragraph(f"{age['interval_name']}  {age['interval']}", size=9, before=2)
    if age["mature"]:
        yield paragraph(phrases["mature_note"], size=7.5, before=2)
    if age["by_sex"]:
        yield paragraph(phrases["both_sexes"], size=7.5, before=2)
        told = ((label, f"{one['headline']} {one['detail']}".strip(), span) for label, one, span in age["by_sex"])
        yield _facts([(label, f"{text}{phrases['comma']}{span}") for label, text, span in told])
    yield Spacer(0, 5)
    yield Scale(age["scale"], axis=phrases["scale_axis"], chronological=age["chronological"])


def _facts(facts: list[tuple[str, str]]) -> Table:
    """Return labels and values, one a row."""
    rows = [[paragraph(label, size=7.2, colour=SOFT), paragraph(value, size=7.2)] for label, value in facts]
    style = TableStyle([*_PLAIN, ("RIGHTPADDING", (0, 0), (0, -1), 6), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8)])
    return Table(rows, colWidths=[78, None], style=style, hAlign="LEFT")


def _joints(sheet: Sheet) -> Iterator[Flowable]:
    """Yield the table of joints with the maps beside it, or the maps alone."""
    assessment, radiograph, lang = sheet.assessment, sheet.radiograph, sheet.lang
    joints = assessment.joints or ()
    shown = any(one.box is not None or one.grade is not None for one in joints)
    width = 0.63 * WIDTH if sheet.maps and radiograph is not None else WIDTH
    beside, maps = WIDTH - width - _GAP, list[Flowable]()
    if radiograph is not None and sheet.maps:
        room = (beside if shown else 0.75 * WIDTH, 130.0 if shown else 220.0)
        maps = [heading(MAP_PHRASES[language(lang)]["maps"])]
        maps += map_panel(sheet.maps, assessment, radiograph, most=room, lang=lang)
    if shown:
        table = [heading(JOINT_PHRASES[language(lang)]["all_joints"]), joint_table(joints, width=width, lang=lang)]
        if maps:
            right = KeepInFrame(beside, _MOST_UNSPLIT, maps, mergeSpace=1)
            yield Table([[table, "", right]], colWidths=[width, _GAP, beside], style=TableStyle(_PLAIN), hAlign="LEFT")
        else:
            yield from table
        yield paragraph(JOINT_PHRASES[language(lang)]["table_note"], size=6.5, colour=SOFT, before=1)
    else:
        yield from maps
    yield from remarks(assessment, lang=lang)


def _findings(sheet: Sheet) -> Iterator[Flowable]:
    """Yield warnings, and notes in smaller letters."""
    phrases, findings = words(sheet.lang), sheet.assessment.quality.findings
    warnings = [f"{one.message} ({one.code})" for one in findings if one.severity is not Severity.INFO]
    notes = [f"{one.message} ({one.code})" for one in findings if one.severity is Severity.INFO]
    yield heading(phrases["warnings"])
    yield from bullets(warnings) if warnings else [paragraph(phrases["no_warnings"], size=7.5)]
    if notes:
        yield paragraph(phrases["notes"].format(count=len(notes)), size=7.5, bold=True, before=3)
        yield from bullets(notes, size=6.8, colour=SOFT)


def _provenance(sheet: Sheet) -> Iterator[Flowable]:
    """Yield models, the film's name and sha256, and times taken."""
    assessment, phrases = sheet.assessment, words(sheet.lang)
    yield heading(phrases["provenance"])
    if assessment.models:
        head = [phrases["model"], phrases["version"], phrases["licence"], "sha256"]
        rows = [[paragraph(word, size=6.5, colour=SOFT) for word in head]]
        for one in assessment.models:
            cells = (one.name, one.version, one.licence, one.sha256)
            rows.append([paragraph(cell, size=6.5) for cell in cells])
        style = TableStyle([*_PLAIN, ("RIGHTPADDING", (0, 0), (-1, -1), 5), ("LINEBELOW", (0, 0), (-1, 0), 0.4, RULE)])
        shares = (0.21, 0.08, 0.26, 0.45)
        yield Table(rows, colWidths=[share * WIDTH for share in shares], style=style, hAlign="LEFT", repeatRows=1)
    facts = [(phrases["film"], sheet.name)]
    if assessment.source.sha256 is not None:
        facts.append((f"{phrases['film_file']}{phrases['comma']}sha256", assessment.source.sha256))
    if assessment.timings_ms:
        taken = (f"{step.replace('_', ' ')} {ms:.0f} ms" for step, ms in assessment.timings_ms.items())
        facts.append((phrases["timings"], " · ".join(taken)))
    for label, value in facts:
        yield paragraph(f"{label}  {value}", size=6.5, colour=SOFT, before=1)
