"""Each family of transforms against a known answer."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from capitate.training import augment  # noqa: E402
from capitate.training.augment.blur import Blur  # noqa: E402
from capitate.training.augment.clahe import Clahe  # noqa: E402
from capitate.training.augment.geometry import Geometry, warp  # noqa: E402
from capitate.training.augment.histogram import HistogramMatch  # noqa: E402
from capitate.training.augment.tone import Noise, Tone  # noqa: E402
from capitate.training.settings.augment import AugmentConfig, Edge  # noqa: E402

from .no_augmentation import NOTHING  # noqa: E402


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def picture(*, n: int = 1, height: int = 40, width: int = 32) -> torch.Tensor:
    return torch.rand(n, 1, height, width, generator=generator())


def affine(*rows: tuple[float, float, float]) -> torch.Tensor:
    return torch.tensor([rows])


def drawn_geometry(**values: float) -> Geometry:
    return augment.draw(200, replace(NOTHING, **values), generator=generator()).geometry


@pytest.mark.parametrize(("key", "axis"), [("flip", 3), ("flip_vertical", 2)])
def test_a_flip_is_a_mirror_image(key, axis):
    views = picture(n=3) * 255
    drawn = augment.draw(3, replace(NOTHING, **{key: 1.0}), generator=generator())
    whole = torch.ones_like(views, dtype=torch.bool)
    assert torch.allclose(augment.apply(views, whole, drawn), views.flip(axis), atol=0.05)


def test_a_quarter_turn_of_a_square_is_exact():
    x = picture(height=32)
    assert torch.allclose(warp(x, affine((0.0, -1.0, 0.0), (1.0, 0.0, 0.0))), x.rot90(1, (2, 3)), atol=1e-4)


def test_a_shift_by_whole_pixels_moves_and_fills_with_black():
    x = picture()
    moved = warp(x, affine((1, 0, -2 * 3 / 32), (0, 1, 0)))
    assert torch.allclose(moved[:, :, :, 3:], x[:, :, :, :-3], atol=1e-4)
    assert (moved[:, :, :, :3] < 1e-4).all()


def test_a_shift_can_bring_in_the_view_mirrored_at_its_edge():
    x = picture()
    moved = warp(x, affine((1, 0, -2 * 3 / 32), (0, 1, 0)), edge=Edge.MIRROR)
    assert torch.allclose(moved[:, :, :, :3], x[:, :, :, :3].flip(3), atol=1e-4)


def test_a_batch_keeps_each_views_own_edge():
    x = torch.ones(4, 1, 32, 32)
    shift = replace(NOTHING, shift=0.4)
    geometry = augment.draw(4, shift, generator=generator()).geometry
    mixed = replace(geometry, mirrored=torch.tensor([True, False, True, False]))
    lit = mixed.apply(x).mean((1, 2, 3))
    assert (lit[[0, 2]] > 0.999).all()
    assert (lit[[1, 3]] < 0.999).all()


def test_a_map_means_what_it_means_to_torch():
    """The released recipes sampled by torch's own grid; kornia samples the same places."""
    x, maps = picture(n=8), augment.draw(8, AugmentConfig(), generator=generator()).geometry.affine
    grid = torch.nn.functional.affine_grid(maps, list(x.shape), align_corners=False)
    expected = torch.nn.functional.grid_sample(x, grid, align_corners=False)
    assert torch.allclose(warp(x, maps), expected, atol=1e-3)


def test_shift_scale_aspect_and_shear_stay_within_their_keys():
    assert drawn_geometry(shift=0.1).affine[:, :, 2].abs().max() <= 0.2
    scales = drawn_geometry(scale=0.2).affine
    assert torch.allclose(scales[:, 0, 0], scales[:, 1, 1])
    assert scales[:, 0, 0].log().abs().max() <= 0.2
    aspects = drawn_geometry(aspect=0.2).affine
    assert torch.allclose(aspects[:, 0, 0] * aspects[:, 1, 1], torch.ones(200))
    shears = drawn_geometry(shear=0.3).affine[:, 0, 1]
    assert 0.2 < shears.abs().max() <= 0.3


def test_a_crop_enlarges_a_part_that_lies_inside():
    crops = drawn_geometry(crop=0.4).affine
    sides, centres = crops[:, [0, 1], [0, 1]], crops[:, :, 2]
    assert (sides.prod(1) >= 0.6 * 0.99).all()
    assert sides.prod(1).min() < 0.65
    assert (sides + centres.abs() <= 1 + 1e-5).all()
    ratio = (sides[:, 0] / sides[:, 1])[(sides < 1).all(1)]
    assert ratio.log().abs().max() <= np.log(1.1) + 1e-4


