"""Solve sets: counts that add up, every sort, the filter, the threshold, more than two runs."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from backend import Reader, open_store, set_uncertainty, solve_sets
from backend.records import SolveSets
from backend.records.comparison import SetUncertainty
from backend.store.layout import StoreLayout
from explorer.widgets.strips import SetStrip
from tests.explorer.conftest import CORRECT
from tests.explorer.driving import SIZES, Driver, explorer, import_into, many_rows
from tests.support import jsonl


def solved_by(runs: tuple[str, ...], pattern: tuple[bool, ...], least: int = 1) -> list[str]:
    """Problems that just these runs solve, from the counts alone."""
    return [
        f"s{problem + 1}" for problem in range(6) if tuple(CORRECT[run][0][problem] >= least for run in runs) == pattern
    ]


def doubt_of(store: StoreLayout, min_correct: int = 1) -> tuple[SolveSets, SetUncertainty]:
    """Of the pair that Home offers first."""
    database = open_store(store)
    try:
        with Reader(database) as reader:
            sets = solve_sets(reader, [reader.run("tiny-base@sums"), reader.run("tiny-rl@sums")], min_correct)
            return sets, set_uncertainty(reader, sets)
    finally:
        database.close()


def most_doubtful_first(store: StoreLayout) -> list[str]:
    sets, uncertainty = doubt_of(store)
    return [p.label for p in sorted(sets.problems, key=lambda p: (-uncertainty.problems[p.key].set, p.position))]


def chips(user: Driver) -> dict[str, int]:
    return {chip.name: chip.count for chip in user.find(SetStrip).chips}


async def open_sets(user: Driver) -> None:
    await user.press("enter", "enter")
    assert user.name == "SetsScreen"


@pytest.mark.parametrize("size", SIZES)
async def test_four_counts_add_up(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_sets(user)
        assert chips(user) == {"both": 2, "base-only": 2, "RL-only": 1, "neither": 1, "all": 6}
        assert "both 2 + [base-only 2] + RL-only 1 + neither 1 = all 6" in user.flat()
        assert "base n = 8, RL n = 8; solved = at least 1 correct" in user.flat()
        assert user.column("problem") == ["s3", "s4"]
        assert user.column("base_tally") == ["1/8", "2/8"]
        assert user.column("rl_tally") == ["0/8", "0/8"]
        assert user.column("level") == ["Level 3", "Level 1"]
        # Unlike a squeezed table, whose tokens are of the last run, a wide one has those of each.
        tokens = ["303.5", "403.5"]
        assert [float(cell) for cell in user.column("rl_tokens")] == pytest.approx([float(t) for t in tokens], abs=0.6)
        assert ("base_tokens" in {column.key for column in user.table.ordered_columns}) == (size[0] >= 110)
        assert "What is 30" in user.shown


async def test_every_set_is_a_key_away(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        seen = {}
        for _ in range(5):
            seen[user.crumbs[-1]] = user.column("problem")
            await user.press("right")
        assert seen == {
            "base-only": ["s3", "s4"],
            "RL-only": ["s5"],
            "neither": ["s6"],
            "all": ["s1", "s2", "s3", "s4", "s5", "s6"],
            "both": ["s1", "s2"],
        }
        assert user.crumbs[-1] == "base-only"
        await user.press("left")
        assert user.crumbs[-1] == "both"


async def test_min_correct(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        names = {(True, True): "both", (True, False): "base-only", (False, True): "RL-only", (False, False): "neither"}
        for key, least in (("plus", 2), ("plus", 3), ("equals_sign", 4), ("minus", 3), ("minus", 2), ("minus", 1)):
            await user.press(key)
            expected = {name: len(solved_by(("base", "rl"), pattern, least)) for pattern, name in names.items()}
            assert chips(user) == {**expected, "all": 6}, least
            assert f"solved = at least {least} correct" in user.words("words")
        await user.press("minus", "minus")
        assert "solved = at least 1 correct" in user.words("words")


@pytest.mark.parametrize("size", SIZES)
async def test_sorted_by_every_column(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await open_sets(user)
        await user.press("left", "left")
        assert user.crumbs[-1] == "all"
        expected = {
            "problem": ["s1", "s2", "s3", "s4", "s5", "s6"],
            "statement": ["s1", "s2", "s3", "s4", "s5", "s6"],
            "level": ["s1", "s4", "s2", "s5", "s3", "s6"],
            "base_tally": ["s1", "s2", "s4", "s3", "s5", "s6"],
            "rl_tally": ["s1", "s2", "s5", "s3", "s4", "s6"],
            "base_tokens": ["s6", "s5", "s4", "s3", "s2", "s1"],
            "rl_tokens": ["s6", "s5", "s4", "s3", "s2", "s1"],
            "p_change": most_doubtful_first(sums_store),
            "evidence": ["s1", "s2", "s3", "s4", "s5", "s6"],
        }
        keys = [str(column.key.value) for column in user.table.ordered_columns]
        assert set(keys) == set(expected) - (set() if size[0] >= 110 else {"base_tokens", "evidence"})
        for key in keys:
            await user.press("s")
            assert user.column("problem") == expected[key], key
            [marked] = [heading for heading in user.headings() if heading[-1] in "▲▼"]
            assert marked[-1] == ("▲" if key in ("problem", "statement", "level", "evidence") else "▼")
            assert marked in user.shown, "the arrow is cut off"
        await user.press("S")
        assert user.column("problem") == ["s1", "s2", "s3", "s4", "s5", "s6"], "the other way around"
        await user.press("s")
        assert "in benchmark order" in user.words("status")


async def test_clicks_sort_and_select(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await open_sets(user)
        await user.click_text("neither 1")
        assert user.crumbs[-1] == "neither"
        await user.click_text(" all 6")
        assert user.column("problem") == ["s1", "s2", "s3", "s4", "s5", "s6"]
        await user.click_text("base c/n")
        assert user.column("problem")[0] == "s1"
        assert "sorted by base c/n, descending" in user.words("status")
        await user.click_text("base c/n")
        assert user.column("problem")[-1] == "s1"
        await user.click_text("What is 40")
        if user.name == "SetsScreen":
            await user.click_text("What is 40")
        assert user.crumbs[-1] == "problem s4"


async def test_three_runs_have_eight_sets(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await user.press("enter", "a", "enter")
        runs = ("base", "rl", "sft")
        counts = [chip for chip in user.find(SetStrip).chips if chip.solved is not None]
        assert {chip.solved: chip.count for chip in counts} == {
            pattern: len(solved_by(runs, pattern)) for pattern in product((True, False), repeat=3)
        }
        assert sum(chip.count for chip in counts) == 6
        assert {chip.name for chip in counts} == {
            "all runs", "base + RL", "base + SFT", "RL + SFT", "base-only", "RL-only", "SFT-only", "no run",
        }  # fmt: skip
        assert "SFT n = 4" in user.words("words")
        assert "n differs; expected at 4 samples each:" in user.words("words")
        for chip in counts:
            await user.press("home")
            while user.screen.location.solved != chip.solved:
                await user.press("right")
            assert user.column("problem") == solved_by(runs, chip.solved or ()), chip.name


async def test_the_cursor_stays_on_its_problem_when_the_order_changes(made: Path, tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path / "long.passk")
    for role in ("base", "rl"):
        rows = many_rows(400, 2) if role == "base" else many_rows(300, 2)
        import_into(layout, [jsonl(tmp_path / f"{role}.jsonl", rows)], model=role, role=role, benchmark="long")
    async with explorer(layout) as user:
        await open_sets(user)
        await user.press("left", "left") if user.crumbs[-1] != "all" else None
        while user.crumbs[-1] != "all":
            await user.press("right")
        assert "all: 300 problems" in user.words("status")
        assert "100 problems not compared" in user.flat()
        for _ in range(4):
            await user.press("pagedown")
        key = user.table.cursor_key
        await user.press("s", "S")
        assert user.table.cursor_key == key, "the cursor is on the same problem"
        assert user.cells()[0] in user.shown, "and in sight"
        await user.press("G")
        assert user.table.cursor_row == 299
        await user.press("g")
        assert user.table.cursor_row == 0


@pytest.mark.shared_data
async def test_figures_of_other_peoples_files(gym_store: StoreLayout, math500_store: StoreLayout) -> None:
    async with explorer(gym_store) as user:
        await open_sets(user)
        assert chips(user) == {"both": 5, "only step 400": 4, "only step 800": 2, "neither": 19, "all": 30}
        await user.press("right")
        assert list(zip(user.column("problem"), user.column("base_tally"), user.column("rl_tally"), strict=True)) == [
            ("22", "0/50", "4/50"),
            ("28", "0/50", "1/50"),
        ]
    async with explorer(math500_store) as user:
        await open_sets(user)
        counts = chips(user)
        assert counts["all"] == 500 == sum(counts.values()) - 500
        assert "base n = 128, RL n = 128" in user.flat()


async def test_doubt_is_shown_with_its_kind(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await open_sets(user)
        for least in (1, 2):
            sets, uncertainty = doubt_of(sums_store, least)
            shown = {chip.solved: chip.expected for chip in user.find(SetStrip).chips}
            assert shown == {**uncertainty.expected, None: None}
            for low, high in uncertainty.expected.values():
                assert f"{low}–{high}" in user.flat()
            assert "95 % prediction" in user.flat()
            moving = f"about {uncertainty.expected_changes:.1f} of 6 problems would change set in a replication"
            assert moving in user.flat()
            while user.crumbs[-1] != "all":
                await user.press("right")
            cells = dict(zip(user.column("problem"), user.column("p_change"), strict=True))
            for problem in sets.problems:
                chance = 100 * uncertainty.problems[problem.key].set
                assert cells[problem.label] in (f"{chance:.1f}", "<0.1"), problem.label
            await user.press("plus")


async def test_a_problem_says_what_its_samples_do_not_show(sums_store: StoreLayout) -> None:
    sets, uncertainty = doubt_of(sums_store)
    of_s3 = next(uncertainty.problems[problem.key] for problem in sets.problems if problem.label == "s3")
    for size in SIZES:
        async with explorer(sums_store, size) as user:
            await open_sets(user)
            await user.press("enter")
            assert user.crumbs[-1] == "problem s3"
            base, rl = of_s3.rates
            assert f"base {100 * base.mean:.1f} % ({100 * base.low:.1f}–{100 * base.high:.1f}" in user.flat()
            assert f"RL {100 * rl.mean:.1f} % ({100 * rl.low:.1f}–{100 * rl.high:.1f}" in user.flat()
            assert "95 % credible" in user.flat()
            chances = [f"{100 * chance:.1f}" for chance in (*of_s3.runs, of_s3.set)]
            said = f"P(base fails) {chances[0]} %, P(RL solves) {chances[1]} %, P(set changes) {chances[2]} %"
            assert f"in a replication: {said}" in user.flat()
