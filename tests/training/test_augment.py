"""Augmentation: drawn and applied apart, the hand protected, replayed from a file, validation left alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training import augment, loop  # noqa: E402
from capitate.training.bone_age_task import BoneAgeTask  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402
from capitate.training.settings.augment import AugmentConfig  # noqa: E402

from .no_augmentation import NOTHING  # noqa: E402

EVERYTHING = AugmentConfig(
    flip_vertical=0.5, crop=0.3, clahe=0.7, clahe_tiles=4, histogram=0.7, uniform_operations=2, mixup=0.4
)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def views() -> torch.Tensor:
    return torch.randint(0, 256, (6, 1, 40, 32), generator=generator(), dtype=torch.uint8)


@pytest.fixture
def masks() -> torch.Tensor:
    masks = torch.zeros(6, 1, 40, 32, dtype=torch.bool)
    masks[:, :, 10:, 8:24] = True
    return masks


def test_drawing_nothing_leaves_views_unchanged(views, masks):
    drawn = augment.draw(6, NOTHING, generator=generator())
    assert torch.allclose(augment.apply(views, masks, drawn), views.float(), atol=0.05)


def test_views_and_masks_that_go_in_are_left_as_they_are(views, masks):
    before = views.clone(), masks.clone()
    whole = views.float()
    augment.apply(whole, masks, augment.draw(6, EVERYTHING, generator=generator()))
    assert torch.equal(whole, before[0].float())
    assert torch.equal(masks, before[1])


@pytest.mark.parametrize("part", ["surroundings", "patches"])
def test_repainting_spares_the_hand(views, masks, part):
    drawn = augment.draw(6, replace(NOTHING, **{part: 1.0}), generator=generator())
    changed = (augment.apply(views, masks, drawn) - views.float()).abs() > 0.5
    assert changed.any()
    assert not changed[masks].any()


@pytest.mark.parametrize("config", [AugmentConfig(), EVERYTHING], ids=["default", "everything"])
def test_the_same_generator_gives_the_same_batch(views, masks, config):
    first, second = (augment.apply(views, masks, augment.draw(6, config, generator=generator(7))) for _ in range(2))
    assert torch.equal(first, second)
    other = augment.apply(views, masks, augment.draw(6, config, generator=generator(8)))
    assert not torch.equal(first, other)


def test_what_was_drawn_is_replayed_from_a_file(views, masks, tmp_path):
    drawn = augment.draw(6, EVERYTHING, generator=generator())
    drawn.save(tmp_path / "drawn.safetensors")
    again = augment.Drawn.load(tmp_path / "drawn.safetensors")
    assert len(again) == len(drawn) == 6
    assert torch.equal(augment.apply(views, masks, again), augment.apply(views, masks, drawn))


def test_a_file_that_holds_no_record_is_named(tmp_path):
    (tmp_path / "other").write_bytes(b"12345678{}")
    with pytest.raises(UsageError, match="other holds no drawn augmentation"):
        augment.Drawn.load(tmp_path / "other")


def test_what_was_drawn_holds_at_any_resolution():
    drawn = augment.draw(1, replace(NOTHING, rotation=20.0, shift=0.1), generator=generator(3))
    large = torch.zeros(1, 1, 160, 128)
    large[:, :, 60:100, 40:80] = 255
    small = torch.nn.functional.avg_pool2d(large, 2)
    with_large = augment.apply(large, torch.ones_like(large, dtype=torch.bool), drawn)
    with_small = augment.apply(small, torch.ones_like(small, dtype=torch.bool), drawn)
    apart = (torch.nn.functional.avg_pool2d(with_large, 2) - with_small).abs()
    assert apart.mean() < 2
    assert (with_small - small).abs().mean() > 10


@pytest.mark.parametrize("config", [AugmentConfig(), EVERYTHING], ids=["default", "everything"])
def test_grey_levels_stay_grey_levels(views, masks, config):
    out = augment.apply(views, masks, augment.draw(6, config, generator=generator()))
    assert out.shape == views.shape
    assert out.dtype == torch.float32
    assert out.min() >= 0
    assert out.max() <= 255


def test_a_film_is_augmented_alike_in_any_batch(views, masks):
    """Two processes with half of the films each draw what one process draws."""
    config = replace(EVERYTHING, histogram=0.0)
    seeds = augment.film_seeds([str(k) for k in range(6)], seed=5, epoch=2)
    whole = augment.apply(views, masks, augment.draw(6, config, seeds=seeds))
    for part in (slice(0, 2), slice(2, 6)):
        drawn = augment.draw(part.stop - part.start, config, seeds=seeds[part])
        assert torch.allclose(augment.apply(views[part], masks[part], drawn), whole[part], atol=1e-3)


def test_switching_one_transform_on_leaves_what_the_others_drew():
    plain = augment.draw(6, AugmentConfig(), generator=generator())
    crops = replace(AugmentConfig(), crop=0.3, clahe=0.5, histogram=0.5, flip_vertical=0.5, uniform_operations=3)
    more = augment.draw(6, crops, generator=generator())
    for family in ("surroundings", "blur", "tone", "noise"):
        one, other = getattr(plain, family), getattr(more, family)
        assert all(torch.equal(getattr(one, part.name), getattr(other, part.name)) for part in fields(one))
    assert not torch.equal(plain.geometry.affine, more.geometry.affine)


def test_seeds_differ_by_run_epoch_film_and_occurrence():
    first = augment.film_seeds(["7", "8", "7"], seed=1, epoch=0)
    assert first == augment.film_seeds(["7", "8", "7"], seed=1, epoch=0)
    assert first[:2] == list(reversed(augment.film_seeds(["8", "7"], seed=1, epoch=0)))
    others = augment.film_seeds(["7"], seed=2, epoch=0) + augment.film_seeds(["7"], seed=1, epoch=1)
    assert len({*first, *others}) == 5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "exactly one"),
        ({"generator": generator(), "seeds": [1, 2]}, "exactly one"),
        ({"seeds": [1]}, "a seed for each of 2 views, got 1"),
    ],
)
def test_numbers_come_from_one_source(given, message):
    with pytest.raises(UsageError, match=message):
        augment.draw(2, AugmentConfig(), **given)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"flip": 1.5}, "augment.flip must lie between 0 and 1, got 1.5"),
        ({"rotation": -1.0}, "augment.rotation must be 0 or more, got -1.0"),
        ({"crop": 0.95}, "augment.crop must lie between 0 and 0.9"),
        ({"uniform_operations": 5}, "augment.uniform_operations must lie between 0 and 4, got 5"),
        ({"clahe": 0.5, "clahe_tiles": 1}, "clahe_tiles of 2 to 16, got 4.0 and 1"),
        ({"mixup": 0.4, "mixup_sex": "mean"}, "mixup_sex must be one of same, hidden, got 'mean'"),
        ({"mixup_months": 12.0}, "mixup_months is 12 without mixup"),
    ],
)
def test_a_range_that_cannot_be_is_named(values, message):
    with pytest.raises(UsageError, match=message):
        AugmentConfig(**values)


def test_strength_scales_ranges_and_leaves_shares():
    half = AugmentConfig().scaled(0.5)
    assert (half.rotation, half.noise, half.flip, half.surroundings) == (6.0, 3.0, 0.5, 0.4)
    assert AugmentConfig().scaled(1.0) == AugmentConfig()


def test_a_view_larger_than_the_default_is_drawn_within_the_stated_ranges():
    """What the released recipes mean by their keys: known ranges and, over many views, known shares and deviations."""
    drawn = augment.draw(20000, AugmentConfig(), generator=generator())
    assert drawn.tone.gamma.log().abs().max() == pytest.approx(0.4, abs=0.01)
    assert (drawn.tone.gain - 1).abs().max() == pytest.approx(0.25, abs=0.01)
    assert (drawn.tone.offset.min().item(), drawn.tone.offset.max().item()) == pytest.approx((-0.04, 0.1), abs=0.001)
    assert drawn.noise.deviation.max() * 255 == pytest.approx(6, abs=0.05)
    assert drawn.noise.deviation.mean() * 255 == pytest.approx(2, abs=0.05)
    affine = drawn.geometry.affine
    assert (torch.linalg.det(affine[:, :, :2]) < 0).float().mean() == pytest.approx(0.5, abs=0.02)
    assert affine[:, :, 2].abs().max() == pytest.approx(0.12, abs=0.002)
    turn = torch.atan2(affine[:, 1, 0], affine[:, 0, 0].abs()).rad2deg() * affine[:, 0, 0].sign()
    assert turn.abs().max() <= 24.01
    assert turn.std() == pytest.approx(12 * (2 / 3) ** 0.5, abs=0.2)
    assert (drawn.blur.side < 1).float().mean() == pytest.approx(0.3, abs=0.02)
    assert (drawn.surroundings.grey >= 0).float().mean() == pytest.approx(0.4, abs=0.02)
    assert (drawn.surroundings.patches[:, :, 2] > 0).float().mean() == pytest.approx(0.5, abs=0.02)
    assert not drawn.clahe.clip.any()
    assert (drawn.histogram.partner == torch.arange(20000)).all()
    assert drawn.uniform.operation.shape == (20000, 0)


def test_prediction_is_never_augmented(store, tiny, monkeypatch):
    """With every augmentation on, prediction calls none of it and answers as with every augmentation off."""

    def forbidden(*_args, **_kwargs):
        raise AssertionError("augmentation was called")

    network = BoneAgeNetwork(tiny.network)
    plain = predict(network, store, np.arange(8))
    for name in ("draw", "apply", "draw_mixture"):
        monkeypatch.setattr(augment, name, forbidden)
    monkeypatch.setattr(augment.Drawn, "apply", forbidden)
    assert np.array_equal(predict(network, store, np.arange(8)), plain)


def test_predictions_do_not_depend_on_what_was_augmented_before(store, tiny, tmp_path):
    """Training with everything on leaves the films of the store, its held-out rows among them, as they were."""
    films = store.views.copy(), store.months.copy(), store.sexes.copy()
    config = replace(tiny, augment=EVERYTHING)
    result = loop.train(BoneAgeTask(store, config), np.arange(24), folder=tmp_path)
    assert all(np.array_equal(a, b) for a, b in zip(films, (store.views, store.months, store.sexes), strict=True))
    assert all(np.isfinite(row["loss"]) for row in result.history)


def test_held_out_films_are_predicted_as_if_there_were_no_augmentation(saved, two, tmp_path):
    """A run with everything on writes the predictions that its weights give to the films as they are stored."""
    from capitate.training.bone_age_run import run_bone_age
    from capitate.training.out_of_fold import OutOfFold
    from capitate.training.related_runs import load_bone_age_run
    from capitate.training.runs import Run
    from capitate.training.view_store import ViewStore

    config = replace(two, augment=EVERYTHING, smoothing_months=0.0, surroundings_removed=False)
    run_bone_age(config, saved, tmp_path / "run", fold=0)
    written = OutOfFold.load([tmp_path / "run" / "out-of-fold.npz"])
    network, _ = load_bone_age_run(Run.load(tmp_path / "run"))
    store = ViewStore.load(saved)
    rows = np.flatnonzero(np.isin(store.ids, written.ids))
    plain = predict(network, store, rows, test_views=config.test_views)
    assert np.array_equal(store.ids[rows], written.ids)
    assert written.given == pytest.approx(plain, abs=1e-6)
    assert np.array_equal(written.months, store.months[rows])
