"""Results on their way into the store when the store cannot take them at once."""

from __future__ import annotations

import pytest

from capitate.errors import StoreFullError, StoreUnavailableError


@pytest.mark.parametrize("error", [StoreFullError, StoreUnavailableError])
@pytest.mark.parametrize("step", ["start", "finish"])
def test_a_film_is_done_once_the_store_takes_it_again(served, monkeypatch, step, error):
    """The disk is full, or the database away, for two tries; nothing about the film is lost or stays half way."""
    assessments = served.service.store.assessments
    left, take = [1, 2], getattr(assessments, step)

    def take_later(*given, **named):
        if left:
            left.pop()
            raise error("no room; free space")
        return take(*given, **named)

    def no_room(*given, **named):
        raise error("no room; free space")

    monkeypatch.setattr(assessments, step, take_later)
    monkeypatch.setattr(assessments, "fail", no_room)
    record = served.made(f"{step} {error.__name__}.png")
    assert (record["status"], left) == ("done", [])
