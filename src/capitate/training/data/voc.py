"""Pascal VOC labels: one XML file a film with boxes in pixels, and lists of names a split.

Source of the form: Everingham et al., The PASCAL Visual Object Classes Challenge 2012 Development Kit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from xml.etree import ElementTree

from capitate.errors import TableError
from capitate.training.data.boxes import LabelledBox, by_film, checked, clipped
from capitate.training.table import read_text

__all__ = ["is_voc", "read_voc", "write_voc"]

_ANNOTATIONS = "Annotations"
_LISTS = Path("ImageSets") / "Main"


def is_voc(folder: Path) -> bool:
    """Whether a folder holds VOC labels: XML files in it or in `Annotations`."""
    return bool(_files(folder))


def read_voc(folder: Path, *, difficult: bool = True) -> list[LabelledBox]:
    """Read all XML files of a folder, or of its `Annotations`.

    A film's id is the file's own stem, because the name written inside goes stale when films are renamed. Pixels of VOC
    count from 1 and both ends belong to the box, hence xmin - 1 and xmax.

    Args:
        folder: with the labels.
        difficult: whether boxes marked as difficult are kept.

    Raises:
        TableError: naming the file and what in it cannot be used.
    """
    boxes: list[LabelledBox] = []
    for file in _files(folder):
        boxes += _read(file, difficult=difficult)
    if not boxes:
        raise TableError(f"{str(folder)!r} holds no VOC labels with boxes; give the folder with the XML files")
    return boxes


def write_voc(
    boxes: Iterable[LabelledBox],
    folder: Path,
    *,
    sizes: Mapping[str, tuple[int, int]],
    splits: Mapping[str, Sequence[str]],
) -> None:
    """Write `Annotations/ID.xml`, and `ImageSets/Main/SPLIT.txt` with one id a line.

    Args:
        boxes: labels; what reaches past the film is cut off.
        folder: for the labels.
        sizes: width and height of every film, pixels.
        splits: ids by name of the split.

    Raises:
        TableError: if a film has no size.
        OSError: if a file cannot be written.
    """
    for name in (_ANNOTATIONS, _LISTS):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for film, rows in by_film(boxes).items():
        if film not in sizes:
            raise TableError(f"the film {film!r} has labels but its size is not known; give its film")
        document = _document(film, rows, size=sizes[film])
        ElementTree.indent(document)
        ElementTree.ElementTree(document).write(folder / _ANNOTATIONS / f"{film}.xml", encoding="utf-8")
    for name, ids in splits.items():
        (folder / _LISTS / f"{name}.txt").write_text("".join(f"{one}\n" for one in ids), encoding="utf-8")


def _files(folder: Path) -> list[Path]:
    inner = folder / _ANNOTATIONS
    return sorted((inner if inner.is_dir() else folder).glob("*.xml"))


def _read(file: Path, *, difficult: bool) -> list[LabelledBox]:
    text = read_text(file)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:  # the only way to make a small XML file large
        raise TableError(f"{file.name}: no plain labels, got a document type; export the labels again")
    try:
        root = ElementTree.fromstring(text)  # noqa: S314 (entities are refused above)
    except ElementTree.ParseError as error:
        raise TableError(f"{file.name}: not an XML file, got {error}; export the labels again") from error
    width, height = (_number(root, f"size/{name}", file) for name in ("width", "height"))
    if min(width, height) <= 0:
        raise TableError(f"{file.name}: the film's size must be positive, got {width:g} x {height:g}; correct it")
    boxes = []
    for thing in root.iter("object"):
        if not difficult and (thing.findtext("difficult") or "0").strip() == "1":
            continue
        left, top, right, bottom = (_number(thing, f"bndbox/{n}", file) for n in ("xmin", "ymin", "xmax", "ymax"))
        box = LabelledBox.from_corners(
            file.stem,
            (thing.findtext("name") or "").strip(),
            left=(left - 1) / width,
            top=(top - 1) / height,
            right=right / width,
            bottom=bottom / height,
        )
        boxes.append(checked(box, where=file.name))
    return boxes


def _number(element: ElementTree.Element, name: str, file: Path) -> float:
    text = element.findtext(name)
    try:
        return float(text or "")
    except ValueError as error:
        raise TableError(f"{file.name}: {name} must be a number of pixels, got {text!r}; correct it") from error


def _document(film: str, rows: Iterable[LabelledBox], *, size: tuple[int, int]) -> ElementTree.Element:
    root = ElementTree.Element("annotation")
    ElementTree.SubElement(root, "filename").text = film
    stated = ElementTree.SubElement(root, "size")
    for name, value in zip(("width", "height", "depth"), (*size, 1), strict=True):
        ElementTree.SubElement(stated, name).text = str(value)
    for box in map(clipped, rows):
        thing = ElementTree.SubElement(root, "object")
        ElementTree.SubElement(thing, "name").text = box.joint
        ElementTree.SubElement(thing, "difficult").text = "0"
        edges = ElementTree.SubElement(thing, "bndbox")
        left, top, right, bottom = box.corners
        pixels = (left * size[0] + 1, top * size[1] + 1, right * size[0], bottom * size[1])
        for name, pixel in zip(("xmin", "ymin", "xmax", "ymax"), pixels, strict=True):
            ElementTree.SubElement(edges, name).text = str(round(pixel))
    return root
