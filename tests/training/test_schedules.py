"""The optimiser's actual learning rates against closed forms written out here."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from capitate.training.networks import parameter_groups  # noqa: E402
from capitate.training.optimisers import make_optimiser  # noqa: E402
from capitate.training.schedules import Schedule  # noqa: E402
from capitate.training.settings.optimiser import OptimiserConfig, OptimiserName, Stage  # noqa: E402
from capitate.training.settings.schedule import CycleMode, ScheduleConfig, ScheduleName  # noqa: E402
from capitate.training.settings.swa import SwaConfig  # noqa: E402

HIGH, STEPS, EPOCHS = 0.02, 5, 6
TOTAL = STEPS * EPOCHS


def rates(config, *, warm_up=0.2, swa=None, errors=None, broken_at=None):
    """Rates that the optimiser has in each step of a run; broken off and resumed before a step if asked."""
    settings = OptimiserConfig(stages=(Stage(EPOCHS, 8, 8),), learning_rate=HIGH, warm_up=warm_up)

    def fresh():
        network = torch.nn.Linear(2, 2)
        optimiser = make_optimiser(parameter_groups(network, learning_rate=HIGH, weight_decay=0.0), settings)
        made = Schedule(optimiser, config, settings=settings, swa=swa or SwaConfig(), steps_an_epoch=STEPS)
        return optimiser, made

    optimiser, schedule = fresh()
    seen = []
    for step in range(TOTAL):
        if step == broken_at:
            states = optimiser.state_dict(), schedule.state_dict()
            optimiser, schedule = fresh()
            optimiser.load_state_dict(states[0])
            schedule.load_state_dict(states[1])
        assert schedule.rates == [group["lr"] for group in optimiser.param_groups]
        seen.append(schedule.rates[0])
        optimiser.step()
        schedule.after_step()
        if (step + 1) % STEPS == 0:
            epoch = (step + 1) // STEPS
            schedule.after_epoch(epoch, errors[epoch - 1] if errors else None)
    return seen


def cosine(start, end, share):
    return end + (start - end) * (1 + math.cos(math.pi * share)) / 2


def test_constant():
    assert rates(ScheduleConfig(name=ScheduleName.CONSTANT)) == [HIGH] * TOTAL


def test_one_cycle():
    """Smith & Topin 2018 as torch has it: from a 25th up over a fifth of the steps, then down to a 250,000th."""
    top, last = 0.2 * TOTAL - 1, TOTAL - 1
    expected = [
        cosine(HIGH / 25, HIGH, t / top) if t <= top else cosine(HIGH, HIGH / 25e4, (t - top) / (last - top))
        for t in range(TOTAL)
    ]
    assert rates(ScheduleConfig()) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("warm_up", [0.0, 0.2])
def test_cosine_with_warm_up(warm_up):
    """A straight rise, then half a cosine to the lowest rate (Loshchilov & Hutter 2017)."""
    rise, low = round(warm_up * TOTAL), 0.001
    expected = [
        HIGH * (0.001 + 0.999 * t / rise) if t < rise else cosine(HIGH, low, (t - rise) / (TOTAL - rise))
        for t in range(TOTAL)
    ]
    found = rates(ScheduleConfig(name=ScheduleName.COSINE, lowest=low), warm_up=warm_up)
    assert found == pytest.approx(expected, rel=1e-9)


def test_step():
    config = ScheduleConfig(name=ScheduleName.STEP, every=2, factor=0.5)
    assert rates(config) == pytest.approx([HIGH * 0.5 ** (t // STEPS // 2) for t in range(TOTAL)])


def test_plateau():
    """With a patience of 1 the rate falls after the second bad epoch, the fourth."""
    config = ScheduleConfig(name=ScheduleName.PLATEAU, factor=0.8, patience=1, threshold=0.05)
    found = rates(config, errors=[9, 8, 8, 8, 7.9, 7.9])
    by_epoch = [HIGH, HIGH, HIGH, HIGH, HIGH * 0.8, HIGH * 0.8]
    assert found == pytest.approx([rate for rate in by_epoch for _ in range(STEPS)])


def test_plateau_falls_below_what_stopped_system_001():
    """There cuts smaller than 1e-4 were ignored, so the rate stuck at 4.096e-4; here it goes to the lowest."""
    config = ScheduleConfig(name=ScheduleName.PLATEAU, factor=0.001, patience=0, lowest=3e-5)
    assert rates(config, errors=[9] * EPOCHS)[-1] == pytest.approx(3e-5)


@pytest.mark.parametrize("mode", list(CycleMode))
def test_cyclical(mode):
    """Smith 2017: cycle = floor(1 + t / 2s), x = |t / s - 2 cycle + 1|, low + (high - low) (1 - x) times the mode's."""
    low, rise, gamma = 0.002, 4, 0.97 if mode is CycleMode.EXP_RANGE else 1.0
    config = ScheduleConfig(name=ScheduleName.CYCLICAL, lowest=low, rise=rise, mode=mode, gamma=gamma)
    expected = []
    for t in range(TOTAL):
        cycle = math.floor(1 + t / (2 * rise))
        height = max(0.0, 1 - abs(t / rise - 2 * cycle + 1))
        scale = {"triangular": 1.0, "triangular2": 1 / 2 ** (cycle - 1), "exp_range": gamma**t}[mode.value]
        expected.append(low + (HIGH - low) * height * scale)
    assert rates(config) == pytest.approx(expected, rel=1e-9)


