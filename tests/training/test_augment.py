"""Augmentation: drawn and applied apart, the hand protected, validation left alone."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.training import augment, loop  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.settings.augment import AugmentConfig  # noqa: E402

NOTHING = AugmentConfig(**{field.name: 0.0 for field in fields(AugmentConfig)})


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


def test_mirror_is_a_mirror(views, masks):
    drawn = augment.draw(6, replace(NOTHING, flip=1.0), generator=generator())
    assert torch.allclose(augment.apply(views, masks, drawn), views.flip(3).float(), atol=0.05)


@pytest.mark.parametrize("part", ["surroundings", "patches"])
def test_repainting_spares_the_hand(views, masks, part):
    drawn = augment.draw(6, replace(NOTHING, **{part: 1.0}), generator=generator())
    changed = (augment.apply(views, masks, drawn) - views.float()).abs() > 0.5
    assert changed.any()
    assert not changed[masks].any()


def test_the_same_generator_gives_the_same_batch(views, masks):
    first, second = (
        augment.apply(views, masks, augment.draw(6, AugmentConfig(), generator=generator(7))) for _ in range(2)
    )
    assert torch.equal(first, second)
    other = augment.apply(views, masks, augment.draw(6, AugmentConfig(), generator=generator(8)))
    assert not torch.equal(first, other)


def test_what_was_drawn_can_be_replayed(views, masks):
    drawn = augment.draw(6, AugmentConfig(), generator=generator())
    assert torch.equal(augment.apply(views, masks, drawn), augment.apply(views, masks, drawn))


def test_grey_levels_stay_grey_levels(views, masks):
    out = augment.apply(views, masks, augment.draw(6, AugmentConfig(), generator=generator()))
    assert out.shape == views.shape
    assert out.min() >= 0
    assert out.max() <= 255


def test_prediction_is_never_augmented(store, tiny, monkeypatch):
    def forbidden(*_args, **_kwargs):
        raise AssertionError("augmentation was called")

    monkeypatch.setattr(augment, "draw", forbidden)
    monkeypatch.setattr(augment, "apply", forbidden)
    network = BoneAgeNetwork(tiny.network)
    first, second = (loop.predict(network, store, np.arange(8)) for _ in range(2))
    assert np.array_equal(first, second)
