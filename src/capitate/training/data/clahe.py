"""Local contrast equalisation (CLAHE) of whole data sets into a new folder, every split alike.

Source: Zuiderveld 1994, Contrast Limited Adaptive Histogram Equalization, Graphics Gems IV, 474-485; the clip limit is
that of OpenCV.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate import files
from capitate.errors import FilmError, MissingExtraError, UsageError
from capitate.training.data.crops import Crop
from capitate.training.manifest import Study, write_manifest
from capitate.training.prepare import Refused

__all__ = ["MARK", "ClaheRule", "Rotations", "claim_folder", "equalise_crops", "equalise_films", "equalised"]

MARK = "clahe.json"
"""File in a folder of equalised films that says how they were made."""

Samples = NDArray[np.uint8] | NDArray[np.uint16]


@dataclass(frozen=True)
class ClaheRule:
    """How contrast is equalised.

    Attributes:
        clip: most that a bin of a tile's histogram may hold, in multiples of the mean bin. 1 leaves nearly no
            equalisation, 2 to 4 lift faint bones, 15 or 40 turn noise into texture.
        tiles: number of tiles across and down, not their size: 8 on a film of 1500 x 2000 makes tiles of 188 x 250.
        least_tile: smallest side of a tile, pixels; below it a tile holds too few pixels for a histogram.
    """

    clip: float = 2.0
    tiles: int = 8
    least_tile: int = 16

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            UsageError: if the clip limit or the number of tiles is not positive.
        """
        if not self.clip > 0 or self.tiles < 1:
            raise UsageError(
                f"clip must be above 0 and tiles at least 1, got {self.clip:g} and {self.tiles}; 2 and 8 are usual"
            )


@dataclass(frozen=True)
class Rotations:
    """Turned copies of joint crops.

    Attributes:
        count: copies of each crop beside the one that is only equalised.
        degrees: largest turn either way; turns are whole degrees, drawn evenly, none twice and none of 0.
        seed: of the draw.
    """

    count: int = 0
    degrees: int = 45
    seed: int = 0

    def __post_init__(self) -> None:
        """Check that there are as many different turns as copies.

        Raises:
            UsageError: if there are not.
        """
        if not 0 <= self.count <= 2 * self.degrees:
            raise UsageError(
                f"there are {2 * self.degrees} turns of whole degrees up to {self.degrees}, got {self.count} copies; "
                "ask for fewer, or a larger angle"
            )


