"""Ensembles in use: how far their networks scatter, when a film is marked, and who answers for a fold."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.assessor import Assessor
from capitate.errors import UsageError
from capitate.phantom import draw
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.ensemble import Disagreement, scatter
from capitate.types import Severity, Sex

RULE = Disagreement(months=2.0, share=0.05, films=100, mae_marked=9.0, mae_others=5.0)


def certain(*months: int) -> np.ndarray:
    """Distributions that lie on one month each."""
    return np.eye(240)[list(months)]


def test_scatter_is_the_standard_deviation_of_the_medians():
    answers = [certain(100, 50), certain(110, 50), certain(120, 50)]
    assert scatter(answers) == pytest.approx([10.0, 0.0])
    assert scatter(answers[:2]) == pytest.approx([np.sqrt(50), 0.0])


def test_a_single_network_has_no_scatter():
    assert np.isnan(scatter([certain(100, 50)])).all()


def test_a_rule_stands_in_the_card_and_is_read_back():
    assert Disagreement.from_card({"disagreement": RULE.to_card()}) == RULE
    assert Disagreement.from_card({}) is None


@pytest.fixture
def ensemble(changed):
    """The released ensemble with a rule, whose networks answer as they are told."""

    def make(monkeypatch, months, **card):
        model = BoneAgeModel(changed("bone-age-ensemble", **card), threads=1)
        for session, month in zip(model._sessions, months, strict=True):
            answer = certain(month).astype(np.float32)
            monkeypatch.setattr(
                session, "run", lambda inputs, answer=answer: [np.repeat(answer, len(inputs["sex"]), axis=0)]
            )
        return model

    return make


@pytest.mark.parametrize(
    ("months", "rule", "marked"),
    [
        ((100, 101, 100, 99, 100), RULE, False),
        ((100, 110, 100, 90, 100), RULE, True),
        ((100, 110, 100, 90, 100), None, False),
    ],
)
def test_an_assessment_says_where_the_networks_disagree(ensemble, monkeypatch, months, rule, marked):
    card = {"disagreement": rule.to_card()} if rule else {}
    assessor = Assessor(threads=1)
    assessor.bone_age = ensemble(monkeypatch, months, **card)
    film = draw(age_months=126, sex=Sex.MALE, seed=3).radiograph
    found = assessor.assess_radiograph(film).assessment.quality.findings
    doubts = [one for one in found if one.code == "members_disagree"]
    assert bool(doubts) is marked
    if marked:
        assert doubts[0].severity is Severity.WARNING
        assert "scatter by 7.1 months, and 2.0 or more is reached on 5 % of films" in doubts[0].message


def test_networks_of_a_fold_answer_for_its_films_together(changed):
    bundle = changed("bone-age-ensemble", held_out=[0, 0, 1, 1, None])
    assert bundle.held_out == (0, 0, 1, 1, None)
    views = np.random.default_rng(0).integers(0, 256, (2, 6, 160, 128), dtype=np.uint8)
    pair = BoneAgeModel(bundle, threads=1, member=1)
    assert len(pair._sessions) == 2
    answer = pair.answer(views, [Sex.MALE, Sex.FEMALE])
    assert answer.probabilities == pytest.approx(pair.predict(views, [Sex.MALE, Sex.FEMALE]))
    assert (answer.scatter >= 0).all()
    with pytest.raises(UsageError, match="no network of 'bone-age-ensemble' held out fold 2"):
        BoneAgeModel(bundle, threads=1, member=2)
