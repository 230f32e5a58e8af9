"""Figures of a joint detector and of naming, each with an interval by film or patient, and the same by group."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from capitate.errors import UsageError
from capitate.evaluation.bone_age import BANDS, band
from capitate.evaluation.bootstrap import Estimate
from capitate.evaluation.detection import RESAMPLES, detection_figures
from capitate.evaluation.joints.films import CLASSES, NAMES, FilmResult
from capitate.evaluation.joints.shares import (
    SHARES,
    film_clusters,
    moved_shares,
    moves_of,
    naming_by_joint,
    refused_moves,
    shares,
)
from capitate.evaluation.joints.truth import TrueJoint
from capitate.types import Side

__all__ = ["FIGURES", "JointEvaluation", "JointGroup", "evaluate_joints"]

_OF_CLASSES = ("centre_error", "found", "counts_right")
FIGURES = ("map50", "map50_95", *_OF_CLASSES, *SHARES)
"""Figures that every group has; NaN where nothing tells."""


@dataclass(frozen=True)
class JointGroup:
    """Figures over some films.

    Attributes:
        n: films that were read.
        refused: labelled films that were refused.
        figures: by name.
    """

    n: int
    refused: int
    figures: dict[str, Estimate]

    def to_json(self) -> dict[str, object]:
        """Return the figures by name, and `n` and `refused` as values without an interval."""
        counts = {"n": Estimate(self.n), "refused": Estimate(self.refused)}
        return {name: value.to_json() for name, value in (self.figures | counts).items()}


@dataclass(frozen=True, eq=False)
class JointEvaluation:
    """Everything an evaluation found.

    Attributes:
        overall: the headline: films that the detector was not trained on, or all films when read out of fold.
        groups: by name: `class=MCP`, `joint=MIPThird`, `age=0-59`, `labels=points`, `moved=mirrored`, `in_training`.
        results: the films of the headline.
        in_training: the films that the detector was trained on, apart from the headline.
        left_out: films with wrong labels that stand in no figure.
        out_of_fold: whether each film was read by a network that never saw it.
        threshold: score from which on a joint counted as found.
    """

    overall: JointGroup
    groups: dict[str, JointGroup]
    results: tuple[FilmResult, ...]
    in_training: tuple[FilmResult, ...] = ()
    left_out: tuple[FilmResult, ...] = ()
    out_of_fold: bool = False
    threshold: float = field(default=0.0)

    def to_json(self) -> dict[str, object]:
        """Return the headline's figures by name, and those of the groups under `groups`."""
        return self.overall.to_json() | {"groups": {name: group.to_json() for name, group in self.groups.items()}}


