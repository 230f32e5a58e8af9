"""Model cards of bundles: what a network is for, what it was trained on, how right it is and where it is not.

Fields follow the applied model card of the Coalition for Health AI (CHAI, 2024) and the HL7 guide on model
transparency: identity, use, data, figures with their intervals and the command that makes them, limits, terms.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from capitate.runtime.ensemble import Disagreement
from capitate.training.targets import trained_on_text

__all__ = ["LICENCE", "TASKS", "card_text", "compose_card", "figures_of"]

LICENCE = "non-commercial research only"
NOTICE = "Research software, not a medical device. Not for diagnosis or for decisions about a child's treatment."

_RSNA = {
    "name": "RSNA Pediatric Bone Age Challenge 2017, training films",
    "citation": "Halabi et al. The RSNA Pediatric Bone Age Machine Learning Challenge. Radiology 2019;290(2):498-503",
    "link": "https://www.rsna.org/rsnai/ai-image-challenge/rsna-pediatric-bone-age-challenge-2017",
    "terms": "academic research, education and other non-commercial use; no re-identification; cite and link RSNA",
    "reference": "one clinical reading a film by the standard of Greulich and Pyle, months",
}
_KEYPOINTS = {
    "name": "Pediatric-Hand-Bone-Analysis-Lab, key points of 568 hands",
    "terms": "GPL-2.0, research",
}
_BOXES = {"name": "HandBone-Detect, joint boxes of 731 hands", "terms": "AGPL-3.0, research"}

_GRADED = {
    "name": "graded joint crops of the one who trained it, see the training table",
    "reference": "the grade of the folder or file name that each crop lies in",
    "terms": "those of the data that were given",
}

_SCREENED = {
    "name": "films of the one who trained it, see the training table",
    "reference": "the labels of its table, or the names of its studies",
    "terms": "those of the data that were given",
}

TASKS: Mapping[str, Mapping[str, Any]] = {
    "bone-age": {
        "title": "Bone age from one hand radiograph and the sex, as a distribution over months",
        "intended_use": [
            "Research on bone age in children and adolescents of about 1 to 18 years, one whole hand a film.",
            "Sex is an input; where it is unknown the network was trained to answer without it.",
        ],
        "out_of_scope": [
            "Diagnosis, treatment, and forensic or asylum age assessment.",
            "Films without a whole hand, several hands, casts, skeletal dysplasia: hardly or not in the training data.",
            "Chronological age: a bone age is a state of maturity.",
        ],
        "data": [_RSNA],
        "limits": [
            "One population of two United States hospitals; errors elsewhere may be larger.",
            "The reference is a single reading: a perfect model would still be about 5 months off.",
            "Intervals hold on average over films like those of the training data, not for each child.",
            "Few films below 60 months; figures there rest on little data.",
        ],
    },
    "hand-locator": {
        "title": "Where the hand lies in a film, which way the fingers point, and whether the film is a negative",
        "intended_use": ["Preparing films for the bone-age networks of the same release."],
        "out_of_scope": ["Anything else; the box is a frame for a picture and no measurement."],
        "data": [_RSNA, _KEYPOINTS, _BOXES],
        "limits": ["One whole hand a film is expected; with several hands or none the answer is meaningless."],
    },
    "joint-grades": {
        "title": "Grades of maturity of single joints of the hand, by the stages of RUS-CHN, as probabilities",
        "intended_use": [
            "Research on skeletal maturity: a suggestion of each joint's grade, to be confirmed by a reader.",
            "Crops of one joint, upright, with about as much around the joint as in training (box_margin).",
        ],
        "out_of_scope": [
            "Diagnosis, treatment, and forensic or asylum age assessment.",
            "Joints of other parts of the body, and other staging systems than RUS-CHN.",
        ],
        "data": [_GRADED],
        "limits": [
            "Worth what its labels are worth: grades differ between readers, mostly by one.",
            "Probabilities hold on average over crops like those of the training data, not for each joint.",
        ],
    },
    "abnormality": {
        "title": "A screen for abnormal studies of bones, as a probability a study",
        "intended_use": ["Research: which studies of a pile to look at first."],
        "out_of_scope": [
            "Diagnosis, and the exclusion of anything: a low probability is no finding.",
            "Regions of the body and ages that the training data do not have.",
        ],
        "data": [_SCREENED],
        "limits": [
            "A label says what the training table under Training says it does, no more.",
            "Probabilities under a weighted loss are too high by design; use the threshold, or calibrate them.",
            "Letters, plates and devices on a film can move the answer.",
        ],
    },
}


_WANTED = (
    ("mae", "mean absolute error", "months"),
    ("within_12", "within 12 months", "share"),
    ("coverage", "coverage of the interval", "share"),
    ("log_score", "log score", "nats"),
)
_GROUPS = {"given": "sex given", "female": "girls", "male": "boys", "unknown": "sex hidden"}


def compose_card(
    *,
    name: str,
    version: str,
    task: str,
    networks: Sequence[str],
    training: Mapping[str, Any],
    runtime: Mapping[str, Any] | None = None,
    figures: Sequence[Mapping[str, Any]] = (),
    coverage: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Compose `card.json`.

    Args:
        name: by which `--model` chooses the bundle.
        version: of the weights.
        task: key of `TASKS`.
        networks: file names, in the order of folds.
        training: how it was trained: films, configuration, folds, digests.
        runtime: what assessment needs: `view`, `test_views`, `smoothing_months`, `calibration` and, of an ensemble,
            `member_calibrations`, `held_out` and `disagreement`.
        figures: each with `name`, `value`, `low`, `high`, `unit`, `on` and `command`.
        coverage: cells of a calibration report.
    """
    about = TASKS[task]
    one_sex = trained_on_text(training.get("configuration", {}).get("network", {}).get("trained_on", "both"))
    return {
        "name": name,
        "version": version,
        "task": task,
        "title": about["title"],
        "networks": list(networks),
        **(runtime or {}),
        "licence": LICENCE,
        "notice": NOTICE,
        "intended_use": about["intended_use"],
        "out_of_scope": about["out_of_scope"],
        "training": dict(training),
        "training_data": about["data"],
        "figures": [dict(figure) for figure in figures],
        "coverage": [dict(cell) for cell in coverage],
        "limits": [one_sex, *about["limits"]] if one_sex else about["limits"],
    }


