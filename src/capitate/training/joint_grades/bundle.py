"""From runs to a bundle that `capitate.runtime.joint_grades` runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from capitate.evaluation.grades.predictions import PREDICTIONS, GradePredictions
from capitate.runtime.film_rule import CropRule
from capitate.runtime.grade_categories import CATEGORIES, JOINTS
from capitate.training.base_features import explain_networks
from capitate.training.card_text import card_text
from capitate.training.cards import BONE_AGE_LABELS, compose_card
from capitate.training.export import export, write_bundle
from capitate.training.joint_grades.confidence import confidence_of
from capitate.training.joint_grades.crops import DRAWN
from capitate.training.joint_grades.network import JointGradesNetwork
from capitate.training.pictures.exported import agreement, load_run, one_configuration, refuse_unused
from capitate.training.runs import Run
from capitate.training.settings.joint_grades import JointGradesConfig
from capitate.training.settings.pictures import film_rule

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["make_bundle"]

_TOLERANCE = 1e-3
"""Largest difference of a probability between torch and onnxruntime that a bundle may have."""


class _Released(nn.Module):
    """What the file computes: 8-bit pictures and categories to probabilities."""

    def __init__(self, network: JointGradesNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: Tensor, category: Tensor) -> Tensor:
        return self.network(picture.float(), category).softmax(1)


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write networks, card and training ids; several runs are an ensemble whose probabilities are averaged.

    Raises:
        UsageError: if the runs' pictures are made by different rules, or onnxruntime does not agree with torch.
    """
    refuse_unused(options, task="joint-grades")
    names = ["model.onnx"] if len(runs) == 1 else [f"model-{k}.onnx" for k in range(len(runs))]
    loaded = [load_run(run, JointGradesConfig, make=lambda one: JointGradesNetwork(one.network)) for run in runs]
    crops = one_configuration(CropRule(film_rule(config, config.reading), config.margin) for _, config in loaded)
    apart = 0.0
    for (network, _), name in zip(loaded, names, strict=True):
        released, example = _Released(network).eval(), _example(crops.film.height, crops.film.width)
        export(
            released,
            tuple(one[:2] for one in example),
            folder / name,
            inputs=("picture", "category"),
            outputs=("probabilities",),
            bits=32,
        )
        apart = max(
            apart,
            agreement(released, folder / name, dict(zip(("picture", "category"), example, strict=True)), _TOLERANCE),
        )
    seen = {"task": "joint-grades", "picture": crops.to_card()}
    maps = explain_networks([folder / name for name in names], seen, data=options.data)
    hands = _hands(runs)
    sure = confidence_of(options.held_out) if options.held_out else None
    card = compose_card(
        name=options.name or str(runs[0].config["name"]),
        version=options.version,
        task="joint-grades",
        networks=names,
        training={
            "hands": len(hands),
            "labels": BONE_AGE_LABELS if _by_age(runs) else "grades",
            "folds held out": [run.fold for run in runs],
            "largest difference from torch": apart,
            "configuration": dict(runs[0].config),
            **options.notes,
        },
        runtime={
            "picture": crops.to_card(),
            "categories": dict(CATEGORIES),
            "confirm_below": None if sure is None else sure.confirm_below,
            "interval_widening": 1.0 if sure is None else sure.interval_widening,
        },
        figures=[*options.figures, *(() if sure is None else sure.figures), *_figures(runs)],
        measured={"maps": maps},
        training_ids=hands,
        about=options.about,
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=sorted(hands))


def _hands(runs: Sequence[Run]) -> frozenset[str]:
    """Name the hands that the runs learnt from: a crop's id names its hand before `__`, or stands for itself."""
    ids = frozenset[str]().union(*(run.training_ids for run in runs))
    stems = {one: PurePosixPath(one).stem for one in ids if not one.startswith(DRAWN)}
    return frozenset(stem.partition("__")[0] if "__" in stem else one for one, stem in stems.items())


def _by_age(runs: Sequence[Run]) -> bool:
    """Tell whether nobody graded what was learnt from: crops of a table lie in JOINT/, graded ones in JOINT/GRADE/."""
    ids = frozenset[str]().union(*(run.training_ids for run in runs))
    return any(PurePosixPath(one).parent.name in JOINTS for one in ids if not one.startswith(DRAWN))


def _example(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Make pictures of every category to compare both runtimes on."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (len(CATEGORIES), 1, height, width), dtype=np.uint8)
    return torch.from_numpy(pictures), torch.arange(len(CATEGORIES))


def _figures(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Take the card's figures from the crops that the runs held out; none where nobody graded them."""
    paths = [path for run in runs if (path := run.folder / PREDICTIONS).exists()]
    if not paths:
        return []
    values = GradePredictions.load(paths).figures()
    if not values["n"]:
        return []
    wanted = (("exact", "share"), ("within_one", "share"), ("mean_absolute", "grades"), ("kappa", ""))
    groups = {"all": values, **values["categories"]}
    return [
        {
            "name": f"{name.replace('_', ' ')}, {group}",
            **one[name],
            "unit": unit,
            "on": f"{one['n']} crops of hands held out",
        }
        for group, one in groups.items()
        for name, unit in wanted
    ]
