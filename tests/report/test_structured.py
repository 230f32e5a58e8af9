import json
import math
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from capitate.assessed_joints import Carpals
from capitate.assessment import SCHEMA, Source, Subject
from capitate.errors import UsageError
from capitate.report import dumps, from_json, schema, to_json
from capitate.types import Sex, age_text

from .examples import EXAMPLES, LATER, NORMAL, REFUSED, UNKNOWN_SEX

VALIDATOR = jsonschema.Draft202012Validator(schema())


def test_schema_is_a_valid_schema_for_the_version_that_is_written():
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["properties"]["schema"]["const"] == SCHEMA


def test_every_example_is_valid_and_has_every_key_in_order(example):
    written = to_json(example)
    VALIDATOR.validate(written)
    assert list(written) == schema()["required"]
    assert next(iter(written)) == "schema"


def test_round_trip(example):
    text = dumps(example)
    assert dumps(from_json(text)) == text
    assert from_json(to_json(example)) == from_json(text)
    assert from_json(text).source == example.source


def test_round_trip_keeps_types_and_values():
    back = from_json(dumps(UNKNOWN_SEX))
    assert back.subject == UNKNOWN_SEX.subject
    assert back.quality == UNKNOWN_SEX.quality
    assert back.models == UNKNOWN_SEX.models
    for sex, age in UNKNOWN_SEX.bone_age.by_sex.items():
        assert (back.bone_age.by_sex[sex].months, back.bone_age.by_sex[sex].text) == (age.months, age.text)
    assert back.bone_age.interval == UNKNOWN_SEX.bone_age.interval
    assert back.hand.box.x == 60.0, "boxes carry one decimal"
    assert sum(back.bone_age.distribution.probabilities) == pytest.approx(1, abs=1e-4)


def test_one_object_is_one_line(example):
    assert "\n" not in dumps(example)
    assert json.loads(dumps(example)) == json.loads(dumps(example, indent=2))


def test_refused_film_has_an_error_and_no_age():
    written = to_json(REFUSED)
    assert written["error"] == {"code": "not_a_radiograph", "message": REFUSED.error.message}
    assert written["bone_age"] is None


@given(st.floats(min_value=0, max_value=280))
def test_rounded_months_say_the_same_age_as_the_text(months):
    age = replace(NORMAL.bone_age, months=months, text=age_text(months))
    written = to_json(replace(NORMAL, bone_age=age))["bone_age"]
    assert written["months"] == pytest.approx(months, abs=0.0101)
    assert age_text(written["months"]) == written["text"]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_not_finite_is_never_written(bad):
    with pytest.raises(ValueError, match=r"assessment\.bone_age\.months must be a finite number"):
        dumps(replace(NORMAL, bone_age=replace(NORMAL.bone_age, months=bad)))
    with pytest.raises(ValueError, match=r"reference\.z must be a finite number"):
        dumps(replace(LATER, reference={**LATER.reference, "z": np.float32(bad)}))


def test_numpy_values_become_plain_numbers():
    carpals = Carpals(np.int64(8), np.float32(0.5), (np.zeros((3, 2)),))
    written = json.loads(dumps(replace(LATER, carpals=carpals)))
    VALIDATOR.validate(written)
    assert written["carpals"] == {"count": 8, "area_of_hand": 0.5, "outlines": [[[0, 0]] * 3], "names": []}


def test_a_file_name_that_is_no_unicode_can_still_be_written():
    text = dumps(replace(NORMAL, source=Source(name="f\udcfflm 骨.png", sha256=None)))
    assert text.encode("utf-8")
    assert "骨" in text


@pytest.mark.parametrize("version", ["capitate.assessment/2", None, 1])
def test_other_schema_versions_are_refused_by_name(version):
    with pytest.raises(UsageError, match=f"got {version!r}"):
        from_json(to_json(NORMAL) | {"schema": version})


@pytest.mark.parametrize(
    "broken",
    ["", "{", "[]", "null", '{"schema": NaN}', f'{{"schema": "{SCHEMA}"}}', "[" * 100_000],
    ids=["empty", "cut", "list", "null", "nan", "no-keys", "deep"],
)
def test_text_that_is_no_assessment_is_a_usage_error(broken):
    with pytest.raises(UsageError):
        from_json(broken)


@pytest.mark.parametrize("key", [key for key in to_json(NORMAL) if key != "schema"])
def test_a_missing_key_is_named(key):
    written = to_json(NORMAL)
    del written[key]
    with pytest.raises(UsageError, match=key):
        from_json(written)


@pytest.mark.parametrize(
    ("key", "value"), [("subject", 3), ("hand", {"side": "up"}), ("models", [1]), ("joints", 5), ("timings_ms", [])]
)
def test_a_value_of_the_wrong_kind_is_a_usage_error(key, value):
    with pytest.raises(UsageError):
        from_json(to_json(NORMAL) | {key: value})


