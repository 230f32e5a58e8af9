"""Model cards of bundles: what a network is for, what it was trained on, how right it is and where it is not.

Fields follow the applied model card of the Coalition for Health AI (CHAI) and the HL7 guide on AI transparency;
`capitate.training.card_standards` has the mapping. What holds for every run of a task stands in `cards.toml`, what only
its maker knows comes in by `About`, and the rest is counted and measured.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from capitate.runtime.bundle import load_bundle
from capitate.training.card_about import NOT_STATED, About, about_of
from capitate.training.key_metrics import key_metrics
from capitate.training.settings.network import NetworkConfig
from capitate.training.settings.optimiser import BoneAgeOptimiserConfig
from capitate.training.targets import trained_on_text

__all__ = ["BONE_AGE_LABELS", "LICENCE", "compose_card", "described", "figures_of", "texts"]

LICENCE = "non-commercial research only"
BONE_AGE_LABELS = "bone_age"
"""What `training.labels` of a card says where the bone ages of hands taught a grader, and nobody graded joints."""
_RSNA_LIMIT = "One population of two United States hospitals; errors elsewhere may be larger."
_WANTED = (
    ("mae", "mean absolute error", "months"),
    ("within_12", "within 12 months", "share"),
    ("coverage", "coverage of the interval", "share"),
    ("log_score", "log score", "nats"),
)
_GROUPS = {"given": "sex given", "female": "girls", "male": "boys", "unknown": "sex hidden"}
_LABELS = {
    "hand-locator": ("keypoints", "boxes"),
    "joint-detector": ("keypoints", "boxes"),
    "outlines": ("epiphyses",),
    "joint-grades": ("epiphyses",),
}
"""Public labels of RSNA's films that a task learns from."""


@cache
def _all_texts() -> dict[str, Any]:
    """Read `cards.toml`."""
    return tomllib.loads((files("capitate.training") / "cards.toml").read_text(encoding="utf8"))


def texts(task: str) -> dict[str, Any]:
    """Give what a card says by its task."""
    return {**_all_texts()["common"], **_all_texts()[task]}


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
    measured: Mapping[str, Any] | None = None,
    training_ids: frozenset[str] | None = None,
    about: About | None = None,
) -> dict[str, Any]:
    """Compose `card.json`.

    Args:
        name: by which `--model` chooses the bundle.
        version: of the weights.
        task: key of `cards.toml`.
        networks: file names, in the order of folds.
        training: how it was trained: films, configuration, folds, digests.
        runtime: what assessment needs: `view`, `test_views`, `smoothing_months`, `calibration` and, of an ensemble,
            `member_calibrations`, `held_out` and `disagreement`.
        figures: each with `name`, `value`, `low`, `high`, `unit`, `on`, `command` and perhaps `category`.
        coverage: cells of a calibration report.
        measured: what was found at the export: `agreement`, `int8`, `demographics`.
        training_ids: films that the weights have seen; they tell what the training data were.
        about: what its maker says.
    """
    card = {
        "name": name,
        "version": version,
        "task": task,
        "networks": list(networks),
        **(runtime or {}),
        "training": _without_places(training),
        **(measured or {}),
        "figures": [dict(figure) for figure in figures],
        "coverage": [dict(cell) for cell in coverage],
    }
    return described(card, training_ids=training_ids, about=about)


def _without_places(training: Mapping[str, Any]) -> dict[str, Any]:
    """Name files of weights to begin with by their last two parts: a card tells no folders of the machine."""
    told = dict(training)
    if "configuration" in told:
        told["configuration"] = _named_weights(told["configuration"])
    if "configurations" in told:
        told["configurations"] = [_named_weights(one) for one in told["configurations"]]
    return told


def _named_weights(configuration: Mapping[str, Any]) -> dict[str, Any]:
    network = configuration.get("network", {})
    if not network.get("weights"):
        return dict(configuration)
    return {**configuration, "network": {**network, "weights": "/".join(Path(network["weights"]).parts[-2:])}}


