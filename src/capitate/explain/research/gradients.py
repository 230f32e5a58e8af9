"""What small changes of a picture, or of a feature map, do to the answer: gradients, SmoothGrad and Grad-CAM."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from capitate.errors import UsageError

__all__ = ["Differentiable", "GradientMethod", "gradient_cells"]

_WHITE = 255.0
SAMPLES = 50
NOISE = 0.15
"""Noisy copies, and their noise as a share of the range of grey: where Smilkov et al. saw no more change, and the
middle of the 10 to 20 % that they advise."""
_AT_ONCE = 10


class GradientMethod(StrEnum):
    """How a map is made of gradients.

    `gradient`: gradient of the answer times grey level, what each pixel adds to first order (Shrikumar, Greenside and
    Kundaje, ICML 2017). `smoothgrad`: the same with the gradient averaged over noisy copies (Smilkov et al. 2017,
    arXiv 1706.03825). `grad-cam`: the last feature map, each channel weighted with its mean gradient (Selvaraju et al.,
    ICCV 2017), without cutting negative cells away, because what lowers an answer matters too.
    """

    GRADIENT = "gradient"
    SMOOTHGRAD = "smoothgrad"
    GRAD_CAM = "grad-cam"


@dataclass(frozen=True)
class Differentiable:
    """A network in two halves, either of which gradients pass.

    Attributes:
        features: from pictures, float (n, 1, height, width), 0 to 255, to the last feature map (n, channels, rows,
            columns).
        answer: from that to an answer each, (n,).
    """

    features: Callable[[Tensor], Tensor]
    answer: Callable[[Tensor], Tensor]


def gradient_cells(
    network: Differentiable, picture: NDArray[np.uint8], *, method: GradientMethod, seed: int = 0
) -> tuple[NDArray[np.float64], float]:
    """Make the cells of a map of one picture.

    Args:
        network: in evaluation.
        picture: uint8 (height, width).
        method: see `GradientMethod`.
        seed: of SmoothGrad's noise.

    Returns:
        float64 (rows, columns), which divide the picture evenly: pixels, or the feature map's cells for Grad-CAM. And
        the answer.

    Raises:
        UsageError: if the gradient is not finite.
    """
    seen = torch.from_numpy(picture.astype(np.float32))[None, None]
    with torch.no_grad():
        said = float(network.answer(network.features(seen))[0])
    if method is GradientMethod.GRAD_CAM:
        cells = _grad_cam(network, seen)
    elif method is GradientMethod.SMOOTHGRAD:
        cells = (_smooth_gradient(network, seen, seed=seed) * seen)[0, 0]
    else:
        cells = (_gradient(network, seen) * seen)[0, 0]
    found: NDArray[np.float64] = cells.double().numpy()
    if not np.isfinite(found).all():
        raise UsageError(f"the gradient of the answer {said:g} is not finite; the run's weights are damaged")
    return found, said


def _gradient(network: Differentiable, pictures: Tensor) -> Tensor:
    """Give the gradient of each picture's answer with respect to its pixels, of the pictures' shape."""
    pictures = pictures.detach().requires_grad_()
    (slope,) = torch.autograd.grad(network.answer(network.features(pictures)).sum(), pictures)
    return slope


def _smooth_gradient(network: Differentiable, picture: Tensor, *, seed: int) -> Tensor:
    """Average the gradient over noisy copies of one picture (1, 1, height, width)."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros_like(picture)
    for start in range(0, SAMPLES, _AT_ONCE):
        count = min(_AT_ONCE, SAMPLES - start)
        noise = torch.randn((count, *picture.shape[1:]), generator=generator) * (NOISE * _WHITE)
        total += _gradient(network, picture + noise).sum(dim=0, keepdim=True)
    return total / SAMPLES


def _grad_cam(network: Differentiable, picture: Tensor) -> Tensor:
    """Weight the feature map's channels by their mean gradient, (rows, columns)."""
    with torch.no_grad():
        cells = network.features(picture)
    cells = cells.detach().requires_grad_()
    (slope,) = torch.autograd.grad(network.answer(cells).sum(), cells)
    weights = slope.mean(dim=(2, 3), keepdim=True)
    return (weights * cells).sum(dim=1)[0].detach()
