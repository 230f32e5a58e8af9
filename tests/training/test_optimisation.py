"""Accumulation, precision, clipping, averages, stages, validation and stopping: each does what it says."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training import augment, loop, validation  # noqa: E402
from capitate.training.batches import BoneAgeFeeder  # noqa: E402
from capitate.training.bone_age_task import BoneAgeTask  # noqa: E402
from capitate.training.devices import make_fabric  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.predicting import predict  # noqa: E402
from capitate.training.regularisation import Dropouts  # noqa: E402
from capitate.training.settings.devices import DevicesConfig, Draws, Precision  # noqa: E402
from capitate.training.settings.optimiser import Stage  # noqa: E402
from capitate.training.settings.swa import SwaConfig  # noqa: E402
from capitate.training.settings.validation import Keep, ValidationConfig  # noqa: E402
from capitate.training.training_state import TrainingState  # noqa: E402
from capitate.training.weights import load_weights  # noqa: E402

ROWS = np.arange(24)
PLAIN = DevicesConfig(precision=Precision.FP32)


def without_batch_norm(config):
    """The same experiment on a network that normalises each film by itself, without dropout."""
    network = replace(config.network, backbone="test_convnext", dropout=0.0, drop_path=0.0)
    return replace(config, network=network, devices=PLAIN)


def changed(config, **settings):
    return replace(config, optimiser=replace(config.optimiser, **settings))


def one_step(store, config):
    """A fresh state and its first batch."""
    torch.manual_seed(config.seed)
    feeder = BoneAgeFeeder(store, ROWS, config)
    state = TrainingState(BoneAgeTask(store, config), make_fabric(config.devices), steps_an_epoch=feeder.steps)
    feeder.start(0, config.optimiser.stages[0])
    return state, feeder.batch(0)


def test_accumulated_parts_give_the_gradient_of_the_large_batch(store, tiny):
    gradients = []
    for parts in (1, 3):
        state, batch = one_step(store, changed(without_batch_norm(tiny), accumulate=parts))
        sums = state._gradients(batch)
        gradients.append([p.grad.clone() for p in state.network.parameters() if p.grad is not None])
        assert sums[0] == len(batch) == 8
    assert [len(part) for part in batch.parts(3)] == [3, 3, 2]
    for large, added in zip(*gradients, strict=True):
        assert torch.allclose(large, added, rtol=1e-4, atol=1e-5 * float(large.abs().max() + 1e-3))


@pytest.mark.parametrize(("precision", "kind"), [(Precision.BF16, torch.bfloat16), (Precision.FP32, torch.float32)])
def test_mixed_precision_is_really_on(store, tiny, precision, kind):
    state, batch = one_step(store, replace(tiny, devices=DevicesConfig(precision=precision)))
    seen = {}
    layers = {"convolution": torch.nn.Conv2d, "linear": torch.nn.Linear}
    for name, layer in layers.items():
        found = next(one for one in state.network.modules() if isinstance(one, layer))
        found.register_forward_hook(
            lambda _m, inputs, out, name=name: seen.update({name: (inputs[0].dtype, out.dtype)})
        )
    state._gradients(batch)
    assert {out for _, out in seen.values()} == {kind}
    assert seen["convolution"][0] is torch.float32, "grey values reach the network unrounded"
    assert {p.dtype for p in state.network.parameters()} == {torch.float32}


def test_clipping_limits_the_norm(store, tiny):
    norms = {}
    for clip in (0.0, 0.01):
        state, batch = one_step(store, changed(tiny, clip=clip))
        state.take(batch, began=0.0)
        norms[clip] = torch.stack([p.grad.norm() for p in state.network.parameters()]).norm().item()
    assert norms[0.01] == pytest.approx(0.01, rel=1e-3)
    assert norms[0.0] > 1


def test_an_equal_mean_of_the_last_epochs(store, tiny, tmp_path, monkeypatch):
    ends = []
    end = loop._Training._end_epoch

    def listen(training, stage):
        ends.append([p.detach().clone() for p in training.state.network.parameters()])
        end(training, stage)

    monkeypatch.setattr(loop._Training, "_end_epoch", listen)
    config = replace(changed(tiny, average=0.0), swa=SwaConfig(epochs=2))
    network = loop.train(BoneAgeTask(store, config), ROWS, folder=tmp_path).network
    assert len(ends) == 3
    for mean, *values in zip(network.parameters(), *ends[1:], strict=True):
        assert torch.allclose(mean, sum(values) / 2, atol=1e-7)
    norm = next(one for one in network.modules() if isinstance(one, torch.nn.BatchNorm2d))
    assert norm.num_batches_tracked == 3, "one pass over the films settles the statistics"


def test_without_an_average_the_network_itself_is_the_result(store, tiny, tmp_path):
    config = changed(tiny, average=0.0, learning_rate=1e-12, weight_decay=0.0)
    torch.manual_seed(0)
    start = BoneAgeNetwork(tiny.network).state_dict()
    found = loop.train(BoneAgeTask(store, config), ROWS, folder=tmp_path, start=start).network
    assert all(torch.allclose(value, start[name], atol=1e-6) for name, value in found.named_parameters())


def test_stages_set_size_dropout_and_strength(store, tiny, tmp_path, monkeypatch):
    seen = []
    take = TrainingState.take

    def listen(state, batch, *, began):
        rate = next(one.p for one in state.network.modules() if isinstance(one, torch.nn.Dropout))
        seen.append((tuple(batch.views.shape[2:]), rate))
        take(state, batch, began=began)

    strengths = []
    draw = augment.draw

    def drawn(n, config, **source):
        strengths.append((config.rotation, config.surroundings, config.flip))
        return draw(n, config, **source)

    monkeypatch.setattr(TrainingState, "take", listen)
    monkeypatch.setattr("capitate.training.augment.draw", drawn)
    stages = (Stage(1, 40, 32, dropout=0.05, augment=0.5), Stage(1, 64, 48, augment=3.0))
    loop.train(BoneAgeTask(store, changed(tiny, stages=stages)), ROWS, folder=tmp_path)
    assert [seen[0], seen[-1]] == [((40, 32), 0.05), ((64, 48), 0.2)]
    own = tiny.augment
    assert strengths[0] == pytest.approx((own.rotation / 2, own.surroundings, own.flip))
    assert strengths[-1] == pytest.approx((own.rotation * 3, own.surroundings, own.flip))


def test_dropouts_get_their_own_rates_back():
    network = torch.nn.Sequential(torch.nn.Dropout(0.1), torch.nn.Linear(2, 2), torch.nn.Dropout(0.4))
    dropouts = Dropouts(network)
    dropouts.set(0.7)
    assert (network[0].p, network[2].p) == (0.7, 0.7)
    dropouts.set(None)
    assert (network[0].p, network[2].p) == (0.1, 0.4)


@pytest.fixture
def judged(tiny):
    return replace(tiny, validation=ValidationConfig(share=0.3))


def test_films_that_choose_are_not_learnt_from(store, judged, tmp_path, monkeypatch):
    learnt = set()
    prepare = BoneAgeFeeder.batch
    monkeypatch.setattr(
        BoneAgeFeeder,
        "batch",
        lambda feeder, step: learnt.update(feeder.batches[step].tolist()) or prepare(feeder, step),
    )
    loop.train(BoneAgeTask(store, judged), ROWS, folder=tmp_path)
    kept = {int(row) for row in ROWS[validation.kept_back(store.ids[ROWS].tolist(), share=0.3)]}
    assert kept
    assert not learnt & kept
    assert learnt | kept == set(ROWS.tolist())


def test_the_best_weights_are_kept_not_the_last(store, judged, tmp_path, monkeypatch):
    """Errors by the films kept back, replaced by 5, 3 and 4 months: the second epoch's weights come out."""
    told = iter([5.0, 3.0, 4.0])
    ends = []

    def judge(network, *_values, **_named):
        ends.append({name: value.clone() for name, value in network.state_dict().items()})
        return {"loss": 1.0, "mae": next(told), "rmse": 1.0, "r2": 0.0}

    monkeypatch.setattr(loop, "judge", judge)
    result = loop.train(BoneAgeTask(store, judged), ROWS, folder=tmp_path / "best")
    assert result.validation == {"mae": 3.0, "epoch": 2}
    assert [line["validation_mae"] for line in result.history] == [5.0, 3.0, 4.0]
    assert all(torch.equal(value, ends[1][name]) for name, value in result.network.state_dict().items())
    stored = load_weights(BoneAgeNetwork(judged.network), tmp_path / "best" / "best.safetensors").state_dict()
    assert all(torch.equal(value, ends[1][name]) for name, value in stored.items())

    told = iter([5.0, 3.0, 4.0])
    last = replace(judged, validation=replace(judged.validation, keep=Keep.LAST))
    network = loop.train(BoneAgeTask(store, last), ROWS, folder=tmp_path / "last").network
    assert all(torch.equal(value, ends[-1][name]) for name, value in network.state_dict().items())