def figures_of(report: Mapping[str, Any], *, command: str) -> list[dict[str, Any]]:
    """Take a card's figures from the plain values of a calibration report.

    Args:
        report: `CalibrationReport.to_json`.
        command: that makes them.
    """
    return [
        {
            "name": f"{title}, {_GROUPS.get(group, group)}",
            **values[name],
            "unit": unit,
            "on": f"{report['counts'][group]} films out of fold",
            "command": command,
        }
        for group, values in report["figures"].items()
        for name, title, unit in _WANTED
    ]


def card_text(card: Mapping[str, Any]) -> str:
    """Write a card for people, in Markdown."""
    return "\n".join(_lines(card)) + "\n"


def _lines(card: Mapping[str, Any]) -> Iterator[str]:
    yield f"# {card['name']} {card['version']}\n\n{card['title']}.\n\n{card['notice']}"
    yield from _list("Intended use", card["intended_use"])
    yield from _list("Not for", card["out_of_scope"])
    yield from _list("Limits", card["limits"])
    yield from _list("Trained on", [_data(one) for one in card["training_data"]])
    yield from _list("Training", [f"{key}: {_plain(value)}" for key, value in card["training"].items()])
    if card["figures"]:
        yield from _figures(card["figures"])
    if card["coverage"]:
        yield from _coverage(card["coverage"], level=card["calibration"]["level"])
    if "disagreement" in card:
        yield f"\n## Disagreement\n\n{Disagreement(**card['disagreement']).sentence()}"
    yield f"\n## Terms\n\nThe weights: {card['licence']}; see LICENSE-WEIGHTS.md."


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    yield f"\n## {title}\n"
    yield from (f"- {item}" for item in items)


def _data(data: Mapping[str, str]) -> str:
    rest = [data[key] for key in ("citation", "link", "reference", "terms") if key in data]
    return "; ".join([data["name"], *rest])


def _plain(value: object) -> str:
    """Write plain values; tables as JSON."""
    return f"`{json.dumps(value)}`" if isinstance(value, dict | list | tuple) else str(value)


def _figures(figures: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "\n## Figures\n\n| figure | value (95 % interval) | unit | on |\n| --- | --- | --- | --- |"
    for one in figures:
        yield f"| {one['name']} | {_estimate(one)} | {one.get('unit', '')} | {one.get('on', '')} |"
    for command in dict.fromkeys(one["command"] for one in figures if one.get("command")):
        yield f"\nMade by `{command}`."


def _coverage(cells: Sequence[Mapping[str, Any]], *, level: float) -> Iterator[str]:
    yield f"\n## Coverage of the {100 * level:g} % interval, calibrated on other folds than measured on\n"
    yield "| sex | age | months | films | coverage (95 % interval) | mean width, months |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for cell in cells:
        low, high = cell["band_months"]
        width = "-" if cell["width_months"] is None else f"{cell['width_months']:.1f}"
        shown = _estimate(cell["coverage"])
        yield f"| {cell['sex']} | {cell['by']} | {low}-{high - 1} | {cell['n']} | {shown} | {width} |"


def _estimate(values: Mapping[str, Any]) -> str:
    if values.get("value") is None:
        return "-"
    shown = f"{values['value']:.3g}" if abs(values["value"]) >= 10 else f"{values['value']:.3f}"
    if values.get("low") is None:
        return shown
    return f"{shown} ({values['low']:.3f} to {values['high']:.3f})"
