"""What is to be made ready for the inference-speed tool, as one process tells another."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

__all__ = ["COMPARED", "Order"]

COMPARED = 8
"""Films that answers are compared on; the others find the ranges of activations for the 8-bit file."""


@dataclass(frozen=True)
class Order:
    """What to make ready.

    Attributes:
        name: of a bundle, or timm's.
        size: rows and columns of a view for a network of timm; a bundle has its own.
        films: npz file of `DrawnFilms`, more than `COMPARED` of them.
        folder: for what is made, `subject.json` among it.
        int8: whether the 8-bit files are wanted.
        torch: whether torch's form is wanted.
    """

    name: str
    size: tuple[int, int]
    films: str
    folder: str
    int8: bool
    torch: bool

    def save(self, path: Path) -> None:
        """Write the order for the process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(size=tuple(values.pop("size")), **values)
