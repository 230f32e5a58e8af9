"""Fixtures over the examples."""

from __future__ import annotations

import pytest

from capitate.assessment import Assessment
from capitate.radiograph import Radiograph

from .examples import EXAMPLES, hand_picture


@pytest.fixture(params=EXAMPLES.values(), ids=EXAMPLES.keys())
def example(request: pytest.FixtureRequest) -> Assessment:
    """Each of the examples."""
    return request.param


@pytest.fixture(scope="session")
def radiograph() -> Radiograph:
    """A picture that is roughly a hand."""
    return hand_picture()
