"""Where the films of a published table lie: in folders beside it, in zip archives beside it, or in its own archive."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from capitate.files.archive import archive_of, members

__all__ = ["SUFFIXES", "FilmFinder", "films_in", "films_under", "is_place"]

SUFFIXES = (".png", ".dcm", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
_USUAL_FOLDERS = ("images", "films", "train", "training", "validation", "val", "test")


class FilmFinder:
    """Films beside a table: in its folder, in a folder of its name (once or twice), and in the usual ones.

    Zip archives of these names are looked into last. Every place is listed once. A folder named after the table comes
    first, because different data sets stand side by side and numbers could repeat.
    """

    def __init__(self, table: Path, *, films: Path | None = None) -> None:
        """List the films.

        Args:
            table: the table; it may be a member of a zip archive.
            films: folder or zip archive to look into, with the folders in it, instead of the usual places.
        """
        self._base = table.absolute().parent if films is None else films.absolute()
        places = [self._base] if films is not None else [*_folders(self._base, table.stem)]
        self._places = [_by_stem(films_in(place)) for place in places]
        if films is not None:
            self._places.append(_by_stem(films_under(self._base)))
        else:
            self._places += [_by_stem(films_under(archive)) for archive in _archives(self._base, table.stem)]
        self._all = {film.as_posix() for films in self._places for film in films.values()}

    def find(self, name: str) -> Path | None:
        """Return the film of this number or file name, or None."""
        direct = Path(os.path.normpath(self._base / name))
        suffix = direct.suffix.lower() in SUFFIXES
        if suffix and (direct.as_posix() in self._all or direct.is_file()):
            return direct
        stem = direct.stem if suffix else direct.name
        return next((films[stem] for films in self._places if stem in films), None)

    def of_study(self, study: str) -> list[Path]:
        """Return the films of an examination: those whose name is its id, alone or followed by `_` and more."""
        for films in self._places:
            found = [film for stem, film in films.items() if stem == study or stem.startswith(f"{study}_")]
            if found:
                return sorted(found)
        return []


def is_place(path: Path) -> bool:
    """Whether a path is a folder, a zip archive, or a folder in one."""
    if path.is_dir() or _is_archive(path):
        return True
    inside = archive_of(path)
    return inside is not None and any(name.startswith(f"{inside[1]}/") for name in members(inside[0]))


def films_under(place: Path) -> list[Path]:
    """List the films of a folder or archive and of all folders in it, in the order of their paths."""
    inside = _inside(place)
    if inside is not None:
        archive, folder = inside
        return sorted(archive / name for name in members(archive) if name.startswith(folder) and _is_film(name))
    return sorted(Path(top) / name for top, _, names in os.walk(place) for name in names if _is_film(name))


def films_in(place: Path) -> list[Path]:
    """List the films that lie in a folder or archive itself, not in folders below it."""
    if _inside(place) is not None:
        return [film for film in films_under(place) if film.parent == place]
    with os.scandir(place) as entries:
        return [Path(entry.path) for entry in entries if _is_film(entry.name)]


def _folders(base: Path, stem: str) -> Iterator[Path]:
    """Give the places where a table's films usually lie."""
    siblings = sorted(path.name for path in base.glob("boneage-*-dataset*") if path.is_dir())
    data = [f"{top}/{name}" for top in ("Data", "data") for name in _USUAL_FOLDERS]
    seen: set[Path] = set()
    for name in (stem, ".", *_USUAL_FOLDERS, *siblings, *data):
        for folder in (base / name, base / name / Path(name).name):
            if folder not in seen and is_place(folder):
                seen.add(folder)
                yield folder


def _archives(base: Path, stem: str) -> Iterator[Path]:
    """Give the zip archives beside a table that are named after it, after RSNA's data sets, or as usual."""
    inside = _inside(base)
    if inside is not None:
        yield inside[0]
        return
    wanted = {stem.casefold(), *_USUAL_FOLDERS}
    for path in sorted(base.iterdir()):
        name = path.stem.casefold()
        if _is_archive(path) and (name in wanted or name.startswith("boneage-")):
            yield path


def _by_stem(films: Iterable[Path]) -> dict[str, Path]:
    ordered: dict[str, Path] = {}
    for film in sorted(films, key=lambda film: (SUFFIXES.index(film.suffix.lower()), film.as_posix())):
        ordered.setdefault(film.stem, film)
    return ordered


def _inside(place: Path) -> tuple[Path, str] | None:
    """Return the archive, and the folder in it with its slash, of a place in an archive."""
    if _is_archive(place):
        return place, ""
    found = archive_of(place)
    return None if found is None else (found[0], f"{found[1]}/")


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() == ".zip" and path.is_file()


def _is_film(name: str) -> bool:
    return Path(name).suffix.lower() in SUFFIXES
