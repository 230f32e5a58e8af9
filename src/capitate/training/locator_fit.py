"""One round of the locator's training."""

from __future__ import annotations

import logging
import time

import torch
from torch import Tensor, nn

from capitate.training.averages import RunningAverage
from capitate.training.locator_data import Hands, draw_films, locator_batch
from capitate.training.locator_network import LocatorNetwork, locator_loss
from capitate.training.settings.locator import LocatorConfig, Round

__all__ = ["fit_round"]

_log = logging.getLogger(__name__)


def fit_round(
    hands: Hands,
    rows: Tensor,
    settings: Round,
    config: LocatorConfig,
    *,
    generator: torch.Generator,
    start: nn.Module | None = None,
) -> LocatorNetwork:
    """Train on some rows; a row that stands several times comes several times an epoch.

    Args:
        hands: films and points.
        rows: int64, what an epoch consists of; an incomplete last batch is left out.
        settings: of the round.
        config: the experiment.
        generator: for order and augmentation.
        start: network whose weights to begin with.

    Returns:
        The network, or its running average if the round keeps one.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = LocatorNetwork()
        network.to(memory_format=torch.channels_last)
        if start is not None:
            network.load_state_dict(start.state_dict())
        average = RunningAverage(network, most=settings.average) if settings.average else None
        batches = max(1, len(rows) // config.batch)
        optimiser = torch.optim.AdamW(network.parameters(), settings.learning_rate, weight_decay=config.weight_decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, settings.learning_rate, settings.epochs * batches, pct_start=settings.warm_up
        )
        for epoch in range(settings.epochs):
            began, total = time.perf_counter(), 0.0
            order = rows[torch.randperm(len(rows), generator=generator)]
            for k in range(batches):
                part = order[k * config.batch : (k + 1) * config.batch]
                total += _step(network, hands, part, optimiser, generator)
                schedule.step()
                if average is not None:
                    average.follow(network, taken=schedule.last_epoch)
            _log.info("epoch %d: loss %.4f, %.0f s", epoch, total / batches, time.perf_counter() - began)
    return network if average is None else average.network


def _step(
    network: nn.Module, hands: Hands, rows: Tensor, optimiser: torch.optim.Optimizer, generator: torch.Generator
) -> float:
    """Take one optimiser step and return the loss."""
    network.train()
    drawn = draw_films(hands.points[rows], generator=generator)
    films, target, negated = locator_batch(hands, rows, drawn)
    with torch.autocast("cpu", torch.bfloat16):
        outputs = network(films.contiguous(memory_format=torch.channels_last))
    loss = locator_loss(outputs.float(), target, negated)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return float(loss.detach())
