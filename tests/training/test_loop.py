"""The loop: it learns, resumes to the byte, and keeps film, sex and age together."""

from __future__ import annotations

import copy
import csv
import resource
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from safetensors.torch import load_file  # noqa: E402

from capitate.errors import ReportWriteError, UsageError  # noqa: E402
from capitate.runtime import bone_age  # noqa: E402
from capitate.training import augment, loop  # noqa: E402
from capitate.training.batches import BoneAgeFeeder  # noqa: E402
from capitate.training.bone_age_task import BoneAgeTask  # noqa: E402
from capitate.training.devices import make_fabric  # noqa: E402
from capitate.training.losses import combined, inconsistency  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402
from capitate.training.settings.schedule import ScheduleName  # noqa: E402
from capitate.training.training_state import TrainingState  # noqa: E402
from capitate.training.validation import judge  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402


def weights(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(first, second):
    return all(torch.equal(first[name], second[name]) for name in first)


@contextmanager
def full_disk(most):
    """Let the system refuse every file beyond `most` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def rows():
    return np.arange(24)


def test_loss_falls(store, rows, tiny, tmp_path):
    settings = replace(tiny.optimiser, stages=tiny.optimiser.stages[1:] * 10, learning_rate=0.02)
    history = loop.train(BoneAgeTask(store, replace(tiny, optimiser=settings)), rows, folder=tmp_path).history
    assert len(history) == 20
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]


@pytest.mark.parametrize("at", [2, 3, 4])
def test_a_broken_run_goes_on_to_the_byte(store, rows, tiny, tmp_path, monkeypatch, at):
    """Broken off in mid-epoch after a checkpoint, at the end of an epoch, and where the last checkpoint is older."""
    config = replace(tiny, record=replace(tiny.record, checkpoint=2, every=2))
    whole = loop.train(BoneAgeTask(store, config), rows, folder=tmp_path / "whole")

    take = TrainingState.take

    def take_and_break(state, batch, *, began):
        if state.taken == at:
            raise KeyboardInterrupt
        take(state, batch, began=began)

    monkeypatch.setattr(TrainingState, "take", take_and_break)
    with pytest.raises(KeyboardInterrupt):
        loop.train(BoneAgeTask(store, config), rows, folder=tmp_path / "broken")
    monkeypatch.setattr(TrainingState, "take", take)
    resumed = loop.train(BoneAgeTask(store, config), rows, folder=tmp_path / "broken")

    assert same(weights(whole.network), weights(resumed.network))
    assert curve(whole.history) == curve(resumed.history)
    first, second = (lines(tmp_path / name / "batches.csv") for name in ("whole", "broken"))
    assert [line["step"] for line in first] == ["2", "4", "6", "8"]
    assert curve(first) == curve(second)


def curve(history):
    """What does not depend on the clock."""
    return [{name: one[name] for name in ("epoch", "step", "learning_rate", "loss", "mae", "r2")} for one in history]


def lines(path):
    with path.open(encoding="utf8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_default_recipe_written_out(store, rows, tiny, tmp_path):
    """AdamW, one cycle, clipping and the running average in a plain loop give the same bytes."""
    settings = tiny.optimiser
    torch.manual_seed(tiny.seed)
    network = BoneAgeNetwork(tiny.network).to(memory_format=torch.channels_last)
    mean = copy.deepcopy(network).state_dict()
    heavy, light = ([p for p in network.parameters() if (p.ndim > 1) is decayed] for decayed in (True, False))
    groups = [{"params": heavy, "weight_decay": 0.05}, {"params": light, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, 9, pct_start=0.15, cycle_momentum=False)
    taken = 0
    for epoch, size in enumerate([(40, 32), (64, 48), (64, 48)]):
        random = torch.Generator().manual_seed(epoch)
        order = rows[torch.randperm(24, generator=random).numpy()]
        for part in np.array_split(order, 3):
            views, masks, months, sexes = store.batch(part, size=size)
            views = augment.apply(views, masks, augment.draw(8, tiny.augment, generator=random))
            sexes = torch.where(torch.rand(8, generator=random) < settings.unknown_sex, 2, sexes)
            network.train()
            with torch.autocast("cpu", torch.bfloat16):
                logits = network(views.contiguous(memory_format=torch.channels_last), sexes)
            optimiser.zero_grad()
            combined(logits, months).backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            taken += 1
            for name, now in network.state_dict().items():
                keep = min(0.998, (1 + taken) / (10 + taken))
                mean[name] = torch.lerp(mean[name], now, 1 - keep) if now.is_floating_point() else now.clone()
    assert same(mean, weights(loop.train(BoneAgeTask(store, tiny), rows, folder=tmp_path).network))


def test_seeds_differ(store, rows, tiny, tmp_path):
    first, second = (
        loop.train(BoneAgeTask(store, replace(tiny, seed=seed)), rows, folder=tmp_path / str(seed)).network
        for seed in (0, 1)
    )
    assert not same(weights(first), weights(second))


def test_batches_prepared_ahead_change_nothing(store, rows, tiny, tmp_path, monkeypatch):
    """Not even where the run is broken off with batches prepared and not used."""
    whole = loop.train(BoneAgeTask(store, tiny), rows, folder=tmp_path / "whole").network
    ahead = replace(tiny, devices=replace(tiny.devices, ahead=2), record=replace(tiny.record, checkpoint=4))
    take = TrainingState.take

    def take_and_break(state, batch, *, began):
        if state.taken == 5:
            raise KeyboardInterrupt
        take(state, batch, began=began)

    monkeypatch.setattr(TrainingState, "take", take_and_break)
    with pytest.raises(KeyboardInterrupt):
        loop.train(BoneAgeTask(store, ahead), rows, folder=tmp_path / "ahead")
    monkeypatch.setattr(TrainingState, "take", take)
    assert same(weights(whole), weights(loop.train(BoneAgeTask(store, ahead), rows, folder=tmp_path / "ahead").network))


def test_a_run_that_has_lost_its_way_stops(store, rows, tiny, tmp_path):
    """Before it overwrites a checkpoint that is worth something."""
    poisoned = replace_months(store, np.where(np.arange(32) == 3, np.nan, store.months).astype(np.float32))
    config = replace(tiny, record=replace(tiny.record, every=1, checkpoint=1))
    with pytest.raises(UsageError, match=r"the loss is nan at step \d; lower optimiser\.learning_rate"):
        loop.train(BoneAgeTask(poisoned, config), rows, folder=tmp_path)
    path = tmp_path / "last.safetensors"
    if path.exists():
        tensors = load_file(str(path))
        assert all(bool(value.isfinite().all()) for value in tensors.values() if value.is_floating_point())


def replace_months(store, months):
    return ViewStore(store.ids, store.views, store.masks, months, store.sexes)


def test_the_rate_in_the_curves_is_the_one_that_was_used(store, rows, tiny, tmp_path):
    schedule = replace(tiny.schedule, name=ScheduleName.STEP, every=1, factor=0.5)
    history = loop.train(BoneAgeTask(store, replace(tiny, schedule=schedule)), rows, folder=tmp_path).history
    assert [line["learning_rate"] for line in history] == pytest.approx([2e-3, 1e-3, 5e-4])


def test_a_full_disk_stops_the_run_and_it_goes_on_later(store, rows, tiny, tmp_path):
    config = replace(tiny, record=replace(tiny.record, checkpoint=1, tensorboard=False))
    whole = loop.train(BoneAgeTask(store, config), rows, folder=tmp_path / "whole")
    stages = config.optimiser.stages
    short = replace(config, optimiser=replace(config.optimiser, stages=stages[:1]))
    size = (tmp_path / "whole" / "last.safetensors").stat().st_size
    with full_disk(size // 2), pytest.raises(ReportWriteError, match=r"last\.safetensors"):
        loop.train(BoneAgeTask(store, short), rows, folder=tmp_path / "run")
    assert not (tmp_path / "run" / "last.safetensors").exists()
    resumed = loop.train(BoneAgeTask(store, config), rows, folder=tmp_path / "run")
    assert same(weights(whole.network), weights(resumed.network))


def test_a_checkpoint_of_another_network_is_named(store, rows, tiny, tmp_path):
    loop.train(BoneAgeTask(store, tiny), rows, folder=tmp_path)
    wider = replace(tiny, network=replace(tiny.network, hidden=24))
    with pytest.raises(UsageError, match=r"last\.safetensors is of another network or experiment: .*head\.1\.weight"):
        loop.train(BoneAgeTask(store, wider), rows, folder=tmp_path)
    plain = replace(tiny, optimiser=replace(tiny.optimiser, average=0.0), swa=replace(tiny.swa, epochs=1))
    with pytest.raises(UsageError, match="of another network or experiment: 'swa'"):
        loop.train(BoneAgeTask(store, plain), rows, folder=tmp_path)


def test_predictions_follow_the_film_not_its_place(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    rows = np.arange(32)
    shuffled = np.random.default_rng(1).permutation(32)
    mixed = ViewStore(*(getattr(store, name)[shuffled] for name in ("ids", "views", "masks", "months", "sexes")))
    ordered = dict(zip(store.ids, predict(network, store, rows), strict=True))
    for name, row in zip(mixed.ids, predict(network, mixed, rows, batch=5), strict=True):
        assert row == pytest.approx(ordered[name], abs=1e-5)


@pytest.mark.parametrize(("entrance", "matters"), [("none", False), ("early", True), ("late", True), ("both", True)])
def test_sex_reaches_the_answer_where_it_should(store, tiny, entrance, matters):
    torch.manual_seed(0)
    network = BoneAgeNetwork(replace(tiny.network, sex=entrance))
    girls, boys = (predict(network, store, np.arange(4), sex=sex) for sex in (0, 1))
    assert np.allclose(girls, boys, atol=1e-9) is not matters


def test_the_films_own_sex_is_used(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    own = predict(network, store, np.arange(32))
    by_sex = np.stack([predict(network, store, np.arange(32), sex=sex) for sex in (0, 1)], axis=1)
    assert own == pytest.approx(by_sex[np.arange(32), store.sexes], abs=1e-5)


def test_answers_are_averaged_over_test_views(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    views = (bone_age.TestView(0, 0, False), bone_age.TestView(-3, 2, False), bone_age.TestView(1, 4, True))
    rows = np.arange(4)
    stores = [replace_views(store, np.stack([view.of(one) for one in store.views])) for view in views]
    mean = np.mean([predict(network, one, rows) for one in stores], axis=0)
    assert predict(network, store, rows, test_views=views) == pytest.approx(mean, abs=1e-6)
    assert predict(network, store, rows, test_views=views[:1]) == pytest.approx(predict(network, store, rows))


def replace_views(store, views):
    return ViewStore(store.ids, views, store.masks, store.months, store.sexes)


def test_training_begins_with_the_weights_that_are_given(store, rows, tiny, tmp_path):
    """At a vanishing learning rate the average ends where it began, weight decay aside."""
    torch.manual_seed(7)
    start = weights(BoneAgeNetwork(tiny.network))
    still = replace(tiny, optimiser=replace(tiny.optimiser, learning_rate=1e-12))
    network = loop.train(BoneAgeTask(store, still), rows, folder=tmp_path, start=start).network
    learnt = {name for name, _ in network.named_parameters()}
    assert all(
        torch.allclose(value, start[name], atol=1e-6) for name, value in weights(network).items() if name in learnt
    )


def test_a_pupil_follows_its_teacher(store, rows, tiny, tmp_path):
    """A teacher that always says 100 months outweighs the labels."""
    teacher = np.zeros((32, 3, 240), dtype=np.float32)
    teacher[:, :, 100] = 1.0
    settings = replace(tiny.optimiser, distil=1.0, stages=tiny.optimiser.stages[1:] * 15, learning_rate=0.02)
    task = BoneAgeTask(store, replace(tiny, optimiser=settings), teacher=lambda: teacher)
    network = loop.train(task, rows, folder=tmp_path).network
    assert abs(predict(network, store, rows).argmax(1) - 100).max() <= 5


def test_consistency_makes_two_augmentations_of_a_film_agree(store, rows, tiny, tmp_path):
    def distance(weight):
        settings = replace(
            tiny.optimiser, consistency=weight, stages=tiny.optimiser.stages[1:] * 12, learning_rate=0.02
        )
        config = replace(tiny, optimiser=settings, augment=replace(tiny.augment, contrast=0.6))
        network = loop.train(BoneAgeTask(store, config), rows, folder=tmp_path / str(weight)).network
        feeder = BoneAgeFeeder(store, rows, replace(config, optimiser=replace(settings, batch=24, consistency=1.0)))
        feeder.start(0, settings.stages[0])
        batch = feeder.batch(0)
        half = len(batch) // 2
        assert batch.months[:half].equal(batch.months[half:])
        assert batch.sexes[:half].equal(batch.sexes[half:])
        assert not batch.views[:half].equal(batch.views[half:])
        with torch.no_grad():
            return float(inconsistency(network.eval()(batch.views, batch.sexes)))

    assert distance(20.0) < 0.7 * distance(0.0)


def test_films_kept_back_are_not_taken_for_pairs(store, rows, tiny, tmp_path):
    """Films to choose weights by are seen once each, seven of them here; their loss has no part for consistency."""
    plain, asked = (
        BoneAgeTask(store, replace(tiny, optimiser=replace(tiny.optimiser, consistency=weight)))
        for weight in (0.0, 5.0)
    )
    network = BoneAgeNetwork(tiny.network)
    size, fabric = (64, 48), make_fabric(tiny.devices)
    first, second = (judge(network, one, rows[:7], size=size, fabric=fabric) for one in (plain, asked))
    assert first == second
