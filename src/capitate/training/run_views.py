"""What the networks of several runs see: they answer together only if they see a film alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.config import BoneAgeConfig
from capitate.training.prepare import read_rule

__all__ = ["view_card"]


def view_card(configs: Sequence[BoneAgeConfig], folders: Sequence[Path]) -> dict[str, Any]:
    """Say in the form of a card how networks see a film.

    Args:
        configs: one a network; sizes, test views, smoothing and surroundings count.
        folders: of their runs, with the `view.json` that tells how views were cut.

    Returns:
        `view`, `test_views`, `smoothing_months` and `surroundings_removed`.

    Raises:
        UsageError: if two networks see films differently, naming in what.
    """
    last = [config.optimiser.stages[-1] for config in configs]
    sizes = {(stage.height, stage.width) for stage in last}
    views = {(config.test_views, config.smoothing_months, config.surroundings_removed) for config in configs}
    rules = [read_rule(folder) for folder in folders]
    if len(sizes) != 1:
        raise UsageError(f"networks of one bundle see views of one size, got {sorted(sizes)}")
    if len(views) != 1:
        found = sorted((str([view.to_card() for view in each]), *rest) for each, *rest in views)
        raise UsageError(f"networks of one bundle share test views, smoothing and surroundings, got {found}")
    if any(rule != rules[0] for rule in rules):
        raise UsageError("networks of one bundle were trained on views cut by one rule; these runs differ in view.json")
    ((height, width),), ((test_views, smoothing, removed),) = sizes, views
    return {
        "view": replace(rules[0], height=height, width=width).to_card(),
        "test_views": [view.to_card() for view in test_views],
        "smoothing_months": smoothing,
        "surroundings_removed": removed,
    }
