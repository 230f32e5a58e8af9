"""Graders taught by the bone age of hands: labels, crops, drawn crops, ages by grades, and what they look at."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from PIL import Image  # noqa: E402

from capitate.errors import TableError, UsageError  # noqa: E402
from capitate.evaluation.grades.predictions import GradePredictions  # noqa: E402
from capitate.phantom.reference import grade_onsets  # noqa: E402
from capitate.runtime.grade_categories import CATEGORIES, JOINTS, category_of  # noqa: E402
from capitate.training.config import experiment_of  # noqa: E402
from capitate.training.joint_grades.beyond_age import partial_rank_correlation  # noqa: E402
from capitate.training.joint_grades.comparing import compare_graders, grader_table  # noqa: E402
from capitate.training.joint_grades.crops import NO_FOLD, read_graded  # noqa: E402
from capitate.training.joint_grades.hand_ages import hand_ages, hand_figures  # noqa: E402
from capitate.training.joint_grades.labels import taught  # noqa: E402
from capitate.training.joint_grades.transplants import assembled, joint_window, transplants  # noqa: E402
from capitate.training.joint_grades.weak import age_targets, believed  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.types import Sex  # noqa: E402

TINY = {
    "task": "joint-grades",
    "folds": 2,
    "network": {"backbone": "resnet", "widths": [4, 4, 8, 8], "depths": [1, 1, 1, 1], "dropout": 0.0},
    "optimiser": {"stages": [[1, 32, 32]], "batch": 32, "learning_rate": 1e-2},
    "sampling": {"method": "once"},
    "record": {"tensorboard": False, "checkpoint": 0},
    "devices": {"precision": "fp32"},
}
HANDS = 8


def test_a_label_follows_the_onsets_of_its_joint_and_sex():
    onsets = grade_onsets("Radius", Sex.FEMALE)
    middle = (onsets[6] + onsets[7]) / 2
    (row,) = age_targets(["Radius"], ["female"], np.array([middle]), spread=0.1)
    assert row.argmax() == 7
    assert row[7] > 0.99
    (row,) = age_targets(["Radius"], ["female"], np.array([onsets[6]]), spread=3.0)
    assert row[6:8].sum() == pytest.approx(1, abs=0.1)
    assert row[:7].sum() == pytest.approx(0.5, abs=0.01)  # half of the joints are past an onset at its age
    assert age_targets(["Ulna"], ["male"], np.array([10.0]), spread=3.0)[0, 0] > 0.999
    girl, boy = age_targets(["DIPThird"] * 2, ["female", "male"], np.array([130.0, 130.0]), spread=3.0)
    assert girl @ np.arange(15) > boy @ np.arange(15) + 1


def test_no_label_without_a_sex():
    with pytest.raises(TableError, match="the tables go by sex, got 'unknown' for a Ulna"):
        age_targets(["Ulna"], ["unknown"], np.array([100.0]), spread=3.0)


def test_a_belief_moves_a_label_within_what_the_age_leaves_open():
    label = np.array([[0.0, 0.5, 0.5, 0.0] + [0.0] * 11], dtype=np.float32)
    belief = np.array([[0.0, 0.1, 0.4, 0.5] + [0.0] * 11])
    assert believed(label, belief, power=1.0)[0, :4] == pytest.approx([0, 0.2, 0.8, 0])
    assert believed(label, belief, power=0.0) == pytest.approx(label)
    assert believed(label, np.full((1, 15), np.nan), power=1.0) == pytest.approx(label)


@pytest.fixture(scope="module")
def crops(tmp_path_factory) -> Path:
    """A bright disc that grows with age stands for every joint."""
    folder = tmp_path_factory.mktemp("crops")
    random = np.random.default_rng(0)
    across = np.hypot(*np.mgrid[-16:16, -16:16])
    lines = []
    for hand in range(HANDS):
        age, sex = 40 + 20 * hand, "male" if hand % 2 else "female"
        for joint in JOINTS:
            path = folder / joint / f"{hand}__{joint}.png"
            path.parent.mkdir(exist_ok=True)
            picture = 40 + 150 * (across < 2 + age / 16) + random.normal(0, 5, across.shape)
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(path)
            lines.append([f"{joint}/{path.name}", hand, joint, sex, age])
    with (folder / "crops.csv").open("w", encoding="utf8", newline="") as stream:
        csv.writer(stream).writerows([["file", "hand", "joint", "sex", "bone_age_months"], *lines])
    return folder


@pytest.fixture(scope="module")
def drawn(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    for joint, grade in (("Radius", 3), ("Ulna", 0)):
        (folder / joint / str(grade)).mkdir(parents=True)
        picture = np.arange(40 * 40, dtype=np.uint32).reshape(40, 40) % 251
        Image.fromarray(picture.astype(np.uint8)).save(folder / joint / str(grade) / f"phantom-1__{joint}.png")
    return folder


@pytest.fixture(scope="module")
def run(crops, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "by-age"
    run_experiment(experiment_of(TINY), crops, folder, RunOptions(fold=1))
    return folder


def test_a_table_of_crops_is_read_with_sex_and_age(crops, tmp_path):
    found = read_graded(crops)
    assert len(found) == HANDS * len(JOINTS)
    assert (found.grades == -1).all()
    assert set(found.sexes) == {"female", "male"}
    both = tmp_path / "both"
    for name in ("a", "b"):
        (both / name).mkdir(parents=True)
        (both / name / "crops.csv").write_text(
            f"file,hand,joint,sex,bone_age_months\n{name}.png,{name},Radius,F,100\n", encoding="utf8"
        )
    assert [item.id for item in read_graded(both).items] == ["a/a.png", "b/b.png"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x.png,1,Knee,F,100", r"column 'joint': no such joint, got 'Knee'"),
        ("x.png,1,Radius,F,1000", "column 'bone_age_months'"),
        ("x.png,,Radius,F,100", r"column 'hand': the cell is empty"),
        ("x.png,1,Radius,,100", "1 crops have neither a grade nor sex and bone age, such as 'x.png'"),
        ("x.png,1,Radius,F,", "1 crops have neither a grade nor sex and bone age, such as 'x.png'"),
    ],
)
def test_what_cannot_be_taught_is_named(tmp_path, line, said):
    (tmp_path / "crops.csv").write_text(f"file,hand,joint,sex,bone_age_months\n{line}\n", encoding="utf8")
    with pytest.raises(TableError, match=said):
        taught(tmp_path, experiment_of(TINY))


def test_drawn_crops_teach_and_are_never_held_out(crops, drawn):
    config = experiment_of({**TINY, "labels": {"drawn": str(drawn), "drawn_share": 0.5}})
    found = taught(crops, config)
    assert found.crops.drawn.sum() == 2
    folds = found.crops.folds(2)
    assert set(folds[found.crops.drawn]) == {NO_FOLD}
    assert set(folds[~found.crops.drawn]) == {0, 1}
    assert found.targets[found.crops.drawn].argmax(axis=1).tolist() == [3, 0]
    assert found.weak.sum() == HANDS * len(JOINTS)


def test_a_run_compares_hands_with_their_bone_ages(run, crops):
    figures = json.loads((run / "metrics.json").read_text(encoding="utf8"))
    ages = figures["rus_chn"]["all"]
    assert ages["n"] > 0
    assert ages["mae"]["low"] <= ages["mae"]["value"] <= ages["mae"]["high"]
    with (run / "hands.csv").open(encoding="utf8", newline="") as stream:
        lines = list(csv.DictReader(stream))
    assert len(lines) == ages["n"]
    off = [abs(float(line["rus_months"]) - float(line["bone_age_months"])) for line in lines]
    assert ages["mae"]["value"] == pytest.approx(np.mean(off), abs=1e-3)
    assert all(int(line["joints"]) == 13 for line in lines)


def test_beliefs_of_another_run_sharpen_labels(run, crops):
    plain = taught(crops, experiment_of(TINY))
    sharper = taught(
        crops, experiment_of({**TINY, "labels": {"beliefs": [str(run / "predictions.csv")], "spread": 12.0}})
    )
    assert not np.allclose(plain.targets, sharper.targets)
    assert sharper.targets.sum(axis=1) == pytest.approx(1, abs=1e-4)


def predictions(grades: dict[str, int]) -> GradePredictions:
    names = list(grades)
    probabilities = np.zeros((len(names), 15))
    probabilities[np.arange(len(names)), list(grades.values())] = 1
    categories = np.array([category_of(name) for name in names])
    text = np.array(names)
    return GradePredictions(text, text, categories, np.full(len(names), "1"), probabilities.argmax(1), probabilities)


def test_the_age_of_a_hand_is_that_of_its_grades():
    """All 13 joints fused are 1000 points, and a boy of 1000 points is 18.21 years by the published formula."""
    fused = {joint: CATEGORIES[category_of(joint)] for joint in JOINTS}
    (hand,) = hand_ages(predictions(fused), sexes={"1": "male"}, ages={"1": 216.0})
    assert hand.total == pytest.approx(1000)
    assert hand.joints == 13
    figures = hand_figures([hand])
    assert figures["all"]["bias"]["value"] == pytest.approx(hand.rus_months - 216.0)
    assert set(figures) == {"all", "male", "216 to 240", "male 216 to 240"}


def test_a_grader_that_reads_the_middle_follows_the_donor():
    random = np.random.default_rng(0)
    values = random.uniform(0, 10, 60)
    pictures = np.tile(values[:, None, None], (1, 48, 48)).astype(np.float32)
    ages, joints = values * 20, np.full(60, "Radius")
    categories = np.zeros(60, dtype=np.int64)

    def middle(some, _):
        return some[:, 20:28, 20:28].mean(axis=(1, 2)).astype(float)

    def rim(some, _):
        return some[:, 0, :].mean(axis=1).astype(float)

    found = transplants(pictures, categories, joints, ages, grade=middle, margin=0.25)
    assert (found.donor.value, found.host.value) == pytest.approx((1, 0), abs=1e-3)
    found = transplants(pictures, categories, joints, ages, grade=rim, margin=0.25)
    assert (found.donor.value, found.host.value) == pytest.approx((0, 1), abs=1e-3)
    window = joint_window(48, margin=0.25)
    assert window[24, 24] == pytest.approx(1, abs=1e-3)
    assert window[0, 0] < 1e-3
    assert window.mean() == pytest.approx((1 / 1.5) ** 2, abs=0.01)
    assert assembled(pictures[:1], pictures[1:2], window)[0, 24, 24] == pytest.approx(values[1], abs=0.01)


def test_what_a_grade_says_beyond_age():
    random = np.random.default_rng(1)
    age = random.uniform(40, 200, 400)
    own = random.normal(0, 1, 400)
    found = partial_rank_correlation(age / 10 + own, age / 20 + own, age)
    assert found.value > 0.8
    assert found.low > 0.7
    only_age = partial_rank_correlation(age / 10, age / 20 + own, age)
    assert not only_age.value > 0.2


def test_graders_are_compared_in_a_table(run, crops, drawn, tmp_path):
    measures = tmp_path / "measures.csv"
    lines = [f"{hand},{joint},{0.5 + hand / 10},,{str(hand > 4).lower()}" for hand in range(HANDS) for joint in JOINTS]
    measures.write_text("id,joint,width_ratio,gap,fused\n" + "\n".join(lines) + "\n", encoding="utf8")
    (figures,) = compare_graders([run], crops, graded=drawn, measures=measures)
    assert figures.within_one is not None
    assert 0 <= figures.within_one["value"] <= 1
    table = grader_table([figures])
    assert table.splitlines()[0].startswith("| run | hands | RUS-CHN age, MAE |")
    assert table.splitlines()[2].startswith("| by-age | ")


def test_a_run_that_held_nothing_out_is_not_compared(crops, tmp_path):
    run_experiment(experiment_of(TINY), crops, tmp_path / "all", RunOptions())
    with pytest.raises(UsageError, match="compared no hands with bone ages; train it with --fold"):
        compare_graders([tmp_path / "all"], crops)
