"""Films read while training: the views of a store, alignment with the labels, and films that cannot be read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from capitate.errors import TableError, UsageError  # noqa: E402
from capitate.phantom import draw  # noqa: E402
from capitate.runtime.views import ViewRule  # noqa: E402
from capitate.training.data.film_source import FilmSource  # noqa: E402
from capitate.training.folds import fold_of  # noqa: E402
from capitate.training.layouts import read_any  # noqa: E402
from capitate.training.opened_store import open_source  # noqa: E402
from capitate.training.prepare import prepare_views  # noqa: E402
from capitate.training.settings.data import OnUnreadable, ReadingConfig  # noqa: E402
from capitate.training.view_store import ViewStore  # noqa: E402
from capitate.types import Sex  # noqa: E402

WHOLE = ReadingConfig(workers=0, height=40, width=32, whole_film=True)
SKIP = replace(WHOLE, on_unreadable=OnUnreadable.SKIP, most_unreadable=0.5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Five drawn films and their table; the third is damaged."""
    place = tmp_path_factory.mktemp("films")
    rows = []
    for k, (sex, months) in enumerate(
        ((Sex.FEMALE, 60), (Sex.MALE, 150), (Sex.MALE, 96), (Sex.FEMALE, 30), (Sex.MALE, 200))
    ):
        pixels = draw(age_months=months, sex=sex, height=320, seed=months).radiograph.pixels
        Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(place / f"{k}.png")
        rows.append(f"{k}.png,{sex.value},{months},{k % 2}\n")
    data = (place / "2.png").read_bytes()
    (place / "2.png").write_bytes(data[: len(data) // 2])
    rows.append("nowhere.png,F,,0\n")
    (place / "films.csv").write_text("path,sex,bone_age_months,split\n" + "".join(rows))
    return place


def test_views_are_those_of_a_store(folder, tmp_path):
    """Cut by the locator, by worker processes, and in any order."""
    studies = [study for study in read_any(folder / "films.csv") if study.id != "2"]
    rule = ViewRule(height=40, width=32)
    prepare_views(studies, tmp_path, rule=rule)
    store = ViewStore.load(tmp_path)
    rows = np.array([3, 0, 0, 2])
    with FilmSource(studies, config=replace(WHOLE, whole_film=False, workers=1)) as source:
        assert (source.ids.tolist(), source.rule) == (store.ids.tolist(), rule)
        source.announce(rows)
        for made, stored in zip(source.batch(rows), store.batch(rows), strict=True):
            assert torch.equal(made, stored)
        for made, stored in zip(source.batch(rows, size=(20, 16)), store.batch(rows, size=(20, 16)), strict=True):
            assert torch.equal(made, stored)


def test_labels_stay_with_their_films_and_films_without_age_are_left_out(folder):
    source = FilmSource(read_any(folder / "films.csv"), config=SKIP)
    assert source.ids.tolist() == ["0", "1", "2", "3", "4"]
    views, masks, months, sexes = source.batch(np.array([4, 2, 0]))
    assert views.shape == masks.shape == (2, 1, 40, 32)
    assert (months.tolist(), sexes.tolist()) == ([200, 60], [1, 0])


def test_a_damaged_film_is_named_counted_and_left_out(folder, caplog):
    source = FilmSource(read_any(folder / "films.csv"), config=SKIP)
    rows = np.arange(5)
    assert source.usable(rows).tolist() == [0, 1, 3, 4]
    views, *_ = source.batch(source.usable(rows))
    assert len(views) == 4
    assert all(view.float().std() > 1 for view in views)
    assert [(one.id, one.code) for one in source.refused.values()] == [("2", "corrupt_file")]
    assert [record.message for record in caplog.records if "cannot be read" in record.message] == [
        "film 2 cannot be read (corrupt_file); going on without it, 1 so far"
    ]


def test_a_damaged_film_stops_the_run_by_name(folder):
    source = FilmSource(read_any(folder / "films.csv"), config=WHOLE)
    assert len(source.batch(np.array([0, 1]))[0]) == 2
    with pytest.raises(UsageError, match=r"film '2' cannot be read \(corrupt_file\).*on_unreadable = 'skip'"):
        source.batch(np.array([1, 2]))


def test_a_batch_of_nothing_and_too_many_unreadable_films_stop_the_run(folder):
    source = FilmSource(read_any(folder / "films.csv"), config=SKIP)
    with pytest.raises(UsageError, match="none of the 1 films of a batch"):
        source.batch(np.array([2]))
    gone = [replace(study, path=Path("/nowhere.png")) for study in read_any(folder / "films.csv")]
    source = FilmSource(gone, config=replace(SKIP, most_unreadable=0.4))
    with pytest.raises(UsageError, match=r"3 of 5 films cannot be read, more than the 40\.0%"):
        source.batch(np.arange(5))


def test_folds_by_id_or_from_the_table(folder):
    studies = read_any(folder / "films.csv")
    assert FilmSource(studies, config=WHOLE).folds(5).tolist() == [fold_of(str(k)) for k in range(5)]
    given = FilmSource(studies, config=WHOLE, folds_from_table=True)
    assert given.folds(2).tolist() == [0, 1, 0, 1, 0]
    with pytest.raises(UsageError, match="have the folds 0, 1 of their table and the experiment has 5"):
        given.folds(5)


def test_tables_that_do_not_fit(folder):
    studies = read_any(folder / "films.csv")
    with pytest.raises(UsageError, match="none of 1 films has a bone age"):
        FilmSource(studies[-1:], config=WHOLE)
    with pytest.raises(UsageError, match="2 films have 1 different ids"):
        FilmSource([studies[0], studies[0]], config=WHOLE)
    with pytest.raises(TableError, match="has no fold"):
        FilmSource([replace(studies[0], split="a")], config=WHOLE, folds_from_table=True)


def test_a_run_is_given_a_store_or_a_table(folder, tmp_path):
    assert isinstance(open_source(folder / "films.csv", WHOLE), FilmSource)
    studies = [study for study in read_any(folder / "films.csv") if study.id != "2"]
    prepare_views(studies, tmp_path, rule=ViewRule(40, 32, (0, 0, 0, 0)), whole_film=True)
    store = open_source(tmp_path, WHOLE)
    assert isinstance(store, ViewStore)
    assert store.usable(np.array([3, 1])).tolist() == [3, 1]
    with pytest.raises(UsageError, match=r"none\.csv is not there; give views"):
        open_source(tmp_path / "none.csv", WHOLE)


def test_a_store_keeps_the_folds_of_its_table(folder, tmp_path):
    studies = [study for study in read_any(folder / "films.csv") if study.id != "2"]
    rule = ViewRule(40, 32, (0, 0, 0, 0))
    prepare_views(studies, tmp_path, rule=rule, whole_film=True, folds_from_table=True)
    store = ViewStore.load(tmp_path)
    assert (store.ids.tolist(), store.folds(2).tolist()) == (["0", "1", "3", "4"], [0, 1, 1, 0])
    with pytest.raises(UsageError, match="set folds = 2"):
        store.folds(5)