def _nodes(value, path=()):
    yield path, value
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        if key != "probabilities":
            yield from _nodes(child, (*path, key))


def _mutated(written, path, change):
    """Return a copy in which the value at `path` was changed; `change` gets its container and key."""
    copy = deepcopy({"root": written})
    container = copy
    for key in ("root", *path)[:-1]:
        container = container[key]
    change(container, ("root", *path)[-1])
    return copy["root"]


def _set(value):
    def change(container, key):
        container[key] = value

    return change


FREE = {("timings_ms",), ("adult_height",)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_objects_are_closed_and_their_keys_required(name):
    written = to_json(EXAMPLES[name])
    objects = [path for path, value in _nodes(written) if isinstance(value, dict) and path not in FREE]
    for path in objects:
        extra = _mutated(written, path, lambda container, key: container[key].update(surprise=1))
        assert not VALIDATOR.is_valid(extra), f"{path} takes unknown keys"
        for key in dict(_nodes(written))[path]:
            missing = _mutated(written, path, lambda container, at, key=key: container[at].pop(key))
            assert not VALIDATOR.is_valid(missing), f"{path} does not require {key}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_value_may_be_of_another_kind(name):
    written = to_json(EXAMPLES[name])
    for path, value in _nodes(written):
        wrong = "seven" if isinstance(value, int | float) and not isinstance(value, bool) else -1.5
        if path not in FREE:
            assert not VALIDATOR.is_valid(_mutated(written, path, _set(wrong))), f"{path} takes {wrong!r}"


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("normal", ("bone_age", "months"), -1.0),
        ("normal", ("bone_age", "months"), 301.0),
        ("normal", ("bone_age", "text"), "about ten"),
        ("normal", ("bone_age", "mature"), True),
        ("mature", ("bone_age", "mature"), False),
        ("normal", ("bone_age", "interval", "level"), 90),
        ("normal", ("bone_age", "distribution", "probabilities"), [1.5]),
        ("normal", ("bone_age", "distribution", "step_months"), 0),
        ("normal", ("hand", "box"), [1, 2, 3]),
        ("normal", ("hand", "box"), [1, 2, 3, 0]),
        ("normal", ("hand", "box"), [1, 2, 3, 4, 5]),
        ("normal", ("source", "sha256"), "AB" * 32),
        ("normal", ("quality", "findings", 0, "severity"), "fatal"),
        ("normal", ("quality", "findings", 0, "code"), "Not Snake"),
        ("normal", ("quality", "accepted"), False),
        ("normal", ("timings_ms", "total"), -1),
        ("normal", ("subject", "sex"), "unknown"),
        ("unknown_sex", ("bone_age", "by_sex"), None),
        ("refused", ("quality", "accepted"), True),
        ("refused", ("error"), None),
        ("later", ("joints", 0, "name"), "Elbow"),
        ("later", ("joints", 0, "grade", "value"), 15),
        ("later", ("joints", 0, "status"), "lost"),
        ("later", ("joints", 0, "detection"), 1.1),
        ("later", ("joints", 0, "epiphysis", "outline", 0), [[1, 2]]),
        ("later", ("methods", "rus_chn", "missing"), ["Elbow"]),
        ("later", ("methods", "tw3", "by_sex", "male", "reach"), "far"),
        ("normal", ("hand", "side_source"), "guess"),
        ("later", ("methods", "rus_chn", "total"), 1001),
        ("later", ("abnormality", "probability"), 1.1),
        ("later", ("carpals", "outlines", 0), [[1, 2]]),
    ],
)
def test_values_out_of_range_or_in_contradiction_are_rejected(name, path, value):
    path = (path,) if isinstance(path, str) else path
    assert not VALIDATOR.is_valid(_mutated(to_json(EXAMPLES[name]), path, _set(value)))


def test_a_refused_film_may_carry_no_age():
    age = to_json(NORMAL)["bone_age"]
    assert not VALIDATOR.is_valid(to_json(REFUSED) | {"bone_age": age})


def test_an_age_known_for_one_sex_has_no_other():
    known = replace(UNKNOWN_SEX, subject=Subject(sex=Sex.MALE, sex_source="dicom"))
    assert not VALIDATOR.is_valid(to_json(known))


DOCUMENT = Path(__file__).parents[2] / "docs" / "assessment-json.md"


def test_the_documented_example_is_valid_and_can_be_read():
    example = DOCUMENT.read_text(encoding="utf-8").split("```json\n")[1].split("```")[0]
    VALIDATOR.validate(json.loads(example))
    assert to_json(from_json(example)) == json.loads(example)


def _property_names(part):
    if isinstance(part, dict):
        yield from part.get("properties", {})
    for child in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from _property_names(child)


@pytest.mark.parametrize("name", sorted(set(_property_names(schema()))))
def test_every_key_is_documented(name):
    assert f"`{name}`" in DOCUMENT.read_text(encoding="utf-8")
