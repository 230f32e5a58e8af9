"""A frozen phase, a real unfreeze, and learning rates by depth: counted, and seen to move."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training import loop  # noqa: E402
from capitate.training.bone_age_task import BoneAgeTask  # noqa: E402
from capitate.training.networks import BoneAgeNetwork, freeze, parameter_groups, trainable, unfreeze  # noqa: E402
from capitate.training.networks.freezing import depths  # noqa: E402
from capitate.training.settings.freezing import FreezingConfig  # noqa: E402
from capitate.training.settings.network import NetworkConfig  # noqa: E402

TINY = NetworkConfig(widths=(8, 8, 8, 8), depths=(1, 1, 1, 1), hidden=8, sex_width=4)


def numbers(module):
    return sum(one.numel() for one in module.parameters())


def moved(network, optimiser):
    """Names of everything, batch statistics included, that one step of training changes."""
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    generator = torch.Generator().manual_seed(0)
    views = torch.randint(0, 256, (4, 1, 64, 64), generator=generator).float()
    loss = network(views, torch.tensor([0, 1, 2, 0]), whole=True).months.square().mean()
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return {name for name, value in network.state_dict().items() if not torch.equal(before[name], value)}


@pytest.mark.parametrize("backbone", ["resnet", "test_convnext"])
def test_a_frozen_backbone_rests_and_then_learns(backbone):
    torch.manual_seed(0)
    network = BoneAgeNetwork(replace(TINY, backbone=backbone))
    all_of_it, head = numbers(network), numbers(network.head) + numbers(network.late)
    assert trainable(network) == all_of_it
    optimiser = torch.optim.AdamW(parameter_groups(network, learning_rate=0.01, weight_decay=0.05))
    freeze(network)
    assert trainable(network) == head < all_of_it
    assert moved(network, optimiser) == {
        name for name, _ in network.named_parameters() if name[:5] in ("head.", "late.")
    }
    unfreeze(network)
    assert trainable(network) == all_of_it
    names = {name for name, _ in network.named_parameters()}
    moved(network, optimiser)  # timm's residual blocks begin as no change; from the second step all of them learn
    assert names <= moved(network, optimiser)


def test_frozen_batch_statistics_stay_and_come_back():
    network = BoneAgeNetwork(TINY)
    freeze(network)
    assert network.train().training
    assert not network.backbone.training
    unfreeze(network)
    assert network.backbone.training


def test_groups_hold_every_weight_once_and_decay_matrices_alone():
    network = BoneAgeNetwork(TINY)
    groups = parameter_groups(network, learning_rate=0.002, weight_decay=0.05)
    assert [(group["lr"], group["weight_decay"]) for group in groups] == [(0.002, 0.05), (0.002, 0.0)]
    assert [all(one.ndim > 1 for one in group["params"]) for group in groups] == [True, False]
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))


def test_learning_rates_fall_with_depth():
    network = BoneAgeNetwork(replace(TINY, backbone="test_resnet", sex="both"))
    groups = parameter_groups(network, learning_rate=0.01, weight_decay=0.05, layer_decay=0.5)
    rate = {id(one): group["lr"] for group in groups for one in group["params"]}
    assert len(rate) == len(list(network.parameters()))
    by_name = {name: rate[id(one)] for name, one in network.named_parameters()}
    assert by_name["head.3.weight"] == by_name["late.weight"] == by_name["early.weight"] == 0.01
    stages = [by_name[f"backbone.layer{k}.0.conv1.weight"] for k in (4, 3, 2, 1)]
    assert stages == [0.005, 0.0025, 0.00125, 0.000625]
    stem = next(value for name, value in by_name.items() if name.startswith("backbone.conv1"))
    assert stem == 0.01 * 0.5**5
    assert max(depths(network).values()) == 5


def test_a_backbone_without_parts_is_named():
    network = BoneAgeNetwork(TINY)
    network.backbone = torch.nn.Conv2d(1, 8, 3)
    with pytest.raises(UsageError, match=r"freezing\.layer_decay needs a backbone"):
        parameter_groups(network, learning_rate=0.01, weight_decay=0.05, layer_decay=0.5)


@pytest.mark.parametrize("backbone", ["test_convnext", "test_vit", "mobilenetv3_small_050"])
def test_every_backbone_has_depths(backbone):
    network = BoneAgeNetwork(replace(TINY, backbone=backbone))
    found = depths(network)
    first, last = (
        min(found[name] for name, _ in network.named_parameters() if name.startswith(part))
        for part in ("backbone", "head")
    )
    assert (first, last) == (1, 0)
    assert found[next(iter(network.state_dict()))] >= 3


def test_a_run_freezes_first_and_then_sets_free(store, tiny, tmp_path):
    rows = np.arange(24)
    frozen = replace(tiny, freezing=FreezingConfig(epochs=3), optimiser=replace(tiny.optimiser, weight_decay=0.0))
    torch.manual_seed(frozen.seed)
    start = BoneAgeNetwork(frozen.network).backbone.state_dict()
    rested = loop.train(BoneAgeTask(store, frozen), rows, folder=tmp_path / "rested").network.backbone.state_dict()
    assert all(torch.equal(start[name], rested[name]) for name in start)
    freed = replace(frozen, freezing=FreezingConfig(epochs=2, layer_decay=0.7))
    learnt = loop.train(BoneAgeTask(store, freed), rows, folder=tmp_path / "freed").network.backbone
    assert all(not torch.equal(start[name], value) for name, value in learnt.named_parameters() if value.ndim > 1)


@pytest.mark.parametrize("values", [{"epochs": -1}, {"layer_decay": 0.0}, {"layer_decay": 1.1}], ids=str)
def test_what_is_no_phase_or_factor_is_named(values):
    with pytest.raises(UsageError, match=f"freezing.{next(iter(values))}"):
        FreezingConfig(**values)
