"""YOLO labels: one text file a film with `class x_center y_center width height`, names of classes, lists a split."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from capitate.errors import MissingExtraError, TableError
from capitate.training.data.boxes import LabelledBox, by_film, checked, clipped
from capitate.training.table import read_text

__all__ = ["NAMES_21", "is_yolo", "read_yolo", "write_yolo"]

NAMES_21 = ("Radius", "Ulna", "MCPFirst", "MCP", "ProximalPhalanx", "MiddlePhalanx", "DistalPhalanx")
"""Order of the seven classes where labels come without names; that of the public hand labels of 21 joints."""

_DESCRIPTION = "data.yaml"
_NAMES = ("classes.txt", "obj.names")


def is_yolo(folder: Path) -> bool:
    """Whether a folder holds YOLO labels: text files of five numbers a line, in it or in `labels`."""
    first = next(iter(_files(folder)), None)
    if first is None:
        return False
    line = next(iter(first.read_text(encoding="utf-8", errors="replace").splitlines()), "")
    return len(line.split()) == 5 and line.split()[0].isdigit()


def read_yolo(folder: Path) -> list[LabelledBox]:
    """Read all labels of a folder, or of its `labels`, whatever splits are below.

    Names come from `data.yaml`, `classes.txt` or `obj.names` in the folder; otherwise they are `NAMES_21`.

    Raises:
        TableError: naming file and line of what cannot be used.
    """
    names = _class_names(folder)
    boxes: list[LabelledBox] = []
    for file in _files(folder):
        lines = read_text(file).splitlines()
        boxes += [_box(line, file, number, names) for number, line in enumerate(lines, 1) if line.strip()]
    if not boxes:
        raise TableError(f"{str(folder)!r} holds no YOLO labels; give the folder with the text files")
    return boxes


def write_yolo(
    boxes: Iterable[LabelledBox],
    folder: Path,
    *,
    films: Mapping[str, str],
    splits: Mapping[str, Sequence[str]],
    names: Sequence[str] | None = None,
) -> None:
    """Write `labels/ID.txt`, `SPLIT.txt` with one film a line, and `data.yaml`.

    A film without boxes gets an empty file, which says that nothing is on it.

    Args:
        boxes: labels; what reaches past the film is cut off.
        folder: for the labels.
        films: path of every film as the lists are to have it, by id.
        splits: ids by name of the split.
        names: classes in order; those of the boxes if left out, in `NAMES_21`'s order where they are these.

    Raises:
        TableError: if a box has a class that is not among `names`.
        OSError: if a file cannot be written.
    """
    films_boxes = by_film(boxes)
    found = {box.joint for rows in films_boxes.values() for box in rows}
    ordered = tuple(names) if names is not None else NAMES_21 if found <= set(NAMES_21) else tuple(sorted(found))
    if not found <= set(ordered):
        unknown = ", ".join(sorted(found - set(ordered)))
        raise TableError(f"boxes of classes without a number, got {unknown}; the classes are {', '.join(ordered)}")
    (folder / "labels").mkdir(parents=True, exist_ok=True)
    for film in films.keys() | films_boxes.keys():
        lines = (_line(clipped(box), ordered.index(box.joint)) for box in films_boxes.get(film, ()))
        (folder / "labels" / f"{film}.txt").write_text("".join(lines), encoding="utf-8")
    for name, ids in splits.items():
        (folder / f"{name}.txt").write_text("".join(f"{films[one]}\n" for one in ids), encoding="utf-8")
    # JSON is YAML, and quotes names for free.
    described = {"path": ".", **{name: f"{name}.txt" for name in splits}, "names": dict(enumerate(ordered))}
    (folder / _DESCRIPTION).write_text(json.dumps(described, indent=1) + "\n", encoding="utf-8")


def _files(folder: Path) -> list[Path]:
    inner = folder / "labels"
    return sorted(f for f in (inner if inner.is_dir() else folder).rglob("*.txt") if f.name not in _NAMES)


def _line(box: LabelledBox, number: int) -> str:
    return f"{number} {box.x:.6f} {box.y:.6f} {box.width:.6f} {box.height:.6f}\n"


def _box(line: str, file: Path, number: int, names: Sequence[str]) -> LabelledBox:
    where, words = f"{file.name}, line {number}", line.split()
    try:
        kind, (x, y, width, height) = int(words[0]), (float(word) for word in words[1:])
    except ValueError as error:
        raise TableError(f"{where}: not a class and four fractions, got {line.strip()!r}; correct it") from error
    if not 0 <= kind < len(names):
        raise TableError(f"{where}: no name for the class, got {kind}; the names are {', '.join(names)}")
    return checked(LabelledBox(file.stem, names[kind], x, y, width, height), where=where)


def _class_names(folder: Path) -> tuple[str, ...]:
    for name in _NAMES:
        if (folder / name).is_file():
            return tuple(line.strip() for line in read_text(folder / name).splitlines() if line.strip())
    described = next((folder / name for name in (_DESCRIPTION, "dataset.yaml") if (folder / name).is_file()), None)
    return NAMES_21 if described is None else _described_names(described)


def _described_names(file: Path) -> tuple[str, ...]:
    try:
        names = _mapping(file)["names"]
        if isinstance(names, dict):
            return tuple(str(names[key]) for key in sorted(names, key=int))
        return tuple(map(str, names))
    except (KeyError, TypeError, ValueError) as error:
        raise TableError(f"{file.name}: the names of the classes cannot be read ({error}); add names") from error


def _mapping(file: Path) -> Any:  # noqa: ANN401
    """Read a description; what `write_yolo` wrote is JSON and needs no reader of YAML."""
    text = read_text(file)
    if text.lstrip().startswith("{"):
        return json.loads(text)
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError(what=f"Reading {file.name}", extra="train") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise TableError(f"{file.name}: not YAML, got {error}; correct it") from error
