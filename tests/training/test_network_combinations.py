"""Every combination of pooling, sex entrance and head: forward, backward, and the same answers as a file."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from torch import nn  # noqa: E402

from capitate.runtime.calibration import quantile  # noqa: E402
from capitate.runtime.session import Session  # noqa: E402
from capitate.training.export import export  # noqa: E402
from capitate.training.networks import BINS, BoneAgeNetwork  # noqa: E402
from capitate.training.settings.network import NetworkConfig, SexEntrance  # noqa: E402

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
POOLINGS = ({"pool": 1}, {"pool": 2}, {"pool": 3}, {"pooling": "gem"}, {"pooling": "attention"})
HEADS = (
    {"head": "distribution"},
    {"head": "ordinal"},
    {"head": "scalar", "spread": "predicted", "target": "min-max", "spread_shape": "normal"},
)
HEIGHT, WIDTH = 96, 80  # a last map of 3 x 3, of which a grid of 2 x 2 is no divisor


def films(count: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    views = torch.randint(0, 256, (count, 1, HEIGHT, WIDTH), generator=generator).float()
    return views, torch.arange(count) % 3


class Together(nn.Module):
    """Networks of one backbone and one way in for sex in one file: a file for each would take minutes."""

    def __init__(self, networks):
        super().__init__()
        for one in networks[1:]:
            one.backbone, one.early, one.film = networks[0].backbone, networks[0].early, networks[0].film
        self.networks = nn.ModuleList(networks)

    def forward(self, view, sex):
        cells = self.networks[0].features(view, sex)
        return torch.stack([one.answer(cells, sex).logits.softmax(1) for one in self.networks])


@pytest.mark.parametrize("sex", list(SexEntrance), ids=str)
def test_every_combination_trains_and_exports(sex, tmp_path):
    views, sexes = films()
    networks = []
    for pooling, head in itertools.product(POOLINGS, HEADS):
        torch.manual_seed(0)
        network = BoneAgeNetwork(replace(TINY, sex=sex, **pooling, **head))
        answer = network(views, sexes, whole=True)
        assert answer.logits.shape == (6, BINS)
        assert answer.months.shape == (6,)
        torch.testing.assert_close(answer.logits.softmax(1).sum(1), torch.ones(6))
        loss = answer.logits.log_softmax(1)[:, 100].mean() + answer.months.mean()
        (loss if answer.scale is None else loss + answer.scale.mean()).backward()
        still = [name for name, one in network.named_parameters() if one.grad is None or not one.grad.isfinite().all()]
        assert still == [], (pooling, head)
        networks.append(network.eval())
    together = Together(networks).eval()
    with torch.no_grad():
        for weight in together.parameters():  # entrances of sex that begin as no change, thresholds, spreads
            weight.add_(0.05 * torch.randn_like(weight))
        expected = together(views, sexes).numpy()
    path = tmp_path / "model.onnx"
    export(together, (views[:2], sexes[:2]), path, inputs=("view", "sex"), outputs=("probabilities",))
    found = Session(path, threads=1).run({"view": views.numpy(), "sex": sexes.numpy()})[0]
    medians = [quantile(one.reshape(-1, BINS), 0.5) for one in (found, expected)]
    assert np.abs(medians[0] - medians[1]).max() < 0.05
