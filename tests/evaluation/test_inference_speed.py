"""The inference-speed tool: its arithmetic, its table and plots, and that nothing is left out silently."""

from __future__ import annotations

import csv
import io
import json
import textwrap
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.evaluation.inference import pictures, processes, row, table
from capitate.evaluation.inference.plan import Combination, Plan, Runtime, reason_against
from capitate.evaluation.inference.row import Row, State
from capitate.runtime.bundle import bundle_names
from capitate.runtime.precision import InferencePrecision
from capitate.training.inference.subject import Form, Subject

ONE = Combination("net", Runtime.ONNXRUNTIME, InferencePrecision.FP32, 1, 4)
SUBJECT = Subject(
    name="net",
    kind="timm",
    task="bone-age",
    height=64,
    width=48,
    views=1,
    parameters=2_500_000,
    multiply_adds=10,
    megabytes=1.5,
    unit="months",
    inputs="",
    reference="",
    plain=Form(("a.onnx",)),
)
RESULT = {
    "laps_ms": [10.0, 20.0, 30.0, 40.0, 50.0],
    "cpu_ms": [9.0, 8.0, 9.5, 9.0, 30.0],
    "import_ms": 100.0,
    "load_ms": 30.0,
    "first_ms": 12.5,
    "import_memory_bytes": 50_000_000,
    "peak_memory_bytes": 80_000_000,
}


def test_figures_follow_from_the_laps():
    found = row.measured(ONE, SUBJECT, RESULT, change=0.25)
    assert (found.p50_ms, found.fastest_ms, found.cpu_ms, found.runs) == (30.0, 10.0, 9.0, 5)
    assert found.p95_ms == pytest.approx(48.0)  # linear between the fourth and the fifth of five
    assert found.view_ms == 7.5
    assert found.views_a_second == pytest.approx(4 * 1000 / 30, abs=1e-3)
    assert found.views_a_second_per_million == pytest.approx(4 * 1000 / 30 / 2.5, abs=1e-3)
    assert found.cold_ms == 42.5
    assert (found.peak_memory_mb, found.own_memory_mb) == (80.0, 30.0)
    assert (found.largest_change, found.change_unit) == (0.25, "months")


def test_a_system_that_tells_no_memory_leaves_it_out():
    found = row.measured(ONE, SUBJECT, {**RESULT, "peak_memory_bytes": None, "import_memory_bytes": None}, change=0)
    assert (found.peak_memory_mb, found.own_memory_mb) == (None, None)


def test_throughput_and_efficiency_in_closed_form():
    assert row.throughput(32, 8.0) == 4000
    assert row.per_million(4000, 500_000) == 8000


def test_changes_are_months_of_expectation_or_shares_of_the_largest_number():
    first = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], dtype=np.float32)
    second = np.array([[0.5, 0.0, 0.5], [0.0, 0.9, 0.1]], dtype=np.float32)
    assert row.largest_change(second, first, unit="months") == pytest.approx(1.0)
    assert row.largest_change(4 * second, 4 * first, unit="of the largest") == pytest.approx(0.5)


def test_a_plan_without_names_takes_every_released_bundle():
    plan = Plan()
    assert list(plan.names) == bundle_names()
    each = list(plan.combinations("x"))
    assert len(each) * len(plan.names) == len(plan)
    assert len({(one.runtime, one.precision, one.threads, one.batch) for one in each}) == 3 * 3 * 2 * 6


@pytest.mark.parametrize("wrong", [{"threads": (0,)}, {"batches": ()}, {"size": (0, 4)}, {"runs": 0}, {"seconds": 0}])
def test_a_plan_that_cannot_be_measured_is_refused(wrong):
    with pytest.raises(UsageError):
        Plan(**wrong)


