"""How many threads torch may use: set once by the command line, for the whole process."""

from __future__ import annotations

import torch

__all__ = ["use_threads"]


def use_threads(count: int) -> None:
    """Let torch compute with `count` threads; runs are repeatable to the byte with one."""
    torch.set_num_threads(count)
