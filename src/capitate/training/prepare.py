"""Films to what training reads, through the very objects that assessment uses: reader, `HandLocator` and `ViewRule`."""

from __future__ import annotations

import json
import logging
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError, UsageError
from capitate.radiograph import Radiograph
from capitate.runtime.bone_age import SEX_CODES
from capitate.runtime.bundle import load_bundle
from capitate.runtime.locator import HandLocator
from capitate.runtime.view_mask import view_mask
from capitate.runtime.views import SQUASH_SIZE, HandFrame, ViewRule, squash
from capitate.training.folds import given_folds, patients_of
from capitate.training.manifest import Study

__all__ = [
    "Films",
    "Refused",
    "cut_film",
    "cut_view",
    "described",
    "each_film",
    "locator_of",
    "prepare_views",
    "read_rule",
    "squashed_films",
]

_log = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
Made = TypeVar("Made")
Pair = tuple[NDArray[np.uint8], NDArray[np.bool_]]

_SQUARE = HandFrame((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
_CHUNK = 16


@dataclass(frozen=True)
class Refused:
    """A film that could not be used: its id, the error's code and sentence."""

    id: str
    code: str
    message: str


@dataclass(frozen=True, eq=False)
class Films:
    """Squashed films in one order: ids, and uint8 (n, 299, 299)."""

    ids: tuple[str, ...]
    pixels: NDArray[np.uint8]


def cut_view(radiograph: Radiograph, *, locator: HandLocator, rule: ViewRule) -> NDArray[np.uint8]:
    """Cut the view that the assessor would give to the network, uint8 (height, width)."""
    square = squash(radiograph.pixels)
    located = locator.locate(square)
    picture = rule.picture(radiograph.pixels, square=square)
    if located.negated:
        picture = np.float32(1) - picture
    return rule.view(picture, located.frame)


def prepare_views(
    studies: Sequence[Study],
    folder: Path,
    *,
    rule: ViewRule,
    locator: str = "hand-locator",
    whole_film: bool = False,
    folds_from_table: bool = False,
    workers: int = 1,
    progress: Progress | None = None,
) -> list[Refused]:
    """Cut films to views and write a `ViewStore` with its rule beside it.

    Args:
        studies: films; those without a bone age are left out and counted in the log.
        folder: for the store, `view.json` and, if films were refused, `refused.json`.
        rule: how a view is cut.
        locator: bundle that finds the hand.
        whole_film: take the film as it is, squashed, instead of the hand (for comparison).
        folds_from_table: keep the folds that the table's column `split` gives, see `folds.given_folds`.
        workers: processes.
        progress: called with films done and films in all.

    Returns:
        Films that could not be read; they are not in the store.

    Raises:
        UsageError: if no film is left.
        TableError: if folds are to come from the table and do not fit.
    """
    labelled = [study for study in studies if study.bone_age_months is not None]
    if len(labelled) < len(studies):
        _log.warning("%d of %d films have no bone age and are left out", len(studies) - len(labelled), len(studies))
    folds = given_folds(labelled) if folds_from_table else None
    job = partial(cut_film, rule=rule, locator=locator, whole_film=whole_film)
    made, refused = _gather(labelled, job, workers=workers, progress=progress)
    _write_store(folder, labelled, made, folds=folds)
    _write_json(folder / "view.json", described(rule, locator=locator, whole_film=whole_film))
    if refused:
        _write_json(folder / "refused.json", [asdict(one) for one in refused])
    return refused


def described(rule: ViewRule, *, locator: str, whole_film: bool) -> dict[str, Any]:
    """Say how views are cut: the rule, and which locator found the hand."""
    digest = None if whole_film else load_bundle(locator).sha256
    return {**rule.to_card(), "whole_film": whole_film, "locator_sha256": digest}


def read_rule(folder: Path) -> ViewRule:
    """Read the rule by which the views of a store or run were cut.

    Raises:
        UsageError: if `view.json` is missing or damaged.
    """
    path = folder / "view.json"
    try:
        values = json.loads(path.read_text(encoding="utf8"))
        return ViewRule.read(values)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} does not say how views were cut ({error}); prepare the store again") from error


def squashed_films(
    studies: Sequence[Study], *, workers: int = 1, progress: Progress | None = None
) -> tuple[Films, list[Refused]]:
    """Read films as the squares that the locator is trained on.

    Raises:
        UsageError: if no film can be read.
    """
    made, refused = _gather(studies, _square, workers=workers, progress=progress)
    rows = sorted(made)
    return Films(tuple(studies[row].id for row in rows), np.stack([made[row] for row in rows])), refused


def _write_store(folder: Path, studies: Sequence[Study], made: dict[int, Pair], *, folds: list[int] | None) -> None:
    """Write views, masks and labels, which stay in one record until here."""
    from capitate.training.view_store import ViewStore

    rows = sorted(made)
    ViewStore(
        ids=np.array([studies[row].id for row in rows]),
        views=np.stack([made[row][0] for row in rows]),
        masks=np.stack([made[row][1] for row in rows]),
        months=np.array([studies[row].bone_age_months for row in rows], dtype=np.float32),
        sexes=np.array([SEX_CODES[studies[row].sex] for row in rows], dtype=np.int64),
        given_folds=None if folds is None else np.array([folds[row] for row in rows], dtype=np.int64),
        given_patients=patients_of([studies[row] for row in rows]),
    ).save(folder)


def _gather(
    studies: Sequence[Study],
    job: Callable[[Study], Made | Refused],
    *,
    workers: int,
    progress: Progress | None,
) -> tuple[dict[int, Made], list[Refused]]:
    """Run a job on every film; give what was made by row, and what was refused."""
    made: dict[int, Made] = {}
    refused: list[Refused] = []
    for row, result in enumerate(each_film(job, studies, workers=workers)):
        if isinstance(result, Refused):
            refused.append(result)
            _log.warning("film %s refused: %s", result.id, result.code)
        else:
            made[row] = result
        if progress is not None:
            progress(row + 1, len(studies))
    if not made:
        raise UsageError(f"none of {len(studies)} films can be used; check the table")
    return made, refused


def each_film(job: Callable[[Study], Made], studies: Iterable[Study], *, workers: int) -> Iterator[Made]:
    """Run a job on every film and give the results in order, in several processes if asked for.

    Args:
        job: may be pickled where `workers` is above 1.
        studies: films.
        workers: processes.
    """
    if workers <= 1:
        yield from map(job, studies)
        return
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(job, studies, chunksize=_CHUNK)


@cache
def locator_of(name: str = "hand-locator") -> HandLocator:
    """Load a locator, the released one if none is named, once a process and on one thread."""
    return HandLocator(load_bundle(name), threads=1)


def cut_film(study: Study, *, rule: ViewRule, locator: str, whole_film: bool) -> Pair | Refused:
    """Read one film and cut its view and mask; arguments as for `prepare_views`."""
    try:
        radiograph = files.read(study.path)
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
    if whole_film:
        view = rule.view(rule.picture(radiograph.pixels), _SQUARE)
    else:
        view = cut_view(radiograph, locator=locator_of(locator), rule=rule)
    return view, view_mask(view)


def _square(study: Study) -> NDArray[np.uint8] | Refused:
    try:
        square = squash(files.read(study.path).pixels)
    except FilmError as error:
        return Refused(study.id, error.code, str(error))
    return np.clip(np.rint(square * 255), 0, 255).astype(np.uint8).reshape(SQUASH_SIZE, SQUASH_SIZE)


def _write_json(path: Path, value: Any) -> None:  # noqa: ANN401
    path.write_text(json.dumps(value, indent=1) + "\n", encoding="utf8")
