"""Whether the hand locator's file finds the hand where its network does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.locator import corner_distance
from capitate.runtime.session import Session
from capitate.runtime.views import frame_from_outputs, locator_input
from capitate.training.agreement import BATCHES, Agreement, InBatches
from capitate.training.film_views import drawn_hands, is_store, table_hands
from capitate.training.locator_network import LocatorNetwork

__all__ = ["LIMIT_LENGTHS", "measure_locator"]

LIMIT_LENGTHS = 0.01
"""Largest distance of a corner that passes, in hand lengths: a fifteenth of what a film is warned about for."""


def measure_locator(network: LocatorNetwork, path: Path, source: Path | None, *, most: int) -> Agreement:
    """Compare the frames of a network with those of the file written from it.

    Args:
        network: by torch.
        path: the file.
        source: table of films; drawn hands if None.
        most: how many films at most.

    Raises:
        UsageError: if the source is a store, which holds views while the locator sees whole films, or no film is read.
    """
    if source is not None and is_store(source):
        raise UsageError(f"{source} holds views and the locator looks at whole films; give a table of films")
    hands = drawn_hands() if source is None else table_hands(source, most=most)
    inputs = [locator_input(hand.square) for hand in hands if hand is not None]
    if not inputs:
        raise UsageError(f"no film of {source} can be read as a hand; give other films")
    films = np.concatenate(inputs)
    with torch.no_grad():
        expected = network.eval()(torch.from_numpy(films)).numpy()
    session = Session(path, threads=1)
    found = {size: _apart(expected, InBatches(session, size).run({"film": films})[0]) for size in BATCHES}
    from_where = "drawn hands, because no film was given" if source is None else f"films of {source.name}"
    return Agreement(f"{len(films)} {from_where}", source is not None, {path.name: found}, unit="hand lengths")


def _apart(expected: NDArray[np.float32], found: NDArray[np.float32]) -> NDArray[np.float64]:
    """Give the largest distance of each frame's corners, in lengths of the hand."""
    pairs = zip(expected, found, strict=True)
    return np.array([corner_distance(frame_from_outputs(one), frame_from_outputs(two)) for one, two in pairs])
