"""Films of which parts alone are sharp, made whole from the same films at a lower resolution."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from capitate.errors import UsageError
from capitate.phantom import draw
from capitate.training.data.filled import fill_films, filled
from capitate.types import Sex


@pytest.fixture(scope="module")
def film():
    return draw(age_months=100, sex=Sex.MALE, height=300).radiograph.pixels


@pytest.fixture(scope="module")
def mask(film):
    mask = np.zeros(film.shape, dtype=bool)
    mask[100:160, 60:140] = True
    return mask


def low(film):
    picture = Image.fromarray(film * 0.5 + 0.1)  # other grey levels, as another file of the film may have
    return np.asarray(picture.resize((film.shape[1] // 3, film.shape[0] // 3), Image.Resampling.BILINEAR))


def test_parts_stay_sharp_and_the_rest_is_the_film(film, mask):
    made = filled(np.where(mask, film, 0).astype(np.float32), mask, low(film))
    assert np.abs(made - film)[103:157, 63:137].max() < 1e-6
    assert np.abs(made - film)[~mask].mean() < 0.03
    assert made[~mask].std() == pytest.approx(film[~mask].std(), rel=0.1)


def test_black_at_the_rim_of_a_part_is_filled(film, mask):
    part = np.where(mask, film, 0).astype(np.float32)
    part[100:108, 60:140] = 0  # the mask reaches beyond what was cut out
    made = filled(part, mask, low(film))
    assert np.abs(made - film)[100:108, 60:140].mean() < 0.05


def test_folders(film, mask, tmp_path):
    for name in ("parts", "masks", "whole"):
        (tmp_path / name).mkdir()
    eight = (film * 255).astype(np.uint8)
    for name in ("7", "8"):
        Image.fromarray(np.where(mask, eight, 0).astype(np.uint8)).save(tmp_path / "parts" / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8)).save(tmp_path / "masks" / f"{name}.png")
    Image.fromarray(eight).resize((150, 150)).save(tmp_path / "whole" / "7.png")
    written, refused = fill_films(tmp_path / "parts", tmp_path / "masks", [tmp_path / "whole"], tmp_path / "out")
    assert written == ["7"]
    assert refused["8"].message == "none of the folders has the whole film"
    with Image.open(tmp_path / "out" / "7.png") as made:
        assert made.size == film.shape[::-1]
    with pytest.raises(UsageError, match="is not empty; name a new folder"):
        fill_films(tmp_path / "parts", tmp_path / "masks", [tmp_path / "whole"], tmp_path / "out")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=r"no film of .*parts lies whole in"):
        fill_films(tmp_path / "parts", tmp_path / "masks", [tmp_path / "empty"], tmp_path / "other")
