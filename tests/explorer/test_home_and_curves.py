"""Home and Curves show the right figures, and their keys do what they say."""

from __future__ import annotations

import pytest

from backend.store.layout import StoreLayout
from explorer.screens.curves import CurvesScreen
from explorer.widgets.plots import CurvePlot
from tests.explorer.conftest import exact_pass_at_k
from tests.explorer.driving import SIZES, Driver, explorer


@pytest.mark.parametrize("size", SIZES)
async def test_home_shows_pairs(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        assert user.crumbs == ("sums.passk", "benchmarks")
        assert user.column("benchmark") == ["sums", "sums"]
        assert user.cells()[1] == "tiny-base → tiny-rl"
        assert user.column("at1")[0] == f"{exact_pass_at_k('base', 1)} → {exact_pass_at_k('rl', 1)}"
        assert user.column("atn")[0] == f"{exact_pass_at_k('base', 8)} → {exact_pass_at_k('rl', 8)}"
        details = user.words("details")
        assert "pass@1 31.2 → 35.4 %, pass@8 66.7 → 50.0 %; the curves cross at k = 3" in details
        assert "both 2, base-only 2, RL-only 1, neither 1 of 6 problems" in details
        assert "n = 8, 48 samples, 48 paths" in details
        if size[0] >= 110:
            sets = [user.column(name)[0] for name in ("both", "first", "second", "neither")]
            assert (*sets, user.column("cross")[0], user.column("samples")[0]) == ("2", "2", "1", "1", "3", "96")
        else:
            assert user.column("sets")[0] == "2·2·1·1"


async def test_the_details_follow_the_cursor(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("j")
        assert "tiny-base → tiny-sft" in user.words("details")
        # Only up to the smaller n are both curves defined.
        assert f"pass@4 {exact_pass_at_k('base', 4)} → {exact_pass_at_k('sft', 4)} %" in user.words("details")


@pytest.mark.shared_data
async def test_home_shows_the_figures_of_other_peoples_files(gym_store: StoreLayout) -> None:
    async with explorer(gym_store, (120, 40)) as user:
        rows = {name: user.cells(str(key.value)) for key in user.table.rows for name in [user.cells(str(key.value))[0]]}
        assert rows["AIME_2024"][2:] == ["50", "2.4 → 2.7", "30.0 → 23.3", "21", "5", "4", "2", "19", "3000"]
        assert rows["amc23"][5:9] == [rows["amc23"][5], "22", "5", "4"]
        assert "both 22, only step 400 5, only step 800 4, neither 9" in _details(user, "amc23")


def _details(user: Driver, benchmark: str) -> str:
    from explorer.render.summaries import pair_in_words

    return str(next(pair_in_words(e) for e in user.screen.entries.values() if e.benchmark == benchmark))


async def test_home_of_published_counts_says_that_no_paths_are_stored(counts_store: StoreLayout) -> None:
    async with explorer(counts_store) as user:
        assert "no paths stored" in user.words("details")


async def test_a_run_alone_has_a_row(single_store: StoreLayout) -> None:
    async with explorer(single_store) as user:
        assert user.column("runs") == ["tiny-rl"]
        assert user.column("at1") == [exact_pass_at_k("rl", 1)]
        assert user.column("atn") == ["–"]
        assert "48 samples (48 paths), n = 8, 17 correct, 3 solvable" in user.words("details")
        await user.press("enter")
        assert user.cells()[1] == exact_pass_at_k("rl", 1)
        await user.press("enter")
        assert user.name == "CurvesScreen"
        assert "Solve sets compare two or more runs" in user.said()


async def test_an_empty_store_says_how_to_fill_it(store: StoreLayout) -> None:
    async with explorer(store) as user:
        assert f"passk import FILE_OR_FOLDER --store {store.root}" in user.words("details")
        await user.press("enter", "enter", "enter")
        assert user.name == "HomeScreen"
        # The same word three times is one word.
        assert user.said().count("The store is empty") == 1
        await user.press("question_mark", "escape", "escape")
        assert user.name == "HomeScreen"


# Curves


def value(user: Driver, run: str) -> str:
    return user.cells(f"tiny-{run}@sums")[1]


@pytest.mark.parametrize("size", SIZES)
async def test_values_at_the_cursor(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await user.press("enter")
        assert user.crumbs == ("sums.passk", "sums", "pass@k")
        walk = [("", 1), ("right", 2), ("right", 4), ("L", 5), ("L", 6), ("H", 5), ("left", 4), ("right", 8)]
        for key, k in [*walk, ("right", 8), ("home", 1), ("left", 1), ("end", 8), ("left", 4)]:
            if key:
                await user.press(key)
            assert user.words("at") == f"pass@k at k = {k}"
            assert user.headings()[1:] == [f"@{k} %", "95 %"]
            for run in ("base", "rl"):
                assert value(user, run) == exact_pass_at_k(run, k), (run, k)
            assert value(user, "sft") == (exact_pass_at_k("sft", k) if k <= 4 else "–")
            assert f"@{k} %" in user.shown


@pytest.mark.shared_data
async def test_values_of_other_peoples_counts(math500_store: StoreLayout) -> None:
    async with explorer(math500_store) as user:
        assert user.column("sets")
        await user.press("enter", "end")
        assert user.words("at") == "pass@k at k = 128"
        names = [cell.split()[-1] for cell in user.column("run")]
        assert len(names) == 2
        from backend import curves
        from tests.support import with_reader

        exact = with_reader(math500_store, lambda r: curves(r, r.runs("MATH500"), lambda n: [n]))
        assert user.column("value") == [f"{100 * curve.points[0].pass_at_k:.1f}" for curve in exact]


async def test_difference_follows_the_cursor(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter")
        assert "difference +4.2 points" in user.words("words")
        await user.press("end")
        assert "difference −16.7 points" in user.words("words")


async def test_what_is_undefined_is_unknown_and_says_why(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("j", "enter", "end")
        # Base and SFT are on: the cursor goes as far as one of them is defined.
        assert user.words("at") == "pass@k at k = 8"
        assert value(user, "sft") == "–"
        assert value(user, "base") == exact_pass_at_k("base", 8)
        assert "difference undefined at k = 8" in user.words("words")
        assert "n = 4" in user.words("words")


async def test_runs_are_switched_on_and_off(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter")
        screen = user.screen
        assert isinstance(screen, CurvesScreen)
        assert screen.on == {"tiny-base@sums", "tiny-rl@sums"}
        plotted = user.shown
        await user.press("space")
        assert screen.on == {"tiny-rl@sums"}
        assert user.cells()[0] == "tiny-base", "a run that is off has no marker"
        assert user.shown != plotted
        await user.press("space")
        assert user.cells()[0] == "o tiny-base"
        assert user.shown == plotted
        await user.press("a")
        assert len(screen.on) == 3
        await user.press("a")
        assert screen.on == {"tiny-base@sums", "tiny-rl@sums"}


async def test_the_plot_can_be_read_without_colour(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "a")
        plot = [line[: user.find(CurvePlot, "plot").size.width] for line in user.lines()[1:-1]]
        drawn = "".join(plot)
        assert all(drawn.count(marker) >= 2 for marker in "ox+"), "every run has a marker of its own"
        for tick in ("1", "2", "4", "8"):
            assert tick in plot[-2] + plot[-3]
        assert "pass@k %" in drawn
        assert "k (log2)" in drawn


async def test_a_refused_key_says_why(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "space", "enter")
        assert user.name == "CurvesScreen"
        assert "Solve sets compare two or more runs" in user.said()


async def test_a_click_on_a_row_opens_it(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("j")
        await user.click_text("tiny-base → tiny-rl")
        assert user.name == "HomeScreen" or user.name == "CurvesScreen"
        if user.name == "HomeScreen":
            await user.click_text("tiny-base → tiny-rl")
        assert user.name == "CurvesScreen"
        assert "tiny-rl@sums" in user.screen.on


async def test_five_keys_from_curves_to_a_path(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter")
        await user.press("enter", "enter", "enter")
        assert user.name == "PathScreen", "three keys lead to the path that only the base found"
        assert "✓ correct" in user.words("heading")
