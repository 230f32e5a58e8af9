"""Processors for one run: Lightning Fabric over one device, or over several that torchrun has started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies import DDPStrategy
from torch import Tensor

from capitate.errors import UsageError
from capitate.training.settings.devices import Accelerator, DevicesConfig

__all__ = ["deterministic", "gathered", "make_fabric", "summed"]


def make_fabric(config: DevicesConfig) -> Fabric:
    """Bring this process to its device and, where there are several, to the others.

    Fabric spreads the work and adds gradients up; precision is `torch.autocast` in the loop, because Fabric's own mixed
    precision would round grey values to bfloat16 before the network scales them.

    Raises:
        UsageError: if a device is not there, or the number of processes is another than `devices.count`.
    """
    started = int(os.environ.get("WORLD_SIZE", "1"))
    if started != config.count:
        raise UsageError(
            f"devices.count is {config.count} and {started} processes were started; run the command by "
            f"`torchrun --nproc-per-node {config.count} -m capitate train ...`"
        )
    here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    if config.accelerator is Accelerator.CUDA and torch.cuda.device_count() < here:
        raise UsageError(
            f"devices.accelerator is cuda for {here} processes, and torch {torch.__version__} finds "
            f"{torch.cuda.device_count()} GPUs on this computer; set devices.accelerator=cpu or start fewer processes"
        )
    fabric = Fabric(
        accelerator=config.accelerator.value,
        devices=here,
        num_nodes=config.count // here,
        strategy=_together() if config.count > 1 else "auto",
        precision="32-true",
    )
    fabric.launch()
    return fabric


def _together() -> DDPStrategy:
    """Add gradients up over processes; timm's networks have weights that a feature map does not use."""
    return DDPStrategy(find_unused_parameters=True)


@contextmanager
def deterministic(*, wanted: bool) -> Iterator[None]:
    """Hold torch to algorithms that repeat to the bit within the block; torch warns where it has none."""
    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    if wanted:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


def summed(fabric: Fabric, values: Tensor) -> Tensor:
    """Add a tensor up over all processes."""
    return values if fabric.world_size == 1 else fabric.all_reduce(values, reduce_op="sum")


def gathered(fabric: Fabric, values: Tensor) -> Tensor:
    """Stack a tensor of every process, (processes, ...), on the CPU."""
    if fabric.world_size == 1:
        return values[None].cpu()
    return fabric.all_gather(values.to(fabric.device)).cpu()
