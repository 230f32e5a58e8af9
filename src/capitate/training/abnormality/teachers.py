"""Finished screens that teach another: their probabilities, softened by a temperature, averaged."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError
from capitate.runtime.film_rule import FilmRule
from capitate.training.abnormality.network import AbnormalityNetwork
from capitate.training.pictures.exported import load_run
from capitate.training.pictures.reading import Item
from capitate.training.pictures.source import PictureSource
from capitate.training.runs import Run
from capitate.training.settings.abnormality import AbnormalityConfig
from capitate.training.settings.pictures import PicturesOnDemandConfig, film_rule

__all__ = ["Teachers"]

_log = logging.getLogger(__name__)
_BATCH = 64


class Teachers:
    """Networks of finished runs, each with the rule that makes its pictures.

    Attributes:
        temperature: T of `DistillationConfig`.
    """

    def __init__(self, runs: Sequence[Run], *, temperature: float) -> None:
        """Load them.

        Raises:
            UsageError: if a run is of another task or its files do not fit.
        """
        loaded = [load_run(run, AbnormalityConfig, make=lambda one: AbnormalityNetwork(one.network)) for run in runs]
        self._networks = [network.requires_grad_(requires_grad=False).eval() for network, _ in loaded]
        self._rules = [film_rule(config, config.reading) for _, config in loaded]
        self._names = [run.folder.name for run in runs]
        self.temperature = temperature

    def of_films(self, items: Sequence[Item], reading: PicturesOnDemandConfig) -> NDArray[np.float32]:
        """Answer once for every film as it is, each teacher at its own size.

        Args:
            items: films.
            reading: who reads them; the pictures are made by the teachers' own rules.

        Returns:
            float32 (films,), NaN where a film cannot be read and the experiment goes on without it.
        """
        total = np.zeros(len(items), dtype=np.float32)
        for network, rule, name in zip(self._networks, self._rules, self._names, strict=True):
            source = PictureSource(items, rule=rule, config=reading)
            try:
                total += self._one(network, source, len(items))
            finally:
                source.close()
            _log.info("teacher %s has answered", name)
        return total / np.float32(len(self._networks))

    def _one(self, network: AbnormalityNetwork, source: PictureSource, count: int) -> NDArray[np.float32]:
        """Let one teacher answer."""
        found = np.full(count, np.nan, dtype=np.float32)
        for rows in np.array_split(np.arange(count), max(1, -(-count // _BATCH))):
            readable, pictures = source.pictures(rows)
            if readable.any():
                found[rows[readable]] = self._softened(network, pictures).numpy()
        return found

    def of_pictures(self, pictures: Tensor) -> Tensor:
        """Answer for the pictures that the pupil is shown, on their device.

        Args:
            pictures: float32 (n, 1, height, width), 0 to 255.

        Returns:
            float32 (n,).
        """
        answers = [self._softened(network.to(pictures.device), pictures) for network in self._networks]
        return torch.stack(answers).mean(0)

    def check_rule(self, rule: FilmRule) -> None:
        """Refuse to judge pictures that are made otherwise than those a teacher learnt from; sizes may differ.

        Raises:
            UsageError: naming the teacher.
        """
        for own, name in zip(self._rules, self._names, strict=True):
            asked, used = (_without_size(one) for one in (own, rule))
            if asked != used:
                raise UsageError(
                    f"the teacher {name} learnt from pictures made by {asked}, these are made by {used}; set "
                    "distillation.sees = 'film', or the same [reading]"
                )

    def _softened(self, network: AbnormalityNetwork, pictures: Tensor) -> Tensor:
        """Give sigmoid(logit / T)."""
        with torch.no_grad():
            logits: Tensor = network(pictures.contiguous(memory_format=torch.channels_last))
        return (logits.float() / self.temperature).sigmoid()


def _without_size(rule: FilmRule) -> dict[str, object]:
    """Describe a rule apart from the size of its pictures."""
    return {name: value for name, value in rule.to_card().items() if name not in {"height", "width", "size"}}
