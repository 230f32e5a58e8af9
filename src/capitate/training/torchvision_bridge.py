"""Let timm import where torchvision is built for another torch than the one installed.

timm imports torchvision. The registry's torchvision is compiled for CUDA, its library does not load under the CPU
build of torch, and its Python side then fails at `operator torchvision::nms does not exist` because it registers fake
kernels for two operators that the library would have declared. Declaring their schemas first is enough: nothing here
ever calls them. Import this module before timm.
"""

from __future__ import annotations

import torch

__all__ = ["LIBRARY"]


def _declare() -> torch.library.Library | None:
    """Declare the two schemas unless torchvision's own library is there to do so."""
    if hasattr(torch.ops.torchvision, "nms"):
        return None
    library = torch.library.Library("torchvision", "DEF")
    library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    return library


LIBRARY = _declare()
