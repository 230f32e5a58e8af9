"""From a film to what the networks see; the same code in training, evaluation and assessment.

Three steps, each a function of pixels alone:

1. `squash`: the whole film on a square of 299 x 299, bilinear with antialiasing. The public training films exist only
   in this form, so every film is brought to it first; what a film's size, aspect or bit depth was is forgotten here.
2. `locator_input`: the square at 112 x 112 with stretched contrast, from which the locator finds the `HandFrame`;
   further looks at close-ups of that frame make it independent of what else is on the film.
3. `ViewRule.picture` and `ViewRule.view`: the hand, upright and scaled to a fixed share of the picture, with contrast
   stretched between percentiles of the view, at 8 bit. Padding, rotation and scale of the stored film drop out here.
   Small views are cut from that same square; large ones from as many pixels of the film as the rule asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "LOCATOR_SIZE",
    "SQUASH_SIZE",
    "HandFrame",
    "ViewRule",
    "frame_from_outputs",
    "locator_input",
    "normalised",
    "squash",
]

SQUASH_SIZE = 299
LOCATOR_SIZE = 112
_OUTSIDE = -1.0


def squash(pixels: NDArray[np.float32], *, side: int = SQUASH_SIZE) -> NDArray[np.float32]:
    """Resample a film to a square, as the training films are.

    Args:
        pixels: float32 (height, width) in [0, 1].
        side: of the square.

    Returns:
        float32 (side, side) in [0, 1].
    """
    return _resized(pixels, (side, side))


def _resized(pixels: NDArray[np.float32], shape: tuple[int, int]) -> NDArray[np.float32]:
    """Resample to rows and columns, bilinear with antialiasing."""
    if pixels.shape == shape:
        return pixels
    image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR), dtype=np.float32)


def locator_input(square: NDArray[np.float32]) -> NDArray[np.float32]:
    """Prepare the locator's input: 112 x 112, 1st to 99th percentile stretched to [-1, 1].

    Args:
        square: float32 (299, 299) from `squash`.

    Returns:
        float32 (1, 1, 112, 112).
    """
    image = Image.fromarray(np.ascontiguousarray(square)).resize(
        (LOCATOR_SIZE, LOCATOR_SIZE), Image.Resampling.BILINEAR
    )
    return normalised(np.asarray(image, dtype=np.float32))


def normalised(small: NDArray[np.float32]) -> NDArray[np.float32]:
    """Stretch a picture of the locator's size between its 1st and 99th percentile to [-1, 1], (1, 1, 112, 112)."""
    low, high = np.percentile(small, [1, 99]).astype(np.float32)
    stretched = np.clip((small - low) / (high - low + np.float32(1e-4)), 0, 1)
    return np.asarray(stretched * 2 - 1, dtype=np.float32)[None, None]


@dataclass(frozen=True)
class HandFrame:
    """Where the hand lies in the squashed film: a rotated box through finger ends and wrist.

    Coordinates run from -1 to 1 across the square, x to the right and y down.

    Attributes:
        centre: (x, y) of the box's centre.
        right: half axis from the centre to the box's right side, as seen with the fingers upright.
        down: half axis from the centre to the wrist.
    """

    centre: tuple[float, float]
    right: tuple[float, float]
    down: tuple[float, float]

    @property
    def mirrored(self) -> HandFrame:
        """The same hand's frame in the mirror image of the picture."""
        (cx, cy), (rx, ry), (dx, dy) = self.centre, self.right, self.down
        return HandFrame((-cx, cy), (rx, -ry), (-dx, dy))

    def compose(self, inner: HandFrame, *, margins: tuple[float, float, float, float]) -> HandFrame:
        """Bring a frame found in a close-up back to the picture that the close-up was cut from.

        Args:
            inner: in the close-up's coordinates.
            margins: the close-up's around this frame, as those of a `ViewRule`.
        """
        left, top, right, bottom = margins
        axes = np.array([self.right, self.down])
        middle = np.array(self.centre) + np.array([right - left, bottom - top]) @ axes
        axes *= np.array([[1 + left + right], [1 + top + bottom]])
        centre, across, down = (np.array(v) @ axes for v in (inner.centre, inner.right, inner.down))
        return HandFrame(*(_pair(v) for v in (centre + middle, across, down)))

    @classmethod
    def mean(cls, *frames: HandFrame) -> HandFrame:
        """Average frames of one hand."""
        means = np.mean([[f.centre, f.right, f.down] for f in frames], axis=0)
        return cls(*(_pair(v) for v in means))

    @property
    def rotation_degrees(self) -> float:
        """Anticlockwise turn that brings the fingers upright, in the squashed film, -180 to 180 degrees."""
        return float(np.degrees(np.arctan2(-self.down[0], self.down[1])))


