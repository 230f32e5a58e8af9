"""Fonts of PDF reports: which font has a character, found once, and text parted into runs of one font.

Latin text is set in Helvetica, which every reader of PDF brings. Chinese is set in Droid Sans Fallback, of which the
characters that are used are embedded, where its file is found in one of the usual folders; reportlab cannot embed fonts
with PostScript outlines such as Noto Sans CJK. Where it is not found, Chinese is set in Adobe's STSong-Light by name,
which a reader of PDF replaces by the Chinese font that it has. Letters beyond these (Greek, Cyrillic, Arabic) are set
in DejaVu Sans where it is found, otherwise in the Vera that comes with reportlab; what no font has becomes `?`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFError, TTFont

__all__ = ["BOLD", "LATIN", "Faces", "faces", "font_folders", "runs"]

LATIN, BOLD = "Helvetica", "Helvetica-Bold"
_NAMED = "STSong-Light"
_CHINESE_FILES = ("DroidSansFallbackFull.ttf", "DroidSansFallback.ttf")
_OTHER_FILES = ("DejaVuSans.ttf",)
_UNKNOWN = "?"


@dataclass(frozen=True)
class Faces:
    """The fonts beside Helvetica, registered with reportlab.

    Attributes:
        chinese: name of the font for Chinese.
        chinese_glyphs: characters that it has; None for the font that is named and not embedded.
        other: name of the font for other letters.
        other_glyphs: characters that it has.
    """

    chinese: str
    chinese_glyphs: frozenset[int] | None
    other: str
    other_glyphs: frozenset[int]

    def font_of(self, character: str, *, bold: bool) -> str | None:
        """Return the name of the font for a character, None where no font has it; only Latin letters come bold."""
        if _in_helvetica(character):
            return BOLD if bold else LATIN
        if _has_chinese(self, character):
            return self.chinese
        return self.other if ord(character) in self.other_glyphs else None


def font_folders() -> tuple[Path, ...]:
    """Return the folders where fonts are looked for: those of Linux, macOS and Windows, and the user's own."""
    home = Path.home()
    return (
        Path("/usr/share/fonts"),
        Path("/usr/local/share/fonts"),
        home / ".local/share/fonts",
        home / ".fonts",
        Path("/Library/Fonts"),
        home / "Library/Fonts",
        Path(os.environ.get("WINDIR", r"C:\Windows")) / "Fonts",
    )


@lru_cache(maxsize=4)
def faces(folders: tuple[Path, ...]) -> Faces:
    """Find and register the fonts.

    Args:
        folders: where to look, see `font_folders`.
    """
    vera = Path(reportlab.__file__).parent / "fonts"
    other, other_glyphs = _embedded(_OTHER_FILES, folders) or _embedded(("Vera.ttf",), (vera,)) or (LATIN, frozenset())
    chinese = _embedded(_CHINESE_FILES, folders)
    if chinese is None:
        pdfmetrics.registerFont(UnicodeCIDFont(_NAMED))
        return Faces(_NAMED, None, other, other_glyphs)
    return Faces(*chinese, other, other_glyphs)


def _embedded(files: tuple[str, ...], folders: tuple[Path, ...]) -> tuple[str, frozenset[int]] | None:
    """Register the first of these files that reportlab can embed; returns its name and characters."""
    for file in (found for folder in folders for one in files for found in sorted(folder.rglob(one))):
        name = f"Capitate-{file.stem}"
        try:
            font = TTFont(name, str(file))
        except (TTFError, OSError):
            continue
        pdfmetrics.registerFont(font)
        return name, frozenset(font.face.charToGlyph)
    return None


def _in_helvetica(character: str) -> bool:
    """Whether Helvetica has a character, in the encoding that reportlab writes it with."""
    return character.isprintable() and bool(character.encode("cp1252", "ignore"))


def _has_chinese(found: Faces, character: str) -> bool:
    if found.chinese_glyphs is not None:
        return ord(character) in found.chinese_glyphs
    return ord(character) > 0x2E7F and bool(character.encode("gbk", "ignore"))


def runs(text: str, *, bold: bool = False) -> Iterator[tuple[str, str]]:
    """Part a text into runs of one font: name of the font, and the run.

    Args:
        text: printable text.
        bold: whether Latin letters are bold; the other fonts come in one weight.
    """
    found = faces(font_folders())
    chosen = ((found.font_of(one, bold=bold), one) for one in text)
    told = ((BOLD if bold else LATIN, _UNKNOWN) if font is None else (font, one) for font, one in chosen)
    for font, characters in groupby(told, key=lambda pair: pair[0]):
        yield font, "".join(one for _, one in characters)
