"""Mixup and C-Mixup: a view, its age and its teacher are replaced by a mean of two films'.

Zhang, Cisse, Dauphin, Lopez-Paz: mixup: Beyond Empirical Risk Minimization, ICLR 2018. Yao, Wang, Zhang, Zou, Finn:
C-Mixup: Improving Generalization in Regression, NeurIPS 2022: the partner is drawn with a probability that falls with
the distance of the labels, here by a normal kernel of bone age within the batch (the publication's variant for
large sets). Every film has a share of its own.

Sex is no quantity that could be averaged: the networks take it as one of three codes. So either both films have one sex
(`same`), or a mixture of a girl's film with a boy's is shown with the sex hidden (`hidden`), as an unknown sex is
otherwise. Never is one film's sex given for a mixture of both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.settings.augment import AugmentConfig
from capitate.training.view_store import SEX_INDEX

__all__ = ["Mixture", "draw_mixture"]

_STREAM = 1
"""Keeps the numbers of mixup apart from those that a film's seed gives to augmentation."""


@dataclass(frozen=True, eq=False)
class Mixture:
    """Who is mixed with whom, and how much of each; tensors lie on the CPU.

    Attributes:
        partner: int64 (n,), place in the batch; its own place where a film has no partner.
        share: float32 (n,), share of the film itself; the rest is its partner's.
    """

    partner: Tensor
    share: Tensor

    def of(self, values: Tensor, *, partners: Tensor | None = None) -> Tensor:
        """Mix what belongs to the films: views, ages in months or probabilities.

        Args:
            values: float (n, ...).
            partners: the same of every film's partner, where it is not simply the partner's row of `values`, such as a
                teacher's answer for the partner under the sex that the mixture is shown with.
        """
        partners = values[self.partner.to(values.device)] if partners is None else partners
        share = self.share.to(values.device).view(-1, *[1] * (values.ndim - 1))
        return torch.lerp(partners, values, share)

    def sexes(self, codes: Tensor) -> Tensor:
        """Give sex codes (n,) with the sex hidden where the two films differ in it."""
        differ = codes != codes[self.partner.to(codes.device)]
        return torch.where(differ, torch.full_like(codes, SEX_INDEX["unknown"]), codes)


def draw_mixture(
    months: Tensor,
    sexes: Tensor,
    config: AugmentConfig,
    *,
    generator: torch.Generator | None = None,
    seeds: Sequence[int] | Tensor | None = None,
) -> Mixture | None:
    """Draw partners and shares for a batch.

    Args:
        months: (n,) bone ages, by which C-Mixup chooses.
        sexes: int64 (n,), see `SEX_INDEX`.
        config: `mixup`, `mixup_months` and `mixup_sex`.
        generator: on the CPU.
        seeds: n whole numbers instead, a film each. Shares then follow from the film; partners are films of the batch.

    Returns:
        What was drawn, None where mixup is off.

    Raises:
        UsageError: unless exactly one of generator and n seeds is given.
    """
    if not config.mixup:
        return None
    if (generator is None) == (seeds is None) or (seeds is not None and len(seeds) != len(months)):
        raise UsageError("mixup is drawn from a generator or from a seed for each film; give exactly one of them")
    drawn_from = torch.randint(2**31, (len(months),), generator=generator) if seeds is None else seeds
    randoms = [np.random.default_rng([int(seed), _STREAM]) for seed in drawn_from]
    share = torch.tensor([random.beta(config.mixup, config.mixup) for random in randoms], dtype=torch.float32)
    where = torch.tensor([random.random() for random in randoms])
    reach = _chances_of_partners(months.cpu(), sexes.cpu(), config).cumsum(1)
    partner = torch.searchsorted(reach, where[:, None] * reach[:, -1:], right=True)[:, 0]
    own = torch.arange(len(months))
    return Mixture(torch.where(reach[:, -1] > 0, partner.clamp(max=len(own) - 1), own), share)


def _chances_of_partners(months: Tensor, sexes: Tensor, config: AugmentConfig) -> Tensor:
    """Give how likely each film (row) takes each other film (column), (n, n), not normalised; never itself."""
    months = months.double()
    apart = months[:, None] - months[None]
    width = config.mixup_months
    likely = torch.exp(-apart.square() / (2 * width**2)) if width else torch.ones_like(apart)
    if config.mixup_sex == "same":
        likely = likely * (sexes[:, None] == sexes[None])
    return likely.fill_diagonal_(0)
