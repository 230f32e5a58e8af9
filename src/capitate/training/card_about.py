"""What only whoever makes a bundle can say about it: names, dates, money, and where the films come from."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.settings.reading import build

__all__ = ["NOT_STATED", "About", "about_of", "read_about"]

NOT_STATED = "not stated"


@dataclass(frozen=True)
class About:
    """Facts for a card that no run knows. What is empty is said to be not stated, or as `cards.toml` says it.

    Attributes:
        developer: who made the weights.
        contact: how to reach them.
        stage: of the release, such as `research`.
        date: of the release, ISO 8601; the day of the export if empty.
        availability: where the weights may be had.
        regulatory: approvals.
        funding: who paid.
        third_parties: whose parts are in it.
        stakeholders: who was consulted.
        maintenance: who looks after it, and how.
        security: how it is kept safe.
        consent: of the children whose films were learnt from.
        publications: about these weights.
        licence: of the weights.
        data: names of the training data, with their terms.
        limits: further limits.
    """

    developer: str = ""
    contact: str = ""
    stage: str = "research"
    date: str = ""
    availability: str = ""
    regulatory: str = ""
    funding: str = ""
    third_parties: str = ""
    stakeholders: str = ""
    maintenance: str = ""
    security: str = ""
    consent: str = ""
    publications: tuple[str, ...] = ()
    licence: str = ""
    data: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def day(self) -> str:
        """Date of the release."""
        return self.date or datetime.now(UTC).date().isoformat()


def about_of(card: Mapping[str, Any]) -> About:
    """Take from a card what its maker said, with the day of its release."""
    date = {"date": card["release"]["date"]} if "release" in card else {}
    return build(About(), {**date, **card.get("about", {})})


def read_about(path: Path) -> About:
    """Read a TOML file with the fields of `About`.

    Raises:
        UsageError: if it cannot be read, or naming an unknown key or a wrong type.
    """
    try:
        values = tomllib.loads(path.read_text(encoding="utf8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read what the card is to say from {path}: {error}; give a TOML file") from error
    return build(About(), values)
