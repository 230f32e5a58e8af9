"""Cross-attention: where it looks depends on the film and on the sex, by more than seeds do."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training.networks import BoneAgeNetwork, look, look_figure  # noqa: E402
from capitate.training.networks.looking import overlay  # noqa: E402
from capitate.training.networks.sex_attention import SexAttention  # noqa: E402
from capitate.training.settings.network import NetworkConfig  # noqa: E402

SEEDS = 4
SIDE = 4


def cells(generator, count):
    """Maps whose age stands in the upper half for girls and in the lower for boys, at a marked cell of that half.

    Channel 0 is the age; channels 1 and 2 mark the upper and the lower half; channel 3 marks one column a film, the
    only place where the age is true.
    """
    maps = torch.randn(count, 4, SIDE, SIDE, generator=generator)
    maps[:, 1] = torch.tensor([1.0, 1.0, -1.0, -1.0])[:, None]
    maps[:, 2] = -maps[:, 1]
    column = torch.randint(0, SIDE, (count,), generator=generator)
    maps[:, 3] = 2.0 * torch.nn.functional.one_hot(column, SIDE)[:, None, :] - 1.0
    ages = torch.randn(count, 2, generator=generator)
    film = torch.arange(count)
    maps[film, 0, :, column] = ages.repeat_interleave(2, 1)
    return maps, ages, column


def trained(seed):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    module, head = SexAttention(4, 4, width=16, heads=2), torch.nn.Linear(16, 1)
    optimiser = torch.optim.Adam([*module.parameters(), *head.parameters()], lr=0.01)
    for _ in range(200):
        maps, ages, _ = cells(generator, 64)
        sex = torch.randint(0, 2, (64,), generator=generator)
        answer = head(module(maps.mean((2, 3)), maps, sex))[:, 0]
        loss = (answer - ages[torch.arange(64), sex]).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return module


@pytest.fixture(scope="module")
def looks():
    """Weights (seeds, 2 films, 2 sexes, rows, columns), heads averaged, of the same two films for every seed."""
    torch.set_num_threads(1)
    maps, _, column = cells(torch.Generator().manual_seed(0), 32)
    pair = torch.tensor([0, int((column != column[0]).nonzero()[0])])
    films = maps[pair].repeat_interleave(2, 0)
    found = []
    for seed in range(SEEDS):
        module = trained(seed)
        with torch.no_grad():
            weights = module.look(films.mean((2, 3)), films, torch.tensor([0, 1, 0, 1])).weights
        found.append(weights.mean(1).view(2, 2, SIDE, SIDE))
    return torch.stack(found), column[pair]


def beyond_noise(differences):
    """Whether a mean over seeds is more than three standard errors from zero."""
    values = differences.numpy()
    return abs(values.mean()) > 3 * values.std(ddof=1) / np.sqrt(len(values))


def test_there_are_as_many_keys_as_cells_and_their_weights_sum_to_one(looks):
    weights, _ = looks
    torch.testing.assert_close(weights.sum((3, 4)), torch.ones(SEEDS, 2, 2))
    assert float(weights.amax((3, 4)).max()) < 1


def test_girls_and_boys_are_read_at_different_places(looks):
    upper = looks[0][:, :, :, :2].sum((3, 4))
    by_sex = (upper[:, :, 0] - upper[:, :, 1]).mean(1)
    assert (by_sex > 0.2).all()
    assert beyond_noise(by_sex)


def test_two_films_are_read_at_different_places(looks):
    weights, column = looks
    first, second = (weights[:, film].sum(2).mean(1) for film in (0, 1))
    towards_own = (first - second)[:, column[0]] + (second - first)[:, column[1]]
    assert (towards_own > 0.2).all()
    assert beyond_noise(towards_own)


def test_the_gate_lies_between_its_two_sources():
    module = SexAttention(4, 6, width=8, heads=2).eval()
    maps, sex = torch.randn(3, 4, 5, 4), torch.arange(3)
    looked = module.look(torch.randn(3, 6), maps, sex)
    assert looked.weights.shape == (3, 2, 5, 4)
    assert ((looked.gate > 0) & (looked.gate < 1)).all()
    with torch.no_grad():
        module.gate.weight.zero_()
        module.gate.bias.fill_(50.0)
    pooled = torch.randn(3, 6)
    torch.testing.assert_close(module(pooled, maps, sex), module.pooled(pooled))


def test_a_figure_shows_a_film_as_each_sex():
    torch.manual_seed(0)
    config = NetworkConfig(
        widths=(8, 8, 8, 8), depths=(1, 1, 1, 1), sex="attention", pooling="attention", fusion_width=8, fusion_heads=2
    )
    network = BoneAgeNetwork(config)
    view = torch.randint(0, 256, (1, 64, 48)).float()
    figure, gates = look_figure(network, view)
    assert figure.shape == (64, 3 * 48 + 8, 3)
    assert figure.dtype == np.uint8
    assert set(gates) == {"female", "male", "unknown"}
    assert all(0 < share < 1 for share in gates.values())
    looks = look(network, view[None], torch.tensor([1]))
    assert gates["male"] == pytest.approx(float(looks.gate[0]), abs=1e-6)
    assert looks.pooling.shape == looks.sex.shape[:1] + looks.sex.shape[2:]


def test_an_overlay_is_red_where_the_weight_is_and_grey_where_there_is_none():
    weights = torch.zeros(2, 2)
    weights[0, 0] = 1.0
    picture = overlay(torch.full((8, 8), 100.0), weights)
    assert picture[0, 0].tolist() == [193, 64, 40]
    assert picture[7, 7].tolist() == [100, 100, 100]


def test_a_network_without_attention_has_nothing_to_show():
    with pytest.raises(UsageError, match="no attention to show"):
        look(BoneAgeNetwork(NetworkConfig(widths=(8, 8, 8, 8))), torch.zeros(1, 1, 64, 48), torch.zeros(1).long())
