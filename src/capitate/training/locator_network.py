"""The hand locator's network: a film at 112 x 112 to a rotated box and the film's polarity."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from capitate.runtime.views import LOCATOR_SIZE

__all__ = ["OUTPUTS", "LocatorNetwork", "locator_loss"]

OUTPUTS = 7
_CHANNELS = ((1, 16, 2), (16, 32, 2), (32, 32, 1), (32, 64, 2), (64, 64, 1), (64, 96, 2), (96, 96, 1))
_REDUCTION = 16


class LocatorNetwork(nn.Module):
    """Seven convolutions and two linear layers, 0.66 million weights.

    Outputs: centre x, y; log width, log height; direction of the fingers x, y; logit of being a negative. Lengths and
    positions are in units where the film runs from -1 to 1.
    """

    def __init__(self) -> None:
        """Build the network, randomly initialised."""
        super().__init__()
        self.features = nn.Sequential(*(_block(*shape) for shape in _CHANNELS))
        cells = (LOCATOR_SIZE // _REDUCTION) ** 2
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Dropout(0.1),
            nn.Linear(_CHANNELS[-1][1] * cells, 96),
            nn.ReLU(inplace=True),
            nn.Linear(96, OUTPUTS),
        )

    def forward(self, film: Tensor) -> Tensor:
        """Locate hands.

        Args:
            film: float (n, 1, 112, 112), -1 to 1, as `capitate.runtime.views.locator_input` makes it.

        Returns:
            float (n, 7).
        """
        return self.head(self.features(film))


def _block(inputs: int, outputs: int, stride: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)
    )


def locator_loss(outputs: Tensor, target: Tensor, negated: Tensor) -> Tensor:
    """Sum of the losses of centre, size, direction and polarity.

    Args:
        outputs: of the network, (n, 7).
        target: (n, 6): centre, log size, unit direction.
        negated: (n,), 1 for a negative.
    """
    centre = functional.smooth_l1_loss(outputs[:, :2], target[:, :2], beta=0.02, reduction="none").sum(1)
    size = functional.smooth_l1_loss(outputs[:, 2:4], target[:, 2:4], beta=0.05, reduction="none").sum(1)
    up = (functional.normalize(outputs[:, 4:6], dim=1) - target[:, 4:6]).abs().sum(1)
    polarity = functional.binary_cross_entropy_with_logits(outputs[:, 6], negated)
    return (2 * centre + size + up).mean() + 0.3 * polarity
