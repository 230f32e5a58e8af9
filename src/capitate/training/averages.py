"""Means of the weights over training: an exponential running average, or the equal mean of the last epochs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from typing import Any, Generic, TypeVar

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

__all__ = ["RunningAverage", "settle_norms", "stochastic_average"]

Network = TypeVar("Network", bound=nn.Module)


class RunningAverage(Generic[Network]):
    """Exponential moving average of weights and buffers, begun with the network as it is."""

    def __init__(self, network: Network, *, most: float) -> None:
        """Copy the network.

        Args:
            network: followed.
            most: what the average keeps of itself a step.
        """
        self.network: Network = copy.deepcopy(network).eval().requires_grad_(requires_grad=False)
        self.most = most

    def follow(self, network: nn.Module, *, taken: int) -> None:
        """Move towards the network; early steps count more so that the random start is forgotten.

        Args:
            network: after its step.
            taken: steps taken so far.
        """
        weight = 1 - min(self.most, (1 + taken) / (10 + taken))
        with torch.no_grad():
            for mean, now in zip(self.network.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.dtype.is_floating_point:
                    mean.lerp_(now, weight)
                else:
                    mean.copy_(now)


def stochastic_average(network: nn.Module) -> AveragedModel:
    """Make an empty equal mean; `update_parameters` adds a network to it."""
    return AveragedModel(network).requires_grad_(requires_grad=False)


class _Answering(nn.Module):
    """Takes a batch as one value, as torch's `update_bn` hands it on."""

    def __init__(self, network: nn.Module, answer: Callable[[nn.Module, Any], object]) -> None:
        super().__init__()
        self.network, self.answer = network, answer

    def forward(self, batch: object) -> object:
        return self.answer(self.network, batch)


def settle_norms(network: nn.Module, batches: Iterable[Any], *, answer: Callable[[nn.Module, Any], object]) -> None:
    """Recompute the statistics of batch norms, which no mean of weights can give.

    Args:
        network: whose weights are a mean.
        batches: as they were in training.
        answer: lets a network answer one of them, see `Task.answer`.
    """
    update_bn(batches, _Answering(network, answer))
