"""From runs to a bundle that `capitate.runtime.abnormality` runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from capitate.runtime.abnormality import FALSE_ALARMS
from capitate.runtime.familiarity import Familiarity
from capitate.runtime.film_rule import FilmRule
from capitate.runtime.logistic import LogisticCalibration
from capitate.training.abnormality.calibrating import ScreenCalibration, calibrate
from capitate.training.abnormality.familiar import FAMILIARITY
from capitate.training.abnormality.network import AbnormalityNetwork
from capitate.training.abnormality.task import THRESHOLD, open_abnormality
from capitate.training.base_features import explain_networks
from capitate.training.bundle_folder import write_folds
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card
from capitate.training.ensemble_folds import in_order
from capitate.training.export import WEIGHT_BITS, export, write_bundle
from capitate.training.key_metrics import Category
from capitate.training.pictures.exported import agreement, load_run, one_configuration, refuse_unused
from capitate.training.runs import Run, read_json
from capitate.training.settings.abnormality import AbnormalityConfig
from capitate.training.settings.pictures import film_rule

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["make_bundle"]

_TOLERANCE = 1e-3
"""Largest difference of a probability between torch and onnxruntime that a bundle may have, unless told otherwise."""


class _Released(nn.Module):
    """What the file computes: 8-bit pictures to probabilities, and the averaged features that tell what is familiar."""

    def __init__(self, network: AbnormalityNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        pooled = self.network.pooled(picture.float())
        return self.network.judged(pooled).sigmoid(), pooled


class _Probabilities(nn.Module):
    """The first of both, for comparison with the file."""

    def __init__(self, released: _Released) -> None:
        super().__init__()
        self.released = released

    def forward(self, picture: Tensor) -> Tensor:
        probabilities: Tensor = self.released(picture)[0]
        return probabilities


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write networks, threshold, calibration, card and training ids; an ensemble's probabilities are averaged.

    Calibration and figures come from the studies that the runs held out, or those of `options.held_out`. Runs that
    ended before familiarity was told get it anew where `options.data` names their films.

    Raises:
        UsageError: if the runs do not belong together, or onnxruntime does not agree with torch.
    """
    refuse_unused(options, task="abnormality")
    runs = in_order(runs)
    names = ["model.onnx"] if len(runs) == 1 else [f"model-{k}.onnx" for k in range(len(runs))]
    loaded = [load_run(run, AbnormalityConfig, make=lambda one: AbnormalityNetwork(one.network)) for run in runs]
    rule, meaning = one_configuration((film_rule(config, config.reading), config.data.meaning) for _, config in loaded)
    networks = [_Released(network).eval() for network, _ in loaded]
    limit = _TOLERANCE if options.limit is None else options.limit
    bits, apart = _write_networks(dict(zip([folder / name for name in names], networks, strict=True)), rule, limit)
    told = calibrate(runs, [Run.load(path) for path in options.held_out])
    ids = frozenset[str]().union(*(run.training_ids for run in runs))
    seen = {"task": "abnormality", "picture": rule.to_card()}
    maps = explain_networks([folder / name for name in names], seen, data=options.data)
    card = compose_card(
        name=options.name or str(runs[0].config["name"]),
        version=options.version,
        task="abnormality",
        networks=names,
        training={
            "films": len(ids),
            "folds held out": [run.fold for run in runs],
            **_teachers(runs),
            "a label of 1 says": meaning,
            "largest difference from torch": apart,
            "bits of the weights": bits,
            "configuration": dict(runs[0].config),
            **options.notes,
        },
        runtime={
            "picture": rule.to_card(),
            "threshold": _threshold(runs, told.calibration),
            "calibration": told.to_card(),
            "regions": _regions(runs),
            "held_out": [run.fold for run in runs],
            **_familiarity(runs, loaded, folder, options.data),
            **_false_alarms(options),
        },
        figures=[*_figures(told), *_measured(options)],
        measured={"maps": maps},
        training_ids=ids,
        about=options.about,
    )
    write_folds(folder, runs)
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=ids)


def _write_networks(networks: Mapping[Path, _Released], rule: FilmRule, limit: float) -> tuple[int, float]:
    """Write files with weights of the fewest bits that agree with torch; give these, and the largest difference.

    Raises:
        UsageError: if not even weights as they are agree.
    """
    random = np.random.default_rng(0)
    pictures = torch.from_numpy(random.integers(0, 256, (4, 1, rule.height, rule.width), dtype=np.uint8))
    apart = 0.0
    for bits in WEIGHT_BITS:
        most = limit if bits == WEIGHT_BITS[-1] else float("inf")
        apart = 0.0
        for path, network in networks.items():
            export(network, (pictures[:2],), path, inputs=("picture",), outputs=("probabilities", "pooled"), bits=bits)
            apart = max(apart, agreement(_Probabilities(network), path, {"picture": pictures}, most))
        if apart <= limit:
            break
    return bits, apart


