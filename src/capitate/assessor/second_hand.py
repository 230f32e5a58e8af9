"""Which hand of a film is read: the one the locator found, or one of two that lie side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.assessor.hand_on_film import NO_HAND, HandOnFilm, hand_in_columns
from capitate.assessor.joint_findings import second_hand_finding
from capitate.hand import Detection, JointStatus, NamedHand, name_hands, name_joints
from capitate.runtime.locator import HandLocator
from capitate.types import Finding, Side

__all__ = ["Chosen", "choose_hand"]

_ROOM = 0.6
"""Least width of what lies beside a hand, in widths of its box, for a second hand to be looked for there."""

Detect = Callable[[HandOnFilm], list[Detection]]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The hand that is read.

    Attributes:
        hand: where it was looked for.
        named: its joints, film pixels.
        findings: what is to be said of a second hand.
    """

    hand: HandOnFilm
    named: NamedHand
    findings: tuple[Finding, ...] = ()


def choose_hand(pixels: NDArray[np.float32], hand: HandOnFilm, *, locator: HandLocator, detect: Detect) -> Chosen:
    """Name the joints of the hand that the locator found, and look beside it where there is room for a second one.

    Where the locator contradicts itself or no joint can be named, the left and right half of the film are looked at.
    Of two hands the left one is read, which the methods grade; of two of one side that with more joints.

    Args:
        pixels: float32 (rows, columns) of the film, bone bright.
        hand: as found on the whole film.
        locator: looks at parts of the film.
        detect: gives the boxes of a hand's joints in pixels of the film.
    """
    rows, columns = pixels.shape
    look = _Look(pixels, locator, detect)
    boxes = [] if hand.located.disagreement > NO_HAND else detect(hand)
    hands = [Chosen(hand, one) for one in name_hands(boxes, film=(rows, columns))]
    first = hands[0]
    if first.named.box is None or not hand.certain:
        halves = look.at((0, columns // 2), (columns // 2, columns))
        if len(halves) > (first.named.box is not None):
            return _best(halves, columns)
    if first.named.box is None:
        return first
    if len(hands) == 1:
        hands += look.at(*_beside(first.named, columns))
    return _best(look.apart(hands), columns)


@dataclass(frozen=True, eq=False)
class _Look:
    """A film and what looks at parts of it."""

    pixels: NDArray[np.float32]
    locator: HandLocator
    detect: Detect

    def at(self, *parts: tuple[int, int]) -> list[Chosen]:
        """Name the hand in each of some ranges of columns, as far as there is one."""
        looked = [hand_in_columns(self.pixels, self.locator, left=low, right=high) for low, high in parts]
        rows, columns = self.pixels.shape
        each = [(one, name_joints(self.detect(one), film=(rows, columns))) for one in looked if one is not None]
        return [Chosen(one, named) for one, named in each if named.box is not None]

    def apart(self, hands: list[Chosen]) -> list[Chosen]:
        """Look at two hands again, each on its own side of the middle between them; the locator saw both before."""
        if len(hands) == 1:
            return hands
        columns = self.pixels.shape[1]
        boxes = [one.named.box for one in hands[:2]]
        middle = round(float(np.mean([box.x + box.width / 2 for box in boxes if box is not None])))
        again = self.at((0, middle), (middle, columns))
        return again if len(again) > 1 else hands


def _beside(named: NamedHand, columns: int) -> list[tuple[int, int]]:
    """Give the columns at the left and right of a hand that have room for another one."""
    box = named.box
    if box is None:
        return []
    left, right = max(round(box.x), 0), min(round(box.x + box.width), columns)
    return [(low, high) for low, high in ((0, left), (right, columns)) if high - low >= _ROOM * box.width]


def _best(hands: Sequence[Chosen], columns: int) -> Chosen:
    """Choose the hand to read, and say so where there are two."""
    ranked = sorted(hands, key=lambda one: (one.named.side is not Side.LEFT, -_count(one.named)))
    best = ranked[0]
    if len(ranked) == 1:
        return best
    told = second_hand_finding(read=_where(best, columns), other=_where(ranked[1], columns))
    return Chosen(best.hand, best.named, (told,))


def _count(named: NamedHand) -> int:
    return len(named.joints) - len(named.having(JointStatus.MISSING))


def _where(one: Chosen, columns: int) -> str:
    """Say which hand of a film is meant."""
    box = one.named.box
    middle = 0.0 if box is None else box.x + box.width / 2
    side = "a hand of unknown side" if one.named.side is Side.UNKNOWN else f"the {one.named.side} hand"
    return f"{side} at the {'left' if middle < columns / 2 else 'right'} of the film"
