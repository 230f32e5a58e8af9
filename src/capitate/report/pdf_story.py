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
from capitate.report.pdf_maps import map_jpegs, map_panel
from capitate.report.pdf_text import RULE, SOFT, bullets, heading, headline, paragraph, text_width
from capitate.report.picture import film_jpeg
from capitate.report.plain import printable
from capitate.report.screen_words import screen_facts
from capitate.report.wording import language, words
from capitate.types import Severity

__all__ = ["NAME_SIZE", "NAME_WIDTH", "WIDTH", "Sheet", "above", "below"]

WIDTH = 527.0
"""Width of what is printed on a sheet, points."""
NAME_SIZE, NAME_WIDTH = 8.0, 0.55 * WIDTH
"""Letters of the film's name at the head of each sheet, and room for it, points; a longer one is elided there."""
_GAP = 14.0
_LONGEST = 1200
_MOST_UNSPLIT = 470.0
"""Greatest height of a part that does not go on overleaf, points; only names made to do harm come near."""
_MAPS = 0.362 * WIDTH
"""Width of the maps beside the table of joints, points; the table needs the rest for the names of joints in English."""
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

    @cached_property
    def map_pictures(self) -> Mapping[str, bytes]:
        """The maps over the film as JPEGs, by kind, made once as well; empty without the film."""
        return {} if self.radiograph is None else map_jpegs(self.maps, self.radiograph)


def above(sheet: Sheet, *, film: tuple[float, float], facts_left: bool = False) -> Flowable:
    """Return the film with the result beside it, which stand on the first sheet.

    Args:
        sheet: what there is to print.
        film: greatest width and height of the film, points.
        facts_left: put what is known of the child and the film below the film in place of below the result.
    """
    radiograph = sheet.radiograph
    if radiograph is None:
        absent = paragraph(words(sheet.lang)["film_absent"], size=7, colour=SOFT, before=3)
        return KeepInFrame(WIDTH, _MOST_UNSPLIT, [*_result(sheet), _known(sheet), absent], mergeSpace=1)
    shown = Film(sheet.picture, (radiograph.width, radiograph.height), sheet.assessment, most=film)
    width = max(shown.width, 0.3 * WIDTH)
    beside = WIDTH - width - _GAP
    left, result = [shown, Spacer(0, 3), Legend(sheet.assessment, lang=sheet.lang)], list(_result(sheet))
    (left if facts_left else result).extend([Spacer(0, 6), _known(sheet)])
    right = KeepInFrame(beside, _MOST_UNSPLIT, result, mergeSpace=1)
    return Table([[left, "", [right]]], colWidths=[width, _GAP, beside], style=TableStyle(_PLAIN), hAlign="LEFT")


def below(sheet: Sheet, *, map_height: float) -> list[Flowable]:
    """Return what follows, in its order: joints and maps, findings, and how the report was made.

    Args:
        sheet: what there is to print.
        map_height: greatest height of a map beside the table of joints, points; twice as much where there is no table.
    """
    return [*_joints(sheet, map_height=map_height), *_findings(sheet), *_provenance(sheet)]


def _result(sheet: Sheet) -> Iterator[Flowable]:
    """Yield age, scale and scores, or the reason of a refusal."""
    assessment, lang, phrases = sheet.assessment, sheet.lang, words(sheet.lang)
    if assessment.error is not None:
        yield paragraph(phrases["refused_title"], size=14, bold=True)
        yield paragraph(assessment.error.message, size=9.5, before=5)
        yield paragraph(phrases["refused_code"].format(code=assessment.error.code), size=7.5, colour=SOFT, before=3)
    else:
        yield from _age(sheet)
        yield from scores(assessment, lang=lang)


def _known(sheet: Sheet) -> Table:
    """Return what the screen says, and what is known of the child and the film."""
    screen = screen_facts(sheet.assessment, lang=sheet.lang)
    return _facts([*screen, *film_facts(sheet.assessment, radiograph=sheet.radiograph, lang=sheet.lang)])


def _age(sheet: Sheet) -> Iterator[Flowable]:
    """Yield the bone age in words and on the scale."""
    phrases, age = words(sheet.lang), age_page(sheet.assessment, lang=sheet.lang)
    yield heading(phrases["bone_age"])
    if age is None:
        yield paragraph(phrases["not_assessed"], size=14, bold=True)
        return
    yield headline(age["headline"], age["detail"])
    yield paragraph(f"{age['interval_name']}  {age['interval']}", size=9, before=2)
    if age["mature"]:
        yield paragraph(phrases["mature_note"], size=7.5, before=2)
    if age["by_sex"]:
        yield paragraph(phrases["both_sexes"], size=7.5, before=2)
        told = ((label, f"{one['headline']} {one['detail']}".strip(), span) for label, one, span in age["by_sex"])
        yield _facts([(label, f"{text}{phrases['comma']}{span}") for label, text, span in told], labels=40)
    yield Spacer(0, 5)
    yield Scale(age["scale"], axis=phrases["scale_axis"], chronological=age["chronological"])