def _pair(values: NDArray[np.floating[Any]]) -> tuple[float, float]:
    """Give two numbers as a tuple."""
    return float(values[0]), float(values[1])


def frame_from_outputs(outputs: NDArray[np.float32]) -> HandFrame:
    """Turn the locator's numbers into a frame.

    Args:
        outputs: centre x, y; log width, log height; direction of the fingers x, y (any length).
    """
    cx, cy, log_w, log_h, ux, uy = (float(v) for v in outputs[:6])
    norm = float(np.hypot(ux, uy)) or 1.0
    down = (-ux / norm, -uy / norm)
    half_w, half_h = float(np.exp(np.clip(log_w, -4, 2))) / 2, float(np.exp(np.clip(log_h, -4, 2))) / 2
    return HandFrame((cx, cy), (down[1] * half_w, -down[0] * half_w), (down[0] * half_h, down[1] * half_h))


@dataclass(frozen=True)
class ViewRule:
    """How a view is cut from a film. Stands in every bone-age bundle.

    Attributes:
        height: rows of the view.
        width: columns of the view.
        margins: left, top, right and bottom margin around the frame, in fractions of its width and height.
        percentiles: they become 0 and 255; the lower one of all pixels inside the film, the upper one of the view's
            centre alone (rows 15 to 95 %, columns 25 to 75 %), so that a lead marker beside the hand does not darken
            the hand.
        contrast_of_centre: whether the lower percentile is the centre's as well, so that neither black corners beyond a
            collimation nor padding make the hand pale.
        source: side of the square that views are cut from, or with `proportions` the most that the film's long side
            has. A view holds no finer detail than this: about twice its rows let it show what the film shows.
        proportions: whether the film keeps its proportions, and the view has one scale, set by the hand's length.
            Without it a view is as wide as the hand, on a film made square: all that films of lost proportions allow.
    """

    height: int = 160
    width: int = 128
    margins: tuple[float, float, float, float] = (0.13, 0.17, 0.13, 0.25)
    percentiles: tuple[float, float] = (1.0, 99.5)
    contrast_of_centre: bool = False
    source: int = SQUASH_SIZE
    proportions: bool = False

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Self:
        """Make a rule from plain values, such as those of a card or of `view.json`; what they lack has its default.

        Raises:
            KeyError, ValueError, TypeError: if they are no rule.
        """
        known = {name: values[name] for name in cls.__dataclass_fields__ if name in values}
        height, width = int(known.pop("height")), int(known.pop("width"))
        left, top, right, bottom = (float(value) for value in known.pop("margins"))
        low, high = (float(value) for value in known.pop("percentiles"))
        return cls(height, width, (left, top, right, bottom), (low, high), **known)

    def to_card(self) -> dict[str, Any]:
        """Give the rule as plain values."""
        return asdict(self)

    def picture(self, pixels: NDArray[np.float32], *, square: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Resample a film to what views are cut from.

        Args:
            pixels: float32 (height, width) in [0, 1], the film.
            square: `squash` of it, where that is there already; it is taken if it is what this rule asks for.
        """
        if not self.proportions:
            if square is not None and square.shape == (self.source, self.source):
                return square
            return squash(pixels, side=self.source)
        share = min(1.0, self.source / max(pixels.shape))
        rows, columns = (max(1, round(side * share)) for side in pixels.shape)
        return _resized(pixels, (rows, columns))

    def view(self, picture: NDArray[np.float32], frame: HandFrame) -> NDArray[np.uint8]:
        """Cut the upright hand and stretch its contrast.

        Sampled bilinearly at twice the size and averaged in blocks of 2 x 2. What lies outside the film is 0.

        Args:
            picture: float32 (rows, columns) from `picture`.
            frame: the hand.

        Returns:
            uint8 (height, width).
        """
        image = Image.fromarray(np.ascontiguousarray(picture))
        size = (2 * self.width, 2 * self.height)
        sampled = image.transform(
            size,
            Image.Transform.AFFINE,
            self._coefficients(frame, shape=picture.shape),
            Image.Resampling.BILINEAR,
            fillcolor=_OUTSIDE,
        )
        fine = np.asarray(sampled, dtype=np.float32)
        blocks = fine.reshape(self.height, 2, self.width, 2)
        inside: NDArray[np.bool_] = np.all(blocks >= 0, axis=(1, 3))
        mean = blocks.mean(axis=(1, 3))
        return _stretch(mean, inside, self.percentiles, low_of_centre=self.contrast_of_centre)

    def to_picture(self, frame: HandFrame, *, shape: tuple[int, ...]) -> NDArray[np.float64]:
        """Give the affine map (2, 3) from pixels of the view to those of a picture or film.

        Args:
            frame: the hand.
            shape: rows and columns of the picture; views without `proportions` lie alike on a film at any size.
        """
        affine = np.array(self._coefficients(frame, shape=shape)).reshape(2, 3)
        affine[:, :2] *= 2
        return affine

    def _coefficients(
        self, frame: HandFrame, *, shape: tuple[int, ...]
    ) -> tuple[float, float, float, float, float, float]:
        """Give Pillow's affine map from pixels of the doubled view to pixels of the picture."""
        left, top, right, bottom = self.margins
        half_x, half_y = shape[1] / 2, shape[0] / 2
        if self.proportions:
            frame = self._proportioned(frame, half_x=half_x, half_y=half_y)
        sx, sy = 2 * (1 + left + right) / (2 * self.width), 2 * (1 + top + bottom) / (2 * self.height)
        x0, y0 = -1 - 2 * left, -1 - 2 * top
        (rx, ry), (dx, dy), (cx, cy) = frame.right, frame.down, frame.centre
        ox, oy = cx + x0 * rx + y0 * dx, cy + x0 * ry + y0 * dy
        x, y = (rx * sx * half_x, dx * sy * half_x), (ry * sx * half_y, dy * sy * half_y)
        return (*x, (ox + 1) * half_x, *y, (oy + 1) * half_y)

    def _proportioned(self, frame: HandFrame, *, half_x: float, half_y: float) -> HandFrame:
        """Widen or narrow a frame until a pixel of the view is square on the film, and right is across from down."""
        left, top, right, bottom = self.margins
        across = (1 + top + bottom) * self.width / ((1 + left + right) * self.height)
        down_x, down_y = frame.down[0] * half_x, frame.down[1] * half_y
        return HandFrame(frame.centre, (down_y * across / half_x, -down_x * across / half_y), frame.down)


def _stretch(
    mean: NDArray[np.float32], inside: NDArray[np.bool_], percentiles: tuple[float, float], *, low_of_centre: bool
) -> NDArray[np.uint8]:
    """Bring the pixels inside the film to 0 ... 255 between two percentiles; outside is 0."""
    height, width = mean.shape
    centre = (slice(height * 15 // 100, height * 95 // 100), slice(width // 4, width * 3 // 4))
    values, central = mean[inside], mean[centre][inside[centre]]
    if central.size == 0:
        return np.zeros(mean.shape, dtype=np.uint8)
    dark = central if low_of_centre else values
    low, high = np.percentile(dark, percentiles[0]), np.percentile(central, percentiles[1])
    scaled = (mean - low) * (255.0 / max(float(high - low), 1e-4))
    return np.where(inside, np.clip(np.rint(scaled), 0, 255), 0).astype(np.uint8)
