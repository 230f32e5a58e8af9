"""What the inference-speed tool makes of a network: costs read from its file, 8-bit files, torch's form of it."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from capitate.errors import UsageError  # noqa: E402
from capitate.runtime.bundle import load_bundle  # noqa: E402
from capitate.runtime.precision import InferencePrecision  # noqa: E402
from capitate.runtime.session import Session  # noqa: E402
from capitate.runtime.views import HandFrame  # noqa: E402
from capitate.training.export import export_network  # noqa: E402
from capitate.training.inference.drawn_films import DrawnFilms  # noqa: E402
from capitate.training.inference.file_costs import count_multiply_adds, count_parameters  # noqa: E402
from capitate.training.inference.inputs import inputs_of_file  # noqa: E402
from capitate.training.inference.order import COMPARED, Order  # noqa: E402
from capitate.training.inference.prepare import prepare  # noqa: E402
from capitate.training.inference.subject import Form, Subject  # noqa: E402
from capitate.training.inference.torch_network import TorchNetwork, keep, network_of_file, open_network  # noqa: E402
from capitate.training.int8 import quantise  # noqa: E402
from capitate.training.networks import BoneAgeNetwork  # noqa: E402
from capitate.training.settings.network import NetworkConfig  # noqa: E402
from capitate.training.sweeping.costs import multiply_adds  # noqa: E402

SIZE = (64, 48)
FP32 = InferencePrecision.FP32


@pytest.fixture(scope="module")
def network():
    torch.set_num_threads(1)
    torch.manual_seed(0)
    made = BoneAgeNetwork(NetworkConfig(backbone="test_resnet", hidden=16)).eval()
    for one in made.modules():
        if isinstance(one, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(one.bias, std=0.1)  # the exporter would keep those that are all zero once
    return made


@pytest.fixture(scope="module")
def exported(network, tmp_path_factory):
    path = tmp_path_factory.mktemp("exported") / "network.onnx"
    export_network(network, path, height=SIZE[0], width=SIZE[1])
    return path


@pytest.fixture(scope="module")
def views():
    """Inputs of sixteen films: noise, coarser in each."""
    random = np.random.default_rng(0)
    pictures = [np.kron(random.integers(0, 256, (8, 6)), np.ones((8, 8))) for _ in range(16)]
    return {"view": np.stack(pictures)[:, None].astype(np.uint8), "sex": np.arange(16, dtype=np.int64) % 2}


def test_multiply_adds_of_the_file_are_those_that_torch_counts(network, exported):
    assert count_multiply_adds(exported) == multiply_adds(network, size=SIZE)


def test_parameters_of_the_file_are_those_learnt_less_the_norms_that_are_folded(network, exported):
    norms = [one for one in network.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    folded = sum(one.weight.numel() for one in norms)  # their shifts become the kernels'
    assert count_parameters(exported) == sum(p.numel() for p in network.parameters()) - folded


def test_packed_weights_count_once():
    assert count_parameters(load_bundle("hand-locator").networks[0]) == 660663 - 400  # seven norms' scales


def test_an_int8_file_is_smaller_and_answers_nearly_the_same(exported, views, tmp_path):
    out = tmp_path / "int8.onnx"
    quantise(exported, out, films=views)
    assert out.stat().st_size < 0.6 * exported.stat().st_size, "but for the head, a quarter"
    first, second = (Session(path, threads=1).run(views)[0] for path in (exported, out))
    assert 0 < np.abs(first - second).max() < 0.05


def test_torch_gives_the_answer_of_the_file(network, exported, views, tmp_path):
    back = open_network(keep([network], tmp_path, task="bone-age"), tmp_path / "0.safetensors")
    found = TorchNetwork(back, precision=FP32).run(views)[0]
    np.testing.assert_allclose(found, Session(exported, threads=1).run(views)[0], atol=1e-5)
    rough = TorchNetwork(back, precision=InferencePrecision.BF16).run(views)[0]
    assert 0 < np.abs(rough - found).max() < 0.05
    with pytest.raises(UsageError, match="8-bit"):
        TorchNetwork(back, precision=InferencePrecision.INT8)


@pytest.mark.parametrize("name", ["bone-age", "hand-locator"])
def test_torch_rebuilds_released_networks(name, tmp_path):
    bundle = load_bundle(name)
    path, task = bundle.networks[0], bundle.card["task"]
    films = inputs_of_file(path, films=2)
    size = next(iter(films.values())).shape[-2:]
    place = keep([network_of_file(path, task=task, size=size)], tmp_path, task=task)
    found = TorchNetwork(open_network(place, tmp_path / "0.safetensors"), precision=FP32).run(films)[0]
    np.testing.assert_allclose(found, Session(path, threads=1).run(films)[0], atol=1e-4)


def test_a_task_without_a_network_of_training_is_refused(exported):
    with pytest.raises(UsageError, match="the task 'posture'"):
        network_of_file(exported, task="posture", size=SIZE)


def test_inputs_of_an_unknown_task_follow_from_the_file(exported):
    made = inputs_of_file(exported, films=3)
    assert made["view"].shape == (3, 1, *SIZE)
    assert made["view"].dtype == np.uint8
    assert made["sex"].dtype == np.int64


def test_a_subject_comes_back_as_it_was_saved(tmp_path):
    subject = Subject(
        name="net",
        kind="timm",
        task="bone-age",
        height=1,
        width=2,
        views=3,
        parameters=4,
        multiply_adds=None,
        megabytes=0.5,
        unit="months",
        inputs="i",
        reference="r",
        plain=Form(("a", "b")),
        torch=Form(("c",), "d"),
    )
    subject.save(tmp_path / "subject.json")
    assert Subject.load(tmp_path / "subject.json") == subject


@pytest.fixture
def drawn(tmp_path):
    """Squares of noise with the hand in the middle."""
    frame = HandFrame((0.0, 0.0), (0.5, 0.0), (0.0, 0.7))
    squares = np.random.default_rng(0).random((COMPARED + 2, 299, 299), dtype=np.float32)
    films = DrawnFilms(squares, [frame] * len(squares), np.arange(len(squares), dtype=np.int64) % 2)
    films.save(tmp_path / "films.npz")
    return tmp_path / "films.npz"


def test_films_come_back_as_they_were_saved(drawn):
    films = DrawnFilms.load(drawn)
    assert films.frames[0] == HandFrame((0.0, 0.0), (0.5, 0.0), (0.0, 0.7))
    assert films.squares.shape == (COMPARED + 2, 299, 299)


def test_a_network_that_cannot_be_exported_still_runs_in_torch(drawn, tmp_path, capfd):
    order = Order(name="test_vit", size=SIZE, films=str(drawn), folder=str(tmp_path), int8=True, torch=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        subject = prepare(order)
    capfd.readouterr()
    assert "ONNX" in subject.plain.failed
    assert "no ONNX file" in subject.int8.impossible
    assert subject.torch.networks
    assert subject.multiply_adds > 0


def test_an_ensemble_counts_all_its_networks(drawn, tmp_path):
    order = Order(name="bone-age-ensemble", size=SIZE, films=str(drawn), folder=str(tmp_path), int8=False, torch=False)
    subject = prepare(order)
    single = load_bundle("bone-age").networks[0]
    assert len(subject.plain.networks) == 5
    assert subject.parameters == 5 * count_parameters(single)
    assert subject.multiply_adds == 5 * count_multiply_adds(single)
    assert (subject.height, subject.width, subject.views, subject.unit) == (160, 128, 12, "months")
