"""A model card for people, in Markdown, from the values of `card.json`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capitate.runtime.ensemble import Disagreement
from capitate.training.cards import LICENCE

__all__ = ["card_text"]


def card_text(card: Mapping[str, Any]) -> str:
    """Write a card for people, in Markdown."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {card['name']} {card['version']}\n\n{card['title']}.\n\n{card['notice']}"
    developer = card["developer"]
    yield from _list(
        "Who and when", _facts({"developer": developer["name"], "contact": developer["contact"], **card["release"]})
    )
    yield from _list("Intended use", card["intended_use"])
    yield from _list("Intended users", card["users"])
    yield f"\n## How to use\n\n{card['how_to_use']}\n\nFor: {card['population']}"
    yield from _list("Not for", card["out_of_scope"])
    yield from _list("Limits", card["limits"])
    yield from _list("Known biases", card["known_biases"])
    yield f"\nClinical risk: {card['clinical_risk']}"
    yield f"\n## What it computes\n\n{card['model_type']} {card['outcomes']}"
    yield f"\nFoundation models: {card['foundation_models']}"
    yield from _list("Inputs", [f"{one['name']}: {one['type']}; from {one['source']}" for one in card["inputs"]])
    yield from _list("Outputs", [f"{one['name']}: {one['type']}" for one in card["outputs"]])
    yield from _list("Trained on", [_data(one) for one in card["training_data"]])
    yield from _demographics(card.get("demographics", {}))
    yield from _list("Training", [f"{key}: {_plain(value)}" for key, value in card["training"].items()])
    yield from _list("Against bias", card["bias_mitigation"])
    yield from _key_metrics(card["key_metrics"])
    if card["figures"]:
        yield from _figures(card["figures"])
    if card["coverage"]:
        yield from _coverage(card["coverage"], level=card["calibration"]["level"])
    if "disagreement" in card:
        yield f"\n## Disagreement\n\n{Disagreement(**card['disagreement']).sentence()}"
    if "agreement" in card:
        yield from _agreement(card["agreement"])
    else:
        yield "\n## Agreement of the files with torch\n\nNot kept when this bundle was made."
    if "maps" in card:
        yield f"\n## Maps\n\n{_maps(card['maps'])}"
    if "int8" in card:
        yield from _int8(card["int8"], name=card["name"])
    yield f"\n## Maintenance and security\n\n{card['maintenance']}\n\n{card['security']}"
    yield from _list("Transparency", _facts(card["transparency"]))
    yield from _list("Resources", _facts(card["resources"]))
    yield from _list("Bibliography", card["bibliography"])
    see = "; see LICENSE-WEIGHTS.md" if card["licence"] == LICENCE else ""
    yield f"\n## Terms\n\nThe weights: {card['licence']}{see}."


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield from (f"- {item}" for item in items)


def _facts(values: Mapping[str, Any]) -> list[str]:
    """Write named facts."""
    return [
        f"{key.replace('_', ' ')}: {'; '.join(value) if isinstance(value, list) else value}"
        for key, value in values.items()
    ]


def _data(data: Mapping[str, str]) -> str:
    rest = [data[key] for key in ("citation", "link", "reference", "terms") if key in data]
    return "; ".join([data["name"], *rest])


def _demographics(groups: Mapping[str, Any]) -> Iterator[str]:
    """Count the children behind weights and figures."""
    for what, told in groups.items():
        if isinstance(told, str):
            yield f"\nChildren behind the {what}: {told}."
            continue
        sexes = ", ".join(f"{count} {sex}" for sex, count in told["by_sex"].items())
        ages = ", ".join(f"{count} of {band}" for band, count in told["by_age"].items())
        yield f"\nChildren behind the {what}: {told['films']} films; {sexes}; bone ages: {ages}."
        if "bone_age_months" in told:
            spread = told["bone_age_months"]
            yield f"Bone age {spread['mean']} months in the mean, {spread['least']} to {spread['greatest']}."
        yield f"Not recorded: {told['not_recorded']}."


def _plain(value: object) -> str:
    """Write plain values; tables as JSON."""
    return f"`{json.dumps(value)}`" if isinstance(value, dict | list | tuple) else str(value)


