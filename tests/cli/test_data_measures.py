"""`capitate data measures` on drawn films with their own outlines, and on what cannot be measured."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from capitate.phantom import draw
from capitate.types import Sex

MONTHS = (60, 72, 84)


@pytest.fixture(scope="module")
def films(tmp_path_factory) -> Path:
    """A table of drawn films, boxes with the 21 names, and masks at half of the films' size."""
    folder = tmp_path_factory.mktemp("films")
    (folder / "masks").mkdir()
    table, boxes = ["path,sex,bone_age_months"], ["id,joint,x_center,y_center,width,height"]
    for months in MONTHS:
        film = draw(age_months=months, sex=Sex.MALE, height=400, seed=months)
        rows, columns = film.radiograph.pixels.shape
        name = f"film-{months}"
        Image.fromarray(np.round(film.radiograph.pixels * 255).astype(np.uint8)).save(folder / f"{name}.png")
        Image.fromarray(film.outlines).save(folder / "masks" / f"{name}.png")
        table.append(f"{name}.png,male,{months}")
        for one in film.joints:
            x, y = one.box.x + one.box.width / 2, one.box.y + one.box.height / 2
            sides = f"{one.box.width / columns},{one.box.height / rows}"
            boxes.append(f"{name},{one.name},{x / columns},{y / rows},{sides}")
    (folder / "films.csv").write_text("\n".join(table) + "\n")
    (folder / "boxes.csv").write_text("\n".join(boxes) + "\n")
    return folder


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def measure(run, films: Path, out: Path, *more):
    words = ("--boxes", films / "boxes.csv", "--masks", films / "masks", "--out", out, "--quiet")
    return run("data", "measures", films / "films.csv", *words, *more)


def test_every_joint_has_a_row_and_every_measure_a_plot(run, films, tmp_path):
    result = measure(run, films, tmp_path / "out")
    assert (result.code, "3 films measured, 0 refused" in result.out) == (0, True)
    joints = rows_of(tmp_path / "out" / "measures.csv")
    assert len(joints) == 3 * 21
    assert {row["status"] for row in joints} == {"found"}
    radius = [float(row["width_ratio"]) for row in joints if row["joint"] == "Radius"]
    assert radius == sorted(radius)
    carpals = rows_of(tmp_path / "out" / "carpals.csv")
    areas = [float(row["area_of_hand"]) for row in carpals]
    assert areas == sorted(areas)
    told = json.loads((tmp_path / "out" / "measures.json").read_text())
    assert (told["films"], told["band_months"]) == (3, 24)
    (one,) = [f for f in told["figures"] if (f["measure"], f["joint"]) == ("width_ratio", "Radius")]
    assert (one["sex"], one["hands"], one["rank_correlation"]["value"]) == ("male", 3, None)
    drawn = (tmp_path / "out" / "width_ratio-Radius.svg").read_text()
    assert drawn.startswith("<svg")
    assert "bone age (years)" in drawn


def test_a_mask_of_another_shape_refuses_its_film_alone(run, films, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for months in MONTHS:
        mask = Image.open(films / "masks" / f"film-{months}.png")
        mask.crop((0, 0, mask.width if months > 60 else 200, mask.height)).save(masks / f"film-{months}.png")
    words = ("--boxes", films / "boxes.csv", "--masks", masks, "--out", tmp_path / "out")
    result = run("data", "measures", films / "films.csv", *words)
    assert (result.code, "2 films measured, 1 refused" in result.out) == (1, True)
    assert "film-60: mask and film film-60 differ in their proportions, got 200 x 400 and 304 x 400" in result.err


def test_what_is_missing_is_named(run, films, tmp_path):
    (tmp_path / "empty").mkdir()
    words = ("--boxes", films / "boxes.csv", "--out", tmp_path / "out")
    none = run("data", "measures", films / "films.csv", *words, "--masks", tmp_path / "empty")
    assert (none.code, "none of 3 films has both boxes and outlines" in none.err) == (2, True)
    bundle = run("data", "measures", films / "films.csv", *words, "--model", "no-such-bundle")
    assert (bundle.code, "no-such-bundle" in bundle.err) == (2, True)
    compare = run("data", "measures", films / "films.csv", *words, "--compare")
    assert (compare.code, "name their folder as --masks" in compare.err) == (2, True)
