"""Assessments read from files: one object, laid out or not, or one a line."""

from __future__ import annotations

import pytest

from capitate.errors import UsageError
from capitate.report import assessments_of, dumps, read_assessments

from .examples import LATER, NORMAL, REFUSED


@pytest.mark.parametrize("indent", [None, 2])
def test_one_object(tmp_path, indent):
    path = tmp_path / "film.json"
    path.write_text(dumps(LATER, indent=indent), encoding="utf-8")
    (found,) = read_assessments(path)
    assert dumps(found) == dumps(LATER)


def test_one_a_line_with_gaps():
    text = "\n\n".join(dumps(one) for one in (NORMAL, REFUSED)) + "\n"
    assert [one.source.name for one in assessments_of(text, shown="x")] == ["film.png", "blank.png"]


def test_the_wrong_line_is_named():
    with pytest.raises(UsageError, match=r"'x, line 2' is no assessment that can be used: .*'capitate.assessment/9'"):
        assessments_of(f'{dumps(NORMAL)}\n{{"schema": "capitate.assessment/9"}}\n', shown="x")


def test_joints_that_are_not_the_21_are_refused():
    text = dumps(LATER).replace('"name": "Ulna"', '"name": "Radius"')
    with pytest.raises(UsageError, match="joints must be the 21 from Radius to DIPFifth"):
        assessments_of(text, shown="x")
