"""Mixup and C-Mixup: a share a film, like ages preferred, sexes never confused."""

from __future__ import annotations

from dataclasses import replace

import pytest

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.training.augment import Mixture, draw_mixture  # noqa: E402

from .no_augmentation import NOTHING  # noqa: E402


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


MIXED = replace(NOTHING, mixup=0.4, mixup_sex="same")
MONTHS = torch.linspace(10, 220, 400)
SEXES = torch.arange(400) % 2


def test_views_ages_and_teachers_are_mixed_alike():
    mixture = Mixture(torch.tensor([1, 0]), torch.tensor([0.75, 0.5]))
    assert mixture.of(torch.tensor([100.0, 20.0])).tolist() == [80.0, 60.0]
    views = torch.tensor([100.0, 20.0])[:, None, None, None].repeat(1, 1, 4, 3)
    assert mixture.of(views)[:, 0, 2, 1].tolist() == [80.0, 60.0]
    assert mixture.of(torch.eye(2)).tolist() == [[0.75, 0.25], [0.5, 0.5]]


def test_a_teachers_answer_for_the_partner_may_be_given_apart():
    mixture = Mixture(torch.tensor([1, 0]), torch.tensor([0.75, 0.5]))
    mixed = mixture.of(torch.tensor([100.0, 20.0]), partners=torch.tensor([40.0, 60.0]))
    assert mixed.tolist() == [85.0, 40.0]


def test_every_film_has_a_share_of_its_own_from_the_beta_distribution():
    share = draw_mixture(MONTHS, SEXES, MIXED, generator=generator()).share
    assert len(share.unique()) > 390
    assert share.mean() == pytest.approx(0.5, abs=0.06)
    assert share.var() == pytest.approx(1 / (4 * (2 * 0.4 + 1)), abs=0.03)


def test_partners_are_other_films_of_the_same_sex():
    mixture = draw_mixture(MONTHS, SEXES, MIXED, generator=generator())
    assert (SEXES[mixture.partner] == SEXES).all()
    assert (mixture.partner != torch.arange(400)).all()
    assert torch.equal(mixture.sexes(SEXES), SEXES)


def test_a_mixture_of_both_sexes_hides_the_sex():
    mixture = draw_mixture(MONTHS, SEXES, replace(MIXED, mixup_sex="hidden"), generator=generator())
    differ = SEXES[mixture.partner] != SEXES
    assert 0.4 < differ.float().mean() < 0.6
    assert (mixture.sexes(SEXES)[differ] == 2).all()
    assert torch.equal(mixture.sexes(SEXES)[~differ], SEXES[~differ])


def test_c_mixup_prefers_like_ages_by_the_width_of_its_kernel():
    near = draw_mixture(MONTHS, SEXES, replace(MIXED, mixup_months=6.0), generator=generator())
    apart = (MONTHS[near.partner] - MONTHS)[50:-50]
    assert apart.std() == pytest.approx(6, rel=0.15)
    plain = draw_mixture(MONTHS, SEXES, MIXED, generator=generator())
    assert (MONTHS[plain.partner] - MONTHS).std() > 60


def test_a_film_alone_of_its_sex_is_not_mixed():
    mixture = draw_mixture(torch.tensor([10.0, 20.0, 30.0]), torch.tensor([0, 1, 0]), MIXED, generator=generator())
    assert mixture.partner.tolist() == [2, 1, 0]
    assert mixture.of(torch.tensor([10.0, 20.0, 30.0]))[1] == 20


def test_seeds_decide_shares_whatever_the_batch():
    whole = draw_mixture(MONTHS[:6], SEXES[:6], MIXED, seeds=range(6))
    part = draw_mixture(MONTHS[2:6], SEXES[2:6], MIXED, seeds=range(2, 6))
    assert torch.equal(whole.share[2:], part.share)


def test_off_by_default_and_one_source_of_numbers():
    assert draw_mixture(MONTHS, SEXES, NOTHING, generator=generator()) is None
    with pytest.raises(UsageError, match="exactly one"):
        draw_mixture(MONTHS, SEXES, MIXED)
    with pytest.raises(UsageError, match="a seed for each film"):
        draw_mixture(MONTHS, SEXES, MIXED, seeds=[1])
