"""A card's figures by what they answer for: usefulness, fairness, safety."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

__all__ = ["Category", "key_metrics"]


class Category(StrEnum):
    """What a figure answers for; the three key metrics of the CHAI card."""

    USEFULNESS = "usefulness"
    FAIRNESS = "fairness"
    SAFETY = "safety"


_BY_GROUP = re.compile(r", (girls|boys)$|, given, \d+(-\d+|\+) months$")
_HEADLINE = "mean absolute error, sex given"
_SAFE = re.compile(r"^coverage|refused|inverted wrongly")


def key_metrics(texts: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Sort figures by what they answer for, and say what was wanted, on what it was tested, and what came out.

    Args:
        texts: of the task, with `goals`, `test_type`, `evaluation_data` and `validation`.
        figures: of the card; one may state its own `category`.

    Returns:
        By `Category`: `goal`, names of the figures as `results`, `interpretation`, `test_type`, `testing_data`,
        `validation`.
    """
    found = {category: [figure for figure in figures if category in _categories(figure)] for category in Category}
    return {
        str(category): {
            "goal": texts["goals"][category],
            "results": [str(figure["name"]) for figure in some],
            "interpretation": _interpretation(category, some),
            "test_type": texts["test_type"],
            "testing_data": texts["evaluation_data"],
            "validation": texts["validation"],
        }
        for category, some in found.items()
    }


def _categories(figure: Mapping[str, Any]) -> set[str]:
    """Tell what a figure answers for: what it states, otherwise what its name says."""
    if "category" in figure:
        return {str(figure["category"])}
    name = str(figure["name"])
    by_group = {Category.FAIRNESS} if _BY_GROUP.search(name) else set()
    safe = {Category.SAFETY} if _SAFE.search(name) and not by_group else set()
    return {str(one) for one in by_group or safe or {Category.USEFULNESS}}


def _interpretation(category: Category, figures: Sequence[Mapping[str, Any]]) -> str:
    """Say what the figures of a category come to."""
    if not figures:
        return "No figure was measured."
    if category is Category.FAIRNESS:
        return _apart(figures)
    first = next((one for one in figures if one["name"] == _HEADLINE), figures[0])
    told = f"{str(first['name']).capitalize()}: {first['value']:.3g} {first.get('unit', '')}".strip()
    counted = category is not Category.SAFETY or any("refused" in str(one["name"]) for one in figures)
    return f"{told}." if counted else f"{told}; refusals were not counted when the card was made."


def _apart(figures: Sequence[Mapping[str, Any]]) -> str:
    """Say how far the mean absolute errors of the sexes and of the ages lie apart."""
    errors = {str(one["name"]): float(one["value"]) for one in figures if str(one["name"]).startswith("mean absolute")}
    sexes = {name: value for name, value in errors.items() if name.endswith(("girls", "boys"))}
    ages = {name: value for name, value in errors.items() if name not in sexes}
    told = [
        f"mean absolute errors {what} differ by up to {max(some.values()) - min(some.values()):.2f} months"
        for what, some in (("of girls and boys", sexes), ("of the age bands", ages))
        if len(some) > 1
    ]
    if told:
        return f"{'; '.join(told)}.".capitalize()
    others = [one for one in figures if str(one["name"]).startswith("auc")]
    if len(others) < 2:
        return "Figures of one group alone; nothing to compare."
    low, high = (f(others, key=lambda one: float(one["value"])) for f in (min, max))
    return f"From {low['name']}, {low['value']:.3g}, to {high['name']}, {high['value']:.3g}."
