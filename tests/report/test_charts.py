import re

import pytest

from capitate.report.charts import age_scale, curve
from capitate.types import Interval

INTERVAL = Interval(low=96.0, high=132.0, level=0.9)


def test_scale_is_linear_from_birth_to_nineteen_years():
    scale = age_scale([("", 114.0, INTERVAL, False)], chronological=228.0)
    assert scale.ticks[0].at == scale.left
    assert scale.ticks[19].at == scale.right == scale.chronological
    assert scale.rows[0].point == pytest.approx((scale.left + scale.right) / 2, abs=0.1)
    assert scale.rows[0].low == scale.ticks[8].at
    assert scale.rows[0].high == scale.ticks[11].at
    assert scale.anchor == "end"


def test_ages_beyond_the_scale_stand_at_its_ends():
    row = age_scale([("", 240.0, Interval(low=-3.0, high=260.0, level=0.9), True)]).rows[0]
    scale = age_scale([("", 240.0, INTERVAL, True)])
    assert (row.low, row.point, row.high) == (scale.left, scale.right, scale.right)


def _points(path):
    return [tuple(map(float, pair)) for pair in re.findall(r"([-\d.]+),([-\d.]+)", path)]


def test_curve_of_a_triangle():
    months = range(1, 229)
    heights = [max(0.0, 1 - abs(month - 114) / 12) for month in months]
    plot = curve(
        start_months=1.0,
        step_months=1.0,
        probabilities=[height / sum(heights) for height in heights],
        interval=Interval(low=108.0, high=120.0, level=0.9),
        median=114.0,
    )
    assert [tick.label for tick in plot.x_ticks] == ["8", "9", "10", "11", "12"]
    assert min(_points(plot.line), key=lambda point: point[1])[0] == plot.median
    area = _points(plot.area)
    year = plot.x_ticks[1].at - plot.x_ticks[0].at
    assert area[0] == pytest.approx((plot.median - year / 2, plot.bottom), abs=0.2)
    assert area[-1] == pytest.approx((plot.median + year / 2, plot.bottom), abs=0.2)
    peak_share = 100 / 12 / float(plot.y_ticks[-1].label)
    assert plot.bottom - min(y for _, y in area) == pytest.approx((plot.bottom - plot.top) * peak_share, abs=0.2)


@pytest.mark.parametrize(
    "probabilities", [(1.0,), (0.0, 0.0), (0.5, 0.5), tuple([1 / 240] * 240)], ids=["one", "zero", "two", "flat"]
)
def test_odd_distributions_stay_inside_the_frame(probabilities):
    plot = curve(
        start_months=0.0, step_months=1.0, probabilities=probabilities, interval=Interval(0.0, 1.0, 0.9), median=0.5
    )
    for x, y in (*_points(plot.line), *_points(plot.area)):
        assert plot.left <= x <= plot.right
        assert plot.top <= y <= plot.bottom


def test_the_curve_ends_where_the_distribution_ends():
    plot = curve(
        start_months=1.0,
        step_months=1.0,
        probabilities=[0.0] * 200 + [1 / 28] * 28,
        interval=Interval(low=202.0, high=236.0, level=0.9),
        median=214.0,
    )
    (x, y), labels = _points(plot.line)[-1], {tick.label: tick.at for tick in plot.x_ticks}
    assert x == labels["19"] == _points(plot.area)[-1][0]
    assert y < plot.bottom - 50
