"""Released bundles copied with what maps need: the same answers, maps that sum up, and refusals in sentences."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from capitate import files
from capitate.errors import UsageError
from capitate.phantom import draw_joint
from capitate.runtime.bundle import load_bundle
from capitate.runtime.explanation import ExplainedNetwork
from capitate.runtime.joint_grades import JointGrader
from capitate.runtime.session import Session
from capitate.training.base_features import explain_networks
from capitate.training.bundle_folder import BundleOptions
from capitate.training.rebundling import rebundle
from capitate.types import Box, Sex

from .drawn_pictures import draw_crops


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    return rebundle("joint-grades", tmp_path_factory.mktemp("copy") / "joint-grades", options=BundleOptions(maps=True))


def test_a_copy_answers_as_the_released_grader_and_has_maps(copied):
    pixels = draw_joint("Radius", 6, sex=Sex.FEMALE, size=90, seed=3).pixels
    box = Box(15, 15, 60, 60)
    released, grader = JointGrader(load_bundle("joint-grades"), threads=1), JointGrader(copied, threads=1)
    (answer,), (one,) = grader.explained(pixels, [box], ["Radius"])
    (plain,) = released.grade(released.cut(pixels, box)[None], ["Radius"])
    assert np.array_equal(answer.probabilities, plain.probabilities)
    assert abs(one.gap) < 0.006
    assert "base" in copied.card["maps"]
    assert copied.card["maps"]["base"] in (copied.folder / "card.md").read_text(encoding="utf-8")


def test_a_base_is_the_average_of_the_crops_of_a_category(copied, tmp_path):
    draw_crops(tmp_path / "crops", {"Radius": [3], "Ulna": [2]}, hands=2)
    path = tmp_path / "model.onnx"
    path.write_bytes(copied.networks[0].read_bytes())
    told = explain_networks([path], copied.card, data=tmp_path / "crops")
    assert told == {"base": "the average crop of the joint's category: 4 crops of crops, drawn at random"}
    network = ExplainedNetwork(Session(path, threads=1), model="mine")
    order = list(copied.card["categories"])
    grader = JointGrader(copied, threads=1)
    shown = [grader.picture(files.read(one).pixels) for one in sorted((tmp_path / "crops" / "Ulna").rglob("*.png"))]
    inputs = {"picture": np.stack(shown)[:, None], "category": np.full(2, order.index("Ulna"))}
    mean = network.ask(inputs)[1].mean(axis=(0, 2, 3))
    np.testing.assert_allclose(network.base[order.index("Ulna")], mean, rtol=1e-4, atol=1e-5)
    others = (network.base[order.index("Radius")] + network.base[order.index("Ulna")]) / 2
    np.testing.assert_allclose(network.base[order.index("MCP")], others, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "told"),
    [("hand-locator", "of the task hand-locator; leave --maps out"), ("bone-age-small", "with --maps first")],
)
def test_bundles_that_can_have_none_are_refused(name, told, tmp_path):
    with pytest.raises(UsageError, match=told):
        rebundle(name, tmp_path / name, options=BundleOptions(maps=True))
