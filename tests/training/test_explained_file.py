"""Files that explain themselves: the same answers to the bit, heads read right, maps that sum up and lie right."""

from __future__ import annotations

import shutil
import subprocess
import sys

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.assessment import ModelReference  # noqa: E402
from capitate.errors import NoMapError  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.runtime import several_views  # noqa: E402
from capitate.runtime.abnormality import AbnormalityScreen  # noqa: E402
from capitate.runtime.bone_age import BoneAgeModel, OnFilm  # noqa: E402
from capitate.runtime.bundle import Bundle, load_bundle  # noqa: E402
from capitate.runtime.calibration import quantile  # noqa: E402
from capitate.runtime.explanation import ExplainedNetwork  # noqa: E402
from capitate.runtime.film_rule import CropRule, FilmRule  # noqa: E402
from capitate.runtime.grade_categories import CATEGORIES  # noqa: E402
from capitate.runtime.joint_grades import JointGrader  # noqa: E402
from capitate.runtime.session import Session  # noqa: E402
from capitate.runtime.views import HandFrame, ViewRule  # noqa: E402
from capitate.training.abnormality import bundle as screen_bundle  # noqa: E402
from capitate.training.abnormality.network import AbnormalityNetwork  # noqa: E402
from capitate.training.explained_file import explain_file, same_network, set_base  # noqa: E402
from capitate.training.export import export, export_network  # noqa: E402
from capitate.training.joint_grades import bundle as grades_bundle  # noqa: E402
from capitate.training.joint_grades.network import JointGradesNetwork  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.settings.abnormality import ScreenNetworkConfig  # noqa: E402
from capitate.training.settings.joint_grades import GraderConfig  # noqa: E402
from capitate.training.settings.network import NetworkConfig  # noqa: E402
from capitate.types import Box, Sex  # noqa: E402

SMALL = {"widths": (4, 8, 12, 20), "depths": (1, 1, 1, 1), "backbone": "resnet"}
RULE = ViewRule(height=96, width=64)
FRAME = HandFrame((0.1, 0.0), (0.45, 0.1), (-0.05, 0.7))
VIEWS = [[0, 4, False], [-3, 2, True], {"turned": 4.0, "scaled": 1.1}, {"right": 2, "mirrored": True, "turned": -3.0}]
NOBODY = ModelReference("mine", "1", "", "")


def written(module, path, **inputs):
    """A file as bundles have it, and its twin that explains itself."""
    torch.manual_seed(0)
    for norm in (one for one in module.modules() if isinstance(one, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d)):
        torch.nn.init.normal_(norm.running_mean, 0, 0.3)
        torch.nn.init.uniform_(norm.weight, 0.5, 1.5)
    example = tuple(torch.from_numpy(one[:2]) for one in inputs.values())
    export(module.eval(), example, path, inputs=tuple(inputs), outputs=("probabilities",), bits=32)
    twin = path.with_name("explained.onnx")
    shutil.copyfile(path, twin)
    return twin


def bone_age_file(path, **changes):
    torch.manual_seed(1)
    network = BoneAgeNetwork(NetworkConfig(**SMALL, hidden=32, **changes)).eval()
    with torch.no_grad():
        network.head[-1].weight.mul_(8)
    export_network(network, path, height=RULE.height, width=RULE.width, bits=32)
    return path


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    return bone_age_file(tmp_path_factory.mktemp("bone-age") / "model.onnx")


@pytest.fixture(scope="module")
def explained(plain):
    twin = plain.with_name("explained.onnx")
    shutil.copyfile(plain, twin)
    assert explain_file(twin) is None
    base = np.random.default_rng(5).gamma(1, 0.3, (3, SMALL["widths"][-1])).astype(np.float32)
    set_base(twin, base, base_of="drawn numbers")
    return twin


def card(**changes):
    calibration = {
        "level": 0.9,
        "reach": {str(sex): [0.4] * 4 for sex in Sex},
        "mature_months": {str(sex): 190.0 for sex in Sex},
    }
    return {
        "view": RULE.to_card(),
        "test_views": VIEWS,
        "smoothing_months": 3.0,
        "surroundings_removed": False,
        "calibration": calibration,
        **changes,
    }


def hand_views(model, film):
    return model.views(film, FRAME)


@pytest.fixture(scope="module")
def film():
    return np.random.default_rng(0).random((210, 160)).astype(np.float32)


