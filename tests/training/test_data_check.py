"""The check of a data set: each of the planted faults is found, and a sound set has none."""

from __future__ import annotations

import csv
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from capitate.radiograph import Radiograph
from capitate.training.checks.check import DataCheck, check_data
from capitate.training.checks.duplicates import near_duplicates
from capitate.training.checks.fault import Gravity
from capitate.training.checks.film_facts import FilmFacts, film_facts, perceptual_bits, turned
from capitate.training.checks.report import html, write_check

COLUMNS = ("path", "sex", "bone_age_months", "patient_id", "split")
FILMS = 24


@cache
def picture(seed: int, *, size: tuple[int, int] = (72, 60)) -> np.ndarray:
    """A smooth random film of 8 bits with a dark rim; different seeds look different."""
    noise = np.random.default_rng(seed).normal(size=size)
    coarse, fine = (gaussian_filter(noise, sigma) for sigma in (5, 1.2))
    film = coarse / coarse.std() + 0.3 * fine / fine.std()
    film = 40 + 180 * (film - film.min()) / np.ptp(film)
    film[:5], film[-5:], film[:, :5], film[:, -5:] = 0, 0, 0, 0
    return film.astype(np.uint8)


class Planted:
    """A sound set of films on disk, into which faults are put."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = [
            {
                "path": f"{k}.png",
                "sex": "FM"[k % 2],
                "bone_age_months": str(20 + 8 * k),
                "patient_id": f"p{k}",
                "split": ("train", "train", "test", "test")[k % 4],
            }
            for k in range(FILMS)
        ]
        for k in range(FILMS):
            self.save(k, picture(k))

    def save(self, number: int, pixels: np.ndarray) -> None:
        Image.fromarray(pixels).save(self.folder / f"{number}.png")

    def check(self) -> DataCheck:
        with (self.folder / "films.csv").open("w", newline="") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            writer.writerows(self.rows)
        return check_data(self.folder / "films.csv")


@pytest.fixture
def planted(tmp_path: Path) -> Planted:
    return Planted(tmp_path)


def not_finite(films: Planted) -> None:
    films.rows[3]["bone_age_months"] = "nan"


def missing(films: Planted) -> None:
    (films.folder / "5.png").unlink()


def truncated(films: Planted) -> None:
    data = (films.folder / "5.png").read_bytes()
    (films.folder / "5.png").write_bytes(data[: len(data) // 2])


def wrong_type(films: Planted) -> None:
    Image.fromarray(picture(5)).save(films.folder / "5.jpg", quality=95)
    (films.folder / "5.jpg").replace(films.folder / "5.png")


def odd_size(films: Planted) -> None:
    films.save(5, picture(5, size=(72, 600)))


def identical(films: Planted) -> None:
    (films.folder / "4.png").write_bytes((films.folder / "0.png").read_bytes())
    films.rows[4].update(sex=films.rows[0]["sex"], bone_age_months=films.rows[0]["bone_age_months"])


def near(films: Planted) -> None:
    """Film 1 darkened, scaled and stored with loss as film 2, on the other side of the split."""
    small = Image.fromarray((picture(1) * 0.7).astype(np.uint8)).resize((48, 60), Image.Resampling.BILINEAR)
    small.save(films.folder / "2.jpg", quality=80)
    films.rows[2].update(path="2.jpg", sex="M", bone_age_months="28")


def mirrored(films: Planted) -> None:
    films.save(2, picture(1)[:, ::-1])
    films.rows[2].update(sex="M", bone_age_months="28")


def one_patient(films: Planted) -> None:
    films.rows[1]["patient_id"] = films.rows[2]["patient_id"]


def bad_sex(films: Planted) -> None:
    films.rows[7]["sex"] = "girl"


def age_out_of_range(films: Planted) -> None:
    films.rows[7]["bone_age_months"] = "1260"


def age_implausible(films: Planted) -> None:
    films.rows[7]["bone_age_months"] = "250"


def years(films: Planted) -> None:
    for row in films.rows:
        row["bone_age_months"] = f"{float(row['bone_age_months']) / 12:.1f}"


def twice(films: Planted) -> None:
    films.rows.append({**films.rows[9], "split": "test"})


def contradiction(films: Planted) -> None:
    films.rows.append({**films.rows[9], "bone_age_months": "200"})


def rare_sex(films: Planted) -> None:
    for row in films.rows[2:]:
        row["sex"] = "M"


def equalised_test(films: Planted) -> None:
    for k, row in enumerate(films.rows):
        if row["split"] == "test":
            film = picture(k).astype(float)
            local = film - gaussian_filter(film, 4)
            films.save(k, np.clip(film + 3 * local, 0, 255).astype(np.uint8))


def flat(films: Planted) -> None:
    films.save(6, (100 + picture(6) // 16).astype(np.uint8))


def negative(films: Planted) -> None:
    films.save(6, 255 - picture(6))


def framed(films: Planted) -> None:
    pixels = picture(6).copy()
    pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1] = 255, 255, 255, 255
    films.save(6, pixels)


def unlisted(films: Planted) -> None:
    films.save(99, picture(99))


def older_test(films: Planted) -> None:
    for row in films.rows:
        row["bone_age_months"] = "40" if row["split"] == "train" else "160"


PLANTED = (
    (not_finite, "not_finite", Gravity.ERROR, "'nan'"),
    (missing, "missing_film", Gravity.ERROR, "film 5"),
    (truncated, "unreadable_film", Gravity.ERROR, "film 5: corrupt_file"),
    (wrong_type, "wrong_extension", Gravity.WARNING, "film 5"),
    (odd_size, "odd_size", Gravity.WARNING, "film 5: 600 x 72"),
    (identical, "identical_films", Gravity.WARNING, "0 = 4"),
    (near, "copy_in_two_splits", Gravity.ERROR, "1 (train) ~ 2 (test)"),
    (mirrored, "near_duplicates", Gravity.WARNING, "turned or mirrored"),
    (one_patient, "patient_in_two_splits", Gravity.ERROR, "1 (train), 2 (test)"),
    (bad_sex, "bad_sex", Gravity.ERROR, "'girl'"),
    (age_out_of_range, "out_of_range", Gravity.ERROR, "'1260'"),
    (age_implausible, "implausible_age", Gravity.ERROR, "film 7: 250 months"),
    (years, "ages_look_like_years", Gravity.ERROR, "24 ages"),
    (twice, "film_in_two_splits", Gravity.ERROR, "9.png: test, train"),
    (twice, "film_in_two_rows", Gravity.ERROR, "film 9: 2 rows"),
    (contradiction, "rows_contradict", Gravity.ERROR, "200 months"),
    (rare_sex, "class_imbalance", Gravity.WARNING, "1 of 24 are girls"),
    (equalised_test, "contrast_differs_between_splits", Gravity.ERROR, "test and train"),
    (flat, "little_contrast", Gravity.WARNING, "film 6"),
    (negative, "bright_surroundings", Gravity.WARNING, "film 6: surroundings 1.00"),
    (framed, "white_frame", Gravity.NOTE, "film 6"),
    (unlisted, "film_without_row", Gravity.NOTE, "99.png"),
    (older_test, "ages_differ_between_splits", Gravity.WARNING, "means 160 and 40"),
)


def test_a_sound_set_has_no_fault(planted):
    found = planted.check()
    assert found.faults == ()
    assert (len(found.facts), found.rows, list(found.splits())) == (FILMS, FILMS, ["test", "train"])
    assert not found.has(Gravity.NOTE)


@pytest.mark.parametrize(
    ("plant", "code", "gravity", "says"), PLANTED, ids=[f"{p[0].__name__}-{p[1]}" for p in PLANTED]
)
def test_a_planted_fault_is_found(planted, plant, code, gravity, says):
    plant(planted)
    found = {fault.code: fault for fault in planted.check().faults}
    assert code in found
    assert found[code].gravity is gravity
    assert any(says in place for place in found[code].places), found[code].places


def test_gravity_decides(planted):
    flat(planted)
    found = planted.check()
    assert not found.has(Gravity.ERROR)
    assert found.has(Gravity.WARNING)
    assert found.has(Gravity.NOTE)


class Page(HTMLParser):
    """Counts elements and keeps what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.sources: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self.sources += [value for name, value in attrs if name in {"src", "href"} and value]


