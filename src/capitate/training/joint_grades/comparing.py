"""Ways of teaching a grader compared: each run by RUS-CHN ages, ranks, measures of the joint, and readers' grades."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.evaluation.grades.predictions import PREDICTIONS, GradePredictions
from capitate.runtime.grade_categories import MOST_GRADES
from capitate.training.joint_grades.beyond_age import pooled
from capitate.training.joint_grades.crops import read_graded
from capitate.training.joint_grades.labels import labelled
from capitate.training.joint_grades.network import JointGradesNetwork
from capitate.training.joint_grades.task import JointGradesTask, open_joint_grades
from capitate.training.joint_grades.transplants import Transplants, transplants
from capitate.training.pictures.exported import load_run
from capitate.training.runs import Run, read_json
from capitate.training.settings.joint_grades import JointGradesConfig, WeakLabelsConfig

__all__ = ["MEASURES", "GraderFigures", "compare_graders", "grader_table"]

MEASURES = ("width_ratio", "gap", "fused")
"""Columns of a table of measures that grades are compared with, where it has them."""
_FEWEST = 20
_TRUTHS = {"false": 0, "true": 1}
_MOST_CROPS = 3000
_UNDEFINED = {"value": None, "low": None, "high": None}


@dataclass(frozen=True)
class GraderFigures:
    """What a run is worth; every figure is `{value, low, high}`.

    Attributes:
        name: of the run's folder.
        hands: that it held out.
        mae: of RUS-CHN ages against bone ages, months.
        worst_bias: the largest bias of a band of two years with at least 20 hands, months, and its band.
        coverage: share of bone ages inside the RUS-CHN age's interval.
        least_correlation: the smallest rank correlation of a joint's grade with bone age, and whose it is.
        beyond_age: by measure, partial rank correlation given bone age, the mean over joints and sexes.
        donor: grades gained for every grade that the joint itself has more, see `transplants`.
        host: the same of what surrounds the joint.
        within_one: share of a reader's grades that it meets or misses by one; None without such crops.
        exact: share that it meets.
    """

    name: str
    hands: int
    mae: Mapping[str, Any]
    worst_bias: tuple[str, Mapping[str, Any]]
    coverage: Mapping[str, Any]
    least_correlation: tuple[str, Mapping[str, Any]]
    beyond_age: Mapping[str, Mapping[str, Any]]
    donor: Mapping[str, Any]
    host: Mapping[str, Any]
    within_one: Mapping[str, Any] | None
    exact: Mapping[str, Any] | None


def compare_graders(
    runs: Sequence[Path], data: Path, *, graded: Path | None = None, measures: Path | None = None
) -> list[GraderFigures]:
    """Measure finished runs on the hands that each held out.

    Args:
        runs: folders, each of a run that held a fold out.
        data: the crops that they learnt from.
        graded: crops that somebody graded.
        measures: table `id, joint` with some of `MEASURES`, such as `capitate data measures` writes.

    Raises:
        UsageError: if a run held nothing out or is of another task.
    """
    table = _measures(measures) if measures is not None else {}
    return [_figures(Run.load(folder), data, graded=graded, measures=table) for folder in runs]


def _figures(run: Run, data: Path, *, graded: Path | None, measures: Mapping[tuple[str, str], Any]) -> GraderFigures:
    metrics = read_json(run.folder / "metrics.json")
    if "rus_chn" not in metrics:
        raise UsageError(f"the run {run.folder} compared no hands with bone ages; train it with --fold on crops.csv")
    network, config = load_run(run, JointGradesConfig, make=lambda one: JointGradesNetwork(one.network))
    found = GradePredictions.load([run.folder / PREDICTIONS])
    task = open_joint_grades(config, data)
    moved = _transplanted(network, task, config, run)
    read = _read_by_somebody(network, config, graded) if graded is not None else None
    ages = metrics["rus_chn"]
    every = {name: one for name, one in ages.items() if name[0].isdigit()}
    bands = {name: one["bias"] for name, one in every.items() if one["n"] >= _FEWEST} or {
        name: one["bias"] for name, one in every.items()
    }
    ranks = {f"{joint} {sex}": one for joint, by in metrics["rank_correlation"].items() for sex, one in by.items()}
    return GraderFigures(
        name=run.folder.name,
        hands=ages["all"]["n"],
        mae=ages["all"]["mae"],
        worst_bias=max(bands.items(), key=lambda pair: abs(pair[1]["value"])),
        coverage=ages["all"]["coverage"],
        least_correlation=min(ranks.items(), key=_value, default=("-", _UNDEFINED)),
        beyond_age=_beyond(found, task, measures),
        donor=moved.donor.to_json(),
        host=moved.host.to_json(),
        within_one=None if read is None else read["within_one"],
        exact=None if read is None else read["exact"],
    )


def _value(pair: tuple[str, Mapping[str, Any]]) -> float:
    value = pair[1]["value"]
    return float("inf") if value is None else float(value)


def _transplanted(
    network: JointGradesNetwork, task: JointGradesTask, config: JointGradesConfig, run: Run
) -> Transplants:
    """Assemble held-out crops of two hands each; see `transplants`."""
    rows = np.flatnonzero(task.folds() == run.fold)
    random = np.random.default_rng(0)
    rows = np.sort(random.choice(rows, size=min(rows.size, _MOST_CROPS), replace=False))
    readable, pictures = task.source.pictures(rows)
    rows = rows[readable]

    def grade(some: NDArray[np.float32], categories: NDArray[np.int64]) -> NDArray[np.float64]:
        batches = zip(torch.from_numpy(some)[:, None].split(64), torch.from_numpy(categories).split(64), strict=True)
        with torch.no_grad():
            parts = [network(one.contiguous(memory_format=torch.channels_last), kind).exp() for one, kind in batches]
        mean: NDArray[np.float64] = torch.cat(parts).double().numpy() @ np.arange(MOST_GRADES + 1)
        return mean

    crops = task.crops
    return transplants(
        pictures[:, 0].numpy(),
        crops.categories[rows],
        crops.joints[rows],
        crops.ages[rows],
        grade=grade,
        margin=config.margin,
    )


def _read_by_somebody(network: JointGradesNetwork, config: JointGradesConfig, graded: Path) -> Mapping[str, Any]:
    """Grade crops that somebody graded."""
    crops = labelled(read_graded(graded), replace(config, labels=WeakLabelsConfig()), base=graded)
    task = JointGradesTask(crops, config)
    return task.predict(network, np.arange(len(task.ids))).figures()


def _beyond(
    found: GradePredictions, task: JointGradesTask, measures: Mapping[tuple[str, str], Mapping[str, float]]
) -> dict[str, Mapping[str, Any]]:
    """Correlate grades with measures of the same joint, given bone age."""
    crops = task.crops
    sexes = dict(zip(crops.hands.tolist(), crops.sexes.tolist(), strict=True))
    ages = dict(zip(crops.hands.tolist(), crops.ages.tolist(), strict=True))
    expected = found.probabilities @ np.arange(MOST_GRADES + 1)
    results: dict[str, Mapping[str, Any]] = {}
    for name in MEASURES:
        parts: dict[str, list[tuple[float, float, float]]] = {}
        for row, (hand, joint) in enumerate(zip(found.hands.tolist(), found.joints.tolist(), strict=True)):
            value = measures.get((hand, joint), {}).get(name, np.nan)
            if np.isfinite(value):
                parts.setdefault(f"{joint} {sexes[hand]}", []).append((expected[row], value, ages[hand]))
        kept = {key: tuple(np.array(rows).T) for key, rows in parts.items() if len(rows) >= _FEWEST}
        if kept:
            results[name] = pooled(kept).to_json()
    return results


def _measures(path: Path) -> dict[tuple[str, str], dict[str, float]]:
    """Read a table of measures by hand and joint; empty cells are left out."""
    with path.open(encoding="utf8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    if not rows or not {"id", "joint"} <= rows[0].keys():
        raise UsageError(f"{path} is no table of measures; it needs the columns id, joint and some of {MEASURES}")
    return {(row["id"], row["joint"]): {name: _number(row[name]) for name in MEASURES if row.get(name)} for row in rows}


def _number(cell: str) -> float:
    return float(_TRUTHS[cell]) if cell in _TRUTHS else float(cell)


def grader_table(figures: Sequence[GraderFigures]) -> str:
    """Write the comparison as a Markdown table."""
    names = [name for name in MEASURES if any(name in one.beyond_age for one in figures)]
    head = ["run", "hands", "RUS-CHN age, MAE", "largest bias of a band", "coverage", "least rank correlation"]
    head += [f"beyond age: {name.replace('_', ' ')}" for name in names]
    head += ["follows its joint", "follows what surrounds it", "exact", "within one"]
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for one in figures:
        cells = [one.name, str(one.hands), _cell(one.mae), f"{_cell(one.worst_bias[1])} at {one.worst_bias[0]}"]
        cells += [_cell(one.coverage), f"{_cell(one.least_correlation[1])} {one.least_correlation[0]}"]
        cells += [_cell(one.beyond_age.get(name)) for name in names]
        cells += [_cell(one.donor), _cell(one.host), _cell(one.exact), _cell(one.within_one)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _cell(figure: Mapping[str, Any] | None) -> str:
    if figure is None or figure["value"] is None:
        return "-"
    return f"{figure['value']:.2f} ({figure['low']:.2f} to {figure['high']:.2f})"