def test_training_stops_early_and_stays_stopped(store, judged, tmp_path, monkeypatch):
    told = iter([5.0, float("nan"), 6.0])
    monkeypatch.setattr(loop, "judge", lambda *_values, **_named: {"loss": 1.0, "mae": next(told)})
    config = replace(judged, validation=replace(judged.validation, patience=2))
    config = changed(config, stages=(Stage(9, 40, 32),))
    assert len(loop.train(BoneAgeTask(store, config), ROWS, folder=tmp_path).history) == 3
    assert len(loop.train(BoneAgeTask(store, config), ROWS, folder=tmp_path).history) == 3


def test_the_error_on_kept_films_is_that_of_their_predictions(store, tiny):
    torch.manual_seed(0)
    network = BoneAgeNetwork(tiny.network)
    size = (40, 32)
    fabric = make_fabric(tiny.devices)
    found = validation.judge(network, BoneAgeTask(store, tiny), ROWS, size=size, fabric=fabric)
    months = store.months[ROWS]
    error = predict(network, store, ROWS, size=size) @ np.arange(240) - months
    assert found["mae"] == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert found["rmse"] == pytest.approx(np.sqrt(np.square(error).mean()), rel=1e-5)
    assert found["r2"] == pytest.approx(1 - np.square(error).sum() / np.square(months - months.mean()).sum(), rel=1e-4)


