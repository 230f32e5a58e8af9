"""`capitate evaluate --task maps`: where maps point, what they lie on, and whether they follow the network."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capitate.cli.evaluate_bone_age import ENSEMBLE
from capitate.cli.evaluate_options import run_details, sampled, single_model
from capitate.cli.extras import training_parts
from capitate.cli.options import DEFAULT_MODEL
from capitate.cli.writing import make_folder, writing
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.evaluation.maps import MapEvaluation, MapSubject
    from capitate.evaluation.maps.hands import HandFinder
    from capitate.training.data.boxes import LabelledBox
    from capitate.training.manifest import Study

__all__ = ["MapOptions", "evaluate_task_maps"]


@dataclass(frozen=True)
class MapOptions:
    """Options of this task, as the command line has them."""

    boxes: Path | None = None
    surroundings: bool = True
    randomise: int = 0
    out_of_fold: bool = False
    sample: int | None = None
    models: list[str] | None = None
    threads: int | None = None
    quiet: bool = False


def evaluate_task_maps(manifest: Path, out: Path, options: MapOptions) -> None:
    """Measure maps, write and print; exit code 1 where a film was refused."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted
    from capitate.evaluation.joints.listing import list_films
    from capitate.evaluation.maps import MapChecks, evaluate_maps, measure_maps, open_subject, write_maps

    studies = list_films(manifest)
    boxes = None if options.boxes is None else _boxes(options.boxes, studies)
    films = sampled(studies, options.sample)
    name = single_model(options.models, default=ENSEMBLE if options.out_of_fold else DEFAULT_MODEL)
    subject = open_subject(name, out_of_fold=options.out_of_fold, threads=options.threads)
    make_folder(out)
    with _randomised(subject, options) as models, counted(total=len(films), quiet=options.quiet) as step:
        chosen = frozenset(study.id for study in sampled(films, options.randomise)) if models else frozenset()
        checks = MapChecks(boxes, options.surroundings, models, chosen)
        rows = measure_maps(films, subject, _finder(options.threads), checks, progress=step)
    evaluation = evaluate_maps(rows)
    with writing(out):
        write_maps(
            evaluation,
            out,
            details=run_details(manifest),
            models=[subject.bundle.reference],
            unit=subject.judged_in,
        )
    _print(evaluation, unit=subject.judged_in)
    print(f"\nWritten to {out}")
    if evaluation.overall.refused:
        raise typer.Exit(REFUSED)


def _boxes(path: Path, studies: Sequence[Study]) -> Mapping[str, Sequence[LabelledBox]]:
    """Read the annotated boxes of films, by the films' ids.

    Raises:
        TableError: if the table cannot be used, or a row of it.
        UsageError: if no film has a box.
    """
    from capitate.training.data.boxes import by_film, read_boxes

    found = by_film(read_boxes(path))
    named = {study.id: found[name] for study in studies if (name := _name(study, found)) is not None}
    if not named:
        raise UsageError(
            f"none of the {len(found)} films with boxes is among the {len(studies)} films, got names such as "
            f"{next(iter(found), '')!r} and {studies[0].id if studies else ''!r}; boxes name a film by its file's stem"
        )
    return named


def _name(study: Study, found: Mapping[str, object]) -> str | None:
    return next((one for one in (study.id, study.path.stem) if one in found), None)


def _finder(threads: int | None) -> HandFinder:
    """Load what finds hands and, where its bundle is installed, joints."""
    from capitate.evaluation.maps.hands import HandFinder
    from capitate.runtime.bundle import is_bundle, load_bundle
    from capitate.runtime.joint_boxes import JointDetector
    from capitate.runtime.locator import HandLocator

    detector = JointDetector(load_bundle("joint-detector"), threads=threads) if is_bundle("joint-detector") else None
    return HandFinder(locator=HandLocator(threads=threads), detector=detector)


@contextmanager
def _randomised(subject: MapSubject, options: MapOptions) -> Iterator[Mapping[str, Sequence[MapSubject]]]:
    """Make the models with randomised weights, which last as long as the block."""
    if not options.randomise:
        yield {}
        return
    from capitate.evaluation.maps.randomised import DRAWS, PARTS, randomised_bundle
    from capitate.evaluation.maps.subjects import subject_of

    with tempfile.TemporaryDirectory() as folder:
        with training_parts("Randomising weights"):
            bundles = {
                part: [
                    randomised_bundle(subject.bundle, Path(folder) / f"{part}-{draw}", part=part, seed=draw)
                    for draw in range(DRAWS)
                ]
                for part in PARTS
            }
        yield {part: [subject_of(one, threads=options.threads) for one in some] for part, some in bundles.items()}


def _print(evaluation: MapEvaluation, *, unit: str) -> None:
    """Print every figure, the headline's and those of films seen in training."""
    from capitate.evaluation.maps.report import number

    for name, group in (("all films", evaluation.overall), *evaluation.groups.items()):
        print(f"{name.replace('_', ' ')}: n {group.n}" + (f", refused {group.refused}" if group.refused else ""))
        for figure, found in group.figures.items():
            if not math.isnan(found.value):
                ends = (
                    ""
                    if math.isnan(found.low)
                    else f"  ({number(found.low, figure, unit=unit)} to "
                    + (f"{number(found.high, figure, unit=unit)})")
                )
                print(f"  {figure:33} {number(found.value, figure, unit=unit)}{ends}")
