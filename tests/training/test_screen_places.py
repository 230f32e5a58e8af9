"""Films with boxes teach a screen where to look, and limbs told from their surroundings what not to look at."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from capitate.errors import UsageError  # noqa: E402
from capitate.hand.limb import limb_mask  # noqa: E402
from capitate.training.abnormality.batches import ScreenFeeder  # noqa: E402
from capitate.training.abnormality.losses import places_loss  # noqa: E402
from capitate.training.abnormality.places import box_pictures  # noqa: E402
from capitate.training.abnormality.task import AbnormalityTask, open_abnormality  # noqa: E402
from capitate.training.config import load_experiment  # noqa: E402
from capitate.training.running import RunOptions, run_experiment  # noqa: E402
from capitate.training.runs import Run  # noqa: E402

from .drawn_pictures import draw_mura, hand, save  # noqa: E402

CONFIG = Path(__file__).resolve().parents[2] / "configs" / "abnormality-screen.toml"
TINY = (
    "network.backbone=resnet",
    "network.widths=[8, 8, 16, 16]",
    "network.depths=[1, 1, 1, 1]",
    "optimiser.stages=[[2, 64, 64]]",
    "optimiser.batch=8",
    "folds=2",
    "validation.share=0.4",
    "record.tensorboard=false",
    "places.films=../placed/films.csv",
)


def boxed_film(path: Path, *, seed: int) -> tuple[float, float]:
    """A drawn hand with one bright square; returns the middle of it, fractions of the film."""
    random = np.random.default_rng(seed)
    film = hand(seed % 3) * 0.5
    height, width = film.shape
    x, y = random.uniform(0.2, 0.8, 2)
    film[round(y * height) - 3 : round(y * height) + 3, round(x * width) - 3 : round(x * width) + 3] = 1.0
    save(film, path)
    return x, y


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """Labelled films in MURA's form, and beside their folder films with boxes."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("screen")
    draw_mura(folder / "films", patients=16)
    films, boxes = ["path,sex,bone_age_months,patient_id"], ["file,class,x_center,y_center,width,height"]
    for k in range(12):
        x, y = boxed_film(folder / "placed" / f"f{k}.png", seed=k)
        films.append(f"f{k}.png,unknown,,p{k}")
        boxes.append(f"f{k}.png,fracture,{x:.4f},{y:.4f},0.15,0.1")
    save(hand(0), folder / "placed" / "without.png")
    (folder / "placed" / "films.csv").write_text("\n".join([*films, "without.png,unknown,,p12"]) + "\n")
    (folder / "placed" / "boxes.csv").write_text("\n".join(boxes) + "\n")
    return folder / "films"


def task_of(data: Path, *more: str) -> AbnormalityTask:
    return open_abnormality(load_experiment(CONFIG, overrides=[*TINY, "places.films=../placed/films.csv", *more]), data)


def test_films_with_boxes_join_those_with_labels(data):
    films = task_of(data).films
    assert films.placed.sum() == 12, "a film without a box teaches no place"
    assert films.labelled.sum() == 32
    assert not (films.placed & films.labelled).any()
    assert set(films.groups[films.placed]) == {f"p{k}" for k in range(12)}


def test_folds_keep_the_groups_of_both_kinds(data):
    task = task_of(data)
    folds = task.folds()
    for group in set(task.films.groups.tolist()):
        assert len(set(folds[task.films.groups == group].tolist())) == 1


def test_no_box_changes_the_loss_of_cells_that_follow_it():
    boxes = box_pictures([np.array([[0.5, 0.0, 1.0, 0.5]])], size=(64, 64))
    exact = torch.full((1, 4, 4), -40.0)
    exact[0, :2, 2:] = 5.0
    assert float(places_loss(exact, boxes)) == pytest.approx(0.0, abs=1e-5)
    even = torch.zeros(1, 4, 4)
    assert float(places_loss(even, boxes)) == pytest.approx(math.log(4), abs=1e-5)
    assert float(places_loss(even + 7, boxes)) == pytest.approx(math.log(4), abs=1e-5), "a film's level says nothing"


def test_a_film_whose_boxes_were_moved_away_teaches_nothing():
    nothing = box_pictures([np.zeros((0, 4))], size=(32, 32))
    assert float(places_loss(torch.randn(1, 4, 4), nothing)) == 0.0


def test_the_smallest_box_takes_a_pixel():
    drawn = box_pictures([np.array([[0.999, 0.999, 1.0, 1.0], [0.0, 0.0, 0.001, 0.001]])], size=(16, 16))
    assert drawn.sum() == 2
    assert drawn[0, 0, 15, 15] == drawn[0, 0, 0, 0] == 1


