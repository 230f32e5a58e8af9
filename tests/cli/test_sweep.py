"""`capitate sweep`: its table, its exit codes, its errors."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")

from capitate.cli import main
from capitate.training.sweeping import Outcome, State
from capitate.training.sweeping.costs import Costs


def call(words, capsys):
    with pytest.raises(SystemExit) as end:
        main(words)
    told = capsys.readouterr()
    return end.value.code, told.out, told.err


@pytest.fixture
def words(tmp_path):
    path = tmp_path / "sweep.toml"
    path.write_text('[set]\nvalidation.share = 0.1\n[grid]\nnetwork.sex = ["late", "none"]\n')
    return ["sweep", str(path), "--data", str(tmp_path / "store"), "--out", str(tmp_path / "out"), "--quiet"]


@pytest.mark.parametrize("failing", [False, True])
def test_the_table_is_printed_and_a_failure_is_an_exit_code(words, failing, capsys, monkeypatch):
    def outcomes(plan, data, out):
        good = Outcome(
            "sex=late", State.FINISHED, {}, {"validation_mae": 7.25}, Costs(10**6, 10**9, 2.5, 3.0, 4.0), 60.0
        )
        bad = Outcome("sex=none", State.FAILED, message="no space")
        assert plan.config.fold == 2
        return [good, bad] if failing else [good]

    monkeypatch.setattr("capitate.training.sweeping.run_sweep", outcomes)
    code, out, _ = call([*words, "--fold", "2"], capsys)
    assert code == (1 if failing else 0)
    assert "| sex=late * | 7.25 | 1.00 M | 1.000 G | 2.50 | 60 |" in out
    assert ("Failed: sex=none" in out) == failing


def test_a_wrong_key_and_a_missing_store_are_usage_errors(words, capsys):
    code, _, err = call([*words, "--set", "network.sexes=late"], capsys)
    assert code == 2
    assert "network.sexes" in err
    code, _, err = call(words, capsys)
    assert code == 2
    assert "holds no views" in err
