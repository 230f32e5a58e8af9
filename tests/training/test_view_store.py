"""Views on disk, and batches of them."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.runtime.bone_age import SEX_CODES  # noqa: E402
from capitate.training.folds import fold_of  # noqa: E402
from capitate.training.view_store import SEX_INDEX, ViewStore  # noqa: E402


def test_round_trip(store, tmp_path):
    store.save(tmp_path / "store")
    again = ViewStore.load(tmp_path / "store")
    for name in ("ids", "views", "masks", "months", "sexes"):
        assert np.array_equal(getattr(again, name), getattr(store, name))
        assert getattr(again, name).dtype == getattr(store, name).dtype


def test_a_batch_keeps_each_film_with_its_labels_in_any_order(store):
    rows = np.array([5, 2, 2, 31])
    views, masks, months, sexes = store.batch(rows)
    assert np.array_equal(views[:, 0].numpy(), store.views[rows])
    assert np.array_equal(masks[:, 0].numpy(), store.masks[rows])
    assert months.tolist() == store.months[rows].tolist()
    assert sexes.tolist() == store.sexes[rows].tolist()


def test_a_smaller_batch_keeps_brightness(store):
    views, masks, _, _ = store.batch(np.arange(4), size=(20, 16))
    assert views.shape == masks.shape == (4, 1, 20, 16)
    assert views.mean((1, 2, 3)).numpy() == pytest.approx(store.views[:4].mean((1, 2)), abs=1)
    assert masks.dtype == torch.bool


def test_folds_are_those_of_the_ids(store):
    assert store.folds(5).tolist() == [fold_of(name) for name in store.ids]


def test_sex_codes_are_those_of_assessment():
    assert {str(sex): code for sex, code in SEX_CODES.items()} == SEX_INDEX
