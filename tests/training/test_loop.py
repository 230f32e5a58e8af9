"""The loop: it learns, resumes to the byte, and keeps film, sex and age together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.runtime import bone_age  # noqa: E402
from capitate.training import loop  # noqa: E402
from capitate.training.losses import inconsistency  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def rows():
    return np.arange(24)


def test_loss_falls(store, rows, tiny, tmp_path):
    settings = replace(tiny.optimiser, stages=tiny.optimiser.stages[1:] * 10, learning_rate=0.02)
    history = loop.train(store, rows, replace(tiny, optimiser=settings), folder=tmp_path).history
    assert len(history) == 20
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


def test_a_resumed_run_equals_an_unbroken_one(store, rows, tiny, tmp_path, monkeypatch):
    whole = loop.train(store, rows, tiny, folder=tmp_path / "whole")

    save = loop._State.save

    def save_and_die(state, path, epoch):
        save(state, path, epoch)
        if epoch == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(loop._State, "save", save_and_die)
    with pytest.raises(KeyboardInterrupt):
        loop.train(store, rows, tiny, folder=tmp_path / "broken")
    monkeypatch.setattr(loop._State, "save", save)
    resumed = loop.train(store, rows, tiny, folder=tmp_path / "broken")

    assert same(weights(whole.network), weights(resumed.network))
    assert [e["loss"] for e in whole.history] == [e["loss"] for e in resumed.history]


def test_seeds_differ(store, rows, tiny, tmp_path):
    first, second = (
        loop.train(store, rows, replace(tiny, seed=seed), folder=tmp_path / str(seed)).network for seed in (0, 1)
    )
    assert not same(weights(first), weights(second))


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(store, rows, tiny, tmp_path, monkeypatch):
    loop.train(store, rows, tiny, folder=tmp_path)
    before = (tmp_path / "last.pt").read_bytes()
    state = loop._State(tiny, rows.size, None)

    def full(*_args, **_kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        state.save(tmp_path / "last.pt", 1)
    assert (tmp_path / "last.pt").read_bytes() == before


def test_predictions_follow_the_film_not_its_place(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    rows = np.arange(32)
    shuffled = np.random.default_rng(1).permutation(32)
    mixed = ViewStore(*(getattr(store, name)[shuffled] for name in ("ids", "views", "masks", "months", "sexes")))
    ordered = dict(zip(store.ids, loop.predict(network, store, rows), strict=True))
    for name, row in zip(mixed.ids, loop.predict(network, mixed, rows, batch=5), strict=True):
        assert row == pytest.approx(ordered[name], abs=1e-5)


@pytest.mark.parametrize(("entrance", "matters"), [("none", False), ("early", True), ("late", True), ("both", True)])
def test_sex_reaches_the_answer_where_it_should(store, tiny, entrance, matters):
    torch.manual_seed(0)
    network = BoneAgeNetwork(replace(tiny.network, sex=entrance))
    girls, boys = (loop.predict(network, store, np.arange(4), sex=sex) for sex in (0, 1))
    assert np.allclose(girls, boys, atol=1e-9) is not matters


def test_the_films_own_sex_is_used(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    own = loop.predict(network, store, np.arange(32))
    by_sex = np.stack([loop.predict(network, store, np.arange(32), sex=sex) for sex in (0, 1)], axis=1)
    assert own == pytest.approx(by_sex[np.arange(32), store.sexes], abs=1e-5)


def test_answers_are_averaged_over_test_views(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    views = (bone_age.TestView(0, 0, False), bone_age.TestView(-3, 2, False), bone_age.TestView(1, 4, True))
    rows = np.arange(4)
    stores = [replace_views(store, np.stack([view.of(one) for one in store.views])) for view in views]
    mean = np.mean([loop.predict(network, one, rows) for one in stores], axis=0)
    assert loop.predict(network, store, rows, test_views=views) == pytest.approx(mean, abs=1e-6)
    assert loop.predict(network, store, rows, test_views=views[:1]) == pytest.approx(loop.predict(network, store, rows))


def replace_views(store, views):
    return ViewStore(store.ids, views, store.masks, store.months, store.sexes)


def test_training_begins_with_the_weights_that_are_given(store, rows, tiny, tmp_path):
    """At a vanishing learning rate the average ends where it began, weight decay aside."""
    torch.manual_seed(7)
    start = weights(BoneAgeNetwork(tiny.network))
    still = replace(tiny, optimiser=replace(tiny.optimiser, learning_rate=1e-12))
    network = loop.train(store, rows, still, folder=tmp_path, start=start).network
    learnt = {name for name, _ in network.named_parameters()}
    assert all(
        torch.allclose(value, start[name], atol=1e-6) for name, value in weights(network).items() if name in learnt
    )


def test_a_pupil_follows_its_teacher(store, rows, tiny, tmp_path):
    """A teacher that always says 100 months outweighs the labels."""
    teacher = np.zeros((32, 3, 240), dtype=np.float32)
    teacher[:, :, 100] = 1.0
    settings = replace(tiny.optimiser, distil=1.0, stages=tiny.optimiser.stages[1:] * 15, learning_rate=0.02)
    network = loop.train(store, rows, replace(tiny, optimiser=settings), folder=tmp_path, teacher=teacher).network
    assert abs(loop.predict(network, store, rows).argmax(1) - 100).max() <= 5


def test_consistency_makes_two_augmentations_of_a_film_agree(store, rows, tiny, tmp_path):
    def distance(weight):
        settings = replace(
            tiny.optimiser, consistency=weight, stages=tiny.optimiser.stages[1:] * 12, learning_rate=0.02
        )
        config = replace(tiny, optimiser=settings, augment=replace(tiny.augment, contrast=0.6))
        network = loop.train(store, rows, config, folder=tmp_path / str(weight)).network
        views, sexes, _ = loop._prepare(
            store, np.tile(rows, 2), config, (64, 48), torch.Generator().manual_seed(0), None, ages=store.months
        )
        with torch.no_grad():
            answers = network.eval()(views[:48], sexes[:48])
        return float(inconsistency(answers))

    assert distance(20.0) < 0.7 * distance(0.0)
