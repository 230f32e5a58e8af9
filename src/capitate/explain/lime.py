"""Maps by a local surrogate: a linear model of which superpixels the answer rests on.

After Ribeiro, Singh and Guestrin, "Why should I trust you?", KDD 2016, pages 1135-1144.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.explain.activation import ActivationMap
from capitate.explain.black_box import Ask, Meaning, answers, shrunk, softened
from capitate.explain.superpixels import superpixels

__all__ = ["SAMPLES", "SUPERPIXELS", "lime_map", "surrogate"]

SUPERPIXELS = 100
SAMPLES = 1000
"""Films with some superpixels hidden, as many as the authors' own program asks for unless told."""
_LONG_SIDE = 256
_KERNEL = 0.25
"""Width of the weights in cosine distance, and the ridge's penalty, as in the authors' own program."""
_PENALTY = 1.0


def lime_map(
    film: NDArray[np.float32],
    ask: Ask,
    *,
    meaning: Meaning,
    seed: int,
    count: int = SUPERPIXELS,
    samples: int = SAMPLES,
) -> ActivationMap:
    """Hide random superpixels, and fit what each of them adds to the answer.

    A superpixel's weight is spread evenly over its pixels; `base` is what the weights leave of the answer.

    Args:
        film: float32 (rows, columns), bone bright.
        ask: gives answers for films of this shape.
        meaning: whose answers these are.
        seed: of the random choice.
        count: of superpixels.
        samples: films that are asked for; more than superpixels.

    Raises:
        UsageError: if there are too few samples to fit the weights.
    """
    film = shrunk(film)
    small = shrunk(film, long_side=_LONG_SIDE)
    patches = superpixels(small, count=count)
    found = int(patches.max()) + 1
    if samples <= found:
        raise UsageError(f"{found} superpixels need more than {found} samples, got {samples}; ask for more")
    shown = np.random.default_rng(seed).random((samples, found)) < 0.5
    shown[0] = True
    width = max(film.shape) / np.sqrt(found)
    said = answers(_partly(film, _enlarged(patches, film.shape), shown, softened(film, width=float(width))), ask)
    weights = surrogate(shown, said)
    sizes = np.bincount(patches.ravel(), minlength=found)
    return meaning.map((weights / sizes)[patches], answer=float(said[0]))


def surrogate(shown: NDArray[np.bool_], said: NDArray[np.float64]) -> NDArray[np.float64]:
    """Fit weighted ridge regression of answers on what was shown.

    Args:
        shown: bool (samples, superpixels), the first with all of them.
        said: answers, (samples,).

    Returns:
        What each superpixel adds, float64 (superpixels,).
    """
    x = shown.astype(np.float64)
    distance = 1 - np.sqrt(x.mean(axis=1))  # cosine distance of a row of zeros and ones from one of ones
    weight = np.sqrt(np.exp(-np.square(distance) / _KERNEL**2))
    middle = (weight @ x) / weight.sum(), float(weight @ said / weight.sum())
    x, y = x - middle[0], said - middle[1]
    normal = (x * weight[:, None]).T @ x + _PENALTY * np.eye(x.shape[1])
    fitted: NDArray[np.float64] = np.linalg.solve(normal, (x * weight[:, None]).T @ y)
    return fitted


def _enlarged(patches: NDArray[np.int64], shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Bring superpixels to a film's size, each film pixel that of the patch it lies on."""
    rows, columns = (np.arange(n) * m // n for n, m in zip(shape, patches.shape, strict=True))
    return patches[np.ix_(rows, columns)]


def _partly(
    film: NDArray[np.float32], patches: NDArray[np.int64], shown: NDArray[np.bool_], soft: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    for row in shown:
        yield np.where(row[patches], film, soft)
