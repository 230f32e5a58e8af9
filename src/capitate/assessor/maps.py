"""What the answers of a film rest on: maps of the same pass, and what is said where one is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from capitate.errors import NoMapError
from capitate.explain import ActivationMap
from capitate.types import Finding, Severity

__all__ = ["MapsOfFilm", "no_map"]

_NOT_ASKED = "Maps of what the answers rest on were not asked for."


@dataclass(frozen=True, eq=False)
class MapsOfFilm:
    """The maps of one assessment.

    Attributes:
        wanted: whether maps were asked for.
        made: by `bone_age`, `abnormality`, `grades`.
        findings: why one that was asked for is missing.
    """

    wanted: bool = False
    made: Mapping[str, ActivationMap] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def joined(self, kind: str, found: ActivationMap | Finding | None) -> MapsOfFilm:
        """Return these maps and one more, or the reason why it is missing; unchanged for None."""
        if found is None:
            return self
        if isinstance(found, Finding):
            return MapsOfFilm(self.wanted, self.made, (*self.findings, found))
        return MapsOfFilm(self.wanted, {**self.made, kind: found}, self.findings)

    @property
    def missing(self) -> dict[str, str]:
        """By part of the assessment, why there is no map at all."""
        if self.made:
            return {}
        told = " ".join(one.message for one in self.findings) or "No part that was assessed has a map."
        return {"maps": told if self.wanted else _NOT_ASKED}


def no_map(what: str, error: NoMapError) -> Finding:
    """Say that an answer stands without its map.

    Args:
        what: the answer, as a sentence has it.
        error: why.
    """
    return Finding("no_map", Severity.WARNING, f"No map of {what}: {error}")
