"""Figures of measures with known answers, plots, and outlines compared."""

from __future__ import annotations

import math

import numpy as np
import pytest

from capitate.errors import NoHandError
from capitate.evaluation.measure_figures import figures, rank_correlation, series
from capitate.evaluation.measure_plots import plots
from capitate.evaluation.measured_films import MeasuredHand, Outlines, measure_films, named_hand
from capitate.evaluation.outline_agreement import SharedArea, agreement_figures, compare_films
from capitate.hand import Joint
from capitate.hand.measures import CarpalMeasures, EpiphysisMeasures, OutlinePicture
from capitate.phantom import draw
from capitate.training.data.boxes import LabelledBox
from capitate.training.manifest import Study
from capitate.types import Sex


def hands(count: int = 40) -> list[MeasuredHand]:
    """Hands whose ratio rises with age and whose plates close at 160 months."""
    made = []
    for k in range(count):
        months = 12 + 5.0 * k
        joint = EpiphysisMeasures(present=True, width_ratio=months / 200, gap=0.1, gap_depth=0.5, fused=months > 160)
        carpals = CarpalMeasures((), months / 1e4)
        made.append(MeasuredHand(f"h{k}", Sex.FEMALE, months, {}, {Joint.RADIUS: joint}, carpals))
    return made


def test_figures_of_a_rising_measure():
    made = figures(series(hands()), resamples=200)
    ratio, gap, _, fused, count, area = made
    assert (ratio["measure"], ratio["joint"], ratio["hands"]) == ("width_ratio", "Radius", 40)
    assert ratio["rank_correlation"]["value"] == pytest.approx(1)
    assert gap["rank_correlation"]["value"] is None
    assert (count["measure"], area["joint"]) == ("count", None)
    assert ratio["bands"] == []
    whole = figures(series(hands() * 4), resamples=200)[0]["bands"]
    assert [band["from_months"] for band in whole] == list(range(0, 216, 24))
    assert whole[1] == {"from_months": 24, "hands": 20, "value": 37 / 200, "low": 32 / 200, "high": 42 / 200}
    shares = [band["value"] for band in figures(series(hands() * 4), resamples=200)[3]["bands"]]
    assert fused["measure"] == "fused"
    assert (shares[0], shares[-1]) == (0, 1)


def test_rank_correlation_is_spearmans():
    from scipy.stats import spearmanr

    rng = np.random.default_rng(3)
    x = rng.normal(size=60)
    y = x + rng.normal(size=60).round(1)
    found = rank_correlation(x, y)
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.low < found.value < found.high
    assert math.isnan(rank_correlation(x[:5], y[:5]).value)


def test_a_plot_for_each_measure():
    gathered = series(hands() * 4)
    drawn = dict(plots(gathered, figures(gathered, resamples=50)))
    assert set(drawn) == {
        *(f"{name}-Radius" for name in ("width_ratio", "gap", "gap_depth", "fused")),
        "count-carpus",
        "area_of_hand-carpus",
    }
    assert drawn["width_ratio-Radius"].count("<path") > 20


def test_dice_of_parts():
    areas = [
        SharedArea("a", "Radius", 50, 100),
        SharedArea("b", "Radius", 25, 100),
        SharedArea("a", "MIPThird", 30, 60),
        SharedArea("a", "MIPFifth", 0, 60),
        SharedArea("b", "carpus", 40, 100),
    ]
    found = agreement_figures(areas, resamples=100)
    assert set(found) == {"dice", "dice Radius", "dice MiddlePhalanx", "dice carpus"}
    assert found["dice Radius"].value == pytest.approx(0.75)
    assert found["dice MiddlePhalanx"].value == pytest.approx(0.5)
    assert found["dice"].value == pytest.approx((0.75 + 0.5 + 0.8) / 3)


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    """A drawn film on disk, its boxes, and its outlines."""
    from PIL import Image

    drawn = draw(age_months=84, sex=Sex.FEMALE, height=400, seed=2)
    path = tmp_path_factory.mktemp("film") / "a.png"
    Image.fromarray(np.round(drawn.radiograph.pixels * 255).astype(np.uint8)).save(path)
    rows, columns = drawn.radiograph.pixels.shape
    boxes = [
        LabelledBox.from_corners(
            "a",
            one.name,
            left=one.box.x / columns,
            top=one.box.y / rows,
            right=(one.box.x + one.box.width) / columns,
            bottom=(one.box.y + one.box.height) / rows,
        )
        for one in drawn.joints
    ]
    return Study(path=path, id="a", sex=Sex.FEMALE, bone_age_months=84), boxes, drawn.outlines == 2


def outlines(mask) -> Outlines:
    picture = OutlinePicture.of_mask(mask)
    return Outlines(dict.fromkeys(Joint, picture), picture)


def test_outlines_agree_with_themselves_and_half_with_less(film):
    study, boxes, mask = film
    less = mask.copy()
    less[: mask.shape[0] // 2] = False
    drawn = [lambda *_: outlines(mask), lambda *_: outlines(less)]
    (same,) = compare_films([study], {"a": boxes}, drawn=drawn[0], network=drawn[0])
    assert len(same) >= 18
    assert all(area.shared * 2 == area.both for area in same)
    (fewer,) = compare_films([study], {"a": boxes}, drawn=drawn[0], network=drawn[1])
    lost = {area.part: area.shared for area in fewer}
    assert (lost["DIPThird"], lost["MIPThird"]) == (0, 0)
    assert lost["carpus"] > 0


def test_a_film_is_measured_and_boxes_that_are_no_hand_refuse_it(film):
    study, boxes, mask = film
    (found,) = measure_films([study], {"a": boxes}, lambda *_: outlines(mask))
    assert (found.id, found.months, len(found.joints)) == ("a", 84, 21)
    ((name, error),) = measure_films([study], {"a": boxes[:5]}, lambda *_: outlines(mask))
    assert name == "a"
    assert "one hand is measured at a time, got no hand in 5 boxes" in str(error)
    with pytest.raises(NoHandError):
        named_hand(boxes[:5], shape=(400, 304))
