"""Settings of where a run's films come from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["OnUnreadable", "ReadingConfig", "UnreadableConfig"]


class OnUnreadable(StrEnum):
    """What a run does when a film cannot be read in the middle of an epoch."""

    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True)
class UnreadableConfig:
    """Who reads films while training, and what happens to those that cannot be read.

    Attributes:
        workers: processes that read and cut films; 0 reads in the training process.
        on_unreadable: stop with the film's name, or go on without it and count it.
        most_unreadable: share of the films from which on a run stops even where it is to go on.
    """

    workers: int = 1
    on_unreadable: OnUnreadable = OnUnreadable.STOP
    most_unreadable: float = 0.01


@dataclass(frozen=True)
class ReadingConfig(UnreadableConfig):
    """How films are read while training, where they were not prepared.

    Attributes:
        height: rows of a view.
        width: columns of a view.
        source: side of the square that views are cut from, see `capitate.runtime.views.ViewRule`.
        proportions: keep the film's proportions, see there.
        locator: bundle that finds the hand.
        whole_film: squash the whole film instead of cutting the hand.
        folds_from_table: keep the folds of the table's column `split` instead of deciding by id.
    """

    height: int = 160
    width: int = 128
    source: int = 299
    proportions: bool = False
    locator: str = "hand-locator"
    whole_film: bool = False
    folds_from_table: bool = False
