"""Look-up tables inside a DICOM file (PS3.3 C.11.1 and C.11.2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from capitate.files.dicom.values import Remarks

__all__ = ["Lut", "read_lut"]


@dataclass(frozen=True)
class Lut:
    """A table of output values.

    Attributes:
        first: the input that maps to the first entry.
        bits: bits of an entry.
        entries: outputs.
    """

    first: int
    bits: int
    entries: NDArray[np.float64]

    def apply(self, values: NDArray[Any]) -> NDArray[np.float64]:
        """Look values up; what lies outside the table gets its first or last entry."""
        positions = np.clip(np.rint(values) - self.first, 0, len(self.entries) - 1)
        looked_up: NDArray[np.float64] = self.entries[positions.astype(np.int64)]
        return looked_up


def read_lut(dataset: Dataset, keyword: str, *, signed: bool, remarks: Remarks) -> Lut | None:
    """Return the first table of a LUT sequence, or None if there is none or it is malformed, which is remarked.

    Args:
        dataset: the film.
        keyword: `ModalityLUTSequence` or `VOILUTSequence`.
        signed: whether the values to be looked up may be negative, so that the table's first input is signed.
        remarks: takes the remark.
    """
    try:
        items = dataset.get(keyword)
        return _parse(items[0], signed=signed, little=dataset.original_encoding[1] is not False) if items else None
    except Exception:  # pydicom converts the values only here, and raises whatever went wrong
        remarks.malformed(keyword, wanted="usable look-up table")
        return None


def _parse(item: Dataset, *, signed: bool, little: bool) -> Lut:
    """Read descriptor and data of one table.

    Raises:
        ValueError: if there are fewer entries than the descriptor announces.
    """
    count, first, bits = (int(value) for value in item.LUTDescriptor)
    count = count & 0xFFFF or 65536
    first &= 0xFFFF
    if signed and first >= 32768:
        first -= 65536
    data = item.LUTData
    if isinstance(data, bytes):
        narrow = bits <= 8 and len(data) < 2 * count
        kind = "u1" if narrow else ("<u2" if little else ">u2")
        data = np.frombuffer(data[: len(data) // np.dtype(kind).itemsize * np.dtype(kind).itemsize], dtype=kind)
    entries = np.asarray(data, dtype=np.float64).reshape(-1)[:count]
    if len(entries) < count or not 1 <= bits <= 16 or entries.min() < 0:
        raise ValueError(f"a table of {count} entries of {bits} bits has {len(entries)}")
    return Lut(first, bits, entries)
