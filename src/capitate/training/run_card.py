"""The card of one run: what it learnt from, how, how its weights were chosen, and how right it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capitate.assessment import NOTICE
from capitate.training.runs import Run, read_json

__all__ = ["Figure", "held_out_figures", "run_card", "run_card_text"]

Figure = float | Mapping[str, Any] | None
"""A number, `{value, low, high}`, or a table of figures by group; None where one is not defined."""


def run_card(
    config: Mapping[str, Any],
    split: Mapping[str, Any],
    *,
    films: int,
    kept_back: int,
    history: Sequence[Mapping[str, float]],
    figures: Mapping[str, Figure],
    judged_by: str,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Compose the card.

    Args:
        config: content of `config.json`.
        split: content of `split.json`.
        films: that the weights were learnt from.
        kept_back: films of the validation split.
        history: epochs.
        figures: content of `metrics.json`.
        judged_by: the figure that chose the weights by films kept back.
        notes: sentences to read the run with, such as which films could not be read.
    """
    return {
        "schema": "capitate.run-card/1",
        "name": config["name"],
        "task": config["task"],
        "seed": config["seed"],
        "data": {"films_learnt_from": films, "films_kept_back": kept_back, **split},
        "weights": _chosen(config, kept_back, figures, judged_by=judged_by),
        "epochs": len(history),
        "last_epoch": {name: value for name, value in history[-1].items() if math.isfinite(value)} if history else {},
        "figures": dict(figures),
        "notes": list(notes),
        "notice": NOTICE,
    }


def run_card_text(card: Mapping[str, Any]) -> str:
    """Write the card as Markdown."""
    data = card["data"]
    fold = "no fold is held out" if data["fold"] is None else f"fold {data['fold']} of {data['folds']} is held out"
    lines = [
        f"# Run: {card['name']}",
        "",
        card["notice"],
        "",
        f"- task: {card['task']}, seed {card['seed']}, {card['epochs']} epochs",
        f"- films: {data['films_learnt_from']} learnt from, {data['films_kept_back']} kept back; {fold}",
        f"- labels sha256: {data['labels_sha256']}",
        f"- weights: {card['weights']}",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name.replace('_', ' ')} | {shown} |" for name, shown in _shown(card["figures"])),
        *(f"\n{note}" for note in card["notes"]),
    ]
    return "\n".join(lines) + "\n"


def _shown(figures: Mapping[str, Figure]) -> Iterator[tuple[str, str]]:
    """Write figures, those of groups behind the group's name."""
    for name, value in figures.items():
        if not isinstance(value, Mapping):
            yield name, "-" if value is None else f"{value:g}"
        elif "value" in value:
            low, high = value.get("low"), value.get("high")
            within = "" if low is None or high is None else f" ({low:g} to {high:g})"
            yield name, "-" if value["value"] is None else f"{value['value']:g}{within}"
        else:
            yield from ((f"{name}: {inner}", text) for inner, text in _shown(value))


def held_out_figures(run: Run) -> list[dict[str, Any]]:
    """Take the figures of a bundle's card from a run's errors on the fold that it held out; none without one."""
    if run.fold is None:
        return []
    measured = read_json(run.folder / "metrics.json")
    on = f"films of fold {run.fold}, which the run held out"
    return [
        {"name": name.replace("_", " "), **value, "on": on}
        for name, value in measured.items()
        if isinstance(value, dict)
    ]


def _chosen(config: Mapping[str, Any], kept_back: int, figures: Mapping[str, Figure], *, judged_by: str) -> str:
    """Say how the final weights were chosen."""
    kind = "running average of the" if config["optimiser"]["average"] else "the"
    kind = "equal mean of the last" if config["swa"]["epochs"] else kind
    if "validation_epoch" not in figures or config["validation"]["keep"] != "best":
        return f"{kind} weights at the end of the last epoch; no film chose them"
    return (
        f"smallest {judged_by.replace('_', ' ')} on {kept_back} films kept back inside the training films, after epoch "
        f"{figures['validation_epoch']:g}; the held-out fold chose nothing"
    )
