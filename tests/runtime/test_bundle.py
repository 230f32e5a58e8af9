"""Bundles: not a byte of them changes unnoticed."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from capitate.errors import BundleDamagedError, BundleNotFoundError
from capitate.runtime.bundle import RELEASED, bundle_names, load_bundle, write_sums
from capitate.runtime.session import Session


def test_released_bundles_are_found_by_name_and_by_folder():
    assert set(bundle_names()) >= {"bone-age", "bone-age-ensemble", "bone-age-small", "hand-locator"}
    for name in bundle_names():
        assert load_bundle(name) == load_bundle(str(RELEASED / name))
        assert load_bundle(name).name == name


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    with pytest.raises(BundleNotFoundError, match=r"'nine'.*bone-age-small"):
        load_bundle("nine")
    with pytest.raises(BundleNotFoundError, match="none; a folder"):
        load_bundle("nine", root=tmp_path)


def test_a_flipped_byte_in_any_file_is_refused_with_its_name(copy):
    names = sorted(path.name for path in copy.iterdir())
    assert {"SHA256SUMS", "card.json", "card.md", "model.onnx", "training-ids.txt"} <= set(names)
    for name in names:
        whole = (copy / name).read_bytes()
        places = range(len(whole)) if name == "SHA256SUMS" else (0, len(whole) // 2, len(whole) - 1)
        for place in places:
            damaged = bytearray(whole)
            damaged[place] ^= 1
            (copy / name).write_bytes(damaged)
            with pytest.raises(BundleDamagedError, match=name.replace(".", r"\.")):
                load_bundle(str(copy))
        (copy / name).write_bytes(whole)
    assert load_bundle(str(copy)).name == "bone-age"


def test_a_missing_and_an_additional_file_are_named(copy):
    (copy / "more.txt").write_text("more", encoding="ascii")
    with pytest.raises(BundleDamagedError, match=r"more\.txt is not listed"):
        load_bundle(str(copy))
    (copy / "more.txt").unlink()
    (copy / "card.md").unlink()
    with pytest.raises(BundleDamagedError, match=r"card\.md is missing"):
        load_bundle(str(copy))


@pytest.mark.parametrize("line", ["abc  card.json", f"{'0' * 64} card.json", f"{'0' * 64}  ../card.json"])
def test_a_line_that_is_no_sum(copy, line):
    (copy / "SHA256SUMS").write_text(line + "\n", encoding="ascii")
    with pytest.raises(BundleDamagedError, match="not a sum"):
        load_bundle(str(copy))


def test_a_card_that_is_no_json(copy):
    (copy / "card.json").write_text("{", encoding="ascii")
    write_sums(copy)
    with pytest.raises(BundleDamagedError, match=r"card\.json is not JSON"):
        load_bundle(str(copy))


def test_a_file_that_is_no_network(copy):
    (copy / "model.onnx").write_bytes(b"nothing")
    write_sums(copy)
    with pytest.raises(BundleDamagedError, match=r"model\.onnx cannot be loaded"):
        Session(load_bundle(str(copy)).networks[0])


def test_what_a_bundle_says_of_itself(copy):
    bundle = load_bundle(str(copy))
    assert bundle.sha256 == hashlib.sha256((copy / "SHA256SUMS").read_bytes()).hexdigest()
    assert bundle.reference.sha256 == bundle.sha256
    assert bundle.size_bytes == sum(len(path.read_bytes()) for path in copy.iterdir())
    assert bundle.training_ids == set((copy / "training-ids.txt").read_text(encoding="ascii").split())
    (copy / "training-ids.txt").unlink()
    write_sums(copy)
    assert load_bundle(str(copy)).training_ids == frozenset()


def test_a_bundle_that_uses_the_networks_of_another_checks_them(tmp_path):
    folders = {name: shutil.copytree(RELEASED / name, tmp_path / name) for name in ("bone-age", "bone-age-small")}
    assert load_bundle(str(folders["bone-age-small"])).networks == (folders["bone-age"] / "model.onnx",)
    small = folders["bone-age-small"] / "card.json"
    card = small.read_text(encoding="utf-8")
    values = json.loads(card)
    values["networks_of"]["sha256"] *= 2
    small.write_text(json.dumps(values), encoding="utf-8")
    write_sums(small.parent)
    with pytest.raises(BundleDamagedError, match="are not those that bone-age-small was made for"):
        _ = load_bundle(str(small.parent)).networks
    small.write_text(card, encoding="utf-8")
    write_sums(small.parent)
    network = folders["bone-age"] / "model.onnx"
    network.write_bytes(network.read_bytes() + b"0")
    with pytest.raises(BundleDamagedError, match=r"bone-age/model\.onnx was changed"):
        _ = load_bundle(str(folders["bone-age-small"])).networks
    write_sums(folders["bone-age"])
    with pytest.raises(BundleDamagedError, match="are not those that bone-age-small was made for"):
        _ = load_bundle(str(folders["bone-age-small"])).networks


def test_a_path_is_never_taken_from_inside_the_package(tmp_path, monkeypatch):
    """`../bundles/bone-age` beside the working folder, not the package's own folder of that name."""
    mine = shutil.copytree(RELEASED / "bone-age", tmp_path / "bundles" / "bone-age")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert load_bundle("../bundles/bone-age").folder.resolve() == mine.resolve()
