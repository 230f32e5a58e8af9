"""Networks in 8-bit integers: made on training films alone, measured on others, and run by a model's name."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

from capitate.assessor import Assessor  # noqa: E402
from capitate.cli import main  # noqa: E402
from capitate.errors import BundleNotFoundError, UsageError  # noqa: E402
from capitate.phantom import demo_film  # noqa: E402
from capitate.runtime.bone_age import BoneAgeModel  # noqa: E402
from capitate.runtime.bundle import Precision, load_bundle  # noqa: E402
from capitate.training import int8_measured  # noqa: E402
from capitate.training.bundle_folder import BundleOptions  # noqa: E402
from capitate.training.bundling import bundle_runs  # noqa: E402
from capitate.training.rebundling import rebundle  # noqa: E402
from capitate.training.runs import Run  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402


@pytest.fixture
def calibrated(monkeypatch):
    """Record which rows of the store calibrate each network, and which it is measured on."""
    rows: dict[str, list[list[int]]] = {"all": []}
    views = int8_measured.store_views

    def recorded(store, some, card):
        rows["all"].append(some.tolist())
        return views(store, some, card)

    monkeypatch.setattr(int8_measured, "store_views", recorded)
    monkeypatch.setattr(int8_measured, "_LEAST", 4)
    return rows


def test_an_ensemble_gets_a_twin_for_each_network(runs, saved, tmp_path, calibrated):
    bundle = bundle_runs(runs, tmp_path / "bundle", options=BundleOptions(data=saved, int8=True, films=4))
    found = bundle.card["int8"]
    assert found["networks"] == ["fold-0.int8.onnx", "fold-1.int8.onnx"]
    for name in found["networks"]:
        kinds = {node.op_type for node in onnx.load(str(bundle.folder / name)).graph.node}
        assert {"QuantizeLinear", "DequantizeLinear"} <= kinds
    store = ViewStore.load(saved)
    ids = [set(store.ids[rows].tolist()) for rows in calibrated["all"]]
    for k, run in enumerate(map(Run.load, runs)):
        calibrating, *measuring = ids[3 * k : 3 * k + 3]
        assert calibrating <= run.training_ids
        assert all(not some & run.training_ids for some in measuring)
    assert found["loss"]["films"] == 32
    assert found["loss"]["mae_change"]["low"] <= found["loss"]["mae_change"]["value"]
    assert found["loss"]["mae_int8"] - found["loss"]["mae_fp32"] == pytest.approx(
        found["loss"]["mae_change"]["value"], abs=0.002
    )
    assert found["speed"]["times_as_fast"] > 0
    text = (bundle.folder / "card.md").read_text()
    assert "@int8" in text
    assert found["speed"]["processor"] in text


def test_the_name_of_a_model_chooses_its_precision(runs, saved, tmp_path, calibrated):
    folder = str(bundle_runs(runs, tmp_path / "one", options=BundleOptions(data=saved, int8=True, films=4)).folder)
    narrow = load_bundle(f"{folder}@int8")
    assert narrow.precision is Precision.INT8
    assert narrow.reference.version == "1+int8"
    assert load_bundle(f"{folder}@fp32").networks == load_bundle(folder).networks
    ages = [Assessor(model=name, threads=1) for name in (folder, f"{folder}@int8")]
    demo_film(tmp_path / "film.png")
    months = [one.assess(tmp_path / "film.png").assessment.bone_age.months for one in ages]
    assert months[0] != months[1]
    assert months[0] == pytest.approx(months[1], abs=12)
    with pytest.raises(BundleNotFoundError):
        load_bundle(f"{folder}@int4")


def test_a_run_that_learnt_from_every_film_says_that_its_loss_is_not_known(
    two, saved, runs, tmp_path, calibrated, monkeypatch
):
    from capitate.training.bone_age_run import run_bone_age

    run_bone_age(two, saved, tmp_path / "whole")
    report = tmp_path / "report.json"
    with pytest.raises(SystemExit):
        main(["calibrate", *map(str, runs), "--out", str(report)])
    monkeypatch.setattr(int8_measured, "CALIBRATED_ON", 8)
    options = BundleOptions(data=saved, int8=True, films=4, calibration=report)
    loss = bundle_runs([tmp_path / "whole"], tmp_path / "bundle", options=options).card["int8"]["loss"]
    assert loss["films"] == 24
    assert "mae_change" not in loss
    assert "none is held out" in loss["on"]


def test_a_bundle_is_copied_with_twins_and_its_networks_stay(runs, saved, tmp_path, calibrated, monkeypatch):
    from capitate.training import rebundling

    monkeypatch.setattr(rebundling, "FOLDS", 2)
    first = bundle_runs(runs, tmp_path / "first", options=BundleOptions(data=saved, films=4))
    copy = rebundle(str(first.folder), tmp_path / "copy", options=BundleOptions(data=saved, int8=True))
    for one, two in zip(first.networks, copy.networks, strict=True):
        assert one.read_bytes() == two.read_bytes()
    same = ("figures", "coverage", "calibration", "member_calibrations", "agreement", "training", "view", "test_views")
    assert {key: copy.card[key] for key in same} == {key: first.card[key] for key in same}
    assert copy.card["int8"]["loss"]["films"] == 32
    assert copy.training_ids == first.training_ids
    again = rebundle(str(copy.folder), tmp_path / "copy")
    assert again.sha256 == copy.sha256


def test_what_cannot_be_is_said(runs, saved, tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="give their store as --data"):
        bundle_runs(runs, tmp_path / "a", options=BundleOptions(int8=True))
    monkeypatch.setattr(int8_measured, "_LEAST", 20)
    with pytest.raises(UsageError, match="20 are needed to calibrate"):
        bundle_runs(runs, tmp_path / "a", options=BundleOptions(int8=True, data=saved, films=2))
    with pytest.raises(UsageError, match=r"has no networks in int8.*leave @int8 out"):
        BoneAgeModel(load_bundle("bone-age@int8"))
    with pytest.raises(UsageError, match="need the runs"):
        rebundle("bone-age", tmp_path / "b", options=BundleOptions(version="9"))
    with pytest.raises(UsageError, match="networks of their own"):
        rebundle("bone-age-small", tmp_path / "b", options=BundleOptions(int8=True))
    assert not (tmp_path / "a").exists()
    assert not (tmp_path / "b").exists()
