"""Films beside what local equalisation makes of them, so that an equalised split shows at a glance."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate import files
from capitate.errors import FilmError, MissingExtraError
from capitate.training.data.clahe import ClaheRule, equalised
from capitate.training.manifest import Study

__all__ = ["SAMPLE_CLIP", "SAMPLE_TILES", "SamplePair", "sample_pairs"]

SAMPLE_CLIP = 2.0
SAMPLE_TILES = 8
_LONGER_SIDE = 320
_QUALITY = 80


@dataclass(frozen=True)
class SamplePair:
    """One film before and after, as data URIs of JPEG pictures."""

    id: str
    split: str
    film: str
    equalised: str


def sample_pairs(splits: Mapping[str, Sequence[Study]], *, count: int, seed: int) -> list[SamplePair]:
    """Draw films of every split.

    A film that cannot be read is passed over, as it is among the findings. Without the library that equalises there
    are no pairs.

    Args:
        splits: films by split.
        count: films of each.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    pairs: list[SamplePair] = []
    try:
        for name, group in splits.items():
            for k in generator.permutation(len(group))[:count]:
                pairs += _pair(group[k], name)
    except MissingExtraError:
        return []
    return pairs


def _pair(study: Study, split: str) -> list[SamplePair]:
    try:
        pixels = files.read(study.path).pixels
    except FilmError:
        return []
    film: NDArray[np.uint8] = np.rint(pixels * 255).astype(np.uint8)
    after = equalised(film, rule=ClaheRule(clip=SAMPLE_CLIP, tiles=SAMPLE_TILES, least_tile=1))
    return [SamplePair(study.id, split, _uri(film), _uri(after))]


def _uri(pixels: NDArray[Any]) -> str:
    image = Image.fromarray(pixels)
    image.thumbnail((_LONGER_SIDE, _LONGER_SIDE), Image.Resampling.BOX)
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=_QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(stream.getvalue()).decode()