@pytest.mark.parametrize("count", [1, 3, 8])
def test_answers_are_the_same_to_the_bit(plain, explained, count):
    random = np.random.default_rng(count)
    inputs = {
        "view": random.integers(0, 256, (count, 1, RULE.height, RULE.width), dtype=np.uint8),
        "sex": random.integers(0, 3, count),
    }
    before, after = Session(plain, threads=1), Session(explained, threads=1)
    (old,), (new,) = before.run(inputs), after.run(inputs)
    assert np.array_equal(old, new)
    asked, features = ExplainedNetwork(after, model="mine").ask(inputs)
    assert np.array_equal(old, asked)
    assert features.shape == (count, 20, 3, 2)


def test_explaining_adds_little_and_changes_nothing(plain, explained):
    assert same_network(plain, explained)
    assert explained.stat().st_size - plain.stat().st_size < 4000
    again = explained.read_bytes()
    assert explain_file(explained) is None
    assert explained.read_bytes() == again


def test_the_head_read_back_answers_as_the_file_does(explained):
    network = ExplainedNetwork(Session(explained, threads=1), model="mine")
    views = np.random.default_rng(0).integers(0, 256, (6, 1, RULE.height, RULE.width), dtype=np.uint8)
    codes = np.arange(6) % 3
    answer, features = network.ask({"view": views, "sex": codes})
    raw, _ = network.head.forward(features.mean((2, 3)), codes)
    share = np.exp(raw - raw.max(1, keepdims=True))
    np.testing.assert_allclose(share / share.sum(1, keepdims=True), answer, atol=1e-6)
    assert network.base_of == "drawn numbers"


@pytest.mark.parametrize("sex", list(Sex))
def test_a_map_of_an_age_sums_to_it_and_the_answer_stays(explained, film, sex):
    model = BoneAgeModel.of_networks(card(), [Session(explained, threads=1)] * 2, reference=NOBODY)
    views = np.repeat(hand_views(model, film)[None], 2, axis=0)
    sexes = [Sex.MALE, sex]
    answer, one = model.explained(views, sexes, hand=OnFilm(FRAME, film.shape), shown=1)
    assert np.array_equal(answer.probabilities, model.answer(views, sexes).probabilities)
    assert one.answer == pytest.approx(float(quantile(answer.probabilities, 0.5)[1]))
    assert abs(one.answer - one.base) > 0.2
    assert abs(one.gap) < 0.06
    assert (one.model, one.quantity, one.unit, one.values.shape) == ("mine", "bone_age", "months", (96, 73))


def test_a_map_of_a_part_lies_on_the_whole_film(explained, film):
    model = BoneAgeModel.of_networks(card(), [Session(explained, threads=1)], reference=NOBODY)
    views = hand_views(model, film)[None]
    whole = (film.shape[0], 2 * film.shape[1])
    hand = OnFilm(FRAME, film.shape, left=film.shape[1], film=whole)
    _, one = model.explained(views, [Sex.MALE], hand=hand)
    _, alone = model.explained(views, [Sex.MALE], hand=OnFilm(FRAME, film.shape))
    assert one.values[:, : one.values.shape[1] // 2 - 1].sum() == 0
    assert one.values.sum() == pytest.approx(alone.values.sum(), abs=0.01)
    (x, y), (x_alone, y_alone) = middle(one.values), middle(alone.values)
    assert (x, y) == pytest.approx((0.5 + x_alone / 2, y_alone), abs=0.01)


def middle(values):
    """Centre (x, y) of what a map holds, whatever its sign, in fractions."""
    amounts, (rows, columns) = np.abs(values), values.shape
    down, across = np.mgrid[:rows, :columns] + 0.5
    return (across * amounts).sum() / amounts.sum() / columns, (down * amounts).sum() / amounts.sum() / rows


@pytest.mark.parametrize(
    "view",
    several_views.read_test_views(
        [
            [5, -7, False],
            [-4, 3, True],
            {"right": 2, "down": 1, "mirrored": True, "turned": 9.0, "scaled": 0.8},
            {"turned": -20.0, "scaled": 1.2},
            {"right": 1, "mirrored": True, "crop": 0.8},
        ]
    ),
    ids=str,
)
def test_a_test_views_pixels_are_found_in_the_view_again(view):
    """A bright disc ends where the affine map says."""
    down, across = np.mgrid[:96, :64] + 0.5
    disc = np.exp(-((across - 40) ** 2 + (down - 52) ** 2) / 18).astype(np.float32)
    seen = view.of(disc)
    place = np.array([(across * seen).sum(), (down * seen).sum()]) / seen.sum()
    affine = view.to_view(96, 64)
    assert affine[:, :2] @ place + affine[:, 2] == pytest.approx((40, 52), abs=0.15)


def test_a_network_that_does_not_average_says_so(tmp_path):
    path = bone_age_file(tmp_path / "model.onnx", pooling="attention")
    assert "does not average its last feature map" in str(explain_file(path))
    model = BoneAgeModel.of_networks(card(), [Session(path, threads=1)], reference=NOBODY)
    with pytest.raises(NoMapError, match="no map for 'mine': its network does not average"):
        model.explained(np.zeros((1, 4, 96, 64), np.uint8), [Sex.MALE], hand=OnFilm(FRAME, (50, 50)))


def test_a_head_of_another_kind_says_so(tmp_path):
    path = bone_age_file(tmp_path / "model.onnx", head="ordinal")
    assert "months, grades or one logit" in str(explain_file(path))


def test_an_older_bundle_says_so(plain):
    model = BoneAgeModel.of_networks(card(), [Session(plain, threads=1)], reference=NOBODY)
    with pytest.raises(NoMapError, match="carry no feature maps, so there is no map"):
        model.explained(np.zeros((1, 4, 96, 64), np.uint8), [Sex.MALE], hand=OnFilm(FRAME, (50, 50)))


@pytest.fixture(params=["1024-512", "norm, dropout 0.5, linear 12, mish, linear 6, silu", ""])
def screen(request, tmp_path):
    network = AbnormalityNetwork(ScreenNetworkConfig(**SMALL, layers=request.param))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 1, 64, 64), dtype=np.uint8)
    twin = written(screen_bundle._Released(network), tmp_path / "model.onnx", picture=pictures)
    assert explain_file(twin) is None
    rule = FilmRule(64, 64)
    values = {"name": "mine", "task": "abnormality", "picture": rule.to_card(), "threshold": {"value": 0.5}}
    return AbnormalityScreen(Bundle(tmp_path, {**values, "networks": ["explained.onnx"]}, ""), threads=1)