def equalised(pixels: Samples, *, rule: ClaheRule) -> Samples:
    """Equalise one picture of 8 or 16 bits.

    Args:
        pixels: uint8 or uint16 (height, width).
        rule: clip limit and tiles.

    Raises:
        UsageError: if the tiles would be smaller than the rule allows.
        MissingExtraError: if OpenCV is not installed.
    """
    try:
        import cv2
    except ModuleNotFoundError as error:
        raise MissingExtraError(what="Contrast equalisation (CLAHE)", extra="train") from error
    height, width = pixels.shape
    tile = (width // rule.tiles, height // rule.tiles)
    if min(tile) < rule.least_tile:
        raise UsageError(
            f"{rule.tiles} x {rule.tiles} tiles on a film of {width} x {height} are of {tile[0]} x {tile[1]} pixels, "
            f"and need {rule.least_tile} a side; tiles are counted, not measured: give fewer"
        )
    made: Any = cv2.createCLAHE(clipLimit=rule.clip, tileGridSize=(rule.tiles, rule.tiles)).apply(pixels)
    return np.asarray(made, dtype=np.uint8) if pixels.dtype == np.uint8 else np.asarray(made, dtype=np.uint16)


def equalise_films(
    studies: Sequence[Study],
    folder: Path,
    *,
    source: Path,
    rule: ClaheRule,
    progress: Callable[[], None] | None = None,
) -> list[Refused]:
    """Equalise every film of a table, whatever its split, and write them with a manifest.

    Args:
        studies: films.
        folder: new; films go to `films/` in it, named after their ids.
        source: table or folder that the films were listed in.
        rule: clip limit and tiles.
        progress: called after each film.

    Returns:
        Films that could not be read; they are not in the manifest.

    Raises:
        UsageError: if the folder is not new, or holds the source; or if a film is too small for the tiles.
    """
    claim_folder(folder, source=source, rule=rule)
    kept: list[Study] = []
    refused: list[Refused] = []
    for study in studies:
        target = folder / "films" / _safe(study.id)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(equalised(_read(study.path), rule=rule)).save(target)
            kept.append(replace(study, path=target.absolute()))
        except FilmError as error:
            refused.append(Refused(study.id, error.code, str(error)))
        if progress is not None:
            progress()
    if not kept:
        raise UsageError(f"none of {len(studies)} films can be read; check the table with `capitate data check`")
    write_manifest(kept, folder / "manifest.csv")
    return refused


def equalise_crops(
    crops: Sequence[Crop],
    folder: Path,
    *,
    source: Path,
    rule: ClaheRule,
    rotations: Rotations,
    progress: Callable[[], None] | None = None,
) -> int:
    """Equalise graded crops into `JOINT/GRADE/`, each with turned copies.

    The crop is equalised first and turned afterwards, with black corners and the same size. Every copy's name begins
    with its hand, `HAND__NAME-clahe-turned+17.png`, by which `data split` keeps siblings together.

    Returns:
        Number of files written.

    Raises:
        UsageError: if the folder is not new, or holds the source; or if a crop is too small for the tiles.
        FilmError: naming the crop that cannot be read.
    """
    claim_folder(folder, source=source, rule=rule, rotations=rotations)
    generator = np.random.default_rng(rotations.seed)
    turns = np.array([turn for turn in range(-rotations.degrees, rotations.degrees + 1) if turn])
    written = 0
    for crop in crops:
        picture = Image.fromarray(equalised(_read(crop.path), rule=rule))
        place = folder / crop.joint / str(crop.grade)
        place.mkdir(parents=True, exist_ok=True)
        stem = crop.path.stem if crop.path.stem.startswith(f"{crop.hand}__") else f"{crop.hand}__{crop.path.stem}"
        picture.save(place / f"{stem}-clahe.png")
        drawn: list[int] = generator.choice(turns, rotations.count, replace=False).tolist()
        for turn in drawn:
            copy = picture.rotate(turn, Image.Resampling.BILINEAR)
            copy.save(place / f"{stem}-clahe-turned{turn:+d}.png")
        written += 1 + len(drawn)
        if progress is not None:
            progress()
    return written


def claim_folder(folder: Path, *, source: Path, rule: ClaheRule, rotations: Rotations | None = None) -> None:
    """Make the new folder and write into it how its films are made.

    Raises:
        UsageError: if it holds something, lies where the films come from, or these were equalised before.
    """
    here, there = folder.absolute(), source.absolute()
    if here == there or here in there.parents:
        raise UsageError(f"films are never equalised in place, got {str(folder)!r} for both; give a new --out")
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{str(folder)!r} holds files already; give a new folder as --out")
    origin = there if there.is_dir() else there.parent
    if (origin / MARK).exists():
        raise UsageError(f"the films of {str(source)!r} were equalised before (there is a {MARK}); give the originals")
    folder.mkdir(parents=True, exist_ok=True)
    about = {"rule": asdict(rule), "rotations": asdict(rotations) if rotations else None, "source": source.name}
    (folder / MARK).write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")


def _read(path: Path) -> Samples:
    """Read a film at its depth: 8 bits as uint8, deeper ones as uint16."""
    film = files.read(path)
    if film.bits <= 8:
        return np.rint(film.pixels * 255).astype(np.uint8)
    return np.rint(film.pixels * 65535).astype(np.uint16)


def _safe(name: str) -> str:
    """Return a relative file name of a film's id, which may be a path."""
    inner = "/".join(part for part in PurePosixPath(name).parts if part not in ("/", "..", "."))
    return inner if inner.lower().endswith(".png") else f"{inner}.png"