def evaluate_joints(
    results: Sequence[FilmResult],
    *,
    by_name: bool,
    threshold: float,
    out_of_fold: bool = False,
    left_out: Sequence[FilmResult] = (),
    group_by: Sequence[str] = (),
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> JointEvaluation:
    """Compare found and named joints with the labels.

    Args:
        results: labelled films, read.
        by_name: whether the table's boxes have the 21 names, so that average precision is over these; over the seven
            classes otherwise.
        threshold: score from which on a joint counts as found.
        out_of_fold: whether the networks never saw the films, so that none is set apart.
        left_out: films with wrong labels, to be named.
        group_by: further columns of the table of films to take groups by.
        resamples: of average precision; shares take those of `capitate.evaluation.bootstrap`.
        seed: of the bootstrap.

    Raises:
        UsageError: if there is no film, or a column to group by is not in the table.
    """
    if not results:
        raise UsageError("no labelled film is left to evaluate; see which labels are wrong, and films without labels")
    for column in group_by:
        if not any(column in one.study.labels for one in results):
            raise UsageError(f"cannot group by {column!r}: the table has no such column; name one that it has")
    apart = [] if out_of_fold else [one for one in results if one.in_training]
    main = list(results) if out_of_fold else [one for one in results if not one.in_training]

    def group(films: Sequence[FilmResult]) -> JointGroup:
        return _group(films, by_name=by_name, threshold=threshold, resamples=resamples, seed=seed)[0]

    overall, parts = _group(main, by_name=by_name, threshold=threshold, resamples=resamples, seed=seed)
    groups = parts | {name: group(films) for name, films in _groups(main, group_by)}
    groups |= {f"moved={name}": _moved(main, name, seed=seed) for name in moves_of(main)}
    if apart:
        groups["in_training"] = group(apart)
    return JointEvaluation(
        overall, groups, tuple(main), tuple(apart), tuple(left_out), out_of_fold=out_of_fold, threshold=threshold
    )


def _groups(results: Sequence[FilmResult], columns: Sequence[str]) -> Iterator[tuple[str, list[FilmResult]]]:
    """Yield the groups that have films: by age, by what the labels are, by side, and by columns of the table."""
    for low, _ in BANDS:
        yield from _if_any(f"age={band(low)}", [one for one in results if _band(one) == band(low)])
    sources = sorted({one.truth.source for one in results})
    for source in sources if len(sources) > 1 else ():
        yield f"labels={source}", [one for one in results if one.truth.source is source]
    for side in (Side.LEFT, Side.RIGHT):
        yield from _if_any(f"side={side}", [one for one in results if one.side is side])
    wrong = [one for one in results if one.truth.wrong is not None]
    yield from _if_any("labels=wrong", wrong)
    for column in columns:
        for value in sorted({one.study.labels.get(column, "") for one in results}):
            yield f"{column}={value}", [one for one in results if one.study.labels.get(column, "") == value]


def _if_any(name: str, films: list[FilmResult]) -> Iterator[tuple[str, list[FilmResult]]]:
    if films:
        yield name, films


def _band(result: FilmResult) -> str | None:
    """Return the band of the film's bone age, otherwise of the child's age; None if the table tells neither."""
    study = result.study
    months = study.chronological_age_months if study.bone_age_months is None else study.bone_age_months
    return None if months is None else band(months)


def _group(
    results: Sequence[FilmResult], *, by_name: bool, threshold: float, resamples: int, seed: int
) -> tuple[JointGroup, dict[str, JointGroup]]:
    """Take the figures of some films, and those of each class and joint."""
    read = [one for one in results if one.reading is not None]
    refused = len(results) - len(read)
    named = [one for one in read if one.true_places]
    classes = detection_figures(
        [one.by_class for one in read],
        names=CLASSES,
        threshold=threshold,
        cluster=film_clusters(read),
        resamples=resamples,
        seed=seed,
    )
    names = detection_figures(
        [one.by_name for one in named],
        names=NAMES,
        threshold=0.0,
        cluster=film_clusters(named),
        resamples=resamples,
        seed=seed,
    )
    nothing = Estimate(math.nan)
    own = names if by_name else classes
    figures = {name: own.get(name, nothing) for name in ("map50", "map50_95")}
    figures |= {name: classes.get(name, nothing) for name in _OF_CLASSES} | shares(read, seed=seed)
    for what, found in (("classes", classes), ("names", names)):
        figures |= {f"{name}_{what}": found[name] for name in ("map50", "map50_95") if name in found}
    parts = _parts(read, classes, lambda joint: joint.bone, kind="class", names=CLASSES, refused=refused)
    parts |= _parts(named, names, lambda joint: joint.joint, kind="joint", names=NAMES, refused=refused)
    for joint, share in naming_by_joint(named, seed=seed).items():
        parts[f"joint={joint}"].figures["naming_accuracy"] = share
    return JointGroup(len(read), refused, figures), parts


def _parts(
    films: Sequence[FilmResult],
    found: dict[str, Estimate],
    name_of: Callable[[TrueJoint], str | None],
    *,
    kind: str,
    names: Sequence[str],
    refused: int,
) -> dict[str, JointGroup]:
    """Take the figures of single classes or joints out of those of all; only what is labelled."""
    parts = {}
    for name in names:
        labelled = [one for one in films if any(name_of(joint) == name for joint in one.truth.joints)]
        if labelled:
            wanted = ("ap50", "ap50_95", "centre_error", "found")
            figures = {figure: found[f"{figure} {name}"] for figure in wanted if f"{figure} {name}" in found}
            parts[f"{kind}={name}"] = JointGroup(len(labelled), refused, figures)
    return parts


def _moved(results: Sequence[FilmResult], move: str, *, seed: int) -> JointGroup:
    films = [one for one in results if one.moved]
    return JointGroup(len(films), refused_moves(films, move), moved_shares(films, move, seed=seed))
