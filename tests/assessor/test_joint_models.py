"""Which bundles an assessment takes, chosen by what they do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from capitate.assessor import JointModels, JointReader, chosen_models
from capitate.errors import BundleNotFoundError, UsageError
from capitate.runtime.bundle import write_sums


def bundle(folder: Path, task: str) -> str:
    """A bundle of which only the card is there."""
    folder.mkdir()
    (folder / "card.json").write_text(json.dumps({"name": folder.name, "task": task, "version": "1"}))
    write_sums(folder)
    return str(folder)


def test_bundles_are_sorted_by_their_task(tmp_path):
    grades, outlines = bundle(tmp_path / "mine", "joint-grades"), bundle(tmp_path / "lines", "outlines")
    assert chosen_models([grades, outlines], bone_age="bone-age") == (
        "bone-age",
        JointModels(grades=grades, outlines=outlines),
    )
    assert chosen_models(["bone-age-small", grades], bone_age="bone-age")[0] == "bone-age-small"
    assert chosen_models([], bone_age="bone-age") == ("bone-age", JointModels())


def test_two_bundles_of_a_task_and_other_tasks_are_refused(tmp_path):
    one, two = bundle(tmp_path / "one", "joint-grades"), bundle(tmp_path / "two", "joint-grades")
    with pytest.raises(UsageError, match="two bundles for joint-grades"):
        chosen_models([one, two], bone_age="bone-age")
    with pytest.raises(UsageError, match="does abnormality; an assessment takes bone-age, joint-detector, outlines"):
        chosen_models([bundle(tmp_path / "screen", "abnormality")], bone_age="bone-age")
    with pytest.raises(BundleNotFoundError):
        chosen_models([str(tmp_path / "nowhere")], bone_age="bone-age")


def test_a_released_bundle_may_be_absent_and_a_named_one_may_not(tmp_path, monkeypatch):
    monkeypatch.setattr("capitate.assessor.joint_models.is_bundle", lambda name: False)
    assert JointReader.load() is None
    assert "no bundle 'joint-detector' is installed" in JointModels().absent("detector")
    with pytest.raises(BundleNotFoundError):
        JointReader.load(JointModels(detector=str(tmp_path / "nowhere")))
    with pytest.raises(UsageError, match="does joint-grades, not joint-detector"):
        JointReader.load(JointModels(detector=bundle(tmp_path / "mine", "joint-grades")))
