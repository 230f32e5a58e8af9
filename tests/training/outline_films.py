"""Drawn films with the masks of their epiphyses and carpal bones, as files, for tests of the outlines."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from capitate.phantom import Phantom


def write_masks(folder: Path, hands: Sequence[Phantom], *, masked: bool = True) -> Path:
    """`masks/` and `regions/` in the form of the epiphyses data; gives the folder."""
    for name in ("masks", "regions"):
        (folder / name).mkdir(parents=True)
    for k, hand in enumerate(hands):
        pixels = np.round(hand.radiograph.pixels * 255).astype(np.uint8)
        shown = np.where(hand.outlines > 0, pixels, 0).astype(np.uint8) if masked else pixels
        Image.fromarray(hand.outlines).save(folder / "masks" / f"hand-{k}.png")
        Image.fromarray(shown).save(folder / "regions" / f"hand-{k}.png")
    return folder
