"""Which network of a bundle answers for a film, so that none is judged on what it learnt from."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from capitate.errors import UsageError
from capitate.evaluation.bundle_folds import BundleFolds


def bundle(*, folds: dict[str, int]) -> SimpleNamespace:
    return SimpleNamespace(
        name="some-folds",
        held_out=(0, 1),
        networks=("a", "b"),
        training_ids=frozenset({"first", "second", "third"}),
        training_folds=folds,
    )


def test_a_film_is_answered_for_by_the_network_that_held_it_out():
    found = BundleFolds(bundle(folds={"first": 1, "second": 0, "third": 1}), out_of_fold=True, instead="")
    assert [found.member(film) for film in ("first", "second", "third", "another")] == [1, 0, 1, None]


def test_a_film_that_every_network_learnt_from_is_refused():
    found = BundleFolds(bundle(folds={"first": 1, "second": 0}), out_of_fold=True, instead="")
    with pytest.raises(UsageError, match="no network of 'some-folds' held out the film 'third'"):
        found.member("third")
