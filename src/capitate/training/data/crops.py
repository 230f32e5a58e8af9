"""Graded joint crops: files named `Third_Metacarpal_Grade5.png`, and folders `JOINT/GRADE/`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from capitate.errors import TableError
from capitate.runtime.grade_categories import CATEGORIES, FINGERS, JOINTS, category_of
from capitate.training.data.film_finder import SUFFIXES, films_under

__all__ = [
    "CATEGORIES",
    "JOINTS",
    "Crop",
    "category_of",
    "is_crop_folders",
    "is_named_crops",
    "read_crops",
    "read_named_crops",
]

_BONES = {"Metacarpal": "MCP", "Proximal_Phalanx": "PIP", "Middle_Phalanx": "MIP", "Distal_Phalanx": "DIP"}
_NAMED = re.compile(
    rf"(?:(?P<finger>{'|'.join(FINGERS)})_(?P<bone>{'|'.join(_BONES)})|(?P<forearm>Radius|Ulna))_Grade(?P<grade>\d+)",
    re.IGNORECASE,
)
_COPY = re.compile(r"(?P<original>.+?)(?:-clahe|-turned[+-]\d+)+")


@dataclass(frozen=True)
class Crop:
    """One graded crop.

    Attributes:
        path: the picture.
        joint: one of `JOINTS`, another joint of the hand, or one of `CATEGORIES`.
        grade: 0 where the epiphysis cannot be seen yet, then 1 and up.
        hand: what crops of one hand share; splits keep it together.
    """

    path: Path
    joint: str
    grade: int
    hand: str


def is_named_crops(folder: Path) -> bool:
    """Whether a folder holds crops whose names state joint and grade."""
    films = films_under(folder)
    return bool(films) and sum(_NAMED.fullmatch(film.stem) is not None for film in films) > len(films) / 2


def is_crop_folders(folder: Path) -> bool:
    """Whether a folder holds `JOINT/GRADE/` folders."""
    films = films_under(folder)
    return bool(films) and sum(_graded(film.relative_to(folder)) is not None for film in films) > len(films) / 2


def read_named_crops(folder: Path) -> list[Crop]:
    """Read crops named after joint and grade; the folder that they lie in is the hand.

    Raises:
        TableError: if a film's name states no joint and grade, or a grade that the joint does not have.
    """
    return list(_checked(_named(film, folder) for film in films_under(folder)))


def read_crops(folder: Path) -> list[Crop]:
    """Read `JOINT/GRADE/` folders, with the splits' folders above them or not.

    The hand is the name's first part before `__`, or where there is none the name without what `data clahe` adds.

    Raises:
        TableError: if a film lies elsewhere, or in a grade that the joint does not have.
    """
    return list(_checked(_foldered(film, folder) for film in films_under(folder)))


def _named(film: Path, folder: Path) -> Crop:
    found = _NAMED.fullmatch(film.stem)
    if found is None:
        raise TableError(
            f"no joint and grade in the name of a crop, got {film.name!r}; name it as Third_Metacarpal_Grade5.png, or "
            "put it into JOINT/GRADE/"
        )
    if found["forearm"]:
        joint = found["forearm"].title()
    else:
        bone = next(short for name, short in _BONES.items() if name.casefold() == found["bone"].casefold())
        joint = bone + found["finger"].title()
    hand = film.parent.relative_to(folder).as_posix()
    return Crop(film, joint, int(found["grade"]), film.stem if hand == "." else hand.replace("/", "-"))


def _graded(path: Path) -> tuple[str, int] | None:
    """Return joint and grade of a path that ends in JOINT/GRADE/NAME."""
    if len(path.parts) < 3 or path.suffix.lower() not in SUFFIXES:
        return None
    joint, grade = path.parts[-3], path.parts[-2].removeprefix("Grade").removeprefix("grade")
    return (joint, int(grade)) if category_of(joint) in CATEGORIES and grade.isdigit() else None


def _foldered(film: Path, folder: Path) -> Crop:
    found = _graded(film.relative_to(folder))
    if found is None:
        got = film.relative_to(folder).as_posix()
        raise TableError(
            f"a crop must lie in JOINT/GRADE/, got {got!r}; joints are {', '.join((*JOINTS, *CATEGORIES))}"
        )
    hand, both, _ = film.stem.partition("__")
    copy = _COPY.fullmatch(hand)
    return Crop(film, *found, hand if both or copy is None else copy["original"])


def _checked(crops: Iterable[Crop]) -> Iterator[Crop]:
    for crop in crops:
        most = CATEGORIES[category_of(crop.joint)]
        if crop.grade > most:
            raise TableError(
                f"{crop.joint} has grades 0 to {most}, got {crop.grade} for {crop.path.name!r}; correct it"
            )
        yield crop