def test_a_share_that_keeps_nothing_back_is_named():
    with pytest.raises(UsageError, match=r"validation\.share 0\.001 keeps back 0 of 3 films"):
        validation.kept_back(["a", "b", "c"], share=0.001)
    many = [str(k) for k in range(4000)]
    assert validation.kept_back(many, share=0.25).mean() == pytest.approx(0.25, abs=0.03)
    assert (validation.kept_back(many, share=0.1) <= validation.kept_back(many, share=0.25)).all()


def test_augmentation_by_film_does_not_hang_on_the_batch(store, tiny):
    config = replace(tiny, devices=DevicesConfig(draws=Draws.FILM))
    stage = Stage(1, 40, 32)
    seen = {}
    for batch in (8, 3):
        feeder = BoneAgeFeeder(store, ROWS, changed(config, batch=batch))
        feeder.start(2, stage)
        for step, rows in enumerate(feeder.batches):
            made = feeder.batch(step)
            for k, row in enumerate(rows.tolist()):
                before = seen.setdefault(row, (made.views[k], made.sexes[k]))
                assert torch.equal(before[0], made.views[k])
                assert before[1] == made.sexes[k]
    feeder.start(3, stage)
    again = dict(zip(feeder.batches[0].tolist(), feeder.batch(0).views, strict=True))
    assert not any(torch.equal(view, seen[row][0]) for row, view in again.items())


@pytest.mark.parametrize("rank", [0, 1])
def test_each_process_goes_on_from_its_own_random_numbers(store, tiny, rank):
    state, _ = one_step(store, tiny)
    state.fabric = SimpleNamespace(global_rank=rank, device=torch.device("cpu"))
    generators = [torch.Generator().manual_seed(seed) for seed in (3, 5)]
    kept = torch.stack([one.get_state() for one in generators])
    draws = torch.Generator().set_state(state._restore_random({"torch": kept, "draws": kept}))
    expected = torch.rand(4, generator=generators[rank])
    assert torch.equal(torch.rand(4), expected)
    assert torch.equal(torch.rand(4, generator=draws), expected)


def test_processes_share_the_films_of_a_step(store, tiny):
    feeders = [BoneAgeFeeder(store, ROWS, tiny, rank=rank, processes=2) for rank in (0, 1)]
    for one in feeders:
        one.start(0, tiny.optimiser.stages[0])
    months = torch.cat([one.batch(1).months for one in feeders]).tolist()
    assert months == store.months[feeders[0].batches[1]].tolist()
    with pytest.raises(UsageError, match="24 films to learn from cannot fill the 30 parts"):
        BoneAgeFeeder(store, ROWS, tiny, processes=30)
