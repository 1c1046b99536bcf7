"""The resampling dialog shares a budget out by doubt, and says what that is expected to find before it is spent."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import Options, Reader, ResamplingOutcome, RunOptions, import_files, open_store, plan_samples, solve_sets
from backend.jobs.resampling import Move
from backend.store.layout import StoreLayout
from explorer.render.jobs import found_in_words
from explorer.widgets.fields import Choice
from tests.explorer.driving import SIZES, explorer, until
from tests.support import csv_file


@pytest.fixture(scope="module")
def doubtful_store(made: Path) -> StoreLayout:
    """Published counts of which many are in doubt: 40 problems, n = 8."""
    layout = StoreLayout(made / "doubtful.passk")
    rows = [(f"q{i}", (0, 0, 1, 2, 0)[i % 5], (0, 1, 0, 3, 8)[i % 5]) for i in range(40)]
    path = csv_file(made / "doubtful.csv", ["problem", "base", "rl"], rows)
    import_files(layout, [path], run_options=RunOptions(benchmark="doubtful"), options=Options(n=8))
    return layout


@pytest.mark.parametrize("size", SIZES)
async def test_a_budget_is_shared_out_by_doubt(doubtful_store: StoreLayout, size: tuple[int, int]) -> None:
    database = open_store(doubtful_store)
    try:
        with Reader(database) as reader:
            pair = [reader.run("base@doubtful"), reader.run("rl@doubtful")]
            plan = plan_samples(reader, solve_sets(reader, pair), 90)
    finally:
        database.close()
    async with explorer(doubtful_store, size) as user:
        await user.press("enter", "enter")
        while user.crumbs[-1] != "all":
            await user.press("right")
        await user.press("r")
        assert user.name == "ResampleDialog"
        share = user.find(Choice, "share")
        assert share.options == ("per problem and run", "in total, where they help most")
        await user.press("ctrl+a", "ctrl+k")
        await user.type("90")
        await user.press("down", "right")
        assert share.chosen == 1
        await until(lambda: "changes of set expected" in user.words("state"))
        said = " ".join(user.words("state").split())
        assert "90 of 90 samples, where they help most per token" in said
        assert f"{plan.expected_changes:.1f} changes of set expected ({plan.unsolved} unsolved so far)" in said
        rule = f"changes expected in 256 more samples each: {plan.before:.1f} now, {plan.after:.1f} after this round"
        assert rule in said
        # Published counts hold no statements and name no model: the dialog says so, and enter starts nothing.
        assert "Where is the model" in said
        await user.press("enter")
        assert user.name == "ResampleDialog"


def test_what_a_job_found_stands_beside_what_was_expected() -> None:
    assert found_in_words(ResamplingOutcome((), (), None, None)) == []
    moved = (Move("q1", (False, True), (True, True)), Move("q2", (False, False), (False, True)))
    assert found_in_words(ResamplingOutcome(("a", "b"), moved, 3.44, 1)) == ["changes of set: 3.4 expected, 1 so far"]