def test_the_screens_map_sums_to_its_logit(screen, film):
    judged, one = screen.explained(film)
    probability = judged.probability
    assert probability == screen.films(screen.picture(film)[None])[0]
    assert one.answer == pytest.approx(np.log(probability / (1 - probability)), abs=1e-6)
    assert abs(one.gap) < 0.006
    assert (one.quantity, one.unit, one.box) == ("abnormality", "logit", None)


def test_the_pass_of_a_map_judges_as_the_plain_one():
    screen = AbnormalityScreen(load_bundle("abnormality-screen"), threads=1)
    drawn = draw(age_months=100, sex=Sex.FEMALE, height=400).radiograph.pixels
    picture = screen.picture(drawn)[None]
    judged, _ = screen.explained(drawn)
    plain, asked = screen.study(picture), screen.asked(picture)
    assert (judged.abnormal, judged.familiar) == (plain.abnormal, plain.familiar)
    assert judged.probability == pytest.approx(plain.probability, abs=1e-6)
    features = screen._explained[0].ask({"picture": picture[:, None]})[1]
    again = screen._strangeness([0], [[features.mean(axis=(2, 3))]], 1)
    np.testing.assert_allclose(again, asked.strangeness, rtol=1e-4)


def test_a_graders_maps_sum_to_expected_grades(tmp_path, film):
    network = JointGradesNetwork(GraderConfig(**SMALL))
    pictures = np.random.default_rng(0).integers(0, 256, (3, 1, 32, 32), dtype=np.uint8)
    inputs = {"picture": pictures, "category": np.arange(3)}
    twin = written(grades_bundle._Released(network), tmp_path / "model.onnx", **inputs)
    assert explain_file(twin) is None
    values = {"name": "mine", "task": "joint-grades", "picture": CropRule(FilmRule(32, 32)).to_card()}
    names = {"categories": dict(CATEGORIES), "networks": ["explained.onnx"]}
    grader = JointGrader(Bundle(tmp_path, {**values, **names}, ""), threads=1)
    boxes, joints = [Box(20, 30, 40, 40), Box(90, 100, 30, 50)], ["Radius", "MCPThird"]
    answers, maps = grader.explained(film, boxes, joints)
    plain = grader.grade(np.stack([grader.cut(film, box) for box in boxes]), joints)
    for answer, one, same, box in zip(answers, maps, plain, boxes, strict=True):
        assert np.array_equal(answer.probabilities, same.probabilities)
        assert one.answer == answer.expected
        assert abs(one.gap) < 0.006
        side = 1.5 * max(box.width, box.height)
        assert (one.box.x, one.box.width) == pytest.approx((box.x + box.width / 2 - side / 2, side), abs=1)


def test_maps_need_no_torch():
    code = (
        "import sys, capitate.explain, capitate.runtime.bone_age, capitate.runtime.abnormality, "
        "capitate.runtime.joint_grades; print({'torch', 'onnx', 'timm'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
