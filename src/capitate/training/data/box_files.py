"""A table of boxes and its films, written as label files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from capitate import files
from capitate.errors import UsageError
from capitate.files.archive import archive_of
from capitate.training.data.boxes import read_boxes, read_sound_boxes
from capitate.training.data.importing import split_lists
from capitate.training.data.voc import write_voc
from capitate.training.data.yolo import write_yolo
from capitate.training.manifest import Study

__all__ = ["WrittenLabels", "write_labels"]


@dataclass(frozen=True)
class WrittenLabels:
    """What was written.

    Attributes:
        films: number of labelled films.
        boxes: number of boxes.
        lists: number of films by split.
        without_film: labelled films that the table of films does not name; they were left out.
        wrong: films left out because their boxes are wrong, with the reason.
    """

    films: int
    boxes: int
    lists: Mapping[str, int]
    without_film: int
    wrong: Mapping[str, str]


def write_labels(
    table: Path, studies: Sequence[Study], folder: Path, *, voc: bool, leave_out_wrong: bool = False
) -> WrittenLabels:
    """Write the labels of the films that have some, with a list of films for each split.

    Args:
        table: of boxes.
        studies: films, whose split decides the list.
        folder: for the labels.
        voc: write VOC's XML files instead of YOLO's text files.
        leave_out_wrong: leave out films with wrong boxes, see `read_sound_boxes`, instead of stopping.

    Raises:
        TableError: if the table of boxes cannot be used.
        UsageError: if no labelled film is among the films, or a film for YOLO lies in an archive.
        FilmError: if a film cannot be read for its size, which VOC needs.
        OSError: if a file cannot be written.
    """
    boxes, wrong = read_sound_boxes(table) if leave_out_wrong else (read_boxes(table), {})
    labelled = {box.film for box in boxes}
    kept = [study for study in studies if study.id in labelled]
    if not kept:
        raise UsageError(f"none of the {len(labelled)} labelled films of {table.name} is in the table of films")
    known = {study.id for study in kept}
    used = [box for box in boxes if box.film in known]
    splits = split_lists(kept)
    if voc:
        sizes = {study.id: _size(study.path) for study in kept}
        write_voc(used, folder, sizes=sizes, splits=splits)
    else:
        write_yolo(used, folder, films=_linked(kept, folder), splits=splits)
    lists = {name: len(ids) for name, ids in splits.items()}
    return WrittenLabels(len(kept), len(used), lists, len(labelled - known), wrong)


def _linked(studies: Sequence[Study], folder: Path) -> dict[str, str]:
    """Link the films into `images/`, where readers of YOLO's form look for the picture of `labels/ID.txt`.

    Returns:
        The link of every film by id, relative to the folder.
    """
    inside = next((study.id for study in studies if archive_of(study.path)), None)
    if inside is not None:
        raise UsageError(f"readers of YOLO's form need files, and the film {inside!r} is in an archive; unpack it")
    (folder / "images").mkdir(parents=True, exist_ok=True)
    links = {}
    for study in studies:
        link = Path("images") / f"{study.id}{study.path.suffix}"
        (folder / link).symlink_to(study.path)
        links[study.id] = f"./{link.as_posix()}"
    return links


def _size(path: Path) -> tuple[int, int]:
    film = files.read(path)
    return film.width, film.height
