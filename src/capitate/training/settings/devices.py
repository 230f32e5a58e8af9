"""What an experiment computes on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Accelerator", "DevicesConfig", "Draws", "Precision"]


class Accelerator(StrEnum):
    """Kinds of processors."""

    CPU = "cpu"
    CUDA = "cuda"


class Precision(StrEnum):
    """Number format of matrix products and convolutions; weights stay float32."""

    BF16 = "bf16"
    FP32 = "fp32"


class Draws(StrEnum):
    """What random numbers of augmentation hang on."""

    BATCH = "batch"
    FILM = "film"


@dataclass(frozen=True)
class DevicesConfig:
    """Processors, precision, determinism.

    Attributes:
        accelerator: `cpu` or `cuda`.
        count: processes, one a device, over all computers; more than one are started by torchrun.
        precision: `bf16` computes products in bfloat16, on CPU and GPU; `fp32` does not.
        deterministic: whether torch is held to algorithms that repeat to the bit, on a GPU at some cost in speed.
        ahead: batches that a thread prepares while the device computes; 0 prepares each when it is needed.
        draws: `batch` draws augmentation for a batch at once; `film` for each film by its id and epoch, so that the
            number of devices changes nothing.
    """

    accelerator: Accelerator = Accelerator.CPU
    count: int = 1
    precision: Precision = Precision.BF16
    deterministic: bool = False
    ahead: int = 0
    draws: Draws = Draws.BATCH
