"""Published and local forms of data, turned into the few that everything here reads."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from capitate.errors import UsageError
from capitate.files.archive import archive_of
from capitate.training.data.boxes import LabelledBox, write_boxes
from capitate.training.data.crops import is_crop_folders, is_named_crops, read_named_crops
from capitate.training.data.mura import is_mura
from capitate.training.data.voc import is_voc, read_voc
from capitate.training.data.yolo import is_yolo, read_yolo
from capitate.training.folds import fold_of
from capitate.training.layouts import read_any
from capitate.training.manifest import Study, write_manifest

__all__ = ["Form", "Imported", "form_of", "import_data", "split_lists"]


class Form(StrEnum):
    """What a source can be."""

    FILMS = "films"
    CROPS = "crops"
    VOC = "voc"
    YOLO = "yolo"


@dataclass(frozen=True)
class Imported:
    """What was written: the source's form, the file or folder, and how many films, crops or boxes."""

    form: Form
    place: Path
    count: int


def form_of(source: Path) -> Form:
    """Tell the form of a source.

    A file, a zip archive and a folder with a table of films hold films; other folders are told by what lies in them.

    Raises:
        UsageError: if the source does not exist, or holds crops that are sorted already.
    """
    if not source.exists() and archive_of(source) is None:
        raise UsageError(f"there is no {str(source)!r}; check the path")
    if not source.is_dir():
        return Form.FILMS
    for form, fits in ((Form.FILMS, is_mura), (Form.VOC, is_voc), (Form.YOLO, is_yolo), (Form.CROPS, is_named_crops)):
        if fits(source):
            return form
    if is_crop_folders(source):
        raise UsageError(f"{str(source)!r} holds JOINT/GRADE/ folders already; give it to training as it is")
    return Form.FILMS


def import_data(source: Path, out: Path, *, films: Path | None = None, form: Form | None = None) -> Imported:
    """Turn a source into a manifest, a table of boxes, or `JOINT/GRADE/` folders.

    Films are never copied; crops are, as they are small and have to be sorted.

    Args:
        source: table, folder or zip archive.
        out: CSV file for films and boxes, or a folder in which it is named `manifest.csv` or `boxes.csv`; a folder for
            crops.
        films: folder or archive of a table's films, where they do not lie in a usual place.
        form: of the source, where it should not be told from it.

    Raises:
        TableError: if the source cannot be understood.
        UsageError: if what would be written is there already.
        OSError: if it cannot be written.
    """
    form = form_of(source) if form is None else form
    if form is Form.CROPS:
        return _sort_crops(source, out)
    if form is Form.FILMS:
        studies = read_any(source, films=films)
        place = _file(out, "manifest.csv")
        write_manifest(studies, place)
        return Imported(form, place, len(studies))
    reader: Callable[[Path], list[LabelledBox]] = read_voc if form is Form.VOC else read_yolo
    boxes = reader(source)
    place = _file(out, "boxes.csv")
    write_boxes(boxes, place)
    return Imported(form, place, len(boxes))


def split_lists(studies: Sequence[Study]) -> dict[str, list[str]]:
    """Return ids by split: as the table has it, or fold 0 of 5 as `val` and the rest as `train`.

    Raises:
        UsageError: if only some of the films have a split.
    """
    told = [study for study in studies if study.split]
    if told and len(told) < len(studies):
        raise UsageError(f"{len(told)} of {len(studies)} films have a split; fill the column, or remove it")
    lists: dict[str, list[str]] = {}
    for study in studies:
        name = study.split or ("val" if fold_of(study.id) == 0 else "train")
        lists.setdefault(name, []).append(study.id)
    return dict(sorted(lists.items()))


def _sort_crops(source: Path, out: Path) -> Imported:
    crops = read_named_crops(source)
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"{str(out)!r} holds files already; give a new folder as --out")
    for crop in crops:
        place = out / crop.joint / str(crop.grade)
        place.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(crop.path, place / f"{crop.hand}__{crop.path.name}")
    return Imported(Form.CROPS, out, len(crops))


def _file(out: Path, name: str) -> Path:
    place = out if out.suffix.lower() == ".csv" else out / name
    if place.exists():
        raise UsageError(f"{str(place)!r} is there already; give another --out")
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
