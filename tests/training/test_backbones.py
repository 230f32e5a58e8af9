"""Backbones from timm: names, stems, normalisation, and published weights from a file or a connection."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")
from capitate.training import torchvision_bridge  # noqa: E402, F401  # isort: skip
import timm  # noqa: E402  # isort: skip
from safetensors.torch import save_file  # noqa: E402

from capitate.errors import UsageError  # noqa: E402
from capitate.training.networks import BoneAgeNetwork, begin, first_weights, make_backbone  # noqa: E402
from capitate.training.networks.backbones import Scaling, feature_map  # noqa: E402
from capitate.training.networks.start import published_backbone  # noqa: E402
from capitate.training.settings.backbones import keras_backbones, named_backbones  # noqa: E402
from capitate.training.settings.network import NetworkConfig  # noqa: E402
from capitate.training.weights import save_weights  # noqa: E402

SMALL = NetworkConfig(backbone="test_resnet", hidden=8, sex_width=4)
KERAS = {
    *("xception", "resnet50", "resnet101", "resnet152", "resnet50v2", "resnet101v2", "resnet152v2", "mobilenet"),
    *("mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("convnext_tiny", "convnext_small", "convnext_base", "convnext_large"),
}


def test_the_table_names_the_fifteen_and_what_the_other_systems_use():
    assert set(keras_backbones()) == KERAS
    others = {row.timm for row in named_backbones() if row.system != "004"}
    wanted = {"tf_efficientnetv2_s", "tf_efficientnetv2_m", "seresnext101_32x4d", "regnetx_008", "resnet18"}
    assert wanted <= others


@pytest.mark.parametrize("row", named_backbones(), ids=lambda row: f"{row.system}-{row.name}")
def test_timm_has_what_the_table_names(row):
    assert timm.is_model(row.timm)
    assert (row.backbone in timm.list_pretrained(f"{row.timm}.*")) is bool(row.weights)


@pytest.mark.parametrize(
    ("backbone", "channels"),
    [
        ("test_resnet", 1),
        ("test_resnet", 3),
        ("test_convnext", 1),
        ("test_vit", 3),
        ("test_mambaout", 1),
        ("mobilenetv3_small_050", 1),
    ],
)
def test_any_network_of_timm_gives_a_map(backbone, channels):
    config = replace(SMALL, backbone=backbone, channels=channels)
    made = make_backbone(config).eval()
    with torch.no_grad():
        cells = feature_map(made, torch.zeros(2, channels, 96, 64))
    assert cells.shape[:2] == (2, made.num_features)
    assert cells.shape[2] > cells.shape[3] > 1


def test_mobilenets_leave_no_weight_without_use():
    network = BoneAgeNetwork(replace(SMALL, backbone="mobilenetv3_small_050"))
    network(torch.zeros(4, 1, 64, 64), torch.zeros(4).long()).square().mean().backward()
    assert [name for name, one in network.named_parameters() if one.grad is None] == []


@pytest.mark.parametrize(
    ("backbone", "channels", "black", "white"),
    [
        ("resnet", 1, [-1.5], [2.484375]),  # 255 / 64 - 1.5
        ("test_resnet", 1, [-1.0], [1.0]),  # mean and sd 0.5
        ("resnet18", 3, [-2.1179, -2.0357, -1.8044], [2.2489, 2.4286, 2.64]),  # ImageNet's three channels
        ("resnet18", 1, [-1.9869], [2.4381]),  # their means: 0.449 and 0.226
    ],
)
def test_each_backbone_has_its_own_normalisation(backbone, channels, black, white):
    config = replace(SMALL, backbone=backbone, channels=channels)
    scaling = Scaling(make_backbone(config), channels=channels, ours=backbone == "resnet")
    for level, expected in ((0.0, black), (255.0, white)):
        assert scaling(torch.full((1, 1, 2, 2), level))[0, :, 0, 0].tolist() == pytest.approx(expected, abs=1e-3)
    assert scaling.state_dict() == {}


def test_an_unknown_network_is_named():
    with pytest.raises(UsageError, match=r"got 'resnet1800'; near it are .*resnet"):
        make_backbone(replace(SMALL, backbone="resnet1800"))
    with pytest.raises(UsageError, match=r"'resnet18\.nobody_in1k'"):
        make_backbone(replace(SMALL, backbone="resnet18.nobody_in1k"))
    with pytest.raises(UsageError, match=r"'levit_128s' takes pictures of 224 x 224 alone"):
        make_backbone(replace(SMALL, backbone="levit_128s"))
    with pytest.raises(UsageError, match="4 stages"):
        make_backbone(NetworkConfig(widths=(8, 8), depths=(1, 1)))


@pytest.fixture
def published(tmp_path):
    """A three-channel network's weights as timm stores them, with a classifier."""
    torch.manual_seed(0)
    full = timm.create_model("test_resnet", num_classes=10).eval()
    for name, value in full.state_dict().items():
        if name.endswith("running_mean"):
            value.normal_()
    path = tmp_path / "published.safetensors"
    save_file(full.state_dict(), str(path))
    return full, path


