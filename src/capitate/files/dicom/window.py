"""Values of interest: which modality values are black and which are white (DICOM PS3.3 C.11.2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from capitate.files.dicom.lut import read_lut
from capitate.files.dicom.values import Remarks, numbers, text

__all__ = ["of_interest"]

Values = NDArray[np.float64]


def of_interest(values: Values, *, shown: NDArray[np.bool_], dataset: Dataset, remarks: Remarks) -> Values:
    """Map modality values to [0, 1] by the VOI LUT, else the first window, else their own range.

    Args:
        values: modality value of each bit pattern.
        shown: which bit patterns occur in the film outside its padding.
        dataset: where LUT and window stand.
        remarks: takes a warning when these make the whole film one grey, and the range is used instead.
    """
    grey = _by_lut(values, shown=shown, dataset=dataset, remarks=remarks)
    if grey is None:
        grey = _by_window(values, dataset=dataset, remarks=remarks)
    if grey is not None and np.ptp(grey[shown]) > 0:
        return grey
    if grey is not None:
        remarks.warn(
            "window_unusable", "The DICOM window or LUT shows one single grey; the full range was used instead."
        )
    low, high = values[shown].min(), values[shown].max()
    ranged: Values = np.clip((values - low) / (high - low), 0, 1)
    return ranged


def _by_lut(values: Values, *, shown: NDArray[np.bool_], dataset: Dataset, remarks: Remarks) -> Values | None:
    """Apply the first VOI LUT."""
    lut = read_lut(dataset, "VOILUTSequence", signed=bool(values[shown].min() < 0), remarks=remarks)
    if lut is None:
        return None
    grey: Values = lut.apply(values) / max(2**lut.bits - 1, float(lut.entries.max()), 1.0)
    return grey


def _by_window(values: Values, *, dataset: Dataset, remarks: Remarks) -> Values | None:
    """Apply the first window with the function that the file names (C.11.2.1.2 and C.11.2.1.3)."""
    centres = numbers(dataset, "WindowCenter", remarks=remarks)
    widths = numbers(dataset, "WindowWidth", remarks=remarks)
    if not centres or not widths:
        return None
    centre, width = centres[0], widths[0]
    function = text(dataset, "VOILUTFunction", remarks=remarks) or "LINEAR"
    least = 1 if function == "LINEAR" else 0
    if function not in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        remarks.malformed("VOILUTFunction", wanted="LINEAR, LINEAR_EXACT or SIGMOID")
        function = "LINEAR_EXACT"
    if width < least or width == 0:
        remarks.malformed("WindowWidth", wanted=f"width of {least} or more")
        return None
    if function == "SIGMOID":
        return 1 / (1 + np.exp(np.clip(-4 * (values - centre) / width, -700, 700)))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0, 1)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1) + 0.5, 0, 1)