def test_onnxruntime_really_has_no_bfloat16_convolution():
    onnx = pytest.importorskip("onnx")
    import onnxruntime
    from onnx import TensorProto, helper

    kind = TensorProto.BFLOAT16
    node = helper.make_node("Conv", ["x", "w"], ["y"])
    ends = [helper.make_tensor_value_info(name, kind, [1, 1, 4, 4]) for name in ("x", "y")]
    weight = helper.make_tensor("w", kind, [1, 1, 1, 1], [1.0])
    graph = helper.make_graph([node], "one", ends[:1], ends[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 22)], ir_version=10)
    onnx.checker.check_model(model)
    with pytest.raises(Exception, match=r"(?i)not.implemented"):
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    assert "no bfloat16 convolution" in reason_against(Runtime.ONNXRUNTIME, InferencePrecision.BF16)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Put a module where a new process finds it, and give its name."""

    def written(text: str) -> str:
        (tmp_path / "measures.py").write_text(textwrap.dedent(text), encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        return "measures"

    return written


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL; the computer may have run out of memory"),
        ("raise SystemExit('no good')", "code 1: no good"),
        ("import threading; threading.Event().wait()", "ended after 0.5 seconds"),
    ],
)
def test_a_process_that_dies_is_reported(module, tmp_path, text, reason):
    name = module(text)
    found = processes.result_of(name, tmp_path / "order", tmp_path / "result", threads=1, patience=0.5)
    assert reason in found["failed"]


def test_a_process_is_told_its_threads_and_an_old_result_is_not_read(module, tmp_path):
    result = tmp_path / "result.json"
    result.write_text('{"old": true}', encoding="utf-8")
    name = module(
        """
        import json, os, pathlib, sys
        place = pathlib.Path(sys.argv[1]).with_name("result.json")
        place.write_text(json.dumps({"threads": os.environ["OMP_NUM_THREADS"], "old": place.exists()}))
        """
    )
    found = processes.result_of(name, tmp_path / "order", result, threads=3, patience=30)
    assert found == {"threads": "3", "old": False}


@pytest.fixture
def rows() -> list[Row]:
    """Two networks, two runtimes, three batches; one combination that cannot be and one that failed."""
    found = []
    for name, parameters, base in (("small", 1_000_000, 2.0), ("large & slow", 10_000_000, 30.0)):
        subject = replace(SUBJECT, name=name, parameters=parameters)
        for runtime, factor in ((Runtime.ONNXRUNTIME, 1.0), (Runtime.TORCH, 2.0)):
            for batch in (1, 2, 8):
                one = Combination(name, runtime, InferencePrecision.FP32, 1, batch)
                laps = [base * factor * batch**0.9 * noise for noise in (1.0, 1.1, 1.3)]
                found.append(row.measured(one, subject, {**RESULT, "laps_ms": laps}, change=0.0))
    never = replace(ONE, name="small", precision=InferencePrecision.BF16)
    found.append(row.without_figures(never, SUBJECT, state=State.IMPOSSIBLE, reason="no such\n unit"))
    found.append(row.without_figures(replace(ONE, name="nothing"), None, state=State.FAILED, reason="no such name"))
    return found


def test_the_csv_holds_every_combination_and_every_column(rows):
    read = list(csv.DictReader(io.StringIO(table.to_csv(rows))))
    assert len(read) == len(rows)
    assert tuple(read[0]) == row.COLUMNS
    assert [one["state"] for one in read[-2:]] == ["impossible", "failed"]
    assert read[-2]["reason"] == "no such unit"
    assert read[-1]["p50_ms"] == ""
    assert float(read[0]["p50_ms"]) == pytest.approx(2.2)


def test_the_markdown_lists_what_is_missing_and_ranks_networks(rows):
    text = table.to_markdown(rows)
    assert "- small: onnxruntime bf16 (threads 1; batches 4): impossible, no such unit" in text
    assert "- nothing: onnxruntime fp32 (threads 1; batches 4): failed, no such name" in text
    best = table.ranked(rows, key="views_a_second")
    assert [(one.name, one.batch) for one in best] == [("small", 8), ("large & slow", 8)]


def test_reasons_that_are_the_same_stand_once(rows):
    others = [replace(rows[-1], batch=batch) for batch in (1, 2)]
    assert len(table.not_measured([*rows, *others])) == 2


def test_results_are_written_in_full(rows, tmp_path):
    written = table.write_results(rows, Plan(names=("small",)), tmp_path)
    assert [path.name for path in written] == ["speed.csv", "speed.json", "speed.md", *pictures.PICTURES]
    told = json.loads((tmp_path / "speed.json").read_text(encoding="utf-8"))
    assert len(told["rows"]) == len(rows)
    assert told["plan"]["names"] == ["small"]
    assert told["machine"]["cores"] >= 1


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_each_plot_names_every_network_that_was_measured(rows, name):
    drawn = ElementTree.fromstring(str(pictures.PICTURES[name](rows)))
    words = " ".join(text for text in drawn.itertext())
    assert "small" in words
    assert "large & slow" in words


def test_bars_have_the_lengths_of_their_times(rows):
    drawn = ElementTree.fromstring(str(pictures.latency(rows)))
    bars = [one for one in drawn.iter("{http://www.w3.org/2000/svg}rect") if one.get("fill") in ("#0072b2", "#009e73")]
    first, second = [float(one.get("width")) for one in bars if float(one.get("height")) > 12][:2]
    assert second / first == pytest.approx(2.0, rel=0.02)


@pytest.mark.parametrize("name", pictures.PICTURES)
def test_plots_can_be_drawn_of_nothing(rows, name):
    drawn = ElementTree.fromstring(str(pictures.PICTURES[name](rows[-2:])))
    assert drawn.tag.endswith("svg")


@pytest.mark.slow
def test_a_bundle_and_a_network_of_timm_are_measured():
    pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from capitate.evaluation.inference import measure

    told: list[Row] = []
    plan = Plan(
        names=("hand-locator", "test_resnet", "no-such-network"),
        precisions=(InferencePrecision.FP32, InferencePrecision.INT8),
        threads=(1,),
        batches=(2,),
        size=(64, 48),
        runs=2,
        seconds=0.2,
    )
    rows = measure(plan, progress=told.append)
    assert rows == told
    assert len(rows) == len(plan)
    by = {(one.name, one.runtime, one.precision): one for one in rows}
    assert all(one.state is not State.FAILED for one in rows if one.name != "no-such-network")
    assert {by["no-such-network", str(runtime), "fp32"].state for runtime in Runtime} == {State.FAILED}
    assert "no-such-network" in by["no-such-network", "onnxruntime", "fp32"].reason
    for name, least in (("hand-locator", 29_353_632), ("test_resnet", 1_000_000)):
        plain, torch = by[name, "onnxruntime", "fp32"], by[name, "torch", "fp32"]
        assert plain.largest_change == 0
        assert torch.largest_change < 1e-3
        assert torch.peak_memory_mb is None or torch.peak_memory_mb > plain.peak_memory_mb > 20
        assert plain.multiply_adds >= least
        assert by[name, "onnxruntime", "int8"].largest_change > 0
        assert by[name, "torch", "int8"].state is State.IMPOSSIBLE
        assert all(figure > 0 for figure in (plain.p50_ms, plain.cold_ms, plain.views_a_second_per_million))


def test_every_column_and_plot_is_explained():
    page = (Path(__file__).resolve().parents[2] / "docs" / "speed.md").read_text(encoding="utf-8")
    plain = {"name", "kind", "runtime", "precision", "threads", "batch", "height", "width"}
    assert [name for name in (*row.COLUMNS, *pictures.PICTURES) if name not in plain and f"`{name}`" not in page] == []
