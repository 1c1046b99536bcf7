"""The audit's screen: a verifier judges, what differs is shown, the disputed paths are read one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import Reader, audit, open_store, overridden
from backend.store.layout import StoreLayout
from explorer.screens.problem import ProblemScreen
from explorer.widgets.plots import LinePlot
from tests.explorer.driving import SIZES, Driver, explorer, import_into
from tests.support import jsonl

N = 8
RIGHT = {"base": [8, 3, 0, 0], "rl": [8, 0, 0, 2]}
SAID = {"base": [8, 3, 0, 0], "rl": [8, 2, 1, 2]}
"""Correct samples of each problem, and how many the file calls correct: on RL it is generous."""


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    layout = StoreLayout(tmp_path / "audited.passk")
    for run, right in RIGHT.items():
        rows = [
            {
                "problem_id": f"p{problem}",
                "question": f"What is {problem} + 40?",
                "reference_answer": str(problem + 40),
                "completion": f"{run}, attempt {sample}: \\boxed{{{problem + 40 if sample < c else -sample - 1}}}",
                "is_correct": sample < SAID[run][problem],
                "model": f"tiny-{run}",
                "role": run,
                "benchmark": "sums",
            }
            for problem, c in enumerate(right)
            for sample in range(N)
        ]
        import_into(layout, [jsonl(tmp_path / f"{run}.jsonl", rows)])
    return layout


async def open_audit(user: Driver) -> None:
    """From Home; nothing stands beside, so `number` judges."""
    await user.press("enter", "A")
    assert user.name == "AuditScreen"
    assert "Against which verdicts?" in user.flat()
    await user.press("o")
    assert user.name == "SidesDialog"
    await user.press("down")
    while "number ›" not in user.flat():
        await user.press("right")
    assert "The verifier number judges what it has not judged." in user.flat()
    await user.press("enter")
    assert user.name == "AuditScreen"
    await user.idle()


@pytest.mark.parametrize("size", SIZES)
async def test_a_verifier_judges_and_what_it_does_is_shown(store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(store, size) as user:
        await open_audit(user)
        assert user.crumbs[-1] == "counting against number"
        # Three samples of four problems are no evidence.
        assert "No difference between base and RL is seen" in user.words("heading")
        # By the file RL solves p1, p2 and p3; by `number` p3 alone, and p1 is base's.
        assert user.column("problem")[:2] == ["p2", "p1"]
        assert user.cells(str(user.table.cursor_key))[0] == "p2"
        assert "both 2, base-only 0, RL-only 2, neither 0" in user.flat()
        assert "by number: both 1, base-only 1, RL-only 1, neither 1" in user.flat()
        await user.press("right")
        assert user.column("verdicts") == ["counting", "number", "counting", "number"]
        await user.press("right")
        assert user.headings()[:2] == ["set: counting", "set: number"]
        await user.press("right")
        assert user.find(LinePlot).display
        assert "by number: base 50.0 % and RL 50.0 % at k = 8" in user.flat()


async def test_the_screen_shows_what_the_backend_counts(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await open_audit(user)
        shown = {row: user.cells(row) for row in [str(row.value) for row in user.table.rows]}
    database = open_store(store)
    with Reader(database) as reader:
        done = audit(reader, reader.run("tiny-base"), reader.run("tiny-rl"), "counting", "number")
    database.close()
    assert list(shown) == [str(problem.key) for problem in done.problems]
    disputed = {"p1": (3, 3, 2, 0), "p2": (0, 0, 1, 0)}
    for problem in done.problems:
        base, rl = problem.runs
        assert (base.first, base.second, rl.first, rl.second) == disputed.get(
            problem.label, (base.first, base.first, rl.first, rl.first)
        )
    assert done.runs[1].accepts.value == 0 and done.runs[1].rejects.value == pytest.approx(3 / 13)


async def test_disputed_paths_are_read_and_answers_said(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await open_audit(user)
        await user.press("enter")
        assert user.name == "DisputedPathScreen"
        assert "counting: correct, number: wrong" in user.flat()
        assert "0 of 3 disputed paths read" in user.flat()
        await user.press("x", "escape")
        assert "0 of 3 disputed paths read" in user.flat(), "nothing is written without a reason"
        await user.press("x")
        await user.type("the box says otherwise")
        await user.press("enter")
        assert "1 of 3 disputed paths read" in user.flat()
        assert "takes it back" in user.said()
        await user.press("left")
        assert "read: wrong" in user.flat()
        await user.press("right", "right", "right")
        assert "No further disputed path" in user.said()
        await user.press("escape")
        assert user.name == "AuditScreen"
        await user.press("right")
        assert "1 of 3 disagreements and 0 of 61 agreements" in user.flat()
    database = open_store(store)
    with Reader(database) as reader:
        assert overridden(reader, [run.key for run in reader.runs()]) == 1
    database.close()


async def test_the_filter_finds_disputed_problems(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await open_audit(user)
        await user.press("escape", "enter", "f")
        await user.type("verdict:disagree")
        await user.press("enter")
        assert "2 of 4 problems" in user.flat()
        assert "verdicts on a sample of one of the runs disagree" in user.flat()
        while not user.table.total:
            await user.press("right")
        await user.press("enter")
        assert isinstance(user.screen, ProblemScreen) and user.screen.record
        if user.screen.record.run.name != "tiny-rl@sums":
            await user.press("right")
        shown = {int(index): "" for index in user.column("index")}
        await user.press("v", "v", "v")
        assert "only disputed" in user.flat()
        assert 0 < user.table.total < len(shown)
        await user.press("escape", "f")
        for _ in "verdict:disagree":
            await user.press("backspace")
        await user.type("base.verdict:disagree")
        await user.press("enter")
        assert "0 of 4 problems" in user.flat()


async def test_false_positives_are_supposed_and_no_more(store: StoreLayout) -> None:
    async with explorer(store, (120, 40)) as user:
        await user.press("enter", "F")
        await user.type("2")
        await user.press("enter")
        assert "expected a share from 0 to below 1" in user.said()
        await user.press("F")
        await user.type("0.05")
        await user.press("enter")
        assert user.crumbs[-1] == "pass@k, false positives taken off"
        assert "corrected for 5 % of incorrect samples called correct" in user.words("words")
        await user.press("enter")
        assert user.name == "SetsScreen"
        assert "without false positives (base 5 %, RL 5 %): both" in user.flat()
        await user.press("right", "right", "right")
        assert {"base_all_false", "rl_all_false"} <= {column.key for column in user.screen.columns}  # type: ignore[attr-defined]
        shown = user.flat()
        await user.press("Y")
        assert "false_positives=0.05" in user.said()
        await user.press("F")
        assert "without false positives" not in user.flat() != shown
        await user.press("escape", "F")
        assert user.crumbs[-1] == "pass@k"
