"""The bone-age model of a bundle: test-time views, averages, and which calibration holds."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime import bone_age
from capitate.runtime.bone_age import BoneAgeModel, smoothed
from capitate.runtime.bundle import load_bundle
from capitate.runtime.views import HandFrame
from capitate.types import Sex

FRAME = HandFrame((0.0, 0.0), (0.5, 0.0), (0.0, 0.6))
SIX = [[-3, -2, False], [3, -2, False], [0, 4, False], [-3, -2, True], [3, -2, True], [0, 4, True]]
several = partial(np.random.default_rng(0).integers, 0, 256, dtype=np.uint8)


@pytest.mark.parametrize(
    ("view", "expected"),
    [
        ((0, 0, False), [[1, 2, 3], [4, 5, 6]]),
        ((0, 0, True), [[3, 2, 1], [6, 5, 4]]),
        ((1, 0, False), [[0, 1, 2], [0, 4, 5]]),
        ((-1, 0, False), [[2, 3, 0], [5, 6, 0]]),
        ((0, 1, False), [[0, 0, 0], [1, 2, 3]]),
        ((0, -1, False), [[4, 5, 6], [0, 0, 0]]),
        ((1, -1, True), [[5, 4, 0], [0, 0, 0]]),
    ],
)
def test_a_view_is_moved_then_mirrored(view, expected):
    picture = np.array([[1, 2, 3], [4, 5, 6]], dtype=np.uint8)
    moved = bone_age.TestView(*view).of(picture)
    assert moved.tolist() == expected
    assert moved.dtype == np.uint8
    assert picture.tolist() == [[1, 2, 3], [4, 5, 6]]


def test_views_are_the_bundles_own(changed):
    model = BoneAgeModel(changed("bone-age-small", test_views=SIX), threads=1)
    square = np.random.default_rng(0).random((299, 299), dtype=np.float32)
    views = model.views(square, FRAME)
    view = model.rule.view(square, FRAME)
    assert views.dtype == np.uint8
    assert views.shape == (6, model.rule.height, model.rule.width)
    for one, (right, down, mirrored) in zip(views, SIX, strict=True):
        assert np.array_equal(one, bone_age.TestView(right, down, mirrored).of(view))


def test_an_answer_is_the_mean_over_views_and_networks(changed):
    bundle = changed("bone-age-ensemble", test_views=SIX)
    model = BoneAgeModel(bundle, threads=1)
    views = several((2, 6, model.rule.height, model.rule.width))
    sexes = [Sex.FEMALE, Sex.UNKNOWN]
    whole = model.predict(views, sexes)
    assert whole.shape == (2, 240)
    assert whole.sum(1) == pytest.approx(1, abs=1e-5)
    by_view = np.mean([model.predict(views[:, k : k + 1], sexes) for k in range(6)], axis=0)
    assert whole == pytest.approx(by_view, abs=1e-4)
    members = [BoneAgeModel(bundle, threads=1, member=k) for k in range(len(bundle.networks))]
    assert whole == pytest.approx(np.mean([one.predict(views, sexes) for one in members], axis=0), abs=1e-4)


def test_a_film_alone_in_a_batch_and_on_two_threads_answers_the_same():
    """Within 0.01 months of the mean, which is far above what the order of additions changes."""
    one, two = (BoneAgeModel(load_bundle("bone-age-small"), threads=threads) for threads in (1, 2))
    views = several((32, len(one.test_views), one.rule.height, one.rule.width))
    sexes = [Sex.MALE, Sex.FEMALE] * 16
    months = np.arange(240)
    together = one.predict(views, sexes) @ months
    alone = [float(one.predict(views[k : k + 1], sexes[k : k + 1])[0] @ months) for k in range(32)]
    assert together == pytest.approx(alone, abs=0.01)
    assert together == pytest.approx(two.predict(views, sexes) @ months, abs=0.01)


def test_a_network_alone_is_calibrated_without_its_own_fold(changed):
    whole = {**load_bundle("bone-age-ensemble").card["calibration"], "level": 0.9}
    members = [{**whole, "reach": {str(sex): [0.3 + 0.01 * k] * 4 for sex in Sex}} for k in range(5)]
    bundle = changed("bone-age-ensemble", calibration=whole, member_calibrations=members)
    together = BoneAgeModel(bundle, threads=1).calibration
    assert together.reach[Sex.MALE] == tuple(whole["reach"]["male"])
    for k in (0, 3):
        assert BoneAgeModel(bundle, threads=1, member=k).calibration.reach[Sex.FEMALE] == (0.3 + 0.01 * k,) * 4


def test_a_card_without_calibrations_of_members_has_one_for_all(changed):
    bundle = changed("bone-age-ensemble", member_calibrations=None)
    assert BoneAgeModel(bundle, threads=1, member=1).calibration == BoneAgeModel(bundle, threads=1).calibration


def test_a_bundle_of_another_task_is_refused():
    with pytest.raises(UsageError, match="'hand-locator' does hand-locator, not bone-age"):
        BoneAgeModel(load_bundle("hand-locator"))


def test_smoothing_keeps_the_sum_and_the_mean_and_spreads_a_single_month():
    one = np.zeros((1, 240))
    one[0, 100] = 1
    row = smoothed(one, 3.0)
    months = np.arange(240)
    assert row.sum() == pytest.approx(1, abs=1e-6)
    assert (row @ months)[0] == pytest.approx(100, abs=1e-3)
    assert np.sqrt(row @ (months - 100.0) ** 2)[0] == pytest.approx(3, abs=0.02)
    assert np.array_equal(smoothed(one, 0.0), one.astype(np.float32))
