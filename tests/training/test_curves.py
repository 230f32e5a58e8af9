"""Curves: figures against their formulas, CSV and TensorBoard alike, resumed without a gap."""

from __future__ import annotations

import csv

import numpy as np
import pytest

torch = pytest.importorskip("torch")
from tensorboard.summary.writer import event_file_writer  # noqa: E402

from capitate.errors import ReportWriteError  # noqa: E402
from capitate.training.bone_age_task import film_figures, film_sums  # noqa: E402
from capitate.training.curves import Curves  # noqa: E402
from capitate.training.meter import Meter  # noqa: E402


def test_figures_of_two_batches():
    """Ages 100, 120 | 90 read as 103, 116 | 95: errors 3, -4 | 5, losses 2 | 8."""
    meter = Meter(film_figures)
    for loss, predicted, months in ((2.0, [103.0, 116.0], [100.0, 120.0]), (8.0, [95.0], [90.0])):
        sums = film_sums(torch.tensor(loss), torch.tensor(predicted), torch.tensor(months))
        meter.add(sums, seconds=1.5, data_seconds=0.25)
    ages = np.array([100, 120, 90])
    assert meter.figures() == pytest.approx(
        {
            "loss": (2 * 2 + 8) / 3,
            "mae": 4.0,
            "rmse": (50 / 3) ** 0.5,
            "r2": 1 - 50 / np.square(ages - ages.mean()).sum(),
            "films_a_second": 1.0,
            "seconds": 3.0,
            "data_seconds": 0.5,
        }
    )


def test_ages_that_are_all_the_same_have_no_r2():
    meter = Meter(film_figures)
    meter.add(film_sums(torch.tensor(1.0), torch.tensor([1.0]), torch.tensor([2.0])), seconds=1, data_seconds=0)
    assert np.isnan(meter.figures()["r2"])
    assert Meter(film_figures).figures() == {}


def line(step):
    return {"epoch": 1, "step": step, "loss": step / 10}


def read(path):
    with path.open(encoding="utf8", newline="") as stream:
        return [(int(one["step"]), float(one["loss"])) for one in csv.DictReader(stream)]


def scalars(folder, tag):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard"))
    events.Reload()
    return [(one.step, pytest.approx(one.value)) for one in events.Scalars(tag)]


def test_a_resumed_curve_has_each_step_once(tmp_path, monkeypatch):
    """Lines after the checkpoint at step 20 are written again, the one cut off in the middle too."""
    # TensorBoard reads a folder's files by name, in which second and count stand; runs that go on differ by seconds,
    # these two only by their count, which has to sort as text
    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(100))
    first = Curves(tmp_path, step=0, tensorboard=True)
    for step in (10, 20, 30, 40):
        first.batch(line(step))
    first.epoch([{"epoch": 1, "step": 40, "loss": 3.0}])
    first.close()
    with (tmp_path / "batches.csv").open("a", encoding="utf8") as stream:
        stream.write("1,5")
    second = Curves(tmp_path, step=20, tensorboard=True)
    assert read(tmp_path / "batches.csv") == [(10, 1.0), (20, 2.0)]
    second.batch(line(30))
    second.close()
    assert read(tmp_path / "batches.csv") == [(10, 1.0), (20, 2.0), (30, 3.0)]
    assert read(tmp_path / "history.csv") == [(40, 3.0)]
    assert scalars(tmp_path, "batch/loss") == [(10, 1.0), (20, 2.0), (30, 3.0)]


def test_without_tensorboard_there_is_no_such_folder(tmp_path):
    curves = Curves(tmp_path, step=0, tensorboard=False)
    curves.batch(line(1))
    curves.close()
    assert [path.name for path in tmp_path.iterdir()] == ["batches.csv"]


def test_a_curve_that_cannot_be_written_is_named(tmp_path):
    curves = Curves(tmp_path, step=0, tensorboard=False)
    (tmp_path / "batches.csv").unlink()
    (tmp_path / "batches.csv").mkdir()
    with pytest.raises(ReportWriteError, match=r"cannot write .*batches\.csv: Is a directory"):
        curves.batch(line(1))
