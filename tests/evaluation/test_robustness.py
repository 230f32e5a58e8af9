from __future__ import annotations

import io
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from noisy_truth import answer
from numpy.typing import NDArray
from PIL import Image

from capitate.assessment import Assessment, Hand
from capitate.errors import NotARadiographError
from capitate.evaluation.changes import CHANGES, Change, padded, without_surroundings
from capitate.evaluation.robustness import Shift, measure, summarise, to_markdown
from capitate.files import read
from capitate.radiograph import Radiograph
from capitate.training.manifest import Study
from capitate.types import Box, Side

BOX = Box(50, 40, 80, 110)


def pixels() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[:200, :180]
    hand = (np.abs(columns - 90) < 30) & (rows > 50)
    film = 20 + 90 * hand + 60 * (np.abs(columns - 90) < 8) * hand + rows // 20
    film[10:40, 150:175] = 250
    return film.astype(np.uint8)


@pytest.fixture
def study(tmp_path: Path) -> Study:
    Image.fromarray(pixels()).save(tmp_path / "7.png")
    return Study(path=tmp_path / "7.png", id="7")


def radiograph() -> Radiograph:
    return Radiograph(pixels=pixels().astype(np.float32) / 255, name="7.png", sha256="")


def by_mean(film: Radiograph, study: Study) -> Assessment:
    """A reader whose age is the film's mean brightness in percent."""
    hand = Hand(side=Side.LEFT, rotation_degrees=0, box=BOX)
    return replace(answer(study, 100 * float(film.pixels.mean()), sd=5), hand=hand)


def test_changed_films_are_files_that_are_read_like_any_other(study: Study) -> None:
    formats: list[tuple[str, int, tuple[int, ...]]] = []

    def spy(film: Radiograph, row: Study) -> Assessment:
        formats.append((film.format, film.bits, film.pixels.shape))
        return by_mean(film, row)

    measure([study], spy)
    assert formats == [
        ("png", 8, (200, 180)),
        ("png", 8, (100, 90)),
        ("jpeg", 8, (200, 180)),
        ("png", 8, formats[3][2]),
        ("png", 8, (200, 200)),
        ("png", 16, (200, 180)),
        ("png", 8, (200, 180)),
        ("png", 8, (200, 180)),
    ]
    assert sorted(formats[3][2]) in ([180, 220], [198, 200])


def test_shifts_have_the_sign_and_size_of_the_change(study: Study) -> None:
    shifts = {shift.change: shift for shift in measure([study], by_mean)}
    before = 100 * pixels().mean() / 255
    assert shifts["half size"].months == pytest.approx(0, abs=0.2)
    assert shifts["16-bit PNG"].months == pytest.approx(0, abs=0.01)
    assert shifts["JPEG quality 80"].months == pytest.approx(0, abs=0.2)
    assert shifts["padded by a tenth on one side"].months == pytest.approx(before / 1.1 - before, abs=0.05)
    assert shifts["negated"].months == pytest.approx(100 - 2 * before, abs=0.01)


def test_sides_of_the_padding_vary_with_the_id() -> None:
    film = radiograph()
    places = set()
    for number in range(40):
        wide = np.asarray(Image.open(io.BytesIO(padded(film, str(number), None))))
        rows, columns = np.nonzero(wide)
        places.add((rows.min() > 0, columns.min() > 0, wide.shape))
    assert len(places) == 4


def test_surroundings_are_painted_over_and_the_hand_is_not() -> None:
    film = radiograph()
    changed = np.asarray(Image.open(io.BytesIO(without_surroundings(film, "7", BOX)))).astype(int)
    original = pixels().astype(int)
    assert np.array_equal(changed[60:150, 65:115], original[60:150, 65:115])
    marker = changed[10:40, 150:175]
    assert marker.max() < 60
    with pytest.raises(ValueError, match="box"):
        without_surroundings(film, "7", None)


def test_a_film_without_a_box_keeps_its_surroundings_and_says_so(study: Study) -> None:
    shifts = measure([study], lambda film, row: replace(by_mean(film, row), hand=None))
    assert [shift.refusal for shift in shifts] == [None] * 6 + ["no_hand_box"]


def test_refusals_before_and_after_are_kept_apart_from_shifts(study: Study, tmp_path: Path) -> None:
    def refuses_negated(film: Radiograph, row: Study) -> Assessment:
        if film.pixels.mean() > 0.5:
            raise NotARadiographError("too bright")
        return by_mean(film, row)

    gone = Study(path=tmp_path / "none.png", id="8")
    lines = {line.change: line for line in summarise(measure([study, gone], refuses_negated))}
    assert (lines["negated"].n, lines["negated"].refused) == (0, 2)
    assert math.isnan(lines["negated"].median)
    assert (lines["half size"].n, lines["half size"].refused) == (1, 1)


def test_summary_of_known_shifts() -> None:
    shifts = [Shift(str(k), "half size", before=100, after=100 + value) for k, value in enumerate([0.5, -0.2, 2, -8])]
    line = summarise(shifts, worst=2)[0]
    assert (line.n, line.median, line.largest) == (4, 1.25, 8)
    assert (line.below_1, line.below_3) == (0.5, 0.75)
    assert line.worst == (("3", -8), ("2", 2))
    table = to_markdown([line])
    assert "| half size | 4 | 0 | 1.25 |" in table
    assert "3 (-8.0), 2 (+2.0)" in table


def test_progress_and_own_changes(study: Study) -> None:
    calls: list[tuple[int, int]] = []
    same = Change("same", lambda film, film_id, box: study.path.read_bytes())
    shifts = measure([study], by_mean, changes=[same], progress=lambda done, of: calls.append((done, of)))
    assert [shift.months for shift in shifts] == [0]
    assert calls == [(1, 1)]


def test_every_change_can_be_read(study: Study) -> None:
    film = read(study.path)
    for change in CHANGES:
        assert read(change.apply(film, "7", BOX), name=f"7{change.suffix}").findings == ()
