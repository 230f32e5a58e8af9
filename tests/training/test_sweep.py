"""Sweeps: what a file lists, runs that finish, fail, resume, and the table of all."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path

import pytest

from capitate.errors import UsageError

pytest.importorskip("torch")
pytest.importorskip("optuna")

from capitate.training.sweeping import Outcome, State, load_sweep, pareto_front, run_sweep, to_markdown
from capitate.training.sweeping.costs import Costs, costs_of, multiply_adds
from capitate.training.sweeping.run import FAILURE
from capitate.training.sweeping.table import pareto_plot

TINY = """
name = "base"
folds = 2
test_views = [[0, 0, false]]
[network]
widths = [4, 4, 8, 8]
depths = [1, 1, 1, 1]
hidden = 8
sex_width = 4
[optimiser]
stages = [[1, 40, 32]]
batch = 16
[validation]
share = 0.3
[record]
tensorboard = false
"""


@pytest.fixture
def made(tmp_path):
    """A function that writes a sweep beside its base."""
    (tmp_path / "base.toml").write_text(TINY)

    def write(text: str):
        path = tmp_path / "sweep.toml"
        path.write_text('base = "base.toml"\n' + text)
        return path

    return write


def test_a_grid_is_every_combination(made):
    plan = load_sweep(made('[grid]\nnetwork.sex = ["late", "film"]\n"optimiser.batch" = [8, 16, 4]\n'))
    assert [run.name for run in plan.runs] == [
        f"sex={sex}_batch={batch}" for sex in ("late", "film") for batch in (8, 16, 4)
    ]
    last = plan.experiment(plan.runs[-1])
    assert (last.network.sex, last.optimiser.batch, last.name) == ("film", 4, "sex=film_batch=4")
    assert last.network.widths == (4, 4, 8, 8)


def test_names_of_unusual_values_stay_apart(made):
    plan = load_sweep(made("[grid]\noptimiser.stages = [[[1, 40, 32]], [[1, 40, 32, 0.1]], [[2, 40, 32]]]\n"))
    names = [run.name for run in plan.runs]
    assert len(set(names)) == 3
    assert all(re.fullmatch(r"stages=[\w.-]+", name) for name in names)


def test_a_list_has_names_and_common_values(made):
    text = "fold = 1\nerror = 'mae'\n[set]\noptimiser.batch = 4\n"
    text += '[[run]]\nname = "plain"\n[[run]]\nname = "wide"\nnetwork.widths = [8, 8, 8, 8]\n'
    plan = load_sweep(made(text), overrides=["seed=5"])
    assert [plan.experiment(run).network.widths[0] for run in plan.runs] == [4, 8]
    assert {(plan.experiment(run).optimiser.batch, plan.experiment(run).seed) for run in plan.runs} == {(4, 5)}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "exactly one of [grid], [[run]] and [search], sweep.toml has none of them"),
        ("[grid]\nseed = [1]\n[search]\n", "sweep.toml has [grid], [search]"),
        ("[grid]\nseed = 1\n", "grid.seed must be a list of values, got 1"),
        ("[grid]\n", "the sweep has no run"),
        ("[grid]\nnetwork.depth = [1]\n", "run 'depth=1' of the sweep sweep: unknown key network.depth"),
        ("[[run]]\nname = 'a'\n[[run]]\nname = 'a'\n", "two runs of the sweep have the name 'a'"),
        ("[[run]]\nname = '../a'\n", "every [[run]] needs a name of letters, digits and . _ + = -, got '../a'"),
        ("[[run]]\nname = 'a'\nvalidation.share = 0.0\n", "run 'a' keeps no films back to compare by"),
        ("error = 'mae'\n[grid]\nseed = [1]\n", "set fold, such as 0"),
        ("error = 'loss'\n[grid]\nseed = [1]\n", "error must be one of validation_mae, mae, got 'loss'"),
        ("folds = 3\n[grid]\nseed = [1]\n", "unknown key folds"),
        ("[grid]\ndevices.count = [2]\n", "a sweep runs in one process, got devices.count 2"),
        ("[grid]\nname.first = ['a']\n", "name.first cannot be set: name is no table"),
        ("[search]\ntrials = 2\n", "search.ranges names no key"),
        ("[search]\ntrials = 0\n[search.ranges]\nseed = {low = 0, high = 9}\n", "search.trials must be 1 or more"),
        (
            "[search]\n[search.ranges]\nseed = {low = 9, high = 0}\n",
            "search.ranges.seed: a search range needs low below",
        ),
        (
            "[search]\n[search.ranges]\nseed = {low = 0, high = 5, step = 1}\n",
            "search.ranges.seed must have low and high",
        ),
        ("[search]\n[search.ranges]\nnetwork.dropout = {low = -0.5, high = 'x'}\n", "search.ranges.network.dropout"),
        ("[search]\n[search.ranges]\noptimiser.learning_rate = {low = 0, high = 1}\n", "learning_rate must be above 0"),
        ("error = 'mae'\nfold = 0\n[search]\n[search.ranges]\nseed = {low = 0, high = 9}\n", "no longer held out"),
    ],
)
def test_an_error_names_what_does_not_fit(made, text, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        load_sweep(made(text))


def test_a_failed_run_is_named_and_the_others_go_on_and_resume(made, saved, tmp_path, monkeypatch):
    from capitate.training.sweeping import run as running

    trained = []
    train = running.run_bone_age

    def counted(config, *arguments, **options):
        trained.append(config.name)
        if config.network.sex == "film" and len(trained) < 3:
            raise RuntimeError("out of memory")
        return train(config, *arguments, **options)

    monkeypatch.setattr(running, "run_bone_age", counted)
    plan = load_sweep(made("fold = 0\nerror = 'mae'\n[grid]\nnetwork.sex = ['film', 'none']\n"))
    out = tmp_path / "out"
    first = run_sweep(plan, saved, out)
    assert [one.state for one in first] == [State.FAILED, State.FINISHED]
    assert first[0].message == "RuntimeError: out of memory"
    assert "out of memory" in (out / "runs" / "sex=film" / FAILURE).read_text()
    assert "| sex=film | failed: RuntimeError: out of memory |" in (out / "table.md").read_text()
    second = run_sweep(plan, saved, out)
    assert trained == ["sex=film", "sex=none", "sex=film"]
    assert [one.state for one in second] == [State.FINISHED, State.FINISHED]
    assert second[1] == first[1]
    with (out / "table.csv").open(newline="") as stream:
        rows = {row["name"]: row for row in csv.DictReader(stream)}
    for one in second:
        metrics = json.loads((out / "runs" / one.name / "metrics.json").read_text())
        row = rows[one.name]
        assert float(row["mae"]) == metrics["mae"]
        assert float(row["mae_low"]) < metrics["mae"] < float(row["mae_high"])
        assert float(row["training_seconds"]) > 0
        assert float(row["latency_ms"]) > 0
    assert (out / "pareto.svg").read_text().startswith("<svg")
    assert json.loads((out / "table.json").read_text())["runs"][0]["changes"] == {"network.sex": "film"}
    other = load_sweep(made("fold = 0\nerror = 'mae'\n[set]\nseed = 4\n[grid]\nnetwork.sex = ['none']\n"))
    changed = run_sweep(other, saved, out)[0]
    assert changed.state is State.FAILED
    assert "holds a run with another" in changed.message


SEARCH = """
[search]
trials = 4
seed = 3
[search.ranges]
optimiser.learning_rate = {low = 1e-4, high = 1e-2, log = true}
optimiser.batch = {low = 4, high = 16}
network.attention_widths = {choices = [[8, 4, 2], [16, 4, 2]]}
"""


class Stopped(BaseException):
    """A process that ends."""


def searched(plan, data, out, monkeypatch, *, stop_at: str = "") -> list[str]:
    """Search with a known error in place of training; give the trials in the order of their beginning."""
    from capitate.training.sweeping import run as running

    begun = []

    def known(self, run, config, folder):
        begun.append(run.name)
        if run.name == stop_at:
            raise Stopped
        error = abs(config.optimiser.batch - 9) + config.optimiser.learning_rate
        return Outcome(
            run.name, State.FINISHED, run.changes, {"validation_mae": error}, Costs(1, 1, 1.0, 1.0, 1.0), 1.0
        )

    monkeypatch.setattr(running._Sweep, "_train", known)
    try:
        run_sweep(plan, data, out)
    except Stopped:
        begun.append("stopped")
    return begun


def test_a_search_goes_on_as_if_it_had_not_stopped(made, saved, tmp_path, monkeypatch):
    from capitate.training.sweeping.search import Search

    plan = load_sweep(made(SEARCH))
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    names = [f"trial-00{k}" for k in range(4)]
    assert searched(plan, saved, broken, monkeypatch, stop_at="trial-002") == [*names[:3], "stopped"]
    assert searched(plan, saved, broken, monkeypatch) == names[2:]
    assert searched(plan, saved, whole, monkeypatch) == names
    values = [[dict(run.changes) for run in Search(plan.search, folder).finished()] for folder in (broken, whole)]
    assert values[0] == values[1]
    assert len({one["optimiser.learning_rate"] for one in values[0]}) == 4
    assert all(1e-4 <= one["optimiser.learning_rate"] <= 1e-2 for one in values[0])
    assert all(one["network.attention_widths"] in ([8, 4, 2], [16, 4, 2]) for one in values[0])
    with pytest.raises(UsageError, match="another seed"):
        Search(load_sweep(made(SEARCH.replace("seed = 3", "seed = 4"))).search, whole)


def outcome(name: str, error: float, latency: float) -> Outcome:
    return Outcome(name, State.FINISHED, {}, {"mae": error}, Costs(10, 10, latency, latency, 1.0), 1.0)


def test_the_front_holds_what_nothing_beats():
    runs = [outcome("slow", 5, 9), outcome("fast", 9, 1), outcome("middle", 7, 4), outcome("bad", 8, 5)]
    runs += [outcome("equal", 7, 6), Outcome("broken", State.FAILED, message="a | b")]
    assert [one.name for one in pareto_front(runs, error="mae")] == ["fast", "middle", "slow"]
    lines = to_markdown(runs, error="mae").splitlines()
    assert [line.split(" | ")[0] for line in lines[2:]] == [
        "| slow *",
        "| middle *",
        "| equal",
        "| bad",
        "| fast *",
        "| broken",
    ]
    assert "failed: a \\| b" in lines[-1]
    plot = pareto_plot(runs, error="mae")
    assert all(f">{name}<" in plot for name in ("slow", "fast", "middle", "bad", "equal"))
    assert "held-out fold" in plot


def test_costs_of_a_known_network(tiny):
    """A plain 3 x 3 convolution of 8 x 6 cells, 1 to 2 channels, then a matrix 2 x 240: 864 + 480 multiply-adds."""
    from torch import nn

    class Known(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convolution, self.matrix = nn.Conv2d(1, 2, 3, padding=1), nn.Linear(2, 240)

        def forward(self, view, sex):
            return self.matrix(self.convolution(view).mean((2, 3)))

    assert multiply_adds(Known(), size=(8, 6)) == 8 * 6 * 9 * 2 + 2 * 240


def test_costs_are_measured_on_the_exported_file(tiny):
    from capitate.training.networks import BoneAgeNetwork

    network = BoneAgeNetwork(tiny.network)
    costs = costs_of(network, size=(64, 48), runs=3)
    assert costs.parameters == sum(one.numel() for one in network.parameters())
    assert costs.multiply_adds == multiply_adds(network, size=(64, 48)) > costs.parameters
    assert 0 < costs.latency_ms <= costs.latency_p95_ms
    assert costs.megabytes < 1


def test_examples_on_the_page_are_sweeps(tmp_path):
    root = Path(__file__).resolve().parents[2]
    text = (root / "docs" / "sweeps.md").read_text(encoding="utf8")
    blocks = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    shutil.copy(root / "configs" / "bone-age-299px.toml", tmp_path)
    plans = []
    for k, block in enumerate(blocks):
        (tmp_path / f"{k}.toml").write_text(block)
        plans.append(load_sweep(tmp_path / f"{k}.toml"))
    assert [len(plan.runs) for plan in plans] == [6, 2, 0]
    assert plans[2].search.config.trials == 24