def _teachers(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Name the runs that these were taught by."""
    names = [one["run"] for run in runs for one in run.split.get("teachers", ())]
    return {"taught by": list(dict.fromkeys(names))} if names else {}


def _familiarity(
    runs: Sequence[Run],
    loaded: Sequence[tuple[AbnormalityNetwork, AbnormalityConfig]],
    folder: Path,
    data: Path | None,
) -> dict[str, Any]:
    """Write what tells a familiar film, a file a network; nothing unless every run has it."""
    found = [_familiarity_of(run, *one, data=data) for run, one in zip(runs, loaded, strict=True)]
    if any(one is None for one in found):
        return {}
    files = [f"familiarity-{k}.npz" for k in range(len(found))]
    for name, one in zip(files, found, strict=True):
        if one is not None:
            one.save(folder / name)
    films = [one.films.tolist() for one in found if one is not None]
    return {"familiarity": {"files": files, "share": found[0].share if found[0] else 0.0, "films": films}}


def _familiarity_of(
    run: Run, network: AbnormalityNetwork, config: AbnormalityConfig, *, data: Path | None
) -> Familiarity | None:
    """Read what a run wrote, or measure it on its films."""
    path = run.folder / FAMILIARITY
    if path.exists():
        return Familiarity.load(path)
    if data is None:
        return None
    task = open_abnormality(config, data)
    rows = np.flatnonzero(np.isin(task.ids, list(run.training_ids)))
    kept = np.isin(task.ids[rows], list(run.validation_ids))
    return task.familiarity(network, learnt=rows[~kept], kept_back=rows[kept])


def _threshold(runs: Sequence[Run], calibration: LogisticCalibration) -> dict[str, Any]:
    """Give the mean of the runs' thresholds, calibrated, and how each was chosen."""
    told = [read_json(run.folder / THRESHOLD) for run in runs]
    chosen = one_configuration(one["choice"] for one in told) if len(told) > 1 else told[0]["choice"]
    return {
        "value": round(calibration.of(float(np.mean([one["value"] for one in told]))), 6),
        "choice": chosen,
        "on": "studies kept back inside the training folds" + (", mean over the networks" if len(told) > 1 else ""),
        "studies": [one["studies"] for one in told],
    }


def _regions(runs: Sequence[Run]) -> list[str]:
    """Name the regions of the body that the runs' data had, sorted; none where the data did not tell."""
    return sorted({name for run in runs for name in read_json(run.folder / THRESHOLD)["regions"]})


def _measured(options: BundleOptions) -> list[Mapping[str, Any]]:
    """Give figures from elsewhere; those that were pooled over folds are made here, of calibrated probabilities."""
    measured = [one for one in options.figures if not str(one.get("on", "")).endswith("folds")]
    return [{"category": str(Category.SAFETY), **one} if one["name"] == FALSE_ALARMS else one for one in measured]


def _false_alarms(options: BundleOptions) -> dict[str, Any]:
    """Take the share of films called among those of other children, as `capitate screen --summary` wrote it."""
    found = [one for one in options.figures if one["name"] == FALSE_ALARMS]
    return {"false_alarms": {key: found[0][key] for key in ("value", "low", "high", "on")}} if found else {}


def _figures(told: ScreenCalibration) -> list[dict[str, Any]]:
    """Take the card's figures from the studies that runs held out."""
    if told.held_out is None:
        return []
    values = told.held_out.figures()
    groups = {"all": values, **values.get("regions", {})}
    wanted = ("auc", "sensitivity", "specificity", "calibration_error")
    return [
        {
            "name": f"{name.replace('_', ' ')}, {group}",
            **one[name],
            "unit": "",
            "on": f"{one['n']} studies held out, {one['positives']} of them positive",
            "category": str(_category(name, group)),
        }
        for group, one in groups.items()
        for name in wanted
        if name in one
    ]


def _category(name: str, group: str) -> Category:
    """Tell what a figure answers for: ranking is of use, its like by region is fair, the rest is about being safe."""
    if group != "all":
        return Category.FAIRNESS
    return Category.USEFULNESS if name == "auc" else Category.SAFETY
