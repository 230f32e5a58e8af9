"""What was read of a hand's joints, as text: grade and points of every joint, totals and ages, what is to be confirmed.

The Chinese sentences are those of the report that system 000 printed, with what it left out: how sure each grade is,
which joints are missing and what that costs, and which grades a reader set.
"""

from __future__ import annotations

from collections.abc import Iterator

from capitate.assessed_joints import AssessedJoint, GradeReading
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS, JointStatus
from capitate.methods import JointScore
from capitate.report.joint_words import ALL_NAMES, JOINT_PHRASES
from capitate.report.method_results import MethodResult, counted, method_results
from capitate.report.plain import printable
from capitate.report.score_text import age_words, interval_end, points_text
from capitate.report.score_words import LINES, PHRASES, POPULATIONS
from capitate.report.wording import Language, language, words

__all__ = [
    "confidence_percent",
    "confirm_lines",
    "joint_lines",
    "joint_name",
    "machine_text",
    "reading_text",
    "score_interval",
    "set_by_text",
    "standard_line",
    "totals",
]


def joint_name(joint: str, *, lang: str) -> str:
    """Return the name of one of the 21 joints in a language."""
    return ALL_NAMES[language(lang)][joint]


def joint_lines(assessment: Assessment, *, lang: str) -> list[str]:
    """Write the 13 joints line by line as system 000's report did; nothing where none of them was graded."""
    joints_read = assessment.joints or ()
    if all(one.grade is None for one in joints_read):
        return []
    chosen = language(lang)
    phrases, by_name, open_joints = PHRASES[chosen], {one.name: one for one in joints_read}, counted(assessment)
    lines = []
    for joints in LINES:
        parts = (_joint(by_name.get(one.value), one.value, open_joints.get(one.value), lang=chosen) for one in joints)
        text = phrases["between"].join(parts)
        lines.append(text[:1].upper() + text[1:] + phrases["end" if joints is LINES[-1] else "line_end"])
    return lines


def _joint(joint: AssessedJoint | None, name: str, missing: JointScore | None, *, lang: Language) -> str:
    """Write one joint: its grade and points, or how it is counted without one."""
    phrases = JOINT_PHRASES[lang]
    text = reading_text(name, None if joint is None else joint.grade, lang=lang)
    if missing is not None and missing.possible is not None:
        least, most = missing.possible
        points = points_text(round(missing.points, 1))
        return text + phrases["counted"].format(points=points, least=least, most=most)
    if joint is None or joint.score is None:
        return text
    return text + phrases["points"].format(points=points_text(round(joint.score, 1)))


def reading_text(name: str, grade: GradeReading | None, *, lang: str) -> str:
    """Write a joint's grade with its confidence, or who set it beside what the machine read.

    Args:
        name: one of the 21 joints.
        grade: what was read, None for nothing.
        lang: `en` or `zh`.
    """
    phrases, facts = JOINT_PHRASES[language(lang)], {"joint": joint_name(name, lang=lang)}
    if grade is None:
        return phrases["ungraded"].format(**facts)
    if grade.corrected_by is not None:
        facts |= {"reader": printable(grade.corrected_by), "machine": machine_text(grade, lang=lang)}
    if grade.value is None:
        return phrases["ungraded" if grade.corrected_by is None or not facts["machine"] else "struck"].format(**facts)
    facts["step"], percent = str(grade.value), confidence_percent(grade)
    if grade.corrected_by is not None:
        confirmed = grade.machine_value == grade.value and percent is not None
        read = "corrected" if facts["machine"] else "corrected_unread"
        return phrases["confirmed" if confirmed else read].format(**facts, percent=percent)
    if percent is None:
        return phrases["read"].format(**facts)
    key = "read_suggestion" if grade.suggestion else "read_sure"
    return phrases[key].format(**facts, percent=percent)


def machine_text(grade: GradeReading, *, lang: str) -> str:
    """Write the machine's own grade, `grade 8, 62 %`; empty where it read none."""
    if grade.machine_value is None:
        return ""
    phrases, percent = JOINT_PHRASES[language(lang)], confidence_percent(grade)
    key = "machine_unsure" if percent is None else "machine"
    return phrases[key].format(step=grade.machine_value, percent=percent)


def confidence_percent(grade: GradeReading) -> str | None:
    """Write the machine's confidence in per cent without the sign, None where there is none."""
    return None if grade.confidence is None else f"{100 * grade.confidence:.0f}"


