"""The grader: a picture and its category to log probabilities of grades."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from capitate.runtime.grade_categories import CATEGORIES, MOST_GRADES
from capitate.training.joint_grades.crops import ALLOWED
from capitate.training.networks.heads import make_layers
from capitate.training.pictures.network import PictureNetwork
from capitate.training.settings.joint_grades import GradeForm, GradeHead, GraderConfig
from capitate.training.settings.layers import parse_layers

__all__ = ["JointGradesNetwork", "between_thresholds"]

_NEVER = -30.0
"""Log probability of a grade that a category does not have: finite, so that no product with 0 is undefined."""
_FAR = 60.0
_FIRST_STEP = 0.5
"""Raw distance between thresholds at the start, 1 after softplus."""


class JointGradesNetwork(PictureNetwork):
    """One network for all categories; grades that a category does not have are never answered."""

    def __init__(self, config: GraderConfig) -> None:
        """Build the network that `config` describes, randomly initialised."""
        super().__init__(config)
        self.form, categories = config.form, len(CATEGORIES)
        layers, width = make_layers(parse_layers(config.layers, key="network.layers"), self.width)
        self.layers = nn.Sequential(*layers, nn.Dropout(config.dropout))
        outputs = 1 if config.form is GradeForm.THRESHOLDS else MOST_GRADES + 1
        if config.head is GradeHead.EMBEDDING:
            self.embedding = nn.Embedding(categories, config.embedding)
            between = nn.Linear(width + config.embedding, config.hidden)
            self.head = nn.Sequential(between, nn.ReLU(), nn.Linear(config.hidden, outputs))
        else:
            self.head = nn.Sequential(nn.Linear(width, categories * outputs))
        if config.form is GradeForm.THRESHOLDS:
            self.first = nn.Parameter(torch.full((categories, 1), -MOST_GRADES / 2))
            self.steps = nn.Parameter(torch.full((categories, MOST_GRADES - 1), _FIRST_STEP))
        self.register_buffer("allowed", torch.from_numpy(ALLOWED), persistent=False)

    allowed: Tensor

    def forward(self, picture: Tensor, category: Tensor) -> Tensor:
        """Give log probabilities of grades 0 to 14, float32 (n, 15).

        Args:
            picture: float (n, 1, height, width), 0 to 255.
            category: int64 (n,), place in `CATEGORIES`.
        """
        raw = self._raw(self.layers(self.pooled(picture)), category).float()
        allowed = self.allowed[category]
        if self.form is GradeForm.DISTRIBUTION:
            found = functional.log_softmax(raw.masked_fill(~allowed, -1e4), 1)
        else:
            found = between_thresholds(raw, self.thresholds()[category], allowed[:, 1:])
        return found.masked_fill(~allowed, _NEVER)

    def thresholds(self) -> Tensor:
        """Give the thresholds below grades 1 to 14 of each category, rising, (9, 14)."""
        return torch.cat([self.first, self.first + functional.softplus(self.steps).cumsum(1)], 1)

    def _raw(self, pooled: Tensor, category: Tensor) -> Tensor:
        """Give the last numbers of each row's category, (n, outputs)."""
        embedding: Any = getattr(self, "embedding", None)
        if embedding is not None:
            joined: Tensor = self.head(torch.cat([pooled, embedding(category)], 1))
            return joined
        every = self.head(pooled).unflatten(1, (len(CATEGORIES), -1))
        chosen = category[:, None, None].expand(-1, 1, every.shape[2])
        return every.gather(1, chosen)[:, 0]


def between_thresholds(score: Tensor, thresholds: Tensor, real: Tensor) -> Tensor:
    """Give log probabilities of grades under cumulative logits: P(grade > k) = sigmoid(score - threshold k).

    ln(s(a) - s(b)) = ln s(a) + ln s(-b) + ln(1 - exp(b - a)) for the sigmoid s keeps the difference exact.

    Args:
        score: (n, 1).
        thresholds: (n, grades - 1), rising.
        real: bool (n, grades - 1), false behind a category's last grade.

    Returns:
        (n, grades).
    """
    reached = torch.where(real, score - thresholds, torch.full_like(thresholds, -_FAR))
    over = functional.pad(reached, (1, 0), value=_FAR)
    under = functional.pad(reached, (0, 1), value=-_FAR)
    apart = (over - under).clamp_min(1e-4)
    return functional.logsigmoid(over) + functional.logsigmoid(-under) + (-torch.expm1(-apart)).log()
