"""Text from strangers, made safe to print, and how wide text is."""

from __future__ import annotations

import unicodedata

__all__ = ["columns", "printable"]


def printable(text: str) -> str:
    """Replace what could steer a terminal or break a line; a file's name is chosen by strangers."""
    return "".join(
        character if character.isprintable() else "�" for character in text.encode("utf-8", "replace").decode("utf-8")
    )


def columns(text: str) -> int:
    """Count terminal columns; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
