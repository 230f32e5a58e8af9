from pathlib import Path

import pytest

from capitate.errors import TableError
from capitate.evaluation.paired import compare, read_predictions
from capitate.evaluation.prediction import Prediction
from capitate.training.manifest import Study
from capitate.types import Sex


def study(name: str, months: float) -> Study:
    return Study(path=Path(f"{name}.png"), id=name, listed=f"{name}.png", sex=Sex.MALE, bone_age_months=months)


STUDIES = [study("a", 100), study("b", 110), study("c", 120)]
HERE = [Prediction("c", months=123), Prediction("a", months=98), Prediction("b", months=None, refusal="no_hand")]


def test_runs_are_joined_by_id_and_films_missing_on_either_side_drop_out():
    paired = compare(STUDIES, HERE, {"a": 105.0, "c": 121.0, "d": 7.0})
    assert paired.n == 2
    assert paired.here == pytest.approx((2 + 3) / 2)
    assert paired.there == pytest.approx((5 + 1) / 2)
    assert paired.difference.value == pytest.approx(-0.5)
    assert paired.difference.low <= -0.5 <= paired.difference.high
    assert paired.moved == pytest.approx((7 + 2) / 2)


def test_no_common_film_is_an_error_with_both_counts():
    with pytest.raises(TableError, match="none of 3 films stands in the other run's 1"):
        compare(STUDIES, HERE, {"z": 1.0})


def test_predictions_are_read_without_refused_films(tmp_path):
    table = tmp_path / "predictions.csv"
    table.write_text("id,predicted_months\na,12.5\nb,\n")
    assert read_predictions(table) == {"a": 12.5}


@pytest.mark.parametrize(
    ("text", "message"), [("id\na\n", "predicted_months"), ("id,predicted_months\na,x\n", "not a number")]
)
def test_a_table_of_another_form_is_refused(tmp_path, text, message):
    table = tmp_path / "predictions.csv"
    table.write_text(text)
    with pytest.raises(TableError, match=message):
        read_predictions(table)
