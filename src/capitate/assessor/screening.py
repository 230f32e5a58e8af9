"""From the films of a study to the abnormality screen's answer, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from capitate import files
from capitate.assessment import ModelReference, Refusal
from capitate.errors import FilmError, UsageError
from capitate.radiograph import Radiograph
from capitate.runtime.abnormality import AbnormalityScreen
from capitate.runtime.bundle import load_bundle
from capitate.types import Finding, Severity

__all__ = ["SCREEN", "FilmToScreen", "ScreenedStudy", "Screener", "StudyToScreen"]

SCREEN = "abnormality-screen"
"""Name of the released bundle."""


@dataclass(frozen=True)
class FilmToScreen:
    """One film of a study.

    Attributes:
        path: where it lies.
        shown: how messages name it.
        region: part of the body as table or folder tell it; None leaves it to the file.
    """

    path: Path
    shown: str
    region: str | None = None


@dataclass(frozen=True)
class StudyToScreen:
    """Films that are judged together.

    Attributes:
        id: of the study.
        films: may be none.
        refusal: why the study cannot be judged whatever its films show; None if nothing is known against it.
    """

    id: str
    films: tuple[FilmToScreen, ...]
    refusal: Refusal | None = None


@dataclass(frozen=True)
class ScreenedStudy:
    """What the screen says about a study.

    Attributes:
        id: of the study.
        films: that were judged.
        regions: parts of the body as they are known, sorted.
        probability: calibrated, of what the card says a label of 1 means; None where the study was refused.
        threshold: from which the study counts as called.
        findings: remarks about its films.
        error: why it was refused, or None.
        familiar: whether every film looks like those of the training; None where the bundle does not tell.
    """

    id: str
    films: int
    regions: tuple[str, ...]
    probability: float | None
    threshold: float
    findings: tuple[Finding, ...] = ()
    error: Refusal | None = None
    familiar: bool | None = None

    @property
    def above(self) -> bool | None:
        """Whether the probability reaches the threshold."""
        return None if self.probability is None else self.probability >= self.threshold


class Screener:
    """Screens of one or several bundles, loaded once; the probabilities of several are averaged.

    Attributes:
        screens: the bundles' screens.
        strict: whether films of a region that was not learnt are left out, or judged with a remark.
    """

    def __init__(self, models: Sequence[str] = (SCREEN,), *, threads: int | None = None, strict: bool = True) -> None:
        """Load bundles by name or folder.

        Args:
            models: names or folders.
            threads: for one network.
            strict: see the class.

        Raises:
            BundleError: if one is not there or was changed.
            UsageError: if one is of another task or stands twice, or they do not share what a label of 1 says.
        """
        if len(set(models)) < len(models) or not models:
            raise UsageError(f"each bundle is given once, and one at least, got {list(models)}")
        self.screens = tuple(AbnormalityScreen(load_bundle(name), threads=threads) for name in models)
        self.strict = strict
        meanings = {str(one.bundle.card["training"].get("a label of 1 says", "")) for one in self.screens}
        if len(meanings) > 1:
            raise UsageError(f"screens that are averaged tell the same thing, got {sorted(meanings)}; choose one")

    @property
    def threshold(self) -> float:
        """Mean of the bundles' thresholds."""
        return float(np.mean([one.threshold for one in self.screens]))

    @property
    def models(self) -> tuple[ModelReference, ...]:
        """The bundles that answer."""
        return tuple(one.bundle.reference for one in self.screens)

    def knows(self, region: str) -> bool | None:
        """Say whether all bundles had films of a region; None where region or cards do not tell."""
        told = [one.knows(region) for one in self.screens]
        return None if None in told else all(told)

    def screen(self, study: StudyToScreen, *, member: int | None = None) -> ScreenedStudy:
        """Judge one study by all of its films that can be read and are of a region that was learnt.

        Args:
            study: its films.
            member: fold that the networks asked have to have held out; all networks if None.
        """
        if study.refusal is not None:
            return self._refused(study, study.refusal)
        found, findings, regions = self._read(study.films)
        if not found:
            return self._refused(study, _nothing_left(study, findings), findings, regions)
        answers = [
            one.of_study(
                one.asked(np.stack([one.picture(film.pixels) for film in found]), member=member), member=member
            )
            for one in self.screens
        ]
        familiar = [
            all(each) if None not in each else None for each in zip(*(a.familiar for a in answers), strict=True)
        ]
        strange = [film.name for film, known in zip(found, familiar, strict=True) if known is False]
        findings += [_unfamiliar(name) for name in strange]
        return ScreenedStudy(
            study.id,
            len(found),
            regions,
            float(np.mean([one.probability for one in answers])),
            self.threshold,
            tuple(findings),
            familiar=None if None in familiar else not strange,
        )

    def _read(self, films: Iterable[FilmToScreen]) -> tuple[list[Radiograph], list[Finding], tuple[str, ...]]:
        """Read films; those that cannot be judged are remarked on and left out."""
        found, findings, regions = [], [], set[str]()
        for film in films:
            try:
                radiograph = files.read(film.path)
            except FilmError as error:
                findings.append(Finding(error.code, Severity.WARNING, f"{film.shown}: {error}"))
                continue
            region = film.region or radiograph.body_part
            regions |= {region} - {""}
            if self.knows(region) is False:
                findings.append(self._not_learned(film.shown, region))
                if self.strict:
                    continue
            found.append(radiograph)
        return found, findings, tuple(sorted(regions))

    def _not_learned(self, shown: str, region: str) -> Finding:
        learned = ", ".join(sorted(frozenset.intersection(*(one.regions for one in self.screens))))
        message = f"{shown}: a film of {region!r}; the screen has learned {learned}; choose a bundle that knows it."
        return Finding("region_not_learned", Severity.WARNING, message)

    def _refused(
        self, study: StudyToScreen, error: Refusal, findings: Sequence[Finding] = (), regions: tuple[str, ...] = ()
    ) -> ScreenedStudy:
        return ScreenedStudy(study.id, 0, regions, None, self.threshold, tuple(findings), error)


def _nothing_left(study: StudyToScreen, findings: Sequence[Finding]) -> Refusal:
    """Say why no film of a study could be judged."""
    strange = [one for one in findings if one.code == "region_not_learned"]
    if strange:
        return Refusal("region_not_learned", strange[0].message)
    told = f"no film of the study {study.id!r} was found; put its films beside the table"
    if findings:
        told = f"none of the {len(study.films)} films of the study {study.id!r} can be read: {findings[0].message}"
    return Refusal("no_readable_film", told)


def _unfamiliar(name: str) -> Finding:
    message = f"{name}: the film does not look like those that the screen was trained on; its answer is a guess."
    return Finding("film_unfamiliar", Severity.WARNING, message)