def test_the_page_stands_alone_and_the_json_has_every_place(planted, tmp_path):
    one_patient(planted)
    planted.rows[8]["path"] = "<b>8</b>.png"
    found = planted.check()
    write_check(found, tmp_path / "out", samples=1)
    values = json.loads((tmp_path / "out" / "check.json").read_text())
    assert values["counts"]["error"] == 2
    assert values["splits"]["train"]["sexes"] == {"female": 6, "male": 6, "unknown": 0}
    assert values["splits"]["train"]["bone_age_months"]["n"] == 12
    assert sum(fault["count"] for fault in values["faults"]) == sum(fault.count for fault in found.faults)
    text = (tmp_path / "out" / "check.html").read_text()
    page = Page()
    page.feed(text)
    assert page.counts["svg"] == 6
    assert page.counts["details"] == len(found.faults)
    assert all(source.startswith("data:") for source in page.sources)
    assert "<b>8</b>" not in text
    assert re.search(r"patient_in_two_splits</code> · error · 1\s+place<", text)


def test_samples_before_and_after_equalisation(planted):
    pytest.importorskip("cv2")
    page = Page()
    page.feed(html(planted.check(), samples=2))
    assert page.counts["img"] == 2 * 2 * 2
    assert page.counts["figure"] == 6 + 4


def look(number: int, pixels: np.ndarray) -> FilmFacts:
    return film_facts(str(number), Radiograph((pixels / 255).astype(np.float32), "film", str(number)))


def test_fingerprints_survive_scale_and_brightness_and_tell_films_apart():
    plain, other = (picture(seed, size=(144, 120)) for seed in (1, 2))
    darker = np.asarray(Image.fromarray((plain * 0.6).astype(np.uint8)).resize((80, 96), Image.Resampling.BILINEAR))
    looks = [look(k, pixels) for k, pixels in enumerate((plain, darker, other))]
    bits = perceptual_bits(np.stack([one.thumbnail for one in looks]))
    assert (bits[0] != bits[1]).sum() <= 4
    assert (bits[0] != bits[2]).sum() > 12
    pairs = near_duplicates(looks)
    assert [(pair.first, pair.second, pair.turn) for pair in pairs] == [("0", "1", 0)]


@pytest.mark.parametrize("turn", range(8))
def test_turned_copies_are_found(turn):
    plain = picture(1, size=(64, 64))
    other = turned(plain[None], turn)[0]
    looks = [look(k, pixels) for k, pixels in enumerate((plain, other))]
    found = near_duplicates(looks)
    assert len(found) == 1
    assert found[0].correlation > 0.995
