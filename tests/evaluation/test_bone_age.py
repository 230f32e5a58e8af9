from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest
from noisy_truth import NoisyTruth, answer, studies

from capitate.errors import UsageError
from capitate.evaluation.bone_age import band, evaluate, join
from capitate.evaluation.prediction import Prediction, run, run_both
from capitate.types import Sex


def test_run_keeps_order_and_reports_progress() -> None:
    rows = studies(5)
    calls: list[tuple[int, int]] = []
    predictions = run(rows, NoisyTruth(rows), progress=lambda done, of: calls.append((done, of)))
    assert [p.id for p in predictions] == [r.id for r in rows]
    assert calls == [(k, 5) for k in range(1, 6)]


def test_refusals_are_counted_and_stand_in_no_figure() -> None:
    rows = studies(50)
    predictions = run(rows, NoisyTruth(rows, raises={"3"}, refuses={"4", "5"}))
    assert [(p.refusal, p.months) for p in predictions[3:6]] == [
        ("corrupt_file", None),
        ("no_hand", None),
        ("no_hand", None),
    ]
    evaluation = evaluate(rows, predictions, resamples=50)
    assert (evaluation.overall.n, evaluation.overall.refused) == (47, 3)
    assert evaluation.to_json()["refused"] == {"value": 3, "low": None, "high": None}


def test_a_fault_of_the_program_is_no_refusal() -> None:
    class Broken(NoisyTruth):
        def predict(self, row: object, /) -> object:  # type: ignore[override]
            raise ZeroDivisionError

    rows = studies(2)
    with pytest.raises(ZeroDivisionError):
        run(rows, Broken(rows))  # type: ignore[arg-type]


def test_joined_by_id_and_never_by_position() -> None:
    rows = studies(200)
    predictions = run(rows, NoisyTruth(rows))
    straight = evaluate(rows, predictions, resamples=50)
    random.Random(0).shuffle(predictions)
    assert evaluate(rows, predictions, resamples=50).to_json() == straight.to_json()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda p: p[:-1], "'4' on one side only"),
        (lambda p: [*p, Prediction(id="new")], "'new' on one side only"),
        (lambda p: [*p, p[0]], "two predictions have one id, got '0'"),
    ],
)
def test_ids_have_to_match(change: object, says: str) -> None:
    rows = studies(5)
    with pytest.raises(UsageError, match=says):
        join(rows, change(run(rows, NoisyTruth(rows))))  # type: ignore[operator]
    with pytest.raises(UsageError, match="two films"):
        join([*rows, rows[0]], run(rows, NoisyTruth(rows)))


def test_films_seen_in_training_are_apart_unless_out_of_fold() -> None:
    rows = studies(100)
    seen = {str(k) for k in range(30)}
    predictions = run(rows, NoisyTruth(rows, trained_on=seen))
    apart = evaluate(rows, predictions, resamples=50)
    assert (apart.overall.n, apart.groups["in_training"].n) == (70, 30)
    assert {pair.study.id for pair in apart.in_training} == seen
    assert sum(group.n for name, group in apart.groups.items() if name.startswith("age=")) == 70
    together = evaluate(rows, predictions, out_of_fold=True, resamples=50)
    assert together.overall.n == 100
    assert "in_training" not in together.groups


def test_everything_seen_leaves_no_headline() -> None:
    rows = studies(10)
    evaluation = evaluate(rows, run(rows, NoisyTruth(rows, trained_on={r.id for r in rows})), resamples=50)
    assert evaluation.overall.n == 0
    assert evaluation.to_json()["mae"] == {"value": None, "low": None, "high": None}
    assert evaluation.groups["in_training"].n == 10


def test_seen_is_asked_by_file_stem_even_where_ids_had_to_be_longer() -> None:
    rows = [replace(row, id=f"a/{row.id}.png") for row in studies(3)]
    assert [p.in_training for p in run(rows, NoisyTruth(rows, trained_on={"1"}))] == [False, True, False]


def test_groups_by_sex_age_and_column() -> None:
    rows = [replace(row, labels={"kind": "ab"[k % 2]}) for k, row in enumerate(studies(300))]
    rows[0] = replace(rows[0], sex=Sex.UNKNOWN)
    evaluation = evaluate(rows, run(rows, NoisyTruth(rows)), group_by=["kind"], resamples=50)
    sexes = {name: group.n for name, group in evaluation.groups.items() if name.startswith("sex=") and "," not in name}
    assert sum(sexes.values()) == 300
    assert sexes["sex=unknown"] == 1
    assert evaluation.groups["kind=a"].n == 150
    cells = [group.n for name, group in evaluation.groups.items() if ",predicted=" in name]
    assert sum(cells) == 300
    with pytest.raises(UsageError, match="'colour'"):
        evaluate(rows, run(rows, NoisyTruth(rows)), group_by=["colour"])


def test_both_ways_of_asking_read_a_film_once_and_share_its_refusal() -> None:
    class Blind(NoisyTruth):
        def predict_both(self, row):
            return self.predict(row), answer(row, 100.0, sd=20)

    rows = studies(6)
    given, hidden = run_both(rows, Blind(rows, raises={"1"}, refuses={"2"}))
    assert given == run(rows, NoisyTruth(rows, raises={"1"}, refuses={"2"}))
    assert [one.months for one in hidden] == [100.0, None, 100.0, 100.0, 100.0, 100.0]
    assert [one.refusal for one in given] == [None, "corrupt_file", "no_hand", None, None, None]
    assert hidden[1] == given[1]


def test_intervals_that_were_not_calibrated_are_left_out() -> None:
    rows = studies(40)
    bare = run(rows, NoisyTruth(rows), intervals=False)
    assert {(one.low, one.high, one.level) for one in bare} == {(None, None, None)}
    assert [one.months for one in bare] == [one.months for one in run(rows, NoisyTruth(rows))]
    figures = evaluate(rows, bare, resamples=50).overall.figures
    assert np.isnan(figures["coverage"].value)
    assert figures["mae"].value > 0


def test_hidden_sex_is_a_group_of_its_own_and_not_in_the_headline() -> None:
    rows = studies(100)
    good, poor = run(rows, NoisyTruth(rows, sd=5, trained_on={"7"})), run(rows, NoisyTruth(rows, sd=15))
    evaluation = evaluate(rows, good, hidden=poor, resamples=50)
    assert evaluation.overall.n == evaluation.groups["sex=hidden"].n == 99
    assert evaluation.groups["sex=hidden"].figures["mae"].value > 2 * evaluation.overall.figures["mae"].value
    assert any(name.startswith("sex=hidden,predicted=") for name in evaluation.groups)


def test_films_without_reference_are_left_out_and_none_at_all_is_an_error() -> None:
    rows = studies(10)
    predictions = run(rows, NoisyTruth(rows))
    some = [replace(rows[0], bone_age_months=None), *rows[1:]]
    evaluation = evaluate(some, predictions, resamples=50)
    assert (evaluation.overall.n, len(evaluation.unlabelled)) == (9, 1)
    with pytest.raises(UsageError, match="none of 10 films"):
        evaluate([replace(row, bone_age_months=None) for row in rows], predictions)


@pytest.mark.parametrize(
    ("months", "name"), [(0, "0-59"), (59.9, "0-59"), (60, "60-119"), (179.99, "120-179"), (180, "180+"), (240, "180+")]
)
def test_bands(months: float, name: str) -> None:
    assert band(months) == name
