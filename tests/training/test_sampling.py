"""Sampling of an epoch: a function of ages, sexes, seed and epoch, balanced as the method says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.training.bone_age_task import BoneAgeTask
from capitate.training.sampling import age_sex_weights, epoch_rows, films_an_epoch, noisy_months
from capitate.training.settings.sampling import METHODS, SamplingConfig


def population() -> tuple[np.ndarray, np.ndarray]:
    """Six hundred films as skewed as the RSNA training set: few small children."""
    random = np.random.default_rng(0)
    months = np.clip(random.normal(127, 41, 600), 1, 228).round().astype(np.float32)
    return months, random.integers(0, 2, 600)


MONTHS, SEXES = population()


def rows(config: SamplingConfig, *, seed: int = 3, epoch: int = 0) -> np.ndarray:
    return epoch_rows(MONTHS, SEXES, config, seed=seed, epoch=epoch)


def test_by_default_every_film_comes_once():
    order = rows(SamplingConfig())
    assert np.array_equal(np.sort(order), np.arange(600))
    assert not np.array_equal(order, np.arange(600))


@pytest.mark.parametrize("method", METHODS)
def test_seed_and_epoch_decide(method):
    config = SamplingConfig(method=method)
    assert np.array_equal(rows(config, epoch=4), rows(config, epoch=4))
    assert not np.array_equal(rows(config, epoch=4), rows(config, epoch=5))
    assert not np.array_equal(rows(config, seed=1), rows(config, seed=2))


@pytest.mark.parametrize("method", METHODS)
def test_an_epoch_is_as_long_as_announced_and_holds_known_films(method):
    for films in (0, 30):
        config = SamplingConfig(method=method, films=films)
        order = rows(config)
        assert len(order) == films_an_epoch(MONTHS, SEXES, config)
        assert order.dtype == np.int64
        assert set(order.tolist()) <= set(range(600))
    assert films_an_epoch(MONTHS, SEXES, SamplingConfig(method=method)) == pytest.approx(600, abs=12)


def test_strata_of_system_001_hold_as_many_films_each():
    order = rows(SamplingConfig(method="strata", films=150))
    strata = np.digitize(MONTHS[order], [57, 114, 171])
    assert np.bincount(strata).tolist() == [150] * 4


def test_films_of_a_stratum_come_equally_often():
    order = rows(SamplingConfig(method="strata", films=150))
    for stratum in range(4):
        own = np.flatnonzero(np.digitize(MONTHS, [57, 114, 171]) == stratum)
        times = np.bincount(order, minlength=600)[own]
        assert times.max() - times.min() <= 1


def test_bins_of_system_004_hold_as_many_films_of_each_sex_with_repeats():
    order = rows(SamplingConfig(method="bins", films=50))
    edges = np.linspace(MONTHS.min(), MONTHS.max(), 11)[1:-1]
    counts = np.bincount(np.searchsorted(edges, MONTHS[order]) * 2 + SEXES[order], minlength=20)
    present = np.bincount(np.searchsorted(edges, MONTHS) * 2 + SEXES, minlength=20) > 0
    assert (counts[present] == 50).all()
    assert not counts[~present].any()
    assert len(np.unique(order)) < len(order)


def test_weights_are_the_inverse_density_of_age_within_a_sex():
    months = np.array([10.0] * 4 + [100.0] * 2 + [10.0], dtype=np.float32)
    sexes = np.array([0] * 6 + [1])
    weights = age_sex_weights(months, sexes, power=1.0, smoothing_months=0.0)
    assert weights * 3 == pytest.approx([0.25] * 4 + [0.5] * 2 + [1.0])
    half = age_sex_weights(months, sexes, power=0.5, smoothing_months=0.0)
    assert half[0] / half[6] == pytest.approx(0.5)
    assert age_sex_weights(months, sexes, power=0.0, smoothing_months=6.0) == pytest.approx([1 / 7] * 7)


def test_weighting_shows_small_children_more_often():
    young = MONTHS < 57
    share = np.mean([young[rows(SamplingConfig(method="weights", power=1.0), epoch=k)].mean() for k in range(5)])
    assert share > 3 * young.mean()


def test_smoothing_keeps_an_age_between_an_atlass_plates_from_counting_as_rare():
    months = np.array([120.0] * 40 + [121.0] + [122.0] * 40)
    sexes = np.zeros(81, dtype=np.int64)
    sharp = age_sex_weights(months, sexes, power=1.0, smoothing_months=0.0)
    smooth = age_sex_weights(months, sexes, power=1.0, smoothing_months=6.0)
    assert sharp[40] / sharp[0] == pytest.approx(40)
    assert smooth[40] / smooth[0] == pytest.approx(1, abs=0.05)


def test_label_noise_is_new_in_every_epoch_and_of_the_stated_deviation():
    config = SamplingConfig(label_noise=2.0)
    many = np.full(4000, 100.0, dtype=np.float32)
    noisy = noisy_months(many, config, seed=1, epoch=0)
    assert noisy.dtype == np.float32
    assert (noisy - many).std() == pytest.approx(2, rel=0.05)
    assert (noisy - many).mean() == pytest.approx(0, abs=0.15)
    assert np.array_equal(noisy, noisy_months(many, config, seed=1, epoch=0))
    assert not np.array_equal(noisy, noisy_months(many, config, seed=1, epoch=1))
    assert noisy_months(np.zeros(50, dtype=np.float32), config, seed=1, epoch=0).min() == 0
    assert np.array_equal(noisy_months(MONTHS, SamplingConfig(), seed=1, epoch=0), MONTHS)


def test_label_noise_leaves_the_order_alone():
    assert np.array_equal(rows(SamplingConfig()), rows(SamplingConfig(label_noise=3.0)))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "even"}, "sampling.method must be one of once, weights, strata, bins, got 'even'"),
        ({"power": 2.0}, "sampling.power must lie between 0 and 1, got 2.0"),
        ({"label_noise": -1.0}, "sampling.label_noise must lie between 0 and 60 months, got -1.0"),
        ({"bins": 0}, "bins of 1 or more"),
        ({"edges": (57, 57)}, "sampling.edges must rise"),
    ],
)
def test_settings_that_cannot_be_are_named(values, message):
    with pytest.raises(UsageError, match=message):
        SamplingConfig(**values)


def test_ages_and_sexes_belong_together():
    with pytest.raises(UsageError, match="got 2 and 3"):
        epoch_rows(np.zeros(2), np.zeros(3, dtype=np.int64), SamplingConfig(), seed=0, epoch=0)


def test_training_shows_the_films_and_ages_that_sampling_says(store, tiny, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    from capitate.training import loop
    from capitate.training.view_store import ViewStore

    settings = SamplingConfig(method="strata", edges=(100,), films=12, label_noise=2.0)
    config = replace(tiny, sampling=settings)
    shown: list[int] = []
    batch = ViewStore.batch

    def record(self, rows, *, size=None):
        shown.extend(rows.tolist())
        return batch(self, rows, size=size)

    monkeypatch.setattr(ViewStore, "batch", record)
    learnt = np.arange(4, 30)
    loop.train(BoneAgeTask(store, config), learnt, folder=tmp_path)
    months, sexes = store.months[learnt], store.sexes[learnt]
    expected = [learnt[epoch_rows(months, sexes, settings, seed=config.seed, epoch=k)] for k in range(3)]
    assert shown == np.concatenate(expected).tolist()
    assert np.bincount(store.months[shown] >= 100).tolist() == [36, 36]


def test_an_experiment_states_its_sampling():
    from capitate.training.config import load_config

    config = load_config(overrides=["sampling.method=bins", "sampling.films=500"])
    assert (config.sampling.method, config.sampling.films, config.sampling.bins) == ("bins", 500, 10)
    with pytest.raises(UsageError, match=r"unknown key sampling\.method_of"):
        load_config(overrides=["sampling.method_of=1"])
