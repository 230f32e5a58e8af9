"""Stores that cannot be trained on are refused by the film and the value."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training.opened_store import check_store, open_store, views_digest  # noqa: E402


def put(values, row, value):
    values = values.copy()
    values[row] = value
    return values


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda s: {"months": s.months[:-1]}, "does not fit its films: 32 ids, 32 views, 32 masks, 31 months"),
        (lambda s: {"views": s.views[:-2]}, "32 ids, 30 views"),
        (lambda s: {"masks": s.masks[:, :-1]}, r"differ in size"),
        (lambda s: {"months": put(s.months, 3, 300)}, "bone ages must be 0 to 239 months, got 300 for the film '1003'"),
        (lambda s: {"months": put(s.months, 0, -1)}, "got -1 for the film '1000'"),
        (lambda s: {"months": put(s.months, 5, np.nan)}, "got nan for the film '1005'"),
        (lambda s: {"sexes": put(s.sexes, 2, 7)}, "sexes must be 0, 1 or 2, got 7 for the film '1002'"),
        (lambda s: {"ids": put(s.ids, 1, "1000")}, "the film '1000' stands twice"),
    ],
)
def test_what_does_not_fit_is_named(store, tmp_path, spoil, says):
    with pytest.raises(UsageError, match=says):
        check_store(replace(store, **spoil(store)), tmp_path)


def test_a_good_store_opens_and_a_truncated_one_does_not(saved):
    assert len(open_store(saved).ids) == 32
    data = (saved / "views.npy").read_bytes()
    (saved / "views.npy").write_bytes(data[: len(data) // 2])
    with pytest.raises(UsageError, match="holds no views"):
        open_store(saved)


def test_the_digest_follows_every_pixel(saved, store):
    before = views_digest(saved)
    replace(store, views=put(store.views, (3, 20, 20), 255)).save(saved)
    assert views_digest(saved) != before
    store.save(saved)
    assert views_digest(saved) == before
    (saved / "masks.npy").unlink()
    assert views_digest(saved) is None
