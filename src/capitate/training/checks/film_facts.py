"""One film looked at once: size, grey values, texture, and a fingerprint by which copies are found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.ndimage import gaussian_filter

from capitate import files
from capitate.errors import FilmError, UnreadablePathError
from capitate.radiograph import Radiograph
from capitate.training.manifest import Study
from capitate.training.prepare import Refused, each_film

__all__ = ["GREY_BINS", "TURNS", "FilmFacts", "film_facts", "look_at_films", "perceptual_bits", "turned"]

GREY_BINS = 64
_THUMBNAIL = 48
_HASHED, _LOW = 32, 8
_STUDIED = 256
_FINE = 1.5
_MARGIN = 20
TURNS = 8
"""Quarter turns and their mirror images."""

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class FilmFacts:
    """What is measured on one film. Grey values are fractions of the full scale.

    Attributes:
        id: of the film.
        format: of its bytes.
        bits: significant bits of a stored pixel.
        height: rows.
        width: columns.
        sha256: of the file.
        mean: of all pixels.
        sd: standard deviation of all pixels.
        rim: median of the outermost pixels.
        margin: median of the pixels a twentieth of the shorter side further in.
        middle: mean of the middle quarter of the area.
        detail: root mean square of what is finer than a 170th of the longer side, divided by `sd`; local equalisation
            raises it.
        counts: int64 (64,) pixels by grey value.
        thumbnail: uint8 (48, 48), squashed and stretched between its extremes.
        findings: codes of what reading remarked.
    """

    id: str
    format: str
    bits: int
    height: int
    width: int
    sha256: str
    mean: float
    sd: float
    rim: float
    margin: float
    middle: float
    detail: float
    counts: NDArray[np.int64]
    thumbnail: Bytes
    findings: tuple[str, ...]


def look_at_films(
    studies: Sequence[Study], *, workers: int = 1, progress: Callable[[], None] | None = None
) -> tuple[list[FilmFacts], list[Refused]]:
    """Read every film once; give the facts of those that can be read, and the others with the reason."""
    facts: list[FilmFacts] = []
    refused: list[Refused] = []
    for result in each_film(_look, studies, workers=workers):
        if isinstance(result, Refused):
            refused.append(result)
        else:
            facts.append(result)
        if progress is not None:
            progress()
    return facts, refused


def film_facts(name: str, radiograph: Radiograph) -> FilmFacts:
    """Measure a film that was read."""
    pixels = radiograph.pixels
    height, width = pixels.shape
    inset = max(1, min(height, width) // _MARGIN)
    small = _reduced(pixels, _STUDIED)
    spread = float(small.std())
    fine = small - gaussian_filter(small, _FINE)
    return FilmFacts(
        id=name,
        format=radiograph.format,
        bits=radiograph.bits,
        height=height,
        width=width,
        sha256=radiograph.sha256,
        mean=float(pixels.mean()),
        sd=float(pixels.std()),
        rim=_median_of_edge(pixels),
        margin=_median_of_edge(pixels[inset:-inset, inset:-inset]),
        middle=float(pixels[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4].mean()),
        detail=float(fine.std()) / max(spread, 1e-6),
        counts=np.histogram(pixels, GREY_BINS, (0.0, 1.0))[0].astype(np.int64),
        thumbnail=_thumbnail(pixels),
        findings=tuple(finding.code for finding in radiograph.findings),
    )


def perceptual_bits(thumbnails: Bytes) -> NDArray[np.bool_]:
    """Return 64 bits a picture that survive scaling, recompression and changes of brightness.

    The bits tell which of the 8 x 8 lowest coefficients of the discrete cosine transform of the picture at 32 x 32 lie
    above their median; the mean grey value is left out of it. Source: Zauner 2010, Implementation and Benchmarking of
    Perceptual Image Hash Functions, 3.2.1.

    Args:
        thumbnails: uint8 (n, 48, 48).

    Returns:
        Boolean (n, 64).
    """
    size = (_HASHED, _HASHED)
    small = np.stack([np.asarray(Image.fromarray(one).resize(size, Image.Resampling.BOX)) for one in thumbnails])
    low = dctn(small.astype(np.float32), axes=(1, 2), norm="ortho")[:, :_LOW, :_LOW].reshape(len(small), -1)
    return np.asarray(low > np.median(low[:, 1:], axis=1, keepdims=True))


def turned(pictures: NDArray[Any], turn: int) -> NDArray[Any]:
    """Turn pictures (n, s, s) by `turn % 4` quarters, and mirror them first where `turn` is 4 or more."""
    mirrored = pictures[:, :, ::-1] if turn >= 4 else pictures
    return np.ascontiguousarray(np.rot90(mirrored, turn % 4, axes=(1, 2)))


def _look(study: Study) -> FilmFacts | Refused:
    try:
        return film_facts(study.id, files.read(study.path))
    except UnreadablePathError as error:
        return Refused(study.id, "missing_film", str(error))
    except FilmError as error:
        return Refused(study.id, error.code, str(error))


def _median_of_edge(pixels: NDArray[np.float32]) -> float:
    return float(np.median(np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])))


def _reduced(pixels: NDArray[np.float32], longer: int) -> NDArray[np.float32]:
    scale = longer / max(pixels.shape)
    size = tuple(max(8, round(side * scale)) for side in pixels.shape[::-1])
    image = Image.fromarray(np.ascontiguousarray(pixels)).resize((size[0], size[1]), Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)


def _thumbnail(pixels: NDArray[np.float32]) -> Bytes:
    image = Image.fromarray(np.ascontiguousarray(pixels))
    small = np.asarray(image.resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX), dtype=np.float32)
    low, high = float(small.min()), float(small.max())
    stretched = (small - low) * np.float32(255 / max(high - low, 1e-6))
    return np.asarray(np.rint(stretched), dtype=np.uint8)
