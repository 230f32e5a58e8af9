"""Which timm network answers to a backbone of a published system; the table is `backbones.csv`."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

__all__ = ["NamedBackbone", "keras_backbones", "named_backbones"]


@dataclass(frozen=True)
class NamedBackbone:
    """A row of the table.

    Attributes:
        system: number of the system, `004` for the Keras toolbox.
        name: there.
        timm: timm's name of the network.
        weights: timm's tag of the weights nearest to the system's; empty where timm publishes none.
        differs: in what it is not the same network; empty where it is.
    """

    system: str
    name: str
    timm: str
    weights: str
    differs: str

    @property
    def backbone(self) -> str:
        """Value of `network.backbone`: timm's name with the tag of the weights."""
        return f"{self.timm}.{self.weights}" if self.weights else self.timm


@cache
def named_backbones() -> tuple[NamedBackbone, ...]:
    """Read the whole table."""
    text = resources.files(__package__).joinpath("backbones.csv").read_text(encoding="utf8")
    return tuple(NamedBackbone(**row) for row in csv.DictReader(text.splitlines()))


def keras_backbones() -> Mapping[str, NamedBackbone]:
    """Give the fifteen backbones of the Keras toolbox (system 004) by their name there."""
    return {row.name: row for row in named_backbones() if row.system == "004"}
