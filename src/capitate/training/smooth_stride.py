"""Strides that do not alias: what they drop is blurred away first.

A network that skips every second pixel answers differently when a hand moves by one. A binomial blur before the skip
(Zhang, Making convolutional networks shift-invariant again, ICML 2019) ends that. Blur and convolution are both
linear, so training folds the blur into the kernel, at next to no cost; the released file keeps the two apart, because
the folded kernel is nearly three times as large.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["SmoothConv", "SmoothPool", "smooth_strides", "unfolded"]

_LINE = (1.0, 2.0, 1.0)


def _kernel() -> Tensor:
    """Give the binomial kernel of 3 x 3, sum 1."""
    line = torch.tensor(_LINE) / sum(_LINE)
    return line[:, None] * line


class SmoothConv(nn.Conv2d):
    """A convolution with stride 2 whose input is blurred; weights as those of the plain one."""

    def forward(self, x: Tensor) -> Tensor:
        """Convolve (n, channels, height, width) by the kernel with the blur folded in."""
        outputs, inputs, rows, columns = self.weight.shape
        blur = _kernel().to(self.weight)[None, None]
        wide = functional.conv2d(self.weight.reshape(-1, 1, rows, columns), blur, padding=2)
        wide = wide.reshape(outputs, inputs, rows + 2, columns + 2)
        padding = [int(side) + 1 for side in self.padding]
        return functional.conv2d(x, wide, self.bias, self.stride, padding)


class SmoothPool(nn.Module):
    """The largest of 3 x 3 pixels everywhere, then means of 2 x 2; in place of a largest value every second pixel."""

    def forward(self, x: Tensor) -> Tensor:
        """Halve the height and width of (n, channels, height, width)."""
        return functional.avg_pool2d(functional.max_pool2d(x, 3, 1, 1), 2)


def smooth_strides(backbone: nn.Module) -> nn.Module:
    """Put `SmoothConv` and `SmoothPool` in place of a network's strides, in place; weights stay where they were.

    The very first convolution keeps its stride: views are averaged when they are cut, and detail is scarce there.
    Convolutions of a single pixel come after an average in timm's `avg_down` and need nothing.
    """
    first = True
    for parent in list(backbone.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, nn.MaxPool2d):
                setattr(parent, name, SmoothPool())
            if type(child) is not nn.Conv2d:
                continue
            if child.stride == (2, 2) and child.kernel_size == (3, 3) and not first and child.groups == 1:
                setattr(parent, name, _as_smooth(child))
            first = False
    return backbone


def _as_smooth(plain: nn.Conv2d) -> SmoothConv:
    smooth = SmoothConv(plain.in_channels, plain.out_channels, 3, 2, plain.padding, bias=plain.bias is not None)
    smooth.load_state_dict(plain.state_dict())
    return smooth


def unfolded(module: nn.Module) -> nn.Module:
    """Replace every `SmoothConv` by a blur and a plain convolution, in place, for a released file."""
    for parent in list(module.modules()):
        for name, child in list(parent.named_children()):
            if isinstance(child, SmoothConv):
                setattr(parent, name, _apart(child))
    return module


def _apart(smooth: SmoothConv) -> nn.Sequential:
    """Blur each channel two pixels beyond the edge, then convolve without padding: the same numbers."""
    channels = smooth.in_channels
    blur = nn.Conv2d(channels, channels, 3, 1, smooth.padding[0] + 1, groups=channels, bias=False)
    plain = nn.Conv2d(channels, smooth.out_channels, smooth.kernel_size, smooth.stride, bias=smooth.bias is not None)
    with torch.no_grad():
        blur.weight.copy_(_kernel().expand_as(blur.weight))
    plain.load_state_dict(smooth.state_dict())
    return nn.Sequential(blur, plain)
