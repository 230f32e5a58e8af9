"""Views of one hand that differ as storage, positioning and cropping make them differ; their answers are averaged.

A network with strides answers a little differently when a hand moves by a pixel; the mean over a few such moves does so
much less (docs/bone-age-model.md). A card and an experiment state them in one form: `[right, down, mirrored]`, or a
table of the fields of `TestView` of which those left out keep their defaults.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.errors import UsageError

__all__ = ["Place", "TestView", "five_crops", "read_test_views"]

Scalar = TypeVar("Scalar", bound=np.generic)

_RANGES = {"turned": (-45.0, 45.0), "scaled": (0.5, 2.0), "crop": (0.5, 1.0)}
_FORM = "test_views must be a list of [right, down, mirrored]"


class Place(StrEnum):
    """Which part of the view a crop keeps."""

    CENTRE = "centre"
    UPPER_LEFT = "upper-left"
    UPPER_RIGHT = "upper-right"
    LOWER_LEFT = "lower-left"
    LOWER_RIGHT = "lower-right"

    @property
    def direction(self) -> tuple[int, int]:
        """Where the part lies from the centre: -1, 0 or 1 to the right and down."""
        if self is Place.CENTRE:
            return 0, 0
        return (-1 if self.endswith("left") else 1), (-1 if self.startswith("upper") else 1)


@dataclass(frozen=True)
class TestView:
    """A view cropped, turned and scaled, then moved by whole pixels, then mirrored or not.

    Attributes:
        right: pixels by which the picture moves to the right.
        down: pixels by which it moves down.
        mirrored: whether left and right are exchanged at the end.
        turned: degrees anticlockwise about the centre.
        scaled: factor about the centre, above 1 for a larger hand.
        crop: side of the part that is enlarged to the whole view, as a share of the view's.
        place: which part that is.
    """

    right: int
    down: int
    mirrored: bool
    turned: float = 0.0
    scaled: float = 1.0
    crop: float = 1.0
    place: Place = Place.CENTRE

    @property
    def resampled(self) -> bool:
        """Whether pixels are interpolated; a view that is moved and mirrored only keeps its grey levels."""
        return (self.turned, self.scaled, self.crop) != (0, 1, 1)

    def of(self, view: NDArray[Scalar]) -> NDArray[Scalar]:
        """Make the test view of a view (height, width); what comes in from outside is 0."""
        view = self._resample(view) if self.resampled else view
        moved = np.zeros_like(view)
        height, width = view.shape
        to_rows, from_rows = _overlap(self.down, height)
        to_columns, from_columns = _overlap(self.right, width)
        moved[to_rows, to_columns] = view[from_rows, from_columns]
        return moved[:, ::-1] if self.mirrored else moved

    def to_card(self) -> list[int | bool] | dict[str, Any]:
        """Give the form of a card: the list where it says everything, which older versions read too."""
        if not self.resampled:
            return [self.right, self.down, self.mirrored]
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: str(value) if name == "place" else value for name, value in values.items()}

    def to_view(self, height: int, width: int) -> NDArray[np.float64]:
        """Give the affine map (2, 3) from pixels of the test view to those of the view it was made of.

        Args:
            height: rows of both.
            width: columns of both.
        """
        a, b, c, d, e, f = self._coefficients(height, width)
        resampled = np.array([[a, b, c], [d, e, f], [0.0, 0.0, 1.0]])
        across = -1.0 if self.mirrored else 1.0
        moved = np.array([[across, 0.0, width * self.mirrored - self.right], [0.0, 1.0, -self.down], [0.0, 0.0, 1.0]])
        found: NDArray[np.float64] = (resampled @ moved)[:2]
        return found

    def _coefficients(self, height: int, width: int) -> tuple[float, float, float, float, float, float]:
        """Give Pillow's affine map for crop, turn and scale: from pixels of the result to those of the view."""
        angle, factor = math.radians(self.turned), self.crop / self.scaled
        cos, sin = factor * math.cos(angle), factor * math.sin(angle)
        x, y = (
            side / 2 * (1 + toward * (1 - self.crop))
            for side, toward in zip((width, height), self.place.direction, strict=True)
        )
        half_w, half_h = width / 2, height / 2
        return cos, -sin, x - cos * half_w + sin * half_h, sin, cos, y - sin * half_w - cos * half_h

    def _resample(self, view: NDArray[Scalar]) -> NDArray[Scalar]:
        """Crop, turn and scale bilinearly, in one step."""
        height, width = view.shape
        coefficients = self._coefficients(height, width)
        image = Image.fromarray(np.ascontiguousarray(view, dtype=np.float32))
        made = image.transform((width, height), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR)
        picture = np.asarray(made, dtype=np.float32)
        return (np.rint(picture) if np.issubdtype(view.dtype, np.integer) else picture).astype(view.dtype)


def five_crops(side: float) -> tuple[TestView, ...]:
    """Give the crops of four corners and of the centre.

    System 001 cut squares of 470 of 500 pixels so, a side of 0.94.

    Args:
        side: of each crop, as a share of the view's.
    """
    return tuple(TestView(0, 0, False, crop=side, place=place) for place in Place)


def read_test_views(value: object) -> tuple[TestView, ...]:
    """Read the test views of a card or an experiment.

    Args:
        value: list of `[right, down, mirrored]` or of tables.

    Raises:
        UsageError: naming what was received.
    """
    if not isinstance(value, list | tuple):
        raise UsageError(f"{_FORM}, got {value!r}")
    return tuple(_read_one(one, value) for one in value)


def _read_one(one: object, whole: object) -> TestView:
    """Read one view."""
    if isinstance(one, Mapping):
        known = [each.name for each in fields(TestView)]
        unknown = sorted(set(one) - set(known))
        if unknown:
            raise UsageError(f"unknown key test_views.{unknown[0]}; known here: {', '.join(known)}")
        values = {"right": 0, "down": 0, "mirrored": False, **one}
    elif isinstance(one, list | tuple) and len(one) == 3:
        values = dict(zip(("right", "down", "mirrored"), one, strict=True))
    else:
        raise UsageError(f"{_FORM}, got {whole!r}")
    if not (type(values["right"]) is int and type(values["down"]) is int and type(values["mirrored"]) is bool):
        raise UsageError(f"test_views must hold whole pixels right and down, and true or false, got {whole!r}")
    return TestView(**{**values, **_checked(values)})


def _checked(values: Mapping[str, Any]) -> dict[str, Any]:
    """Check what a table may hold beyond a move and a mirror image."""
    checked: dict[str, Any] = {}
    for name, (least, most) in _RANGES.items():
        if name in values:
            value = values[name]
            if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
                raise UsageError(f"test_views.{name} must lie between {least:g} and {most:g}, got {value!r}")
            checked[name] = float(value)
    if "place" in values:
        places = ", ".join(Place)
        if values["place"] not in list(Place):
            raise UsageError(f"test_views.place must be one of {places}, got {values['place']!r}")
        checked["place"] = Place(values["place"])
    return checked


def _overlap(shift: int, size: int) -> tuple[slice, slice]:
    """Give where to and where from a line of `size` pixels is copied when it moves by `shift`."""
    return slice(max(shift, 0), size + min(shift, 0)), slice(max(-shift, 0), size + min(-shift, 0))
