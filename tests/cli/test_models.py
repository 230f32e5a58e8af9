"""`capitate models`."""

from __future__ import annotations

import json
import shutil

from capitate.runtime.bundle import bundle_names, load_bundle


def test_list_names_every_bundle(run):
    result = run("models", "list")
    assert result.code == 0
    assert [line.split()[0] for line in result.out.splitlines()] == bundle_names()


def test_list_as_json(run):
    told = json.loads(run("models", "list", "--json").out)
    assert {one["name"] for one in told} >= {"bone-age", "bone-age-ensemble", "bone-age-small", "hand-locator"}
    assert all(len(one["sha256"]) == 64 for one in told)


def test_bone_age_bundles_take_at_most_16_megabytes_together():
    sizes = [load_bundle(name).size_bytes for name in bundle_names() if name.startswith("bone-age")]
    assert sum(sizes) <= 16_000_000


def test_verify_finds_released_bundles_whole(run):
    result = run("models", "verify")
    assert result.code == 0
    assert result.out.count(": whole") == len(bundle_names())


def test_verify_names_the_damaged_file_and_goes_on(run, tmp_path):
    folder = tmp_path / "copy"
    shutil.copytree(load_bundle("hand-locator").folder, folder)
    with (folder / "card.json").open("a", encoding="utf-8") as card:
        card.write(" ")
    result = run("models", "verify", folder, "hand-locator")
    assert result.code == 2
    assert "card.json" in result.err
    assert f"{folder}: damaged" in result.out
    assert "hand-locator: whole" in result.out


def test_card_of_every_bundle(run):
    for name in bundle_names():
        assert run("models", "card", name).out.strip()
        assert json.loads(run("models", "card", name, "--json").out)["name"] == name


def test_card_of_an_unknown_bundle(run):
    result = run("models", "card", "nine")
    assert result.code == 2
    assert "bone-age" in result.err