def _key_metrics(metrics: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Say for usefulness, fairness and safety what was wanted and what came out."""
    yield "\n## Key metrics\n\n| | goal | what came out | figures |\n| --- | --- | --- | --- |"
    for name, one in metrics.items():
        yield f"| {name} | {one['goal']} | {one['interpretation']} | {len(one['results'])} below |"
    one = next(iter(metrics.values()))
    yield f"\n{one['test_type']} {one['testing_data']} {one['validation']}"


def _figures(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n## Figures\n\n| figure | value (95 % interval) | unit | on |\n| --- | --- | --- | --- |"
    for one in figures:
        yield f"| {one['name']} | {_estimate(one)} | {one.get('unit', '')} | {one.get('on', '')} |"
    for command in dict.fromkeys(one["command"] for one in figures if one.get("command")):
        yield f"\nMade by `{command}`."


def _coverage(cells: Sequence[Mapping[str, Any]], *, level: float) -> Iterator[str]:
    yield f"\n## Coverage of the {100 * level:g} % interval, calibrated on other films than measured on\n"
    yield "| sex | age | months | films | coverage (95 % interval) | mean width, months |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for cell in cells:
        low, high = cell["band_months"]
        width = "-" if cell["width_months"] is None else f"{cell['width_months']:.1f}"
        shown = _estimate(cell["coverage"])
        yield f"| {cell['sex']} | {cell['by']} | {low}-{high - 1} | {cell['n']} | {shown} | {width} |"


def _agreement(found: Mapping[str, Any]) -> Iterator[str]:
    """Say how near the files come to the networks that they were written from."""
    yield f"\n## Agreement of the files with torch\n\nOn {found['on']}, in {found['unit']}:"
    yield f"largest difference {found['largest']:g}, median {found['median']:g}, limit {found['limit']:g}."
    if "weight_bits" in found:
        yield f"Weights are kept in {found['weight_bits']} bits, the fewest that agree."
    yield "\n| file | views at a time | largest | median |\n| --- | --- | --- | --- |"
    for name, sizes in found["networks"].items():
        for size, one in sizes.items():
            yield f"| {name} | {size.removeprefix('batch_')} | {one['largest']:g} | {one['median']:g} |"


def _maps(found: Mapping[str, str]) -> str:
    """Say what maps are counted from, or why there are none."""
    if "unexplained" in found:
        return f"There are none: {found['unexplained']}."
    return f"The files say what an answer rests on, counted from {found['base']}."


def _int8(found: Mapping[str, Any], *, name: str) -> Iterator[str]:
    """Say what the twins in 8-bit integers cost and gain."""
    speed, loss = found["speed"], found["loss"]
    yield f"\n## In 8-bit integers\n\n`--model {name}@int8` runs the networks in 8-bit integers ({found['method']}),"
    yield f"calibrated on {found['calibrated_on']}.\n\n| | float32 | int8 |\n| --- | --- | --- |"
    yield f"| size of the files, bytes | {found['bytes_fp32']} | {found['bytes']} |"
    times = f"{speed['film_ms_fp32']} | {speed['film_ms_int8']}"
    yield f"| one network, one film of {speed['views_a_film']} views, ms | {times} |"
    if "mae_change" in loss:
        yield f"| mean absolute error, months | {loss['mae_fp32']} | {loss['mae_int8']} |"
    faster = "faster" if speed["times_as_fast"] > 1 else "slower"
    yield f"\n{speed['times_as_fast']} times the speed ({faster}), medians of {speed['runs']} turns each,"
    yield f"{speed['threads']} thread, {speed['processor']}. Ages move by {loss['median_change_months']} months in the"
    yield f"median, {loss['p95_change_months']} at the 95th percentile, {loss['largest_change_months']} at most."
    if "mae_change" in loss:
        change = loss["mae_change"]
        yield f"The error changes by {change['value']:+.3f} ({change['low']:+.3f} to {change['high']:+.3f}) months."
    yield f"Measured on {loss['on']}."


def _estimate(values: Mapping[str, Any]) -> str:
    if values.get("value") is None:
        return "-"
    shown = f"{values['value']:.3g}" if abs(values["value"]) >= 10 else f"{values['value']:.3f}"
    if values.get("low") is None:
        return shown
    return f"{shown} ({values['low']:.3f} to {values['high']:.3f})"
