"""Films that are refused, and parts of an assessment that are missing: each with a finding that says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from capitate.assessment import Assessment, Quality, Refusal, Source, Subject
from capitate.assessor.hand_on_film import NO_HAND, HandOnFilm
from capitate.assessor.request import Request
from capitate.errors import CapitateError, NoHandError
from capitate.radiograph import Radiograph
from capitate.types import Finding, Severity, Sex

__all__ = ["JOINT_PARTS", "NOT_YET", "no_hand", "not_assessed", "refusal", "with_findings"]

NOT_YET: Mapping[str, str] = MappingProxyType(
    {
        "reference": "No reference population is built in yet, so the bone age is not compared with one.",
        "marks": "Marks of possible fractures are not made.",
        "abnormality": "The abnormality screen was not run.",
        "adult_height": "Adult height is not predicted.",
    }
)
"""Parts that no release assesses yet, with what is said about each."""

JOINT_PARTS = ("joints", "carpals", "methods")
"""Parts that follow from the joints."""


def not_assessed(parts: Mapping[str, str]) -> list[Finding]:
    """Say for every part of an assessment that is null why it is so."""
    return [Finding(f"{part}_not_assessed", Severity.INFO, text) for part, text in parts.items()]


def refusal(name: str, error: CapitateError, *, request: Request | None = None) -> Assessment:
    """Make the assessment of a film that was refused."""
    request = request or Request()
    sex = request.sex or Sex.UNKNOWN
    finding = Finding(error.code, Severity.REFUSAL, str(error))
    parts = dict.fromkeys((*NOT_YET, *JOINT_PARTS, "maps", "hand", "bone_age"), "The film was refused.")
    return Assessment(
        source=Source(name.replace("\\", "/").rsplit("/", 1)[-1] or name, None),
        subject=Subject(sex, request.sex_source if request.sex else "none", request.chronological_age_months),
        quality=Quality(accepted=False, findings=(finding, *not_assessed(parts))),
        error=Refusal(error.code, str(error)),
    )


def no_hand(radiograph: Radiograph, hand: HandOnFilm, *, unnamed: bool, request: Request) -> Assessment | None:
    """Refuse a film that shows no hand; None for one that is to be assessed.

    It shows none if the locator contradicts itself as it does where there is no hand, or where it is unsure and no
    joint can be named either.

    Args:
        radiograph: the film.
        hand: as the locator found it.
        unnamed: whether joints were looked for and none could be named.
        request: what the caller knows.
    """
    apart = hand.located.disagreement
    if apart > NO_HAND:
        error = NoHandError(
            f"no single whole hand was found: the hand's place differs by {apart:.2f} hand lengths between the film "
            f"and its mirror image, more than {NO_HAND}; give a film of one hand, fingers and wrist included"
        )
    elif unnamed and not hand.certain:
        error = NoHandError(
            f"no hand was found: its place differs by {apart:.2f} hand lengths between the film and its mirror image, "
            "and no joint could be named; give a film of one hand, fingers and wrist included"
        )
    else:
        return None
    refused = refusal(radiograph.name, error, request=request)
    return replace(refused, source=Source(radiograph.name, radiograph.sha256))


def with_findings(assessment: Assessment, *findings: Finding) -> Assessment:
    """Return the assessment with further findings."""
    quality = replace(assessment.quality, findings=(*assessment.quality.findings, *findings))
    return replace(assessment, quality=quality)
