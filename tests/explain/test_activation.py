"""A map as a value: what it holds, how it comes to pixels, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.explain import ActivationMap


def made(values, *, base=100.0, quantity="bone_age", unit="months"):
    values = np.asarray(values, dtype=np.float32)
    return ActivationMap("bone-age", quantity, unit, values, base, base + float(values.sum()))


def test_parts_sum_to_the_answer_minus_the_base():
    one = made([[1.0, -2.0], [4.0, 0.5]])
    assert one.answer == 103.5
    assert one.gap == pytest.approx(0, abs=1e-6)


def test_peak_is_the_centre_of_the_cell_that_raises_most():
    assert made([[0, 0, 0, 0], [0, 0, 3, -9]]).peak() == (0.625, 0.75)


def test_pixels_keep_place_range_and_sign():
    pixels = made([[0.0, 8.0], [0.0, 0.0]]).at(60, 40)
    assert pixels.shape == (60, 40)
    assert pixels.dtype == np.float32
    assert pixels.max() == 8
    assert pixels.min() == 0
    assert pixels[:15, 30:].min() == 8
    assert pixels[45:, :10].max() == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"values": np.zeros((257, 3))}, "257"),
        ({"values": np.zeros(4)}, r"\(4,\)"),
        ({"values": [[np.nan]]}, "not finite"),
        ({"values": [[0.0]], "unit": "logit"}, "'bone_age' in 'logit'"),
        ({"values": [[0.0]], "quantity": "age"}, "'age'"),
    ],
)
def test_what_is_no_map_is_refused(change, told):
    with pytest.raises(UsageError, match=told):
        made(change.pop("values"), **change)


def test_no_pixels_are_refused():
    with pytest.raises(UsageError, match="0 x 5"):
        made([[0.0]]).at(0, 5)
