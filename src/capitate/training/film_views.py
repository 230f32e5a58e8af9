"""Films as networks see them, for measuring: from a store of views, from a table of films, or drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate import files
from capitate.assessment import ModelReference
from capitate.assessor import NO_HAND
from capitate.errors import FilmError, UsageError
from capitate.phantom import draw
from capitate.runtime.bone_age import BoneAgeModel, view_rule
from capitate.runtime.several_views import read_test_views
from capitate.runtime.views import HandFrame, squash
from capitate.training.agreement import FilmViews
from capitate.training.held_out import views_seen
from capitate.training.layouts import read_any
from capitate.training.opened_store import open_store
from capitate.training.prepare import locator_of, read_rule
from capitate.training.view_store import SEX_INDEX, ViewStore
from capitate.types import Sex

__all__ = [
    "DRAWN",
    "HandFilm",
    "MeasuringFilms",
    "drawn_hands",
    "films_for",
    "fitting_store",
    "is_store",
    "some_rows",
    "store_views",
    "table_hands",
]

DRAWN = 8
"""Drawn hands that stand in where no film was given."""
_DRAWN_MONTHS = (30.0, 210.0)
_DRAWN_HEIGHT = 299
_AT_ONCE = 4
_SEXES = {code: Sex(name) for name, code in SEX_INDEX.items()}
_NOBODY = ModelReference("", "", "", "")


@dataclass(frozen=True, eq=False)
class HandFilm:
    """A film on which a hand was found.

    Attributes:
        pixels: float32 (height, width), bright bone.
        square: `squash` of it.
        frame: the hand.
        sex: of the child.
    """

    pixels: NDArray[np.float32]
    square: NDArray[np.float32]
    frame: HandFrame
    sex: Sex


@dataclass(frozen=True)
class MeasuringFilms:
    """Films to measure on.

    Attributes:
        on: in words, for a card.
        real: whether they are films and not drawn.
        parts: gives them, some at a time, as often as it is called.
        refused: of a table, how many could not be read or hold no single hand; None of other sources.
        read: of a table, how many were tried.
    """

    on: str
    real: bool
    parts: Callable[[], Iterator[FilmViews]]
    refused: int | None = None
    read: int = 0


def is_store(folder: Path) -> bool:
    """Say whether a folder is a store of views."""
    return (folder / "table.npz").is_file()


def films_for(source: Path | None, card: Mapping[str, Any], *, most: int, seed: int = 0) -> MeasuringFilms:
    """Find films to measure on.

    Args:
        source: store of views or table of films; drawn hands if None.
        card: how the networks see them.
        most: how many films at most, drawn at random.
        seed: of that.

    Raises:
        UsageError: if the source is neither.
    """
    if source is None:
        return drawn_films(card)
    if is_store(source):
        store = fitting_store(source, card)
        rows = some_rows(np.arange(len(store.ids)), most=most, seed=seed)
        on = f"{rows.size} films of the store {source.name}, drawn at random"
        return MeasuringFilms(on, True, lambda: store_views(store, rows, card))
    tried = [None if hand is None else _seen(hand, card) for hand in table_hands(source, most=most, seed=seed)]
    found = [film for film in tried if film is not None]
    on = f"{len(found)} films of {source.name}, read and located as assessment does"
    return MeasuringFilms(on, True, lambda: iter(found), len(tried) - len(found), len(tried))


def drawn_films(card: Mapping[str, Any]) -> MeasuringFilms:
    """Draw hands to measure on where no film was given."""
    on = f"{DRAWN} drawn hands, because no film was given"
    return MeasuringFilms(on, False, lambda: (_seen(hand, card) for hand in drawn_hands()))


def fitting_store(folder: Path, card: Mapping[str, Any]) -> ViewStore:
    """Open a store whose views were cut by the rule of a card.

    Raises:
        UsageError: if they were cut otherwise, or are smaller than the networks' views.
    """
    there, here = read_rule(folder), view_rule(card)
    if replace(there, height=here.height, width=here.width) != here:
        raise UsageError(
            f"the views of {folder} were cut by another rule than the networks' ({there} there, {here} here); give the "
            "store that they were trained on"
        )
    if there.height < here.height or there.width < here.width:
        raise UsageError(
            f"the views of {folder} are of {there.height} x {there.width} pixels and the networks' of {here.height} x "
            f"{here.width}; give the store that they were trained on"
        )
    return open_store(folder)


def store_views(store: ViewStore, rows: NDArray[np.int64], card: Mapping[str, Any]) -> Iterator[FilmViews]:
    """Give films of a store as the networks of a card see them, a few at a time."""
    rule, test_views = view_rule(card), read_test_views(card["test_views"])
    removed, size = bool(card["surroundings_removed"]), (rule.height, rule.width)
    for part in np.array_split(rows, max(1, -(-rows.size // _AT_ONCE))):
        views, sexes = views_seen(store, part, test_views, surroundings_removed=removed, size=size)
        yield FilmViews(views, [_SEXES[int(code)] for code in sexes])


def table_hands(table: Path, *, most: int, seed: int = 0) -> Iterator[HandFilm | None]:
    """Read films of a table and find their hands, one after another; None for a film that is refused.

    Args:
        table: in any form that `read_any` reads.
        most: how many films at most, drawn at random.
        seed: of that.
    """
    studies = read_any(table)
    for row in some_rows(np.arange(len(studies)), most=most, seed=seed):
        study = studies[row]
        try:
            film = files.read(study.path)
        except FilmError:
            yield None
            continue
        yield _hand(film.pixels, study.sex)


@lru_cache(maxsize=1)
def drawn_hands() -> tuple[HandFilm, ...]:
    """Draw hands of both sexes and evenly spread ages."""
    ages = np.linspace(*_DRAWN_MONTHS, DRAWN)
    sexes = [(Sex.FEMALE, Sex.MALE)[k % 2] for k in range(DRAWN)]
    drawn = (
        _hand(draw(age_months=float(age), sex=sex, height=_DRAWN_HEIGHT, seed=k).radiograph.pixels, sex)
        for k, (age, sex) in enumerate(zip(ages, sexes, strict=True))
    )
    return tuple(hand for hand in drawn if hand is not None)


def _hand(pixels: NDArray[np.float32], sex: Sex) -> HandFilm | None:
    """Find the hand and turn a negative; None where there is no single hand."""
    square = squash(pixels)
    located = locator_of().locate(square)
    if located.disagreement > NO_HAND:
        return None
    if located.negated:
        pixels, square = np.float32(1) - pixels, np.float32(1) - square
    return HandFilm(pixels, square, located.frame, sex)


def _seen(hand: HandFilm, card: Mapping[str, Any]) -> FilmViews:
    """Cut the view and make its test views, as the networks of a card see a film."""
    model = BoneAgeModel.of_networks(card, [], reference=_NOBODY)
    return FilmViews(model.views(hand.pixels, hand.frame, square=hand.square)[None], [hand.sex])


def some_rows(rows: NDArray[np.int64], *, most: int, seed: int) -> NDArray[np.int64]:
    """Draw so many rows at most, in their order.

    Args:
        rows: int64 (n,).
        most: how many.
        seed: of the draw.
    """
    if rows.size <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
