"""Judging by keys: kept with author and time, blind, the next on one key; a queue that says how far one has come."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import Reader, all_judgements, open_store
from backend.store.layout import StoreLayout
from explorer.widgets.plain import Plain
from tests.explorer.driving import SIZES, explorer, import_into
from tests.explorer.test_sets import open_sets
from tests.support import jsonl

N = 40
RIGHT = {"base": [1, 20, 0], "rl": [1, 40, 1]}


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLayout:
    """Two hard problems and an easy one."""
    monkeypatch.setenv("PASSK_AUTHOR", "ann")
    layout = StoreLayout(tmp_path / "judged.passk")
    for run, correct in RIGHT.items():
        rows = [
            {
                "problem_id": f"p{problem}",
                "question": f"Question {problem}",
                "completion": f"{run} says of p{problem} that 2 + 2 = 4, at {sample}.",
                "is_correct": sample < c,
                "model": f"tiny-{run}",
                "role": run,
                "benchmark": "sums",
            }
            for problem, c in enumerate(correct)
            for sample in range(N)
        ]
        import_into(layout, [jsonl(tmp_path / f"{run}.jsonl", rows)])
    return layout


def judgements(store: StoreLayout) -> list[tuple[str, str, int, str, str | None, str | None]]:
    database = open_store(store)
    try:
        with Reader(database) as reader:
            return [
                (entry.run, entry.label, entry.sample, said.author, said.judgement, said.note)
                for entry in all_judgements(reader, reader.runs())
                for said in [entry.judgement]
            ]
    finally:
        database.close()


@pytest.mark.parametrize("size", SIZES)
async def test_a_path_is_judged_and_noted_while_one_reads(store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(store, size) as user:
        await open_sets(user)
        await user.press("enter", "enter")
        assert user.name == "PathScreen"
        assert "reasoning not judged" in user.flat()
        await user.press("v")
        assert "reasoning valid ann," in user.flat()
        await user.press("n")
        await user.type("sound [/b]")
        await user.press("enter")
        assert "reasoning note ann," in user.flat()
        assert "sound [/b]" in user.flat()
        # A change of mind stands beside what was said before.
        await user.press("x")
        assert "reasoning invalid ann," in user.flat()
        assert "reasoning valid ann," in user.flat()
        await user.press("n", "escape")
        assert user.name == "PathScreen"
        label, sample = user.crumbs[2].removeprefix("problem "), int(user.crumbs[-1].removeprefix("sample "))
        run = f"{user.crumbs[3]}@sums"
    assert judgements(store) == [
        (run, label, sample, "ann", "valid", None),
        (run, label, sample, "ann", None, "sound [/b]"),
        (run, label, sample, "ann", "invalid", None),
    ]


async def test_right_answers_with_wrong_reasoning_are_a_key_away(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await open_sets(user)
        await user.press("left", "left", "j", "enter")
        assert user.crumbs[-1] == "problem p1"
        # Nothing is judged: only correct ones, only incorrect ones, all.
        for shown in (20, 20, 40):
            await user.press("v")
            assert user.table.total == shown
        await user.press("g", "enter", "x", "right", "x", "right", "v", "escape")
        await user.press("v", "v")
        assert "2 of 40 samples, only correct with invalid reasoning" in user.flat()
        assert [cell[:1] for cell in user.column("read")] == ["X", "X"]
        await user.press("v")
        assert "20 of 40 samples, only incorrect" in user.flat()
        await user.press("escape", "f")
        await user.type("judged:invalid")
        await user.press("enter")
        assert "a correct path of one of the runs is judged invalid" in user.flat()
        assert "1 of 3 problems" in user.flat()


async def test_what_was_asked_is_in_sight_while_one_judges(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await user.press("enter", "Q", "N")
        assert "Question 0" in user.flat()
        await user.press("z")
        assert user.name == "Dialog"
        assert "reference answer: –" in user.flat()
        await user.press("escape", "v", "v")
        assert "Question 2" in user.flat()
        assert "rl says of p2 that" in user.flat(), "and the path is of that problem, where run and sample are the same"


@pytest.mark.parametrize("size", SIZES)
async def test_the_queue_is_judged_blind_path_by_path(store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(store, size) as user:
        await user.press("enter", "Q")
        assert user.name == "QueueScreen"
        assert "3 correct paths of the hardest solvable problems" in user.flat()
        assert "0 judged by ann" in user.flat()
        assert user.column("run") == ["hidden"] * 3
        await user.press("N")
        seen = []
        for key in ("v", "x"):
            assert "model hidden" in user.flat()
            assert "tiny-" not in user.flat().replace("judged.passk", "")
            seen.append(user.crumbs[-2])
            await user.press(key)
        assert "you have judged 2 of 3 paths in the queue" in user.flat()
        await user.press("u")
        assert "You have judged every path in the queue" in user.said()
        assert "you have judged 3 of 3 paths in the queue" in user.flat()
        await user.press("escape")
        assert user.name == "QueueScreen"
        assert "3 judged by ann" in user.flat()
        assert sorted(user.column("mine")) == ["U unsure", "V valid", "X invalid"]
        await user.press("b")
        assert {*user.column("run")} == {"tiny-base", "tiny-rl"}
        assert user.column("rate") == ["1/40"] * 3
    assert sorted(entry[4] or "" for entry in judgements(store)) == ["invalid", "unsure", "valid"]


@pytest.mark.parametrize("size", SIZES)
async def test_sets_by_valid_paths(store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(store, size) as user:
        await open_sets(user)
        assert "both 2" in user.flat() and "RL-only 1" in user.flat()
        await user.press("V")
        assert "c counts valid paths only" in user.flat()
        assert "neither 3" in user.flat()
        assert "base 0 of 21 correct paths judged" in user.flat()
        assert "3 of 3 problems depend on unjudged paths" in user.flat()
        await user.press("right", "home", "enter", "enter", "v", "escape", "escape")
        assert "1 of 21 correct paths judged (1 valid, 0 invalid, 0 unsure)" in user.flat()
        await user.press("V")
        assert "both 2" in user.flat()


@pytest.mark.parametrize("size", SIZES)
async def test_cot_pass_at_k_beside_pass_at_k(store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(store, size) as user:
        await user.press("enter", "V", "end")
        assert "CoT-pass@k beside pass@k" in user.crumbs
        assert "0 of 21 correct paths judged" in user.words("words")
        # At k = n a run solves two of three problems, none of them surely by valid paths.
        assert user.column("value")[0] == "66.7"
        assert user.column("interval")[0] == "0.0–66.7"
        await user.press("V")
        assert "CoT-pass@k" not in user.flat()


async def test_a_store_that_cannot_be_written_is_said_and_nothing_is_lost(store: StoreLayout) -> None:
    async with explorer(store) as user:
        await open_sets(user)
        await user.press("enter", "enter")
        # A file in the place of the folder stops even a user who may write everywhere.
        store.unfinished.rmdir()
        store.unfinished.write_text("")
        await user.press("v")
        assert "cannot be written" in str(user.find(Plain).content), "wherever the folder's name is broken"
        await user.press("escape")
        assert "reasoning not judged" in user.flat()
        store.unfinished.unlink()
        await user.press("v")
        assert "reasoning valid ann," in user.flat()
    assert len(judgements(store)) == 1