def test_a_stem_of_one_channel_is_the_sum_of_three(published):
    full, path = published
    made = published_backbone(replace(SMALL, weights=str(path)))
    stem = full.pretrained_cfg["first_conv"] + ".weight"
    torch.testing.assert_close(made.state_dict()[stem], full.state_dict()[stem].sum(1, keepdim=True))
    grey = torch.rand(2, 1, 64, 48)
    with torch.no_grad():
        expected = full.forward_features(grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(made.eval().forward_features(grey), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("changes", [{}, {"channels": 3}, {"sex": "channel"}, {"smooth_strides": True}], ids=str)
def test_published_weights_reach_the_network(published, changes):
    full, path = published
    config = replace(SMALL, weights=str(path), **changes)
    weights = first_weights(config, [60.0, 90.0])
    stem = full.pretrained_cfg["first_conv"] + ".weight"
    first = full.state_dict()[stem] if config.channels == 3 else full.state_dict()[stem].sum(1, keepdim=True)
    torch.testing.assert_close(weights[f"backbone.{stem}"][:, : config.channels], first)
    for name, value in full.state_dict().items():
        if name != stem and not name.startswith(("fc.", "head.")):
            torch.testing.assert_close(weights[f"backbone.{name}"], value)


def test_a_state_dictionary_and_a_run_of_ours_serve_as_well(published, tmp_path):
    full, path = published
    torch.save(full.state_dict(), tmp_path / "state.pth")
    torch.manual_seed(4)
    ours = begin(BoneAgeNetwork(replace(SMALL, weights=str(path))), [60.0, 90.0])
    save_weights(ours, tmp_path / "run.safetensors")
    maps = {f"backbone.network.{name}": value for name, value in full.state_dict().items()}
    torch.save({**maps, "head.weight": torch.zeros(1)}, tmp_path / "detector.pth")
    made = [
        published_backbone(replace(SMALL, weights=str(one))).state_dict()
        for one in (path, tmp_path / "state.pth", tmp_path / "run.safetensors", tmp_path / "detector.pth")
    ]
    for other in made[1:]:
        torch.testing.assert_close(other, made[0])


def test_weights_that_cannot_be_used_are_named(published, tmp_path):
    _, path = published
    with pytest.raises(UsageError, match=r"none\.safetensors.*cannot be read"):
        published_backbone(replace(SMALL, weights=str(tmp_path / "none.safetensors")))
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(UsageError, match=r"damaged\.safetensors.*cannot be read"):
        published_backbone(replace(SMALL, weights=str(damaged)))
    with pytest.raises(UsageError, match=r"not those of 'test_convnext': .* are missing"):
        published_backbone(replace(SMALL, backbone="test_convnext", weights=str(path)))
    shorn = timm.create_model("test_resnet", num_classes=0).state_dict()
    last = list(shorn)[-2]
    save_file({name: value[:3].clone() if name == last else value for name, value in shorn.items()}, str(damaged))
    with pytest.raises(UsageError, match="do not fit 'test_resnet'"):
        published_backbone(replace(SMALL, weights=str(damaged), channels=3))


def test_without_a_connection_the_file_option_is_named(monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"'test_resnet' cannot be fetched: .*as network\.weights"):
        published_backbone(replace(SMALL, pretrained=True))


def test_weights_that_lie_in_timms_own_cache_need_no_connection(published, monkeypatch, tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    full, path = published
    name = full.pretrained_cfg["hf_hub_id"]
    assert name
    place = tmp_path / f"models--{name.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("a" * 40)
    (place / "snapshots" / ("a" * 40)).mkdir(parents=True)
    tensors = {key: value for key, value in full.state_dict().items() if not key.startswith("fc.")}
    tensors |= {"fc.weight": torch.zeros(1000, full.num_features), "fc.bias": torch.zeros(1000)}
    save_file(tensors, str(place / "snapshots" / ("a" * 40) / "model.safetensors"))
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    fetched = published_backbone(replace(SMALL, pretrained=True)).state_dict()
    torch.testing.assert_close(fetched, published_backbone(replace(SMALL, weights=str(path))).state_dict())


def test_a_network_without_published_weights_says_so():
    with pytest.raises(UsageError, match=r"timm publishes no weights for network\.backbone = 'efficientnetv2_s'"):
        published_backbone(replace(SMALL, backbone="efficientnetv2_s", pretrained=True))


def test_random_weights_need_nothing_to_begin_with():
    assert first_weights(NetworkConfig(), [60.0, 90.0]) is None
