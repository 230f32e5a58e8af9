"""From a run on outlines to a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from capitate.errors import UsageError
from capitate.phantom import draw
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.runtime.session import Session
from capitate.training.card_text import card_text
from capitate.training.cards import compose_card
from capitate.training.export import write_bundle
from capitate.training.outlines.films import rule_of
from capitate.training.outlines.held_out import export_outlines
from capitate.training.outlines.masks import CLASSES
from capitate.training.outlines.network import OutlineNetwork, ReleasedOutlines
from capitate.training.pictures.exported import load_run
from capitate.training.run_card import held_out_figures
from capitate.training.runs import Run
from capitate.training.settings.outlines import OutlinesConfig
from capitate.types import Sex

if TYPE_CHECKING:
    from capitate.training.bundle_folder import BundleOptions

__all__ = ["agreement", "make_bundle"]

_NETWORK = "outlines.onnx"
_MOST_PIXELS = 0.01
"""Share of pixels that file and network may name differently."""
_MONTHS = (60.0, 108.0)


def make_bundle(runs: Sequence[Run], folder: Path, options: BundleOptions) -> None:
    """Write network, card and training ids of a bundle for outlines.

    Raises:
        UsageError: if there are several runs, or the file answers otherwise than the network.
    """
    if len(runs) != 1:
        raise UsageError(f"a bundle for outlines is made of one run, got {len(runs)}")
    (run,) = runs
    network, config = load_run(run, OutlinesConfig, make=lambda one: OutlineNetwork(one.network))
    last, rule = config.optimiser.stages[-1], rule_of(config)
    export_outlines(network, folder / _NETWORK, height=last.height, width=last.width)
    apart = agreement(network, folder / _NETWORK, rule)
    films = frozenset(one.partition("/")[0] for one in run.training_ids)
    card = compose_card(
        name=options.name or config.name,
        version=options.version,
        task="outlines",
        networks=[_NETWORK],
        training={
            "films": len(films),
            "pictures": len(run.training_ids),
            "fold held out": run.fold,
            "file against network": f"{100 * apart:.3f} % of pixels are named differently",
            "configuration": dict(run.config),
            **options.notes,
        },
        runtime={"picture": rule.to_card(), "classes": list(CLASSES)},
        figures=[*options.figures, *held_out_figures(run)],
        training_ids=run.training_ids,
        about=options.about,
    )
    write_bundle(folder, card=card, card_text=card_text(card), training_ids=films)


def agreement(network: OutlineNetwork, path: Path, rule: CropRule | FilmRule) -> float:
    """Compare an exported file with its network on drawn films; give the share of pixels that they name differently.

    Raises:
        UsageError: if that is too large for the bundle to be released.
    """
    hands = [draw(age_months=age, sex=Sex.FEMALE, height=320, seed=k) for k, age in enumerate(_MONTHS)]
    cuts = [
        cut.pixels
        for hand in hands
        for cut in (
            [rule.fitted(hand.radiograph.pixels)]
            if isinstance(rule, FilmRule)
            else [rule.cut(hand.radiograph.pixels, joint.box) for joint in hand.joints]
        )
    ]
    pictures = np.stack(cuts)[:, None]
    theirs = Session(path, threads=1).run({"picture": pictures})[0].argmax(axis=1)
    with torch.no_grad():
        ours = ReleasedOutlines(network)(torch.from_numpy(pictures)).argmax(1).numpy()
    apart = float((theirs != ours).mean())
    if not apart <= _MOST_PIXELS:
        raise UsageError(
            f"the exported file names {apart:.1%} of the pixels otherwise than its network, more than "
            f"{_MOST_PIXELS:.0%}; train longer, or report this"
        )
    return apart
