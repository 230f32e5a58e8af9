"""Which films there are and which of them have labels; what has no counterpart is counted, and nothing is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from capitate.errors import UsageError
from capitate.evaluation.joints.truth import JointTruth, TrueHand, UnusedBox
from capitate.training.data.film_finder import is_place
from capitate.training.data.pictures import films_of
from capitate.training.manifest import Study, read_films_table
from capitate.training.table import read_table

__all__ = ["Unjudged", "list_films", "unjudged", "with_labels"]


@dataclass(frozen=True)
class Unjudged:
    """What no figure is over, though it was given.

    Attributes:
        films: without labels.
        hands: labels without a film.
        boxes: with a name that is no joint's, and rows that cannot be read.
    """

    films: tuple[Study, ...] = ()
    hands: tuple[TrueHand, ...] = ()
    boxes: tuple[UnusedBox, ...] = ()


def list_films(data: Path) -> list[Study]:
    """List the films of a table, a folder or an archive; a table needs no more than the column `path`.

    Raises:
        UsageError: if there is nothing of that name, or no film.
        TableError: if a table cannot be used.
    """
    if data.is_file() and not is_place(data):
        columns = read_table(data).columns
        if "path" in columns and not {"sex", "bone_age_months"} <= set(columns):
            return read_films_table(data)
    return films_of(data)


def with_labels(studies: Sequence[Study], truth: JointTruth) -> dict[str, TrueHand]:
    """Find the labels of films: by the id, otherwise by the file's stem where one film alone has it.

    Returns:
        Labels by id of the film.

    Raises:
        UsageError: if no film has any.
    """
    stems = Counter(study.path.stem for study in studies)
    found = {}
    for study in studies:
        stem = study.path.stem
        label = study.id if study.id in truth.hands or stems[stem] > 1 else stem
        if label in truth.hands:
            found[study.id] = truth.hands[label]
    if not found:
        first = next(iter(truth.hands), "")
        raise UsageError(
            f"none of the {len(truth.hands)} labelled hands is among the {len(studies)} films, got ids such as "
            f"{first!r} and {studies[0].id if studies else ''!r}; labels name a film by its file's stem"
        )
    return found


def unjudged(studies: Sequence[Study], truth: JointTruth, labelled: Mapping[str, TrueHand]) -> Unjudged:
    """Say what has no counterpart.

    Args:
        studies: all films.
        truth: all labels.
        labelled: labels by film, as `with_labels` finds them.
    """
    used = {hand.film for hand in labelled.values()}
    return Unjudged(
        tuple(study for study in studies if study.id not in labelled),
        tuple(hand for film, hand in truth.hands.items() if film not in used),
        truth.unused,
    )
