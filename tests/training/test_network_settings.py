"""What a network may be made of: presets, layers, and combinations that cannot be meant."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from capitate.errors import UsageError
from capitate.training.config import experiment_of, load_config
from capitate.training.settings.backbones import named_backbones
from capitate.training.settings.freezing import FreezingConfig
from capitate.training.settings.layers import PUBLISHED_LAYERS, Layer, parse_layers
from capitate.training.settings.loss import LossConfig, LossName
from capitate.training.settings.network import NetworkConfig, Pooling, SexEntrance, Target
from capitate.training.settings.presets import network_presets

PAGE = Path(__file__).resolve().parents[2] / "docs" / "networks.md"
SYSTEM_004 = {"baseline", "sex", "attention", "attention-sex", "attention-sex-improved"}


def test_the_five_kinds_of_system_004_are_presets():
    assert set(network_presets()) >= SYSTEM_004
    entrances = {name: network_presets()[name]["sex"] for name in SYSTEM_004}
    assert entrances == {
        "baseline": "none",
        "sex": "late",
        "attention": "none",
        "attention-sex": "late",
        "attention-sex-improved": "attention",
    }


def test_a_preset_lies_under_what_an_experiment_states():
    found = load_config(overrides=["network.preset=baseline", "network.backbone=resnet18", "optimiser.loss=l1"]).network
    assert (found.backbone, found.target, found.sex) == ("resnet18", "z-score", "none")
    assert found.layers == "dropout 0.5, linear 500, tanh, dropout 0.25"


def test_a_resolved_preset_gives_the_same_experiment_again():
    config = experiment_of({"network": {"preset": "convnext-gem", "hidden": 9}, "optimiser": {"loss": "wing"}})
    assert config.network.hidden == 9
    assert experiment_of(config.to_dict()) == config


def test_layers_are_read():
    assert parse_layers("dropout 0.5, linear 12,mish , norm", key="k") == (
        Layer("dropout", 0.5),
        Layer("linear", 12.0),
        Layer("mish"),
        Layer("norm"),
    )
    assert parse_layers("standard", key="k") == parse_layers("", key="k") == ()
    widths = {
        name: [one.value for one in parse_layers(name, key="k") if one.kind == "linear"] for name in PUBLISHED_LAYERS
    }
    assert widths == {"1000-1000": [1000, 1000], "512-64": [512, 64], "1024-512": [1024, 512]}


@pytest.mark.parametrize("text", ["linear", "linear 0", "linear 2.5", "dropout 1", "dropout", "512", "mish 3", "a,,b"])
def test_a_layer_that_cannot_be_read_is_named(text):
    with pytest.raises(UsageError, match=r"network\.layers has a layer that cannot be read"):
        NetworkConfig(layers=text)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"preset": "best"}, "network.preset must be one of attention, attention-sex"),
        ({"pooling": "max"}, "network.pooling must be one of grid, gem, attention, got 'max'"),
        ({"head": "grades"}, "network.head must be one of distribution, scalar, ordinal"),
        ({"head": "scalar", "target": "years"}, "network.target must be one of months, z-score"),
        ({"pool": 2, "pooling": "gem"}, "network.pool = 2 is for network.pooling = 'grid'"),
        ({"pool": 0}, "network.pool must be at least 1, got 0"),
        ({"channels": 2}, "network.channels must be 1 or 3, got 2"),
        ({"target": "z-score"}, "network.target and network.spread are for network.head = 'scalar'"),
        ({"fusion_width": 30}, "network.fusion_width must be a multiple of network.fusion_heads, got 30 and 4"),
        ({"trained_on": "male"}, "network.trained_on = 'male' leaves no sex to tell apart"),
        ({"attention_widths": [8]}, "network.attention_widths and network.attention_kernels"),
        ({"attention_kernels": [1, 2, 1]}, "network.attention_kernels must be odd"),
        ({"pretrained": True}, "network.backbone = 'resnet' has no published weights"),
        ({"weights": "w.safetensors"}, "network.backbone = 'resnet' has no published weights"),
        ({"head": "scalar", "spread": "predicted"}, "network.spread = 'predicted' would never be taught"),
    ],
    ids=str,
)
def test_a_combination_that_cannot_be_meant_is_named(values, says):
    with pytest.raises(UsageError, match=re.escape(says)):
        experiment_of({"network": values, "optimiser": {"loss": "l1"}})


def test_the_numbers_of_losses_and_the_frozen_phase_are_keys():
    config = load_config(overrides=["loss.wing_width=5", "freezing.epochs=2", "freezing.layer_decay=0.8"])
    assert (config.loss.wing_width, config.freezing.epochs, config.freezing.layer_decay) == (5.0, 2, 0.8)


def test_every_key_is_documented():
    page = PAGE.read_text(encoding="utf8")
    tables = {"network": NetworkConfig, "loss": LossConfig, "freezing": FreezingConfig}
    keys = [f"`{table}.{field.name}" for table, kind in tables.items() for field in fields(kind)]
    assert [key for key in keys if not re.search(rf"{re.escape(key)}\b", page)] == []


def test_every_choice_and_every_backbone_is_documented():
    page = PAGE.read_text(encoding="utf8")
    named = [*LossName, *Pooling, *SexEntrance, *Target, *PUBLISHED_LAYERS, *network_presets()]
    assert [name for name in named if f"`{name}`" not in page] == []
    rows = [f"| {row.name} | `{row.backbone}` | {row.differs} |" for row in named_backbones()]
    assert [row for row in rows if row not in page] == []
