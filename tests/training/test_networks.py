"""Networks: what each pooling, entrance of sex and preset promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from torch import nn  # noqa: E402

from capitate.errors import UsageError  # noqa: E402
from capitate.runtime.calibration import quantile  # noqa: E402
from capitate.runtime.session import Session  # noqa: E402
from capitate.training import loop  # noqa: E402
from capitate.training.bone_age_task import BoneAgeTask  # noqa: E402
from capitate.training.config import experiment_of  # noqa: E402
from capitate.training.export import export_network  # noqa: E402
from capitate.training.networks import BINS, BoneAgeNetwork, bin_centres  # noqa: E402
from capitate.training.networks.pooling import AttentionPool, GeneralisedMean, GridPool  # noqa: E402
from capitate.training.networks.sex import FurtherPlane, MixedSex, Modulation  # noqa: E402
from capitate.training.settings.network import NetworkConfig, SexEntrance  # noqa: E402
from capitate.training.settings.presets import network_presets  # noqa: E402
from capitate.training.smooth_stride import SmoothConv  # noqa: E402

TINY = NetworkConfig(
    widths=(8, 8, 8, 8),
    depths=(1, 1, 1, 1),
    hidden=8,
    sex_width=4,
    fusion_width=8,
    fusion_heads=2,
    attention_widths=(8, 4),
    attention_kernels=(3, 1),
)
HEIGHT, WIDTH = 96, 80  # a last map of 3 x 3, of which a grid of 2 x 2 is no divisor


def films(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    views = torch.randint(0, 256, (count, 1, HEIGHT, WIDTH), generator=generator).float()
    return views, torch.arange(count) % 3


@pytest.mark.parametrize("side", [2, 3])
@pytest.mark.parametrize("size", [(6, 6), (5, 4), (3, 7)])
def test_a_grid_is_torchs_adaptive_mean(side, size):
    x = torch.randn(2, 4, *size, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(GridPool(side)(x), nn.functional.adaptive_avg_pool2d(x, side))


def test_the_generalised_mean_lies_between_the_mean_and_the_largest():
    pool = GeneralisedMean(nn.Identity())
    x = torch.tensor([0.0, 1.0, 2.0, 3.0]).view(1, 1, 2, 2)
    # softplus: ln 2 = 0.6931, 1.3133, 2.1269, 3.0486
    assert pool(x).item() == pytest.approx(((0.6931**3 + 1.3133**3 + 2.1269**3 + 3.0486**3) / 4) ** (1 / 3), rel=1e-3)
    with torch.no_grad():
        pool.power.fill_(1.0)
    assert pool(x).item() == pytest.approx((0.6931 + 1.3133 + 2.1269 + 3.0486) / 4, rel=1e-3)
    pool(x).backward()
    assert float(pool.power.grad) != 0


def test_the_generalised_mean_hears_negative_features():
    pool, x = GeneralisedMean(nn.Identity()), torch.full((1, 1, 2, 2), -3.0, requires_grad=True)
    pool(x).backward()
    assert (x.grad > 0).all()


def test_attention_pooling_is_the_mean_where_all_cells_score_alike():
    pool = AttentionPool(3, (4,), (1,)).eval()
    nn.init.zeros_(pool.score[-1].weight)
    x = torch.randn(2, 3, 4, 5)
    torch.testing.assert_close(pool(x), x.mean((2, 3), keepdim=True), rtol=1e-4, atol=1e-5)
    pool = AttentionPool(3, (4,), (3,)).eval()
    weights = pool.weights(10 * x)
    torch.testing.assert_close(weights.sum((1, 2, 3)), torch.ones(2))
    assert weights.std() > 0


@pytest.mark.parametrize("sex", list(SexEntrance), ids=str)
def test_sex_reaches_the_answer_through_every_entrance(sex):
    torch.manual_seed(0)
    network = BoneAgeNetwork(replace(TINY, sex=sex)).eval()
    with torch.no_grad():  # entrances that begin as no change have learnt a little
        for one in (network.early, network.film):
            for weight in () if one is None else one.parameters():
                weight.add_(0.3 * torch.randn_like(weight))
        views = films(1)[0].expand(3, -1, -1, -1)
        girl, boy, unknown = network(views, torch.arange(3)).softmax(1)
    differs = [float((girl - boy).abs().max()), float((girl - unknown).abs().max())]
    assert (min(differs) > 1e-6) is (sex != SexEntrance.NONE)


def test_the_control_deals_the_sexes_of_a_batch_out_anew_in_training_alone():
    torch.manual_seed(0)
    network = BoneAgeNetwork(replace(TINY, sex="shuffled", dropout=0.0))
    views, sexes = films()
    plain = BoneAgeNetwork(replace(TINY, sex="late", dropout=0.0))
    plain.load_state_dict(network.state_dict())
    torch.manual_seed(5)
    dealt = sexes[torch.randperm(6)]
    assert not torch.equal(dealt, sexes)
    torch.manual_seed(5)
    torch.testing.assert_close(network(views, sexes), plain(views, dealt))
    torch.testing.assert_close(network.eval()(views, sexes), plain.eval()(views, sexes))


def test_entrances_that_begin_as_no_change():
    x, sex = torch.randn(3, 5, 8, 6), torch.arange(3)
    torch.testing.assert_close(MixedSex(5)(x, sex), x)
    torch.testing.assert_close(Modulation(5)(x, sex), x)


def test_a_further_plane_is_the_sex_and_leaves_the_stem_of_the_picture():
    torch.manual_seed(0)
    plain = BoneAgeNetwork(replace(TINY, sex="none"))
    torch.manual_seed(0)
    network = BoneAgeNetwork(replace(TINY, sex="channel"))
    stem = next(one for one in network.backbone.modules() if isinstance(one, nn.Conv2d))
    first = next(one for one in plain.backbone.modules() if isinstance(one, nn.Conv2d))
    assert stem.weight.shape[1] == 2
    torch.testing.assert_close(stem.weight[:, :1], first.weight)
    plane = FurtherPlane(3, 1)
    joined = plane(torch.zeros(3, 1, 4, 4), torch.arange(3))
    assert joined.shape == (3, 2, 4, 4)
    torch.testing.assert_close(joined[:, 1, 2, 3], plane.weight[:, 0])


def test_names_of_the_released_networks_weights_stay():
    names = {name.split(".")[0] for name in BoneAgeNetwork(NetworkConfig()).state_dict()}
    assert names == {"backbone", "late", "head"}
    head = {name for name in BoneAgeNetwork(NetworkConfig()).state_dict() if name.startswith("head.")}
    assert head == {"head.1.weight", "head.1.bias", "head.3.weight", "head.3.bias"}


def test_strides_blur_in_every_kind_of_network():
    for backbone in ("resnet", "test_resnet"):
        network = BoneAgeNetwork(replace(TINY, backbone=backbone, smooth_strides=True, pooling="gem", sex="film"))
        assert any(isinstance(one, SmoothConv) for one in network.backbone.modules())
        assert network(*films(2)).shape == (2, BINS)


@pytest.mark.parametrize("name", sorted(network_presets()))
def test_presets_are_networks(name):
    """At a tiny backbone; everything else as the preset has it."""
    own = {"preset": name, "backbone": "test_convnext", "pretrained": False}
    config = experiment_of({"network": own, "optimiser": {"loss": "l1"}}).network
    assert config.preset == name
    network = BoneAgeNetwork(config).train()
    answer = network(*films(2), whole=True)
    answer.months.mean().backward()
    assert answer.logits.isfinite().all()
    expected = {"baseline": "none", "sex": "late", "attention": "none", "attention-sex": "late"}
    assert config.sex == expected.get(name, config.sex)


@pytest.mark.parametrize("name", ["attention-sex-improved", "efficientnet-grid", "convnext-gem", "regnet"])
def test_published_networks_export(name, tmp_path):
    """At their own widths, but a tiny backbone; one of them has no use for the sex that a file is given."""
    own = {"preset": name, "backbone": "test_convnext", "pretrained": False}
    torch.manual_seed(0)
    network = BoneAgeNetwork(experiment_of({"network": own, "optimiser": {"loss": "l1"}}).network).eval()
    views, sexes = films()
    with torch.no_grad():
        expected = quantile(network(views, sexes).softmax(1).numpy(), 0.5)
    export_network(network, tmp_path / "model.onnx", height=HEIGHT, width=WIDTH)
    inputs = {"view": views.to(torch.uint8).numpy(), "sex": sexes.numpy()}
    found = quantile(Session(tmp_path / "model.onnx", threads=1).run(inputs)[0], 0.5)
    assert found == pytest.approx(expected, abs=0.05)
    assert np.ptp(expected) > 0.5


def test_the_improved_preset_has_a_key_for_every_cell_and_no_bottleneck():
    own = {"preset": "attention-sex-improved", "backbone": "test_convnext", "pretrained": False}
    network = BoneAgeNetwork(experiment_of({"network": own, "optimiser": {"loss": "l1"}}).network).eval()
    views, sexes = films(3)
    cells = network.features(views, sexes)
    looked = network.late.look(network.pooled(cells), cells, sexes)
    assert looked.weights.shape == (3, 4, 3, 2)
    assert looked.gate.shape == (3, 500)


@pytest.mark.parametrize(
    ("changes", "loss"),
    [
        ({"pooling": "gem", "sex": "film", "head": "ordinal"}, "ordinal"),
        ({"pooling": "attention", "sex": "attention", "head": "scalar", "target": "z-score"}, "huber"),
        ({"pool": 2, "sex": "mixconv", "head": "scalar", "spread": "predicted"}, "laplace"),
    ],
    ids=str,
)
def test_other_networks_learn_in_mixed_precision(changes, loss, store, tiny, tmp_path):
    stages = tiny.optimiser.stages[1:] * 6
    network = replace(TINY, **changes)
    config = replace(
        tiny, network=network, optimiser=replace(tiny.optimiser, loss=loss, stages=stages, learning_rate=0.02)
    )
    history = loop.train(BoneAgeTask(store, config), np.arange(32), folder=tmp_path).history
    assert history[-1]["loss"] < history[0]["loss"] - abs(0.1 * history[0]["loss"])


def test_an_unknown_activation_is_named():
    with pytest.raises(UsageError, match="'swoosh'"):
        BoneAgeNetwork(replace(TINY, activation="swoosh"))
    assert BoneAgeNetwork(replace(TINY, activation="mish", layers="linear 9, gelu, norm, linear 5, softsign"))


def test_months_of_a_distribution_are_its_mean():
    network = BoneAgeNetwork(TINY).eval()
    with torch.no_grad():
        answer = network(*films(), whole=True)
    torch.testing.assert_close(answer.months, answer.logits.softmax(1) @ bin_centres())
    assert answer.scale is None