def set_by_text(grade: GradeReading, *, lang: str) -> str:
    """Write who set or confirmed a grade, `set by Dr Li; machine grade 8, 80 %`; empty where it is the machine's."""
    if grade.corrected_by is None:
        return ""
    phrases, reader = JOINT_PHRASES[language(lang)], printable(grade.corrected_by)
    if grade.value is not None and grade.value == grade.machine_value:
        return phrases["confirmed_by"].format(reader=reader)
    return phrases["set_by"].format(reader=reader, machine=machine_text(grade, lang=lang) or phrases["none"])


def totals(assessment: Assessment, *, lang: str) -> list[str]:
    """Write total, age, interval and standard of every method; one set a sex where the sex is unknown."""
    results, chosen = method_results(assessment), language(lang)
    lines = [line for result in results for line in _method(result, lang=chosen)]
    return [*lines, PHRASES[chosen]["stages_from_grades"]] if any(one.from_grades for one in results) else lines


def _method(result: MethodResult, *, lang: Language) -> Iterator[str]:
    phrases = PHRASES[lang]
    age = age_words(result.age, lang=lang)
    line = phrases[result.method].format(total=points_text(round(result.total, 1)), age=age)
    yield _under(line, result, lang=lang)
    interval = score_interval(result, lang=lang)
    if interval:
        yield interval
    yield standard_line(result, lang=lang)


def score_interval(result: MethodResult, *, lang: str) -> str:
    """Write the interval of total and age as a sentence; empty where the total is a point."""
    if result.is_point or result.low is None or result.high is None:
        return ""
    return PHRASES[language(lang)]["interval"].format(
        percent=f"{100 * (result.level or 0):g}",
        low_total=points_text(round(result.low_total or 0, 1)),
        high_total=points_text(round(result.high_total or 0, 1)),
        low=interval_end(result.low, lang=language(lang)),
        high=interval_end(result.high, lang=language(lang)),
    )


def standard_line(result: MethodResult, *, lang: str) -> str:
    """Write which method, population and sex a result is by."""
    chosen = language(lang)
    population = result.population if chosen is Language.ENGLISH else POPULATIONS[result.method]
    return PHRASES[chosen]["standard"].format(name=result.name, population=population, sex=words(lang)[result.sex])


def _under(line: str, result: MethodResult, *, lang: Language) -> str:
    """Put the sex before a line that holds only under it."""
    if not result.assumed:
        return line
    sex = words(lang)[f"if_{result.sex}"]
    return JOINT_PHRASES[lang]["under"].format(sex=sex[:1].upper() + sex[1:], line=line)


def confirm_lines(assessment: Assessment, *, lang: str) -> list[str]:
    """Write what a reader has to confirm, which joints are missing and what that costs, and the carpal bones."""
    return list(_confirm(assessment, lang=language(lang)))


def _confirm(assessment: Assessment, *, lang: Language) -> Iterator[str]:
    phrases, joints = JOINT_PHRASES[lang], assessment.joints or ()

    def listed(key: str, chosen: list[AssessedJoint]) -> Iterator[str]:
        if chosen:
            yield phrases[key].format(joints=phrases["list"].join(ALL_NAMES[lang][one.name] for one in chosen))

    yield from listed("confirm", [one for one in joints if one.grade is not None and one.grade.suggestion])
    yield from listed("uncertain", [one for one in joints if one.status == JointStatus.UNCERTAIN])
    missing = [one for one in joints if one.status == JointStatus.MISSING]
    if joints and len(missing) == len(joints) and all(one.grade is None for one in joints):
        yield phrases["none_found"]
        return
    graded = [one for one in missing if one.grade is not None and one.grade.value is not None]
    if all(one.grade is None for one in joints):
        yield from listed("missing", missing)
    else:
        yield from listed("missing_scored", [one for one in missing if one.name in RUS_JOINTS and one not in graded])
        yield from listed("missing_graded", graded)
        yield from listed("missing_other", [one for one in missing if one.name not in RUS_JOINTS])
    if assessment.carpals is not None:
        area = assessment.carpals.area_of_hand
        share = "" if area is None else f"{100 * area:.1f}"
        key = "carpals" if area is None else "carpals_area"
        yield phrases[key].format(count=assessment.carpals.count, area=share)
