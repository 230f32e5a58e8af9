"""Training of the hand locator in two rounds: labelled hands, then all films with the first round's own labels."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from capitate.training.joints_labels import HandLabel
from capitate.training.locator_data import Hands, locator_batch
from capitate.training.locator_fit import fit_round
from capitate.training.locator_network import LocatorNetwork
from capitate.training.pseudo_labels import PseudoLabels, pseudo_label
from capitate.training.settings.locator import LocatorConfig
from capitate.training.weights import load_weights, save_weights

__all__ = ["LocatorErrors", "LocatorResult", "measure", "train_locator"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LocatorErrors:
    """Absolute errors on hands: (median, 95th percentile).

    Attributes:
        centre_x: in fractions of the hand's width.
        centre_y: in fractions of the hand's height.
        log_width: natural logarithm.
        log_height: natural logarithm.
        angle: degrees.
        hands: how many.
    """

    centre_x: tuple[float, float]
    centre_y: tuple[float, float]
    log_width: tuple[float, float]
    log_height: tuple[float, float]
    angle: tuple[float, float]
    hands: int


@dataclass(frozen=True, eq=False)
class LocatorResult:
    """What the two rounds gave.

    Attributes:
        network: of the second round, averaged weights.
        first: errors of the first round on the held-out hands.
        second: errors of the second round on the same hands.
        held_out: their ids.
        pseudo: the labels that the first round gave to all films.
    """

    network: LocatorNetwork
    first: LocatorErrors
    second: LocatorErrors
    held_out: tuple[str, ...]
    pseudo: PseudoLabels


def train_locator(
    films: NDArray[np.uint8], ids: Sequence[str], labels: Sequence[HandLabel], config: LocatorConfig, *, folder: Path
) -> LocatorResult:
    """Train both rounds; a round whose weights lie in `folder` already is not trained again.

    Args:
        films: uint8 (n, 299, 299), squashed.
        ids: n of them.
        labels: of some of the films, by id; labels of other films are left out.
        config: the experiment.
        folder: for `round-1.safetensors` and `round-2.safetensors`.
    """
    where = {film: row for row, film in enumerate(ids)}
    known = [label for label in labels if label.film in where]
    hands = Hands.of(films[[where[label.film] for label in known]], known)
    order, generator = _order(len(known), config)
    held_out, learnt = order[: config.held_out], order[config.held_out :]
    names = tuple(known[row].film for row in held_out.tolist())
    first = _fit_or_read(
        lambda: fit_round(hands, learnt, config.first, config, generator=generator), folder / "round-1.safetensors"
    )
    first_errors = measure(first, hands, held_out)
    _log.info("round 1: %d hands, %s", len(learnt), asdict(first_errors))
    pseudo = pseudo_label(first, films)
    every, rows = _second_hands(films, ids, known, pseudo, config, leave_out=frozenset(names))
    _, generator = _order(len(known), config)
    second = _fit_or_read(
        lambda: fit_round(every, rows, config.second, config, generator=generator, start=first),
        folder / "round-2.safetensors",
    )
    second_errors = measure(second, hands, held_out)
    _log.info("round 2: %d films, %s", len(every), asdict(second_errors))
    return LocatorResult(second, first_errors, second_errors, names, pseudo)


def measure(network: nn.Module, hands: Hands, rows: Tensor) -> LocatorErrors:
    """Compare the network with the labels of some hands, films as stored."""
    films, target, _ = locator_batch(hands, rows)
    with torch.no_grad():
        outputs = network.eval()(films)
    direction = functional.normalize(outputs[:, 4:6], dim=1)
    angle = torch.rad2deg(torch.acos((direction * target[:, 4:6]).sum(1).clamp(-1, 1)))
    centre = (outputs[:, :2] - target[:, :2]) / torch.exp(target[:, 2:4])
    errors = torch.cat([centre, outputs[:, 2:4] - target[:, 2:4], angle[:, None]], 1).abs()
    quantiles = torch.quantile(errors, torch.tensor([0.5, 0.95]), dim=0).T.tolist()
    x, y, width, height, turn = ((round(middle, 4), round(high, 4)) for middle, high in quantiles)
    return LocatorErrors(x, y, width, height, turn, len(rows))


def _order(n: int, config: LocatorConfig) -> tuple[Tensor, torch.Generator]:
    """Shuffle the labelled hands, held-out ones first; both rounds draw on from there."""
    generator = torch.Generator().manual_seed(config.seed + 1)
    return torch.randperm(n, generator=generator), generator


def _fit_or_read(fit: Callable[[], LocatorNetwork], path: Path) -> LocatorNetwork:
    """Train a round and keep its weights, or read what it gave before."""
    if path.exists():
        return load_weights(LocatorNetwork(), path)
    network = fit()
    save_weights(network, path)
    return network


def _second_hands(
    films: NDArray[np.uint8],
    ids: Sequence[str],
    known: Sequence[HandLabel],
    pseudo: PseudoLabels,
    config: LocatorConfig,
    *,
    leave_out: frozenset[str],
) -> tuple[Hands, Tensor]:
    """Give the hands of the second round and the rows of an epoch: all once, those that people labelled again."""
    by_id = {label.film: label for label in known}
    keep = [
        row
        for row, film in enumerate(ids)
        if film not in leave_out and float(pseudo.disagreement[row]) < config.disagreement
    ]
    labels = [by_id[ids[row]] if ids[row] in by_id else pseudo.label(row, ids[row]) for row in keep]
    again = torch.tensor([k for k, row in enumerate(keep) if ids[row] in by_id], dtype=torch.int64)
    return Hands.of(films[keep], labels), torch.cat([torch.arange(len(keep)), *[again] * config.repeat])