def described(
    card: Mapping[str, Any], *, training_ids: frozenset[str] | None = None, about: About | None = None
) -> dict[str, Any]:
    """Give a card with everything said about it anew; what runs it, was counted or was measured stays as it is.

    Args:
        card: with `task`, `training` and `figures`.
        training_ids: as for `compose_card`.
        about: what its maker says; what the card holds already if None.
    """
    about = about or about_of(card)
    one_sex = trained_on_text(card["training"].get("configuration", {}).get("network", {}).get("trained_on", "both"))
    data, from_rsna = _training_data(card["task"], training_ids, about)
    words = _by_data(card, _by_configuration(card, texts(card["task"])), from_rsna=from_rsna)
    limits = [one_sex, _RSNA_LIMIT if from_rsna and card["task"] == "bone-age" else "", *about.limits, *words["limits"]]
    said = {
        "title": words["title"],
        "licence": about.licence or LICENCE,
        "notice": words["notice"],
        "developer": {
            "name": about.developer or NOT_STATED,
            "contact": about.contact or f"{NOT_STATED}; the project's metadata name none",
        },
        "release": {
            "stage": about.stage,
            "date": about.day,
            **{key: getattr(about, key) or words[key] for key in ("availability", "regulatory")},
        },
        **{key: words[key] for key in ("keywords", "intended_use", "users", "how_to_use", "population")},
        "out_of_scope": words["out_of_scope"],
        "limits": [limit for limit in limits if limit],
        **{key: words[key] for key in ("known_biases", "clinical_risk", "outcomes", "model_type", "foundation_models")},
        **{key: words[key] for key in ("inputs", "outputs")},
        "training_data": data,
        "evaluation_data": words["evaluation_data"],
        "bias_mitigation": words["bias_mitigation"],
        **{key: getattr(about, key) or words[key] for key in ("maintenance", "security")},
        "transparency": {
            "explainability": words["explainability"],
            **{key: getattr(about, key) or words[key] for key in ("funding", "third_parties", "stakeholders")},
        },
        "key_metrics": key_metrics(words, card["figures"]),
        "resources": {
            "evaluation": "docs/bone-age-model.md and docs/evaluation.md of the project",
            "clinical_trial": words["clinical_trial"],
            "publications": list(about.publications) or "None about these weights.",
            "reimbursement": words["reimbursement"],
            "consent": about.consent or words["consent"],
        },
        "bibliography": words["bibliography"],
        "about": {key: value for key, value in asdict(about).items() if value},
    }
    return {**{key: value for key, value in card.items() if key not in said}, **said}


def _by_configuration(card: Mapping[str, Any], words: Mapping[str, Any]) -> dict[str, Any]:
    """Add what holds by the configuration of bone-age runs: whether the sex is an input, and hidden at times."""
    if "where" not in words:
        return dict(words)
    training, where = card["training"], words["where"]
    config: Mapping[str, Any] = training.get("configuration") or next(iter(training.get("configurations", ())), {})
    hidden = config.get("optimiser", {}).get("unknown_sex", BoneAgeOptimiserConfig().unknown_sex) > 0
    asked = config.get("network", {}).get("sex", NetworkConfig().sex) != "none"
    use, against = where["sex_hidden" if hidden else "sex_always"] if asked else where["sex_not_asked"]
    blackened = where["surroundings_removed"] if card.get("surroundings_removed") else ""
    return {
        **words,
        "intended_use": [*words["intended_use"], use],
        "bias_mitigation": [*words["bias_mitigation"], *(text for text in (against, blackened) if text)],
    }


def _by_data(card: Mapping[str, Any], words: Mapping[str, Any], *, from_rsna: bool) -> dict[str, Any]:
    """Say what holds for the public data, and for labels that follow from bone ages: texts replace, lists are added."""
    said = dict(words)
    for section, holds in (("rsna", from_rsna), (BONE_AGE_LABELS, card["training"].get("labels") == BONE_AGE_LABELS)):
        for key, value in words.get(section, {}).items() if holds else ():
            said[key] = [*value, *said[key]] if isinstance(value, list) else value
    return said


def _training_data(task: str, ids: frozenset[str] | None, about: About) -> tuple[list[dict[str, str]], bool]:
    """Name the training data: as the maker does, otherwise by the films' ids; and say whether RSNA's are among them."""
    known = _all_texts()["data"]
    released = load_bundle("bone-age").training_ids if ids is not None else frozenset[str]()
    shared = frozenset[str]() if ids is None else ids & released
    from_rsna = ids is None or bool(shared)
    found = [dict(known["rsna"])] if from_rsna else []
    others = 0 if ids is None else len(ids - released)
    if about.data:
        found += [{"name": name} for name in about.data]
    elif others:
        terms = f"{NOT_STATED}; so is their origin"
        found.append({"name": f"{others} films of the table that the run was given", "terms": terms})
    labels = _LABELS.get(task, ()) if from_rsna else ()
    return [*found, *(dict(known[name]) for name in labels)], from_rsna


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
