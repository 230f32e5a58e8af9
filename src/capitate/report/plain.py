"""Text from strangers, made safe to print."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """Replace what could steer a terminal or break a line; a file's name is chosen by strangers."""
    return "".join(
        character if character.isprintable() else "�" for character in text.encode("utf-8", "replace").decode("utf-8")
    )