def _facts(facts: list[tuple[str, str]], *, labels: float = 78) -> Table:
    """Return labels and values, one a row; `labels` is the room for the labels, points."""
    rows = [[paragraph(label, size=7.2, colour=SOFT), paragraph(value, size=7.2)] for label, value in facts]
    style = TableStyle([*_PLAIN, ("RIGHTPADDING", (0, 0), (0, -1), 6), ("BOTTOMPADDING", (0, 0), (-1, -1), 0.8)])
    return Table(rows, colWidths=[labels, None], style=style, hAlign="LEFT")


def _joints(sheet: Sheet, *, map_height: float) -> Iterator[Flowable]:
    """Yield the table of joints with the maps beside it, or the one of the two that there is."""
    assessment, phrases = sheet.assessment, JOINT_PHRASES[language(sheet.lang)]
    joints = assessment.joints or ()
    shown = any(one.box is not None or one.grade is not None for one in joints)
    beside = 0.0 if not sheet.map_pictures else _MAPS if shown else WIDTH
    maps = list(_maps(sheet, width=beside, height=map_height if shown else 2 * map_height)) if beside else []
    yield Spacer(0, 4)
    if shown:
        width = WIDTH - beside - _GAP if maps else WIDTH
        table = [heading(phrases["all_joints"]), joint_table(joints, width=width, lang=sheet.lang)]
        if maps:
            right = KeepInFrame(beside, _MOST_UNSPLIT, maps, mergeSpace=1)
            yield Table([[table, "", right]], colWidths=[width, _GAP, beside], style=TableStyle(_PLAIN), hAlign="LEFT")
        else:
            yield from table
    else:
        yield from maps
    notes = [phrases["table_note"]] if shown else []
    notes += [MAP_PHRASES[language(sheet.lang)][key] for key in ("lines", "note") if maps]
    if notes:
        yield paragraph(" ".join(notes), size=6.5, colour=SOFT, before=1)
    yield from remarks(assessment, lang=sheet.lang)


def _maps(sheet: Sheet, *, width: float, height: float) -> Iterator[Flowable]:
    """Yield the maps under their heading."""
    if sheet.radiograph is None:
        return
    yield heading(MAP_PHRASES[language(sheet.lang)]["maps"])
    yield from map_panel(
        sheet.maps, sheet.map_pictures, sheet.assessment, sheet.radiograph, most=(width, height), lang=sheet.lang
    )


def _findings(sheet: Sheet) -> Iterator[Flowable]:
    """Yield warnings, without the reason of a refusal that stands above, and notes in smaller letters."""
    phrases, findings, error = words(sheet.lang), sheet.assessment.quality.findings, sheet.assessment.error
    told = None if error is None else error.message
    grave = [one for one in findings if one.severity is not Severity.INFO and one.message != told]
    warnings = [f"{one.message} ({one.code})" for one in grave]
    notes = [f"{one.message} ({one.code})" for one in findings if one.severity is Severity.INFO]
    if warnings:
        yield heading(phrases["warnings"])
        yield from bullets(warnings)
    elif error is None:
        yield heading(phrases["no_warnings"])
    if notes:
        yield heading(phrases["notes"].format(count=len(notes)))
        yield from bullets(notes, size=6.8, colour=SOFT)


def _provenance(sheet: Sheet) -> Iterator[Flowable]:
    """Yield models, the film's name and sha256, and times taken."""
    assessment, phrases = sheet.assessment, words(sheet.lang)
    facts = _file_facts(sheet)
    if facts or assessment.models:
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
    if facts:
        yield paragraph(" · ".join(f"{label} {value}" for label, value in facts), size=6.5, colour=SOFT, before=1)


def _file_facts(sheet: Sheet) -> list[tuple[str, str]]:
    """Return labels and values of the film's file: its name where the head has no room for it, sha256, times taken."""
    assessment, phrases = sheet.assessment, words(sheet.lang)
    facts = [] if text_width(sheet.name, size=NAME_SIZE) <= NAME_WIDTH else [(phrases["film"], sheet.name)]
    if assessment.source.sha256 is not None:
        facts.append((f"{phrases['film_file']}{phrases['comma']}sha256", assessment.source.sha256))
    if assessment.timings_ms:
        taken = (f"{step.replace('_', ' ')} {ms:.0f} ms" for step, ms in assessment.timings_ms.items())
        facts.append((phrases["timings"], ", ".join(taken)))
    return facts