def test_boxes_move_with_their_films(data):
    """A bright square stays in its box, however the film is moved."""
    plain = ("augment.gamma=0.0", "augment.noise=0.0", "augment.blur=0.0", "augment.surroundings=0.0")
    task = task_of(data, *plain, "augment.patches=0.0", "augment.contrast=0.0", "augment.edge=black")
    feeder = task.feeder(np.arange(len(task.films.items)))
    feeder.start(0, task.config.optimiser.stages[0])
    batch = feeder.batch(0)
    assert len(batch.shown) == 3
    for shown, boxes in zip(batch.shown, batch.boxes, strict=True):
        inside = boxes[0] > 0.9
        if inside.sum() > 12:
            assert shown[0][inside].max() > shown[0][boxes[0] < 0.1].float().quantile(0.99)


def test_parts_of_a_batch_share_films_with_boxes_out(data):
    task = task_of(data)
    feeder: ScreenFeeder = task.feeder(np.arange(len(task.films.items)))
    feeder.start(0, task.config.optimiser.stages[0])
    parts = list(feeder.batch(0).parts(2))
    assert [len(one.shown) for one in parts] == [2, 1]
    assert [len(one.boxes) for one in parts] == [2, 1]


def test_a_screen_learns_with_films_with_boxes_and_judges_only_labelled_ones(data, tmp_path):
    config = load_experiment(CONFIG, overrides=TINY)
    run_experiment(config, data=data, out=tmp_path / "run", options=RunOptions(fold=0))
    run = Run.load(tmp_path / "run")
    assert any(one.startswith("f") for one in run.training_ids)
    told = (tmp_path / "run" / "predictions.csv").read_text().splitlines()
    assert len(told) > 1
    assert not any(line.startswith("f") for line in told[1:])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("reading.fit=pad", "places.films needs reading.fit = 'stretch', got 'pad'"),
        ("places.weight=0.0", "places.films is '../placed/films.csv' with share 0.375 and weight 0"),
        ("network.layers=linear 8, norm", "cannot norm over films, got network.layers = 'linear 8, norm'"),
    ],
)
def test_settings_that_places_cannot_take_are_refused(change, said):
    with pytest.raises(UsageError) as caught:
        load_experiment(CONFIG, overrides=[*TINY, "places.films=../placed/films.csv", change])
    assert said in str(caught.value)


def test_surroundings_need_limbs():
    with pytest.raises(UsageError, match="needs to know where the hand or limb is"):
        load_experiment(CONFIG, overrides=[*TINY, "reading.limbs=false"])


def test_a_film_in_both_tables_is_refused(data, tmp_path):
    task = task_of(data)
    twice = replace(task.config.places, films="placed.csv")
    first = task.films.items[0]
    (tmp_path / "placed.csv").write_text(f"path,sex,bone_age_months\n{first.path},unknown,\n")
    boxes = f"id,class,x_center,y_center,width,height\n{first.path.stem},a,0.5,0.5,0.1,0.1\n"
    (tmp_path / "boxes.csv").write_text(boxes)
    from capitate.training.abnormality.films import read_screen_films
    from capitate.training.abnormality.places import with_places

    (tmp_path / "films.csv").write_text(f"path,abnormal\n{first.path},1\n")
    films = read_screen_films(tmp_path / "films.csv", task.config.data)
    with pytest.raises(UsageError, match=r"1 films of places\.films stand among the labelled ones too"):
        with_places(films, tmp_path / "films.csv", twice)


def test_a_limb_is_told_from_margins_and_letters():
    film = np.zeros((200, 160), dtype=np.float32)
    film[20:180, 20:140] = 0.15
    film[40:180, 60:100] = 0.6
    film[60:180, 75:85] = 0.9
    film[30:36, 25:40] = 1.0
    limb = limb_mask(film)
    assert limb[60:170, 62:98].mean() > 0.98
    assert limb[:18].mean() < 0.05
    assert limb[28:38, 22:42].mean() < 0.3


def test_a_film_without_a_limb_is_all_limb():
    assert limb_mask(np.random.default_rng(0).random((80, 60)).astype(np.float32)).shape == (80, 60)
    assert limb_mask(np.full((50, 40), 0.5, dtype=np.float32)).all()


def test_squashed_pictures_and_limbs_lie_on_each_other(data):
    task = task_of(data)
    readable, pictures, limbs = task.source.with_limbs(np.arange(4))
    assert readable.all()
    assert pictures.shape == limbs.shape == (4, 1, 64, 64)
    assert 0.1 < limbs.float().mean() < 1
    assert Image.fromarray(pictures[0, 0].numpy().astype(np.uint8)).size == (64, 64)
