"""The tables of a calibration report in Markdown, as they stand in model cards and in `docs/`."""

from __future__ import annotations

import math
from collections.abc import Iterator

from capitate.evaluation.metrics import Estimate
from capitate.runtime.calibration import BANDS
from capitate.runtime.ensemble import Disagreement
from capitate.training.calibrate import CalibrationReport, Cell, band_name

__all__ = ["to_markdown"]

_MONTHS = ("mae", "rmse", "bias", "interval_width", "crps")
_SHARES = ("within_6", "within_12", "coverage")
_TITLES = {
    "mae": "MAE",
    "rmse": "RMSE",
    "bias": "bias",
    "interval_width": "mean width",
    "crps": "CRPS",
    "within_6": "within 6",
    "within_12": "within 12",
    "coverage": "coverage",
    "log_score": "log score",
}


def to_markdown(report: CalibrationReport, *, disagreement: Disagreement | None = None) -> str:
    """Write figures, coverage by predicted and by true age, the PIT histogram, and an ensemble's rule if it has one."""
    level = f"{100 * report.calibration.level:g} %"
    parts = [
        f"Out-of-fold predictions of {report.films} films. In brackets 95 % intervals: bootstrap, and Wilson's for "
        f"coverage by cell. Intervals are {level} and cross-fitted: calibrated on the other folds than measured on.",
        "\n".join(_figures(report)),
        f"Coverage of the {level} interval by predicted age in months:",
        "\n".join(_coverage(report, "predicted")),
        "The same by true age:",
        "\n".join(_coverage(report, "true")),
        "Probability integral transform, share of films in each tenth (0.10 each where distributions are honest):",
        "\n".join(_pit(report)),
    ]
    if disagreement is not None:
        parts.append(disagreement.sentence())
    return "\n\n".join(parts) + "\n"


def _figures(report: CalibrationReport) -> Iterator[str]:
    names = (*_MONTHS, *_SHARES, "log_score")
    yield _row(["sex and true age", "films", *(_TITLES[name] for name in names)])
    yield _row(["---"] * (len(names) + 2))
    for group, figures in report.figures.items():
        yield _row(
            [group, str(report.counts[group]), *(_shown(figures[name], percent=name in _SHARES) for name in names)]
        )


def _coverage(report: CalibrationReport, by: str) -> Iterator[str]:
    yield _row(["sex", *(band_name(band) for band in range(len(BANDS)))])
    yield _row(["---"] * (len(BANDS) + 1))
    cells = [cell for cell in report.cells if cell.by == by]
    for sex in dict.fromkeys(cell.sex for cell in cells):
        row = [cell for cell in cells if cell.sex is sex]
        yield _row([str(sex), *(_cell(cell) for cell in row)])


def _cell(cell: Cell) -> str:
    if cell.n == 0:
        return "-"
    return f"{_shown(cell.coverage, percent=True)}, width {cell.width:.1f}, n {cell.n}"


def _pit(report: CalibrationReport) -> Iterator[str]:
    bins = len(next(iter(report.pit.values())))
    yield _row(["sex", *(f"{k / bins:.1f}-{(k + 1) / bins:.1f}" for k in range(bins))])
    yield _row(["---"] * (bins + 1))
    for sex, shares in report.pit.items():
        yield _row([str(sex), *(f"{share:.3f}" for share in shares)])


def _shown(value: Estimate, *, percent: bool) -> str:
    if math.isnan(value.value):
        return "-"
    scale, digits = (100, 1) if percent else (1, 2)
    shown = f"{value.value * scale:.{digits}f}{' %' if percent else ''}"
    if math.isnan(value.low):
        return shown
    return f"{shown} ({value.low * scale:.{digits}f} to {value.high * scale:.{digits}f})"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
