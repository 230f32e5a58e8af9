"""What maps are counted from: the average features of films that a network learnt from, written to its file.

A map says what sets a film apart from the base. Bone ages are counted from the average hand of the child's sex, grades
from the average crop of the joint's category, the screen's logit from the average film. Without films to average, hands
are drawn for bone ages, and the others are counted from a feature map of zeros: a picture in which nothing is seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.errors import FilmError, UsageError
from capitate.runtime.bone_age import SEX_CODES
from capitate.runtime.explanation import ExplainedNetwork
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.runtime.grade_categories import CATEGORIES
from capitate.runtime.session import Session
from capitate.training.abnormality.films import read_screen_films
from capitate.training.explained_file import explain_file, set_base
from capitate.training.film_views import films_for, some_rows
from capitate.training.joint_grades.crops import read_graded
from capitate.training.settings.abnormality import OnFault, ScreenDataConfig

__all__ = ["EXPLAINED_TASKS", "explain_networks"]

_HANDS, _CROPS_OF_A_CATEGORY, _PICTURES = 1000, 100, 300
"""Films, or crops, that a base is the average of, at most. Ages of RSNA's training hands have a standard deviation of
41 months, so that of the mean age of 500 of a sex is 2; whatever base results is stated with every map."""
_AS_CUT = [[0, 0, False]]
"""Hands are averaged in the view as it was cut: test views lie around it on all sides."""
_AT_ONCE = 16

_Asked = tuple[Mapping[str, NDArray[Any]], NDArray[np.int64]]
"""Inputs of a network, and of each of its rows the row of the base that it is counted to."""


def explain_networks(paths: Sequence[Path], card: Mapping[str, Any], *, data: Path | None = None) -> dict[str, str]:
    """Make networks' files explain their answers, and give them a base.

    Args:
        paths: ONNX files of a bundle in the making.
        card: `task`, and how films become pictures.
        data: what to average: store of views or table of films for bone ages, graded crops, or the screen's films. A
            file that has a base already keeps it where this is None.

    Returns:
        For the card: `base`, in words, or `unexplained`, why there are no maps.

    Raises:
        UsageError: if the data cannot be read.
    """
    told: dict[str, str] = {}
    for path in paths:
        before = Session(path, threads=1).explanation
        reason = explain_file(path)
        if reason is not None:
            return {"unexplained": reason}
        network = ExplainedNetwork(Session(path, threads=1), model=path.stem)
        if before is not None and data is None:
            told = {"base": network.base_of}
            continue
        words, parts = _AVERAGED[card["task"]](card, data)
        if words:
            set_base(path, _average(network, parts(), groups=_GROUPS[card["task"]]), base_of=words)
        told = {"base": words or network.base_of}
    return told


def _average(network: ExplainedNetwork, parts: Iterator[_Asked], *, groups: int) -> NDArray[np.float32]:
    """Average features over films, views and cells by group; a group without films has the average of the others."""
    sums, counts = np.zeros((groups, 0)), np.zeros(groups)
    for inputs, rows in parts:
        pooled = network.ask(inputs)[1].mean(axis=(2, 3), dtype=np.float64)
        sums = np.zeros((groups, pooled.shape[1])) if not sums.size else sums
        np.add.at(sums, rows, pooled)
        counts += np.bincount(rows, minlength=groups)
    if not counts.any():
        raise UsageError("none of the films that a map's base is averaged over could be read; give others as --data")
    whole = sums.sum(axis=0) / counts.sum()
    means = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], whole)
    return np.asarray(means, dtype=np.float32)


def _hands(card: Mapping[str, Any], data: Path | None) -> tuple[str, Callable[[], Iterator[_Asked]]]:
    """Give views of hands, each under the child's own sex; the unknown one gets the average of all."""
    films = films_for(data, {**card, "test_views": _AS_CUT}, most=_HANDS)

    def parts() -> Iterator[_Asked]:
        for some in films.parts():
            codes = np.array([SEX_CODES[sex] for sex in some.sexes], dtype=np.int64)
            yield {"view": some.views, "sex": codes}, codes

    return f"the average hand of the child's sex: {films.on}", parts


def _crops(card: Mapping[str, Any], data: Path | None) -> tuple[str, Callable[[], Iterator[_Asked]]]:
    """Give crops of each category."""
    if data is None:
        return "", lambda: iter(())
    crops, rule = read_graded(data), CropRule.from_card(card)
    rows = [
        row
        for code in range(len(CATEGORIES))
        for row in some_rows(np.flatnonzero(crops.categories == code), most=_CROPS_OF_A_CATEGORY, seed=0).tolist()
    ]

    def parts() -> Iterator[_Asked]:
        read = ((rule.of_file(one), row) for row in rows if (one := _pixels(crops.items[row].path)) is not None)
        for some in _batches(read):
            codes = crops.categories[[row for _, row in some]]
            yield {"picture": np.stack([one for one, _ in some])[:, None], "category": codes}, codes

    return f"the average crop of the joint's category: {len(rows)} crops of {data.name}, drawn at random", parts


def _films(card: Mapping[str, Any], data: Path | None) -> tuple[str, Callable[[], Iterator[_Asked]]]:
    """Give films of the screen."""
    if data is None:
        return "", lambda: iter(())
    config = ScreenDataConfig(contradictory=OnFault.LEAVE_OUT, missing=OnFault.LEAVE_OUT)
    items, rule = read_screen_films(data, config).items, FilmRule.from_card(card)
    rows = some_rows(np.arange(len(items)), most=_PICTURES, seed=0).tolist()

    def parts() -> Iterator[_Asked]:
        read = ((rule.fitted(one).pixels, row) for row in rows if (one := _pixels(items[row].path)) is not None)
        for some in _batches(read):
            yield {"picture": np.stack([one for one, _ in some])[:, None]}, np.zeros(len(some), dtype=np.int64)

    return f"the average film: {len(rows)} films of {data.name}, drawn at random", parts


def _batches(read: Iterator[tuple[NDArray[np.uint8], int]]) -> Iterator[list[tuple[NDArray[np.uint8], int]]]:
    """Take pictures a few at a time."""
    while some := list(islice(read, _AT_ONCE)):
        yield some


def _pixels(path: Path) -> NDArray[np.float32] | None:
    """Read a film; None for one that cannot be read, which an average does without."""
    try:
        return files.read(path).pixels
    except FilmError:
        return None


_AVERAGED = {"bone-age": _hands, "joint-grades": _crops, "abnormality": _films}
_GROUPS = {"bone-age": len(SEX_CODES), "joint-grades": len(CATEGORIES), "abnormality": 1}
EXPLAINED_TASKS = frozenset(_AVERAGED)
"""Tasks whose networks average a feature map."""
