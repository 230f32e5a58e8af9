"""The plan of a hand: its conditional places against the closed form, and the shipped table against the labels."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.hand import Joint
from capitate.hand.plan import JOINTS, HandPlan, hand_plan, pose_modes


def test_expected_places_are_those_of_the_conditional_gaussian():
    plan = hand_plan()
    rng = np.random.default_rng(0)
    seen = rng.random(21) < 0.6
    at = plan.places + 0.02 * rng.standard_normal((21, 2))
    found = plan.expected(seen, at=at, blur=0.01)
    modes = pose_modes(plan.places)
    covariance = plan.covariance + 0.09 * modes @ modes.T + 1e-4 * np.eye(42)
    for joint in range(21):
        own = [2 * joint, 2 * joint + 1]
        others = np.flatnonzero(np.repeat(seen & (np.arange(21) != joint), 2))
        gain = covariance[np.ix_(own, others)] @ np.linalg.inv(covariance[np.ix_(others, others)])
        wanted = plan.places[joint] + gain @ (at - plan.places).reshape(-1)[others]
        assert found.places[joint] == pytest.approx(wanted, abs=1e-7)
        spread = covariance[np.ix_(own, own)] - gain @ covariance[np.ix_(others, own)]
        assert found.covariances[joint] == pytest.approx(spread, abs=1e-9)


def test_pose_does_not_count_as_misfit():
    plan = hand_plan()
    shifted = plan.places @ np.array([[1.05, 0.1], [-0.1, 1.05]]).T + [0.1, -0.05]
    shape = plan.places.copy()
    shape[JOINTS.index(Joint.MIP_THIRD)] += 0.1
    every = np.ones(21, dtype=bool)
    assert plan.expected(every, at=shifted).misfit < 1
    assert plan.expected(every, at=shape).misfit > 50


def test_a_plan_is_written_and_read_again():
    plan = hand_plan()
    again = HandPlan.from_json(plan.to_json())
    assert np.array_equal(again.covariance, plan.covariance)
    assert np.array_equal(again.places, plan.places)
    assert np.linalg.eigvalsh(plan.covariance).min() > 0


def test_the_plan_is_a_left_hand_palm_down():
    at = dict(zip(JOINTS, hand_plan().places, strict=True))
    assert (at[Joint.RADIUS] + at[Joint.ULNA]) / 2 == pytest.approx([0, 0], abs=0.01)
    assert at[Joint.DIP_THIRD] == pytest.approx([0, -1], abs=0.01)
    order = [at[joint][0] for joint in (Joint.PIP_FIRST, Joint.PIP_SECOND, Joint.PIP_THIRD, Joint.PIP_FIFTH)]
    assert order == sorted(order, reverse=True)
    assert at[Joint.RADIUS][0] > at[Joint.ULNA][0]
