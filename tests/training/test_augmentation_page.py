"""The page on augmentation names every key with its default, and what it shows as code and settings works."""

from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from capitate.runtime import several_views
from capitate.training.config import experiment_of
from capitate.training.settings.augment import AugmentConfig
from capitate.training.settings.sampling import SamplingConfig

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "augmentation.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "settings"),
    [("## Augmentation", AugmentConfig), ("## Sampling", SamplingConfig)],
    ids=["augment", "sampling"],
)
def test_every_key_stands_in_the_page_with_its_default(heading, settings):
    section = PAGE.partition(heading)[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", section, re.MULTILINE))
    assert set(rows) == {one.name for one in fields(settings)}
    for one in fields(settings):
        shown = tomllib.loads(f"value = {rows[one.name]}")["value"]
        assert (tuple(shown) if isinstance(shown, list) else shown) == one.default, one.name


def test_settings_of_the_page_load():
    shown = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    sampling, views = (experiment_of(tomllib.loads(text)) for text in shown)
    assert sampling.sampling == SamplingConfig(method="bins", films=500, label_noise=0.28)
    assert views.test_views[5] == several_views.five_crops(0.94)[1]


def test_every_field_of_a_test_view_is_explained():
    section = PAGE.partition("## Test-time views")[2].partition("\n## ")[0]
    for name in [one.name for one in fields(several_views.TestView)] + list(several_views.Place):
        assert f"`{name}`" in section


def test_the_code_of_the_page_runs():
    pytest.importorskip("torch")
    (code,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    names: dict[str, object] = {}
    exec(code, names)
    assert names["changed"].shape == (8, 1, 160, 128)
