"""From runs to a bundle that `capitate.runtime.abnormality` runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from capitate.training.abnormality.network import AbnormalityNetwork
from capitate.training.abnormality.predictions import PREDICTIONS, StudyPredictions
from capitate.training.abnormality.task import THRESHOLD
from capitate.training.base_features import explain_networks
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card
from capitate.training.export import export, write_bundle
from capitate.training.pictures.exported import agreement, load_run, one_configuration, refuse_unused
from capitate.training.runs import Run, read_json
from capitate.training.settings.abnormality import AbnormalityConfig
from capitate.training.settings.pictures import film_rule

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["make_bundle"]

_TOLERANCE = 1e-3
"""Largest difference of a probability between torch and onnxruntime that a bundle may have."""


class _Released(nn.Module):
    """What the file computes: 8-bit pictures to probabilities."""

    def __init__(self, network: AbnormalityNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor) -> Tensor:
        return self.network(picture.float()).sigmoid()


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write networks, threshold, card and training ids; several runs are an ensemble of averaged probabilities.

    Raises:
        UsageError: if the runs do not belong together, or onnxruntime does not agree with torch.
    """
    refuse_unused(options, task="abnormality")
    names = ["model.onnx"] if len(runs) == 1 else [f"model-{k}.onnx" for k in range(len(runs))]
    loaded = [load_run(run, AbnormalityConfig, make=lambda one: AbnormalityNetwork(one.network)) for run in runs]
    rule, meaning = one_configuration((film_rule(config, config.reading), config.data.meaning) for _, config in loaded)
    random = np.random.default_rng(0)
    pictures = torch.from_numpy(random.integers(0, 256, (4, 1, rule.height, rule.width), dtype=np.uint8))
    apart = 0.0
    for (network, _), name in zip(loaded, names, strict=True):
        released = _Released(network).eval()
        export(released, (pictures[:2],), folder / name, inputs=("picture",), outputs=("probabilities",), bits=32)
        apart = max(apart, agreement(released, folder / name, {"picture": pictures}, _TOLERANCE))
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
            "a label of 1 says": meaning,
            "largest difference from torch": apart,
            "configuration": dict(runs[0].config),
            **options.notes,
        },
        runtime={"picture": rule.to_card(), "threshold": _threshold(runs), "regions": _regions(runs)},
        figures=[*options.figures, *_figures(runs)],
        measured={"maps": maps},
        training_ids=ids,
        about=options.about,
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=ids)


def _threshold(runs: Sequence[Run]) -> dict[str, Any]:
    """Give the mean of the runs' thresholds, and how each was chosen."""
    told = [read_json(run.folder / THRESHOLD) for run in runs]
    chosen = one_configuration(one["choice"] for one in told) if len(told) > 1 else told[0]["choice"]
    return {
        "value": float(np.mean([one["value"] for one in told])),
        "choice": chosen,
        "on": "studies kept back inside the training folds" + (", mean over the networks" if len(told) > 1 else ""),
        "studies": [one["studies"] for one in told],
    }


def _regions(runs: Sequence[Run]) -> list[str]:
    """Name the regions of the body that the runs' data had, sorted; none where the data did not tell."""
    return sorted({name for run in runs for name in read_json(run.folder / THRESHOLD)["regions"]})


def _figures(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Take the card's figures from the studies that the runs held out."""
    paths = [path for run in runs if (path := run.folder / PREDICTIONS).exists()]
    if not paths:
        return []
    values = StudyPredictions.load(paths).figures()
    groups = {"all": values, **values.get("regions", {})}
    wanted = ("auc", "sensitivity", "specificity", "calibration_error")
    return [
        {
            "name": f"{name.replace('_', ' ')}, {group}",
            **one[name],
            "unit": "",
            "on": f"{one['n']} studies held out, {one['positives']} of them positive",
        }
        for group, one in groups.items()
        for name in wanted
        if name in one
    ]
