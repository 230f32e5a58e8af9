"""Labelled pictures as the network for outlines learns from them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.errors import TableError, UsageError
from capitate.hand import Joint
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.training.data.boxes import LabelledBox, by_film, read_boxes
from capitate.training.data.film_finder import films_in, is_place
from capitate.training.data.pictures import read_pictures
from capitate.training.layouts import read_any
from capitate.training.manifest import Study, unique_ids
from capitate.training.outlines.masks import CutRule, cut_film
from capitate.training.prepare import Refused
from capitate.training.settings.outlines import Crops, OutlinesConfig, Outside
from capitate.training.settings.pictures import film_rule

__all__ = ["OutlineFilms", "open_outlines", "rule_of"]


@dataclass(frozen=True, eq=False)
class OutlineFilms:
    """Pictures in one order with their labels, one or several of a film.

    Attributes:
        ids: (n,), the film's id, and of crops the number of the region behind a slash.
        studies: the film of every picture.
        pictures: uint8 (n, height, width).
        labels: uint8 (n, height, width): 0 background, 1 joint region, 2 epiphysis or carpal bone, 255 unknown.
        rule: by which pictures were cut.
        refused: films that could not be used, by id.
    """

    ids: NDArray[np.str_]
    studies: Sequence[Study]
    pictures: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    rule: CropRule | FilmRule
    refused: Mapping[str, Refused]

    def __len__(self) -> int:
        return len(self.ids)

    def digest(self) -> str:
        """Compute the sha256 of ids and labels in their order."""
        total = hashlib.sha256()
        for name, labels in zip(self.ids.tolist(), self.labels, strict=True):
            total.update(f"{name}\n".encode() + labels.tobytes())
        return total.hexdigest()


def open_outlines(data: Path, config: OutlinesConfig) -> OutlineFilms:
    """Read masks and their films, and cut them.

    Args:
        data: folder with the folders of masks and pictures; or a table of the films in such a folder, which may tell
            their patients and folds.
        config: the experiment.

    Raises:
        UsageError: if there is nothing to learn from, or a film cannot be used and the run is to stop at it.
        TableError: if a mask has no film, or a table cannot be used.
    """
    base = data if data.is_dir() else data.parent
    masks = {path.stem: path for path in _listed(base / config.labels.masks, "masks")}
    studies = _studies(data, base / config.labels.pictures, masks)
    rule = rule_of(config)
    how = CutRule(
        masks={study.id: masks[study.id] for study in studies},
        rule=rule,
        least=config.least,
        masked=config.labels.masked,
        ignore=config.outside is Outside.IGNORE,
        aspect=config.reading.aspect,
        boxes=_boxes(base / config.labels.boxes) if config.labels.boxes else None,
    )
    made, refused = read_pictures(studies, partial(cut_film, how=how), config=config.reading)
    cuts = [(study, k, one) for study, several in made for k, one in enumerate(several)]
    alone = isinstance(rule, FilmRule)
    return OutlineFilms(
        ids=np.array([study.id if alone else f"{study.id}/{k}" for study, k, _ in cuts]),
        studies=[study for study, _, _ in cuts],
        pictures=np.stack([one.pixels for _, _, one in cuts]),
        labels=np.stack([one.labels for _, _, one in cuts]),
        rule=rule,
        refused=refused,
    )


def rule_of(config: OutlinesConfig) -> CropRule | FilmRule:
    """Give the rule by which an experiment's pictures are cut, in training and in assessment."""
    film = film_rule(config, config.reading)
    return CropRule(film, config.margin) if config.crops is Crops.JOINTS else film


def _boxes(path: Path) -> Mapping[str, Sequence[LabelledBox]]:
    """Read the joints of hands, by the names of the 21.

    Raises:
        TableError: if the table cannot be used, or holds another name.
    """
    boxes = read_boxes(path)
    strange = sorted({one.joint for one in boxes} - {*Joint})
    if strange:
        raise TableError(f"{path} must name the 21 joints, got {', '.join(strange[:5])}; see `capitate data joints`")
    return by_film(boxes)


def _studies(data: Path, pictures: Path, masks: Mapping[str, Path]) -> list[Study]:
    """Pair films with masks."""
    if data.is_dir():
        films = {path.stem: path for path in _listed(pictures, "pictures")}
        missing = sorted(masks.keys() - films.keys())
        if missing:
            raise TableError(
                f"{len(missing)} of {len(masks)} masks have no film in {str(pictures)!r}, got ids "
                f"{', '.join(missing[:5])}; masks and films belong together by their names"
            )
        return unique_ids([Study(path=films[name], id=name) for name in sorted(masks)], base=data.absolute())
    studies = [study for study in read_any(data, films=pictures) if study.id in masks]
    if not studies:
        raise UsageError(f"none of the films of {data} has a mask; masks are named after their films")
    return studies


def _listed(folder: Path, what: str) -> list[Path]:
    if not is_place(folder):
        raise UsageError(f"there is no folder {str(folder)!r}; name it as labels.{what}, from the folder of the data")
    found = films_in(folder)
    if not found:
        raise UsageError(f"{str(folder)!r} holds no pictures; name the right folder as labels.{what}")
    return found
