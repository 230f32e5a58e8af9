"""Folds follow from ids alone, for ever."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from capitate.training.folds import fold_of


@pytest.mark.parametrize(("film", "fold"), [("1377", 2), ("1378", 2), ("15610", 4)])
def test_known_answers(film, fold):
    assert fold_of(film) == fold


def test_the_rule():
    assert fold_of("abc", folds=7) == int(hashlib.sha256(b"abc").hexdigest()[:16], 16) % 7


def test_folds_are_nearly_equal():
    counts = Counter(fold_of(str(k)) for k in range(1377, 15612))
    expected = (15612 - 1377) / 5
    # 5 standard deviations of a binomial count
    assert all(abs(count - expected) < 5 * (expected * 0.8) ** 0.5 for count in counts.values())
    assert sorted(counts) == [0, 1, 2, 3, 4]
