"""Intervals, difference and Cover@tau on the curves screen."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest

from backend import cover_bands, difference, every_k, pass_at_k_bands
from backend.records.comparison import BandPoint
from backend.store.layout import StoreLayout
from explorer.render.curves import Bands, CurveSettings, interval, known_values
from explorer.screens.curves import read_bands, read_curves, read_values
from explorer.widgets.plots import CurvePlot
from tests.explorer.conftest import CORRECT
from tests.explorer.driving import SIZES, Driver, explorer
from tests.support import with_reader


def dots(user: Driver) -> int:
    """Cells of the plot that hold something in braille."""
    width = user.find(CurvePlot, "plot").size.width
    return sum("⠁" <= letter <= "⣿" for line in user.lines() for letter in line[:width])


def intervals(store: StoreLayout, kind: str, k: int) -> dict[str, BandPoint]:
    found = with_reader(store, lambda r: pass_at_k_bands(r, r.runs("sums"), kind, lambda _: [k]))
    return {curve.run.name: curve.points[0] for curve in found if curve.points}


@pytest.mark.parametrize("size", SIZES)
async def test_bands_are_switched_by_a_key(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await user.press("enter", "right")
        shown = []
        for kind, words in (
            ("problems", "95 % confidence, over problems"),
            ("samples", "95 % credible, over samples"),
        ):
            assert words in user.words("words")
            for run, point in intervals(sums_store, kind, 2).items():
                cells = user.cells(run)
                if run == "tiny-sft@sums":
                    assert cells[2] == "", "a run that is off has a value and no interval"
                else:
                    assert cells[2] == interval(point) != "–"
                    assert cells[2] in user.shown
            shown.append((user.shown, dots(user)))
            await user.press("b")
        assert user.headings() == ["run", "@2 %"]
        assert "intervals off" in user.words("words")
        shown.append((user.shown, dots(user)))
        assert len({screen for screen, _ in shown}) == 3
        assert min(shown[0][1], shown[1][1]) > shown[2][1], "a band is drawn"
        await user.press("b")
        assert user.shown == shown[0][0]


@pytest.mark.parametrize("size", SIZES)
async def test_difference(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    def read(reader):
        return difference(reader, reader.run("tiny-base@sums"), reader.run("tiny-rl@sums"), "problems", every_k)

    expected = with_reader(sums_store, read)
    async with explorer(sums_store, size) as user:
        await user.press("enter", "d")
        assert user.crumbs[-1] == "difference"
        for key, k in (("", 1), ("right", 2), ("L", 3), ("end", 8)):
            if key:
                await user.press(key)
            assert user.words("at") == f"RL − base at k = {k}"
            point = expected.at(k)
            here = f"{100 * point.value:+.1f} points (95 % {100 * point.low:+.1f} to {100 * point.high:+.1f})".replace(
                "-", "−"
            )
            assert here in user.words("words")
        assert "the curves cross at k = 3, 95 % interval" in user.words("words")
        assert "of replicates (k ≤ 8)" in user.words("words")
        assert "c/n higher for RL on 2 problems, for base on 2, tied on 2 of 6" in user.words("words")
        assert "over problems" in user.words("words")
        plot = "".join(line[: user.find(CurvePlot, "plot").size.width] for line in user.lines())
        assert "X" in plot and "points" in plot
        await user.press("b")
        assert "over samples" in user.words("words")
        await user.press("b")
        assert "over problems" in user.words("words"), "a difference is never without its interval"
        await user.press("d")
        assert user.crumbs[-1] == "pass@k"


async def test_a_difference_is_of_two_runs(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "a", "d")
        assert user.crumbs[-1] == "pass@k"
        assert "A difference needs two runs, and 3 are shown" in user.said()
        await user.press("a", "d", "space")
        assert "A difference needs two runs: show exactly two" in user.words("words")
        await user.press("space")
        assert "c/n higher" in user.words("words")


async def test_the_difference_of_two_steps_is_named_by_them(gym_store: StoreLayout) -> None:
    async with explorer(gym_store, (120, 40)) as user:
        await user.press("enter", "d", "end")
        assert user.words("at") == "step 800 − step 400 at k = 50"
        assert "c/n higher for step 800" in user.words("words")


@pytest.mark.parametrize("size", SIZES)
async def test_cover(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await user.press("enter", "c")
        assert user.crumbs[-1] == "Cover@tau"
        walk = [("", "1/2"), ("right", "11/20"), ("left", "1/2"), ("L", "51/100"), ("left", "1/2"), ("H", "49/100")]
        for key, tau in [*walk, ("right", "1/2"), ("end", "1"), ("right", "1"), ("home", "1/100"), ("left", "1/100")]:
            if key:
                await user.press(key)
            threshold = Fraction(tau)
            assert user.words("at") == f"Cover@tau at tau = {float(threshold):g}"
            assert user.headings()[1] == f"≥{float(threshold):g} %"
            for run, (correct, n) in CORRECT.items():
                share = sum(Fraction(c, n) >= threshold for c in correct) / len(correct)
                assert user.cells(f"tiny-{run}@sums")[1] == f"{100 * share:.1f}"
        found = with_reader(sums_store, lambda r: cover_bands(r, r.runs("sums"), "problems", [Fraction(1, 100)]))
        assert user.cells("tiny-base@sums")[2] == interval(found[0].points[0])
        assert "share of problems with c/n ≥ tau" in user.words("words")
        await user.press("c")
        assert user.words("at").startswith("pass@k at k = ")


async def test_the_place_and_what_is_on_outlive_the_views(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "right", "right", "j")
        before = user.state()
        await user.press("c", "right", "d", "d", "c", "c")
        await user.press("a", "a", "j", "k")
        assert user.state() == before
        assert user.words("at") == "pass@k at k = 4"


async def test_a_curve_without_problems_has_no_band(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "f")
        await user.type("c>8")
        await user.press("enter")
        assert user.name == "CurvesScreen"
        assert user.cells("tiny-base@sums")[1:] == ["–", "–"]
        await user.press("d")
        assert "Nothing is compared" in user.words("words")
        await user.press("c")
        assert user.cells("tiny-base@sums")[1:] == ["–", "–"]


def test_what_curves_and_bands_hold_is_what_a_question_would_say(sums_store: StoreLayout) -> None:
    def read(reader):
        names = [run.name for run in reader.runs("sums")]
        look = CurveSettings("sums", tuple(names[:2]), "pass@k", "problems", 2, Fraction(1, 2))
        curves, bands = read_curves(reader, look, None), read_bands(reader, look, None)
        first = known_values(curves, look, Bands("pass@k"))
        assert first is not None and {point.low for point in first.values()} == {None}, "no interval as yet"
        known = known_values(curves, look, bands)
        asked = read_values(reader, look, None)
        assert known is not None and known.keys() == asked.keys() and len(known) == len(names)
        for name, point in known.items():
            assert (point.low is not None) == (name in look.on)
            same = asked[name]
            assert interval(point) == interval(same) and point.value == pytest.approx(same.value)
        # Of another kind, of other problems, of too many runs: not these.
        assert known_values(curves, replace(look, kind="samples"), bands) is None
        [key, *_] = reader.arrays("reads/tallies", run_keys=[curves[0].run.key])["problem_key"].tolist()
        assert known_values(read_curves(reader, look, {key}), look, bands) is None
        assert known_values(curves, replace(look, on=tuple(names[:3])), bands) is None

    with_reader(sums_store, read)
