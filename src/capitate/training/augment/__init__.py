"""Augmentation of views in batches: parameters are drawn by one function and applied by another.

A family of transforms has a module each, with a frozen record of what was drawn. Drawing happens on the CPU, from a
generator or from a seed a film; applying happens where the views are. kornia does the work where it has it, through
its functions: its augmentation classes draw from torch's global generator, which nothing here touches.

Only training calls this. Validation, prediction and assessment never do, and a test forbids it.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from capitate.training.augment.chances import Chances, film_seeds
from capitate.training.augment.drawn import Drawn
from capitate.training.augment.mixing import Mixture, draw_mixture
from capitate.training.settings.augment import AugmentConfig

__all__ = ["Drawn", "Mixture", "apply", "draw", "draw_mixture", "film_seeds"]


def draw(
    n: int,
    config: AugmentConfig,
    *,
    generator: torch.Generator | None = None,
    seeds: Sequence[int] | Tensor | None = None,
) -> Drawn:
    """Draw the parameters for `n` views.

    Args:
        n: views.
        config: ranges.
        generator: on the CPU, for the batch as a whole.
        seeds: n whole numbers instead, such as those of `film_seeds`: a film's parameters are then the same in
            whatever batch it comes, the partner of histogram matching excepted, which is one of the batch.

    Raises:
        UsageError: unless exactly one of generator and n seeds is given.
    """
    return Drawn.draw(Chances(n, Drawn.columns(), generator=generator, seeds=seeds), config)


def apply(views: Tensor, masks: Tensor, drawn: Drawn) -> Tensor:
    """Apply what was drawn, on the device of the views.

    Histograms are matched and equalised first, then surroundings are repainted, detail is lost, the picture is
    warped, UniformAugment acts, and tone and noise come last.

    Args:
        views: uint8 or float (n, 1, height, width), 0 to 255.
        masks: bool (n, 1, height, width), the dilated hand.
        drawn: from `draw`.

    Returns:
        float32 (n, 1, height, width), 0 to 255.
    """
    return drawn.apply(views, masks)
