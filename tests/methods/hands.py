"""Gradings to test with."""

from __future__ import annotations

from hypothesis import strategies as st

from capitate.methods import GRADE_COUNT, Grading, Joint, Scale, step_count
from capitate.phantom.maturity import grade_of, maturity_at
from capitate.types import Sex

SEXES = (Sex.FEMALE, Sex.MALE)


def alike(share: float) -> Grading:
    """Every joint the same share of its grades along."""
    return Grading({joint: round(share * count) for joint, count in GRADE_COUNT.items()})


def median_hand(months: float, sex: Sex) -> dict[Joint, int]:
    """Grades of the phantom's median child."""
    return {
        joint: grade_of(joint.value, maturity=maturity_at(joint.value, age_months=months, sex=sex)) for joint in Joint
    }


@st.composite
def whole_hands(draw: st.DrawFn, scale: Scale = Scale.GRADES) -> dict[Joint, int]:
    """Any grade of every joint."""
    return {joint: draw(st.integers(0, step_count(joint, scale=scale))) for joint in Joint}


@st.composite
def hands(draw: st.DrawFn, scale: Scale = Scale.GRADES) -> dict[Joint, int]:
    """Any grade of any joints, at least one."""
    chosen = draw(st.sets(st.sampled_from(list(Joint)), min_size=1))
    whole = draw(whole_hands(scale))
    return {joint: step for joint, step in whole.items() if joint in chosen}
