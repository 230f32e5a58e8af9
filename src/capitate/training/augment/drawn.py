"""What was drawn for a batch: a record that can be kept, read back and replayed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.augment.blur import Blur
from capitate.training.augment.chances import Chances
from capitate.training.augment.clahe import Clahe
from capitate.training.augment.geometry import Geometry
from capitate.training.augment.histogram import HistogramMatch
from capitate.training.augment.surroundings import Surroundings
from capitate.training.augment.tone import Noise, Tone
from capitate.training.augment.uniform import UniformAugment
from capitate.training.settings.augment import AugmentConfig

__all__ = ["Drawn"]

_FAMILIES: Mapping[str, Any] = {
    "geometry": Geometry,
    "surroundings": Surroundings,
    "blur": Blur,
    "tone": Tone,
    "noise": Noise,
    "clahe": Clahe,
    "histogram": HistogramMatch,
    "uniform": UniformAugment,
}
"""In the order in which random numbers are handed out; a new family goes to the end, so that the others keep theirs."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """What was drawn for a batch of n views, one part a family of transforms; tensors lie on the CPU.

    Attributes:
        geometry: see `Geometry`.
        surroundings: see `Surroundings`.
        blur: see `Blur`.
        tone: see `Tone`.
        noise: see `Noise`.
        clahe: see `Clahe`.
        histogram: see `HistogramMatch`.
        uniform: see `UniformAugment`.
    """

    geometry: Geometry
    surroundings: Surroundings
    blur: Blur
    tone: Tone
    noise: Noise
    clahe: Clahe
    histogram: HistogramMatch
    uniform: UniformAugment

    @staticmethod
    def columns() -> int:
        """Random numbers that a view needs."""
        return sum(int(family.COLUMNS) for family in _FAMILIES.values())

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Drawn:
        """Draw every family."""
        return cls(**{name: family.draw(chances, config) for name, family in _FAMILIES.items()})

    def __len__(self) -> int:
        return len(self.tone.gamma)

    def apply(self, views: Tensor, masks: Tensor) -> Tensor:
        """Augment views; see `capitate.training.augment.apply`."""
        x = views.float() / 255
        x = self.clahe.apply(self.histogram.apply(x, masks))
        x = self.blur.apply(self.surroundings.apply(x, masks))
        x = self.uniform.apply(self.geometry.apply(x))
        x = self.noise.apply(self.tone.apply(x))
        return x.clamp_(0, 1).mul_(255)

    def save(self, path: Path) -> None:
        """Write the record as safetensors, names `family.field`."""
        save_file({name: tensor.contiguous() for name, tensor in self._tensors().items()}, path)

    @classmethod
    def load(cls, path: Path) -> Drawn:
        """Read a record that `save` wrote.

        Raises:
            UsageError: if the file is none.
        """
        try:
            with safe_open(path, framework="pt") as file:
                parts = {
                    name: family(**{f.name: file.get_tensor(f"{name}.{f.name}") for f in fields(family)})
                    for name, family in _FAMILIES.items()
                }
        except (OSError, SafetensorError) as error:
            raise UsageError(f"{path} holds no drawn augmentation ({error}); write it with Drawn.save") from error
        return cls(**parts)

    def _tensors(self) -> dict[str, Tensor]:
        """Give every tensor by `family.field`."""
        return {
            f"{name}.{f.name}": torch.as_tensor(getattr(getattr(self, name), f.name))
            for name, family in _FAMILIES.items()
            for f in fields(family)
        }
