"""Networks of published systems by name, as values of an experiment's `network` table."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from capitate.errors import UsageError

__all__ = ["network_presets", "with_preset"]


@cache
def network_presets() -> Mapping[str, Mapping[str, Any]]:
    """Read the presets from `presets.toml`, where each one's source stands."""
    text = resources.files(__package__).joinpath("presets.toml").read_text(encoding="utf8")
    return tomllib.loads(text)


def with_preset(values: Mapping[str, Any]) -> dict[str, Any]:
    """Put the values of `network.preset` under those that an experiment states itself.

    Args:
        values: the whole experiment as plain values, `network` being a table of it or missing.

    Raises:
        UsageError: naming the preset that is not known.
    """
    network = values.get("network")
    if not isinstance(network, Mapping) or not network.get("preset"):
        return dict(values)
    known = network_presets()
    name = network["preset"]
    if name not in known:
        raise UsageError(f"network.preset must be one of {', '.join(sorted(known))}, got {name!r}")
    return {**values, "network": {**known[name], **network}}