def test_tone_is_the_power_law_with_gain_and_offset():
    x = torch.tensor([[[[0.25, 1.0]]]])
    tone = Tone(gamma=torch.tensor([0.5]), gain=torch.tensor([1.2]), offset=torch.tensor([-0.1]))
    assert tone.apply(x)[0, 0, 0].tolist() == pytest.approx([0.5, 1.1])


def test_noise_has_the_deviation_drawn_and_its_own_seed():
    noise = Noise(torch.tensor([0.1, 0.0, 0.1, 0.1]), torch.tensor([3, 4, 3, 5]))
    out = noise.apply(torch.zeros(4, 1, 100, 100))
    assert out[0].std() == pytest.approx(0.1, rel=0.03)
    assert not out[1].any()
    assert torch.equal(out[0], out[2])
    assert abs(np.corrcoef(out[0].flatten(), out[3].flatten())[0, 1]) < 0.05


def test_blur_takes_a_checkerboard_away_and_leaves_the_others():
    board = (torch.arange(40)[:, None] + torch.arange(32)[None]).remainder(2).float()[None, None]
    out = Blur(torch.tensor([0.7, 1.0])).apply(board.repeat(2, 1, 1, 1))
    assert out[0].std() < 0.5 * board.std()
    assert torch.equal(out[1], board[0])


def test_clahe_spreads_a_narrow_range_further_with_a_higher_limit():
    x = picture(n=3, height=64, width=64) * 0.1 + 0.45
    out = Clahe(torch.tensor([0.0, 2.0, 40.0]), torch.full((3,), 4)).apply(x)
    assert torch.equal(out[0], x[0])
    assert 2 * x[1].std() < out[1].std() < 0.8 * out[2].std()
    assert out.min() >= 0
    assert out.max() <= 1


def test_matching_a_histogram_undoes_a_monotone_change_of_grey_levels():
    dark = (torch.arange(256).repeat(8).view(1, 1, 32, 64) / 255).repeat(2, 1, 1, 1)
    dark[1] = dark[1] ** 2
    whole = torch.ones_like(dark, dtype=torch.bool)
    matched = HistogramMatch(torch.tensor([1, 1]), torch.tensor([1.0, 0.0])).apply(dark, whole)
    assert (matched[0] - dark[1]).abs().max() < 1.5 / 255
    assert torch.equal(matched[1], dark[1])
    half = HistogramMatch(torch.tensor([1, 1]), torch.tensor([0.5, 0.0])).apply(dark, whole)
    assert (half[0] - (dark[0] + dark[1]) / 2).abs().max() < 1.5 / 255


def test_only_the_hand_is_counted_when_histograms_are_matched():
    x = torch.cat([torch.full((1, 1, 8, 8), 0.2), torch.full((1, 1, 8, 8), 0.6)])
    masks = torch.zeros_like(x, dtype=torch.bool)
    masks[:, :, 2:6] = True
    x[~masks] = 1.0
    matched = HistogramMatch(torch.tensor([1, 1]), torch.tensor([1.0, 0.0])).apply(x, masks)
    assert matched[0][masks[0]] == pytest.approx(0.6, abs=0.003)


def test_a_partner_is_another_film_and_every_other_film_may_be_it():
    drawn = augment.draw(5, replace(NOTHING, histogram=1.0), seeds=range(5)).histogram
    assert (drawn.partner != torch.arange(5)).all()
    many = [augment.draw(5, replace(NOTHING, histogram=1.0), generator=generator(k)).histogram for k in range(60)]
    assert {int(one.partner[0]) for one in many} == {1, 2, 3, 4}
    alone = augment.draw(1, replace(NOTHING, histogram=1.0), generator=generator()).histogram
    assert alone.partner.tolist() == [0]


@pytest.mark.parametrize("tiles", [2, 3, 8, 16])
def test_clahe_takes_every_allowed_number_of_tiles_on_the_smallest_views(tiles):
    x = picture(height=112, width=88)
    assert Clahe(torch.tensor([4.0]), torch.tensor([tiles])).apply(x).shape == x.shape


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_applies_what_was_drawn_as_the_cpu_does():
    config = AugmentConfig(noise=0.0, flip_vertical=0.5, crop=0.3, histogram=0.5, clahe=0.5, uniform_operations=2)
    views, masks = picture(n=16) * 255, torch.ones(16, 1, 40, 32, dtype=torch.bool)
    masks[:, :, :8] = False
    drawn = augment.draw(16, config, generator=generator())
    there = augment.apply(views.cuda(), masks.cuda(), drawn).cpu()
    assert (there - augment.apply(views, masks, drawn)).abs().mean() < 0.5
