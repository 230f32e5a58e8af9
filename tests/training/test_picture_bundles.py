"""What bundles of the tasks on pictures are made from: runs of the right task, predictions joined by id."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from capitate.errors import UsageError
from capitate.training.pictures.exported import load_run
from capitate.training.pictures.predicted import mean_of, names_of, predicted_rows
from capitate.training.runs import Run
from capitate.training.settings.outlines import OutlinesConfig


def test_a_run_of_another_task_is_refused():
    run = Run(Path("runs/a"), {"task": "joint-detector", "optimiser": {"stages": [[1, 32, 32]]}})
    with pytest.raises(UsageError, match=r"of the task joint-detector; a run of the task outlines is needed"):
        load_run(run, OutlinesConfig, make=lambda config: pytest.fail(f"{config.name} must not be built"))


def test_predictions_of_several_runs_are_joined_by_id(tmp_path):
    (tmp_path / "a.csv").write_text("id,grade,p\none,3,0.2\ntwo,4,0.9\n")
    (tmp_path / "b.csv").write_text("id,grade,p\ntwo,4,0.7\nthree,5,0.1\n")
    rows = predicted_rows([tmp_path / "a.csv", tmp_path / "b.csv"], key="id", columns=("p",), of="grades")
    assert names_of(rows, "id").tolist() == ["one", "two", "three"]
    assert names_of(rows, "grade").tolist() == ["3", "4", "5"]
    assert mean_of(rows, "p").tolist() == pytest.approx([0.2, 0.8, 0.1])


def test_what_is_no_table_of_predictions(tmp_path):
    (tmp_path / "a.csv").write_text("id,age\none,3\n")
    with pytest.raises(UsageError, match=r"is no table of predicted grades, got columns id, age"):
        predicted_rows([tmp_path / "a.csv"], key="id", columns=("p",), of="grades")
    with pytest.raises(UsageError, match=r"cannot be read: No such file.*finish the run with a fold held out"):
        predicted_rows([tmp_path / "none.csv"], key="id", columns=("p",), of="grades")
