"""`python -m capitate.training.inference.lap_torch TASK.json`: measure one combination with torch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from capitate.runtime.laps import Opener, Task, perform

if TYPE_CHECKING:
    from capitate.training.inference.torch_network import TorchNetwork

__all__ = ["library"]


def library() -> Opener:
    """Import torch and what training builds networks of."""
    import torch

    from capitate.training.inference.torch_network import TorchNetwork, open_network

    torch.set_num_interop_threads(1)

    def opened(task: Task, path: Path) -> TorchNetwork:
        torch.set_num_threads(task.threads)
        return TorchNetwork(open_network(Path(task.network), path), precision=task.precision)

    return opened


if __name__ == "__main__":
    sys.exit(perform(Path(sys.argv[1]), library))
