"""The statistics screen: seven views of the same runs and problems, at both sizes, without colour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.records.table import Column, Table
from backend.store.layout import StoreLayout
from explorer.render.statistics import (
    agreement_view,
    bar,
    bar_columns,
    histogram_view,
    lengths_view,
    steps_view,
    temperature_view,
    verdicts_view,
)
from explorer.render.text_table import table_lines
from explorer.screens.statistics import VIEWS
from explorer.widgets.plots import LinePlot
from explorer.widgets.text_view import TextView
from tests.explorer.conftest import CORRECT, exact_pass_at_k
from tests.explorer.driving import SIZES, Driver, explorer


async def open_views(user: Driver) -> None:
    await user.press("enter", "v")
    assert user.name == "StatisticsScreen"


def text(user: Driver) -> str:
    return user.find(TextView).text


@pytest.mark.parametrize("size", SIZES)
async def test_the_accuracy_of_every_problem(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_views(user)
        assert user.crumbs[1:] == ("sums", "statistics", "accuracy")
        lines = text(user).splitlines()
        # base: 8 4 1 2 0 0 of 8; RL: 8 6 0 0 3 0.
        zero = next(line for line in lines if line.startswith("0 "))
        assert "33.3% 2" in zero and "50.0% 3" in zero
        best = next(line for line in lines if line.startswith("(0.9, 1]"))
        assert best.count("16.7% 1") == 2
        assert "n = 8, 6 problems" in text(user)
        assert "█" in user.shown and "o tiny-base" in user.shown and "x tiny-rl" in user.shown
        assert not user.find(LinePlot).display


@pytest.mark.parametrize("size", SIZES)
async def test_every_view_is_a_key_away(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_views(user)
        shown = {}
        for view in VIEWS:
            assert f"[{view.name}]" in user.shown, "the chosen one is marked without colour"
            assert user.crumbs[-1] == view.name
            shown[view.name] = text(user)
            assert shown[view.name]
            await user.press("right")
        assert user.crumbs[-1] == "accuracy", "and around"
        assert len(set(shown.values())) == len(VIEWS)
        for number, view in enumerate(VIEWS, 1):
            await user.press(str(number))
            assert text(user) == shown[view.name], "digits go there too"
        await user.press("left")
        assert user.crumbs[-1] == "agreement"
        await user.click_text("2")
        assert user.crumbs[-1] == "efficiency"
        await user.press("escape")
        assert user.name == "CurvesScreen"


async def test_efficiency_in_points(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_views(user)
        await user.press("2")
        row = next(line for line in text(user).splitlines() if line.startswith("tiny-rl"))
        correct, n = CORRECT["rl"]
        gap = 4 / 6 - sum(correct) / (6 * n)
        assert row.split()[1:4] == [exact_pass_at_k("rl", 1), exact_pass_at_k("rl", 8), f"{100 * gap:+.1f}"]
        assert "pass@8 %" in text(user), "the largest k that the base reaches"
        await user.press("a")
        row = next(line for line in text(user).splitlines() if line.startswith("tiny-sft"))
        assert row.split()[2] == "–", "SFT has n = 4: its own pass@8 is unknown"
        await user.press("a")
        assert "tiny-sft" not in text(user)


async def test_the_runs_that_are_on_are_seen(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "a", "v")
        assert "x tiny-rl" in text(user) and "+ tiny-sft" in text(user)
        assert user.screen.location.runs == ("tiny-base@sums", "tiny-rl@sums"), "the filter still speaks of the pair"


@pytest.mark.parametrize("size", SIZES)
async def test_the_filter_holds_here_as_well(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await user.press("enter", "f")
        await user.type("base.c>0")
        await user.press("enter", "v")
        solvable = sum(c > 0 for c in CORRECT["base"][0])
        for view in VIEWS:
            assert f"only {solvable} of 6 problems: c > 0 in tiny-base" in user.flat(), view.name
            await user.press("right")
        assert f"n = 8, {solvable} problems" in text(user)
        await user.press("f", "escape")
        assert "n = 8, 6 problems" in text(user)
        await user.press("escape")
        assert "n = 8, 6 problems" in user.words("words"), "and on the curves behind"


async def test_lengths_and_verdicts(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await open_views(user)
        await user.press("5")
        right = sum(CORRECT["base"][0])
        row = next(line for line in text(user).splitlines() if "tiny-base" in line and "correct" in line)
        assert row.split()[3] == str(right)
        assert "every verdict but correct" in text(user)
        await user.press("7")
        row = next(line for line in text(user).splitlines() if line.startswith("correct"))
        assert f"{100 * right / 48:.1f}% {right}" in row
        assert "48 samples, n = 8, 6 problems" in text(user)


async def test_agreement_says_what_is_exact(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await open_views(user)
        await user.press("6")
        rows = {line.split()[0]: line for line in text(user).splitlines() if line.strip()[:1].isdigit()}
        assert "±" not in rows["1"] and "±" not in rows["8"]
        assert "±" in rows["2"]
        assert f"{100 * sum(CORRECT['base'][0]) / 48:.1f}" in rows["1"]
        assert "Exact where there is no ±" in text(user)
        assert "have no answer and do not vote" in text(user)
        assert user.find(LinePlot).display


@pytest.mark.parametrize("size", SIZES)
async def test_what_cannot_be_known_is_said(counts_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(counts_store, size) as user:
        await open_views(user)
        expected = {
            "3": "No two of these runs are checkpoints of one training",
            "4": "Entropy unknown: no log-probabilities are stored",
            "5": "no token counts are stored",
            "6": "no samples are stored",
            "7": "only counts are stored",
        }
        for key, words in expected.items():
            await user.press(key)
            assert words in " ".join(text(user).split())
        await user.press("1")
        assert "n = 8, 40 problems" in text(user)


async def test_nothing_is_left_by_a_filter(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "f")
        await user.type("nowhere")
        await user.press("enter", "v")
        for view in VIEWS:
            assert "only 0 of 6 problems" in user.flat(), view.name
            assert "0.0%" not in text(user), "a share of nothing is unknown"
            await user.press("right")


async def test_one_run_alone(single_store: StoreLayout) -> None:
    async with explorer(single_store) as user:
        await open_views(user)
        for view in VIEWS:
            assert text(user), view.name
            await user.press("right")


async def test_the_place_stays_when_the_store_grows(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (80, 14)) as user:
        await open_views(user)
        await user.press("G")
        top = user.find(TextView).scroll_offset
        assert top.y > 0
        user.screen.reload()  # type: ignore[attr-defined]
        await user.idle()
        assert user.find(TextView).scroll_offset == top
        await user.resize(120, 14)
        await user.resize(80, 14)
        assert "share" in user.flat() or "n = 8" in user.flat()


@pytest.mark.shared_data
async def test_steps_of_other_peoples_training(gym_store: StoreLayout) -> None:
    async with explorer(gym_store) as user:
        await open_views(user)
        await user.press("3")
        assert user.find(LinePlot).display
        steps = [line.split()[0] for line in text(user).splitlines() if line[:3] in ("400", "800")]
        assert steps == ["400", "800"]
        assert "pass@50 %" in text(user)


# Text


def test_names_of_views_are_those_of_their_functions() -> None:
    assert {view.show for view in VIEWS} >= {
        histogram_view, lengths_view, steps_view, temperature_view, verdicts_view, agreement_view,
    }  # fmt: skip


@given(st.floats(0, 1), st.floats(0.001, 1), st.integers(0, 60))
def test_a_bar_is_as_wide_as_it_may_be(share: float, largest: float, width: int) -> None:
    drawn = bar(min(share, largest), largest, width)
    assert len(drawn) == width
    assert (drawn.strip() != "") == (share > 0 and width > 0), "what is more than nothing can be seen"


names = st.text(min_size=1, max_size=30)


@given(
    st.lists(st.tuples(names, st.lists(st.integers(0, 10**6), min_size=3, max_size=3)), max_size=9),
    st.integers(40, 200),
)
def test_columns_of_bars_fit(columns: list[tuple[str, list[int]]], width: int) -> None:
    from rich.cells import cell_len

    labels = ["0", "(0, 0.1]", "a longer label"]
    lines = bar_columns(labels, [name for name, _ in columns], [counts for _, counts in columns], width)
    assert all(cell_len(line) <= width for line in lines)
    for _, counts in columns:
        assert all(any(f"{count:,}" in line for line in lines) for count in counts), "no count is lost"


@given(st.lists(st.tuples(names, st.integers(0, 10**9)), max_size=6), st.integers(40, 120))
def test_tables_keep_their_numbers(rows: list[tuple[str, int]], width: int) -> None:
    from rich.cells import cell_len

    columns = (Column("name", value=lambda row: row[0]), Column("n", "count", value=lambda row: row[1]))
    lines = table_lines(Table(columns, rows), width)
    assert len(lines) == len(rows) + 1
    assert all(cell_len(line) <= width for line in lines)
    for (_, n), line in zip(rows, lines[1:], strict=True):
        assert line.endswith(f"{n:,}")