def test_averaged_epochs_have_their_own_rate():
    """Two of six epochs at a constant rate, reached over one epoch's end; the cosine's rates before are untouched."""
    config = ScheduleConfig(name=ScheduleName.COSINE)
    found = rates(config, swa=SwaConfig(epochs=2, learning_rate=0.005), warm_up=0.0)
    assert found[: 4 * STEPS] == pytest.approx(rates(config, warm_up=0.0)[: 4 * STEPS])
    assert found[4 * STEPS :] == pytest.approx([0.005] * 2 * STEPS)


@pytest.mark.parametrize("name", list(ScheduleName))
def test_a_resumed_schedule_goes_on_exactly(name):
    config = ScheduleConfig(name=name, lowest=0.001, rise=4, every=2, patience=0)
    errors = [9, 9, 8, 8, 7, 7]
    assert rates(config, errors=errors, broken_at=13) == rates(config, errors=errors)


def test_each_group_keeps_its_share():
    """Layer-wise rates: a group with a tenth of the rate has a tenth of it all along."""
    settings = OptimiserConfig(stages=(Stage(EPOCHS, 8, 8),), learning_rate=HIGH)
    one, two = (torch.nn.Parameter(torch.zeros(2)) for _ in range(2))
    optimiser = make_optimiser([{"params": [one]}, {"params": [two], "lr": HIGH / 10}], settings)
    config = ScheduleConfig(name=ScheduleName.CYCLICAL, lowest=0.001, rise=3)
    for each in (config, ScheduleConfig()):
        schedule = Schedule(optimiser, each, settings=settings, swa=SwaConfig(), steps_an_epoch=STEPS)
        for _ in range(7):
            optimiser.step()
            schedule.after_step()
        assert schedule.rates[1] == pytest.approx(schedule.rates[0] / 10)
        optimiser = make_optimiser([{"params": [one]}, {"params": [two], "lr": HIGH / 10}], settings)


@pytest.mark.parametrize(
    ("name", "kind"),
    [(OptimiserName.ADAM, "Adam"), (OptimiserName.ADAMW, "AdamW"), (OptimiserName.SGD, "SGD")],
)
def test_optimisers(name, kind):
    network = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))
    config = OptimiserConfig(name=name, learning_rate=0.1, momentum=0.8)
    optimiser = make_optimiser(parameter_groups(network, learning_rate=0.1, weight_decay=0.3), config)
    assert type(optimiser).__name__ == kind
    heavy, light = optimiser.param_groups
    assert [tuple(p.shape) for p in heavy["params"]] == [(4, 3)]
    assert (heavy["weight_decay"], light["weight_decay"]) == (0.3, 0.0)
    if name is OptimiserName.SGD:
        assert heavy["momentum"] == 0.8


def test_sgd_takes_the_step_of_its_formula():
    """Momentum: v = g then 0.5 v + g; w = w - lr v."""
    weight = torch.nn.Parameter(torch.tensor([1.0]))
    optimiser = make_optimiser(
        [{"params": [weight]}], OptimiserConfig(name=OptimiserName.SGD, learning_rate=0.1, momentum=0.5)
    )
    for gradient in (2.0, 4.0):
        weight.grad = torch.tensor([gradient])
        optimiser.step()
    assert weight.item() == pytest.approx(1 - 0.1 * 2 - 0.1 * (0.5 * 2 + 4))
