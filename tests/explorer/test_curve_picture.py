"""What a plot of curves shows, and where its dots are."""

from __future__ import annotations

from fractions import Fraction
from math import log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.records.comparison import BandPoint, Crossing, IntervalKind
from explorer.render.curve_table import run_columns
from explorer.render.curves import CurveSettings, crossing_in_words, edges_of, interval, k_axis, powers_and_last
from explorer.widgets.plots import between, round_steps


def test_ticks_of_k() -> None:
    assert [name for _, name in k_axis(128).ticks] == ["1", "2", "4", "8", "16", "32", "64", "128"]
    assert [name for _, name in k_axis(1024).ticks] == ["1", "4", "16", "64", "256", "1024"]
    assert k_axis(50).end == log2(50) and k_axis(1).end == 1
    assert powers_and_last([1, 2, 3, 4, 6, 7]) == (0, 1, 3, 5)


def test_a_band_has_edges_only_where_an_interval_is_known() -> None:
    points = [BandPoint(1, 0.5, 0.4, 0.7), BandPoint(2, 0.6, None, None), BandPoint(4, 0.7, 0.5, 0.9)]
    edges = edges_of(points, log2)
    assert edges is not None
    assert edges.places == (0, 2) and edges.low == (40, 50) and edges.high == pytest.approx((70, 90))
    assert edges_of([BandPoint(1, 0.5, None, None)], log2) is None


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=8, unique=True), st.data())
def test_between_points_lies_a_straight_line(places: list[float], data: st.DataObject) -> None:
    places.sort()
    values = [data.draw(st.floats(-100, 100)) for _ in places]
    for place, value in zip(places, values, strict=True):
        assert between(places, values, place) == pytest.approx(value)
    anywhere = between(places, values, data.draw(st.floats(-9, 9)))
    assert min(values) - 1e-9 <= anywhere <= max(values) + 1e-9
    assert between([0, 1, 3], [0, 10, 20], 2) == 15


@given(st.floats(-100, 100), st.floats(0, 200))
def test_steps_of_an_axis_hold_the_values(low: float, reach: float) -> None:
    steps = round_steps(low, low + reach)
    assert steps[0] <= low + 1e-6 and steps[-1] >= low + reach - 1e-6
    assert 2 <= len(steps) <= 8


def test_columns_fit_the_table() -> None:
    for width in (33, 44, 80):
        for intervals in (False, True):
            kind: IntervalKind | None = "problems" if intervals else None
            settings = CurveSettings("b", ("r@b",), "pass@k", kind, 1, Fraction(1, 2))
            columns = run_columns([], settings, {}, "@1 %", width)
            assert sum(column.width + 2 for column in columns) == width
            assert [column.key for column in columns] == ["run", "value", "interval"][: 2 + intervals]


def test_crossings_in_words() -> None:
    assert crossing_in_words(Crossing(15, 9, 31, 0.0), 128) == (
        "the curves cross at k = 15, 95 % interval 9 to 31; crosses in 100 % of replicates (k ≤ 128)"
    )
    assert "95 % interval 20 to beyond 50" in crossing_in_words(Crossing(30, 20, None, 0.3), 50)
    none = crossing_in_words(Crossing(None, None, None, 1.0), 50)
    assert none == "the curves do not cross; crosses in 0 % of replicates (k ≤ 50)"


def test_an_unknown_interval_is_a_dash() -> None:
    assert interval(None) == interval(BandPoint(1, 0.5, None, None)) == "–"
    assert interval(BandPoint(1, 0.9, 0.8951, 1.0)) == "89.5–100.0"
