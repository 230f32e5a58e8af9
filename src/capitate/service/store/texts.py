"""Texts that come from outside, made fit for both databases: no NUL, no half characters, no endless names."""

from __future__ import annotations

import unicodedata

from capitate.errors import UsageError

__all__ = ["identifying", "searchable", "shown_name", "storable"]

_NAME_LENGTH, _NAME_TAIL = 255, 40
_REPLACED = "\ufffd"


def storable(text: str, *, length: int | None = None) -> str:
    """Replace control characters and lone surrogates, which PostgreSQL refuses and logs garble, and cut to a length."""
    clean = "".join(_REPLACED if unicodedata.category(one) in {"Cc", "Cs"} else one for one in text)
    return clean if length is None or len(clean) <= length else f"{clean[: length - 1]}…"


def shown_name(name: str) -> str:
    """Make a file's name fit to be stored and shown: no folders, 255 characters, its ending kept; `film` if empty."""
    last = storable(name.replace("\\", "/").rpartition("/")[2]).strip()
    if len(last) > _NAME_LENGTH:
        last = f"{last[: _NAME_LENGTH - _NAME_TAIL - 1]}…{last[-_NAME_TAIL:]}"
    return last or "film"


def identifying(text: str | None, *, what: str, length: int = 64) -> str | None:
    """Check a text that identifies somebody; it is never changed silently, since two could become one.

    Args:
        text: as it was typed; blanks around it do not count.
        what: names it in the error.
        length: characters at most; 64 is what DICOM allows a patient's identifier.

    Returns:
        The text; None where it is None or blank.

    Raises:
        UsageError: if it is too long, or holds control characters or half characters.
    """
    given = (text or "").strip()
    if len(given) > length:
        raise UsageError(f"{what} has {len(given)} characters; give at most {length}")
    if storable(given) != given:
        raise UsageError(f"{what} holds control or broken characters; give plain text in UTF-8")
    return given or None


def searchable(*texts: str | None) -> str:
    """Join texts in the form in which they are searched: compatible forms made one, case left out."""
    joined = "\n".join(text for text in texts if text)
    return "\n".join(storable(unicodedata.normalize("NFKC", line).casefold()) for line in joined.split("\n"))
