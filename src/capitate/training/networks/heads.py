"""Heads: layers on the pooled picture, and what their last numbers mean in months."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from capitate.training import torchvision_bridge  # noqa: F401  # isort: skip  (timm imports torchvision)
from timm.layers import get_act_layer

from capitate.errors import UsageError
from capitate.training.networks.answer import Answer, answer_of, log_probabilities
from capitate.training.networks.bins import BIN_MONTHS, BINS
from capitate.training.settings.layers import STANDARD, Layer, parse_layers
from capitate.training.settings.network import HeadKind, NetworkConfig, Spread, SpreadShape, Target
from capitate.training.targets import TargetStatistics

__all__ = ["ByMonth", "ExactLinear", "OneNumber", "OrderedThresholds", "make_head", "make_layers", "make_reading"]

_FIRST_SCALE_MONTHS = 10.0
"""Scale before anything is fitted or learnt: about what a network errs by after its first epochs."""


class ExactLinear(nn.Linear):
    """A linear layer in 32-bit floats: bfloat16 has steps of a whole month from 128 months on."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (n, features) to float32."""
        with torch.autocast(x.device.type, enabled=False):
            return functional.linear(x.float(), self.weight.float(), self.bias.float())


def make_layers(layers: tuple[Layer, ...], width: int) -> tuple[list[nn.Module], int]:
    """Build layers on `width` features, and give the width of what the last one returns.

    Raises:
        UsageError: if an activation has no such name.
    """
    built: list[nn.Module] = []
    for layer in layers:
        if layer.kind == "linear":
            built.append(nn.Linear(width, int(layer.value)))
            width = int(layer.value)
        elif layer.kind == "dropout":
            built.append(nn.Dropout(layer.value))
        elif layer.kind == "norm":
            built.append(nn.BatchNorm1d(width))
        else:
            built.append(_activation(layer.kind))
    return built, width


def _activation(name: str) -> nn.Module:
    try:
        found = get_act_layer(name)
    except KeyError:
        found = next((one for key, one in vars(nn).items() if key.lower() == name.lower()), None)
    if found is None:
        raise UsageError(f"an activation must be one that timm or torch names, such as silu or mish, got {name!r}")
    return found()


def make_head(config: NetworkConfig, width: int) -> nn.Sequential:
    """Build a head on `width` features: its layers, then a linear layer of 240 numbers, of one or of two."""
    standard = (Layer("dropout", config.dropout), Layer("linear", config.hidden), Layer(config.activation))
    plain = config.layers.strip() == STANDARD
    layers, width = make_layers(standard if plain else parse_layers(config.layers, key="network.layers"), width)
    if not plain:
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight)
                nn.init.zeros_(layer.bias)
    if config.head == HeadKind.DISTRIBUTION:
        return nn.Sequential(*layers, nn.Linear(width, BINS))
    predicted = config.head == HeadKind.SCALAR and config.spread == Spread.PREDICTED
    return nn.Sequential(*layers, ExactLinear(width, 2 if predicted else 1))


def make_reading(config: NetworkConfig) -> ByMonth | OneNumber | OrderedThresholds:
    """Build what turns a head's last numbers into an `Answer`."""
    if config.head == HeadKind.SCALAR:
        predicted = config.spread == Spread.PREDICTED
        return OneNumber(Target(config.target), shape=SpreadShape(config.spread_shape), predicted=predicted)
    return OrderedThresholds() if config.head == HeadKind.ORDINAL else ByMonth()


class ByMonth(nn.Module):
    """240 numbers: logits by month."""

    def forward(self, raw: Tensor) -> Answer:
        """Read (n, 240)."""
        return answer_of(raw.float())


class OneNumber(nn.Module):
    """One number on the target's scale, and the spread around it, fitted or the second number."""

    def __init__(self, target: Target, *, shape: SpreadShape, predicted: bool) -> None:
        """Read numbers on the scale of `target`; statistics are set by `use`, a fitted scale by `fit_spread`."""
        super().__init__()
        self.target, self.shape, self.predicted = target, shape, predicted
        self.register_buffer("statistics", torch.zeros(4))
        self.register_buffer("scale_months", torch.tensor([_FIRST_SCALE_MONTHS]))
        self.use(TargetStatistics())

    def use(self, statistics: TargetStatistics) -> None:
        """Take the statistics of the training films; they are stored with the weights."""
        values = [statistics.mean, statistics.sd, statistics.low, statistics.high]
        self.statistics.copy_(torch.tensor(values))

    def fit_spread(self, errors: Tensor) -> None:
        """Set the scale to its maximum likelihood: mean |e| of a Laplace, root mean square of a normal distribution.

        Args:
            errors: (n,), months, of films that the weights were not fitted on.

        Raises:
            UsageError: if there are no errors, or one is no number.
        """
        if errors.numel() == 0 or not bool(torch.isfinite(errors).all()):
            raise UsageError(f"the spread needs errors in months, got {errors.numel()} of which some are no numbers")
        errors = errors.double()
        fitted = errors.abs().mean() if self.shape == SpreadShape.LAPLACE else errors.square().mean().sqrt()
        self.scale_months.fill_(max(float(fitted), BIN_MONTHS / 2))

    def months(self, value: Tensor) -> Tensor:
        """Turn numbers on the target's scale (n,) into months."""
        mean, sd, low, high = self.statistics.unbind()
        if self.target == Target.MONTHS:
            return mean + value
        if self.target == Target.Z_SCORE:
            return mean + sd * value
        if self.target == Target.MIN_MAX:
            return low + (high - low) * value.sigmoid()
        return BINS * BIN_MONTHS * value.sigmoid()

    def forward(self, raw: Tensor) -> Answer:
        """Read (n, 1), or (n, 2) with the scale's logarithm beside."""
        months = self.months(raw[:, 0])
        if self.predicted:  # between 0.5 and 200 months
            scale = _FIRST_SCALE_MONTHS * (3 * torch.tanh(raw[:, 1] / 3)).exp()
        else:
            scale = self.scale_months.expand_as(months)
        return Answer(log_probabilities(months, scale, shape=self.shape), months, scale)


class OrderedThresholds(nn.Module):
    """One score against 239 thresholds in order (proportional odds, McCullagh 1980, JRSS B 42:109).

    P(age of k months or more) = sigmoid(score - threshold k). Gaps between thresholds are positive by construction, so
    that probabilities are never negative. They begin as those of a logistic distribution of 12 months around 120.
    """

    _FIRST_WIDTH = 12.0

    def __init__(self) -> None:
        """Lay the thresholds out evenly."""
        super().__init__()
        gap = BIN_MONTHS / self._FIRST_WIDTH
        self.first = nn.Parameter(torch.tensor([-(BINS / 2 - 1) * gap]))
        self.gaps = nn.Parameter(torch.full((BINS - 2,), math.log(math.expm1(gap))))

    def forward(self, raw: Tensor) -> Answer:
        """Read scores (n, 1)."""
        gaps = functional.softplus(self.gaps.float())
        thresholds = torch.cat([self.first, self.first + gaps.cumsum(0)])
        over = functional.logsigmoid(raw - thresholds)
        under = functional.logsigmoid(thresholds - raw)
        between = over[:, :-1] + under[:, 1:] + (1 - (-gaps).exp()).log()
        return answer_of(torch.cat([under[:, :1], between, over[:, -1:]], 1))
