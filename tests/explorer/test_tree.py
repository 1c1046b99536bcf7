"""The search tree on the screen: counts, signs, ways through it, and that it stays where it is when samples come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend import sample_store
from backend.store.layout import StoreLayout
from explorer.screens.tree import TreeScreen
from explorer.widgets.text_view import TextView
from tests.explorer.driving import SIZES, Driver, explorer, import_into, until
from tests.support import jsonl

TEXTS = {
    "base": [
        *[("Try sums: 1 + 2 = 3. Stop.", False)] * 3,
        *[("Try sums: 2 + 2 = 4. Stop.", False)] * 2,
        ("Try pairs: 2 * 3 = 6. Good.", True),
        ("Try pairs: 2 * 4 = 8. Bad.", False),
    ],
    "rl": [
        *[("Try sums: 1 + 2 = 3. Stop.", False)] * 4,
        ("Try sums: 5 + 1 = 6. Good.", True),
        ("Guess.", False),
    ],
}


def rows(role: str) -> list[dict[str, Any]]:
    return [
        {
            "problem_id": "p1", "question": "Make 6.", "completion": text, "is_correct": right, "model": f"tiny-{role}",
            "role": role, "benchmark": "sums", "extracted_answer": text.split()[-1], "tokens": 9,
        }
        for text, right in TEXTS[role]
    ]  # fmt: skip


@pytest.fixture
def tree_store(tmp_path: Path) -> StoreLayout:
    layout = StoreLayout(tmp_path / "tree.passk")
    for role in TEXTS:
        import_into(layout, [jsonl(tmp_path / f"{role}.jsonl", rows(role))])
    return layout


async def open_tree(user: Driver) -> None:
    await user.press("enter", "enter", "enter", "t")
    assert isinstance(user.screen, TreeScreen)


def lines(user: Driver) -> list[str]:
    """Signs, counts and steps as they are painted."""
    return [" ".join(user.cells(str(key.value))).strip() for key in user.table.rows]


def step(user: Driver) -> str:
    """The step under the cursor."""
    return user.cells()[-1]


@pytest.mark.parametrize("size", SIZES)
async def test_every_branch_says_who_took_it_and_how_it_ended(tree_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(tree_store, size) as user:
        await open_tree(user)
        assert "base n = 7, c = 1" in user.words("heading")
        assert "RL n = 6, c = 1" in user.words("heading")
        if size == (80, 24):
            assert lines(user) == ["5 0 5 1 ▸ Try sums:", "− 2 1 0 0 ▸ Try pairs:", "+ 0 0 1 0 · Guess."]
        else:
            assert lines(user)[1] == "− 2 28.6 1 0 0.0 0 ▸ Try pairs:"
        assert user.words("status") == "base 5 of 7 (71.4 %), 0 correct   RL 5 of 6 (83.3 %), 1 correct"
        await user.press("j")
        assert user.words("status").endswith("− only base")
        assert user.find(TextView).text == "Try pairs: "
        await user.press("right")
        assert [line.split()[-1] for line in lines(user)[1:4]] == ["pairs:", "Good.", "Bad."]
        await user.press("right")
        assert step(user) == "· 2 * 3 = 6. Good.", "from an open branch to its first way"
        await user.press("right")
        assert "does not split" in user.said()
        await user.press("left")
        assert step(user) == "▾ Try pairs:"
        await user.press("left")
        assert len(lines(user)) == 3
        await user.press("left")
        assert "top level" in user.said()


async def test_ways_by_one_key(tree_store: StoreLayout) -> None:
    async with explorer(tree_store) as user:
        await open_tree(user)
        await user.press("m")
        assert step(user) == "· 1 + 2 = 3. Stop."
        assert user.cells()[1:5] == ["3", "0", "4", "0"]
        await user.press("m")
        assert "does not split" in user.said()
        await user.press("o")
        assert "No sample of this branch is correct" in user.said()
        await user.press("g", "o")
        assert step(user) == "· 5 + 1 = 6. Good."
        await user.press("o")
        assert "The correct samples do not split" in user.said()
        await user.press("d")
        assert step(user).endswith("Try pairs:")
        await user.press("d")
        assert step(user) == "· Guess."
        await user.press("d")
        assert step(user).endswith("Try pairs:"), "around again"


async def test_sorted_by_right_ones_and_by_words(tree_store: StoreLayout) -> None:
    async with explorer(tree_store) as user:
        await open_tree(user)
        await user.press("s")
        assert "most correct first" in user.words("heading")
        assert step(user) == "▸ Try sums:", "the cursor stays on its branch"
        await user.press("s")
        assert lines(user)[0].endswith("Try pairs:"), "most one-sided first"
        await user.press("w")
        assert "by words" in user.words("heading")
        assert lines(user)[0].endswith("Try") or lines(user)[1].endswith("Try")


async def test_the_samples_under_a_branch(tree_store: StoreLayout) -> None:
    async with explorer(tree_store) as user:
        await open_tree(user)
        await user.press("enter")
        assert user.name == "BranchScreen"
        assert "10 samples" in user.words("heading")
        assert user.column("run") == ["tiny-rl", *["tiny-base"] * 5, *["tiny-rl"] * 4], "correct ones first"
        await user.press("enter")
        assert user.name == "PathScreen"
        assert user.find(TextView).text == "Try sums: 5 + 1 = 6. Good."
        await user.press("escape", "escape")
        assert step(user) == "▸ Try sums:"
        await user.press("G", "enter")
        assert user.find(TextView).text == "Guess.", "a single sample is read at once"


async def test_a_growing_store_neither_collapses_the_tree_nor_moves_the_cursor(
    tree_store: StoreLayout, tmp_path: Path
) -> None:
    async with explorer(tree_store) as user:
        await open_tree(user)
        await user.press("right", "j", "j", "right", "G", "k")
        before, shown = step(user), lines(user)
        more = [
            row | {"completion": text, "seed": seed}
            for row in rows("rl")[:1]
            for seed, text in enumerate(["Aha. So be it.", *[f"Try new{number}: x." for number in range(30)]] * 2)
        ]
        import_into(tree_store, [jsonl(tmp_path / "more.jsonl", more)])
        user.app.look_out()
        await until(lambda: "RL n = 68" in user.words("heading"), said=user.words("heading"))
        await user.idle()
        assert step(user) == before
        for line in shown:
            if "▾" in line:
                assert any(new.endswith(line[line.index("▾") :]) for new in lines(user)), "it stays open"
        assert any("rarer branches" in line for line in lines(user))
        await user.press("escape")
        assert user.name == "ProblemScreen"


async def test_rare_branches_are_one_line_until_one_looks(tmp_path: Path) -> None:
    layout = StoreLayout(tmp_path / "wide.passk")
    for role in TEXTS:
        many = [
            rows(role)[0] | {"completion": f"{role} {number}. End.", "is_correct": role == "rl"} for number in range(20)
        ]
        import_into(layout, [jsonl(tmp_path / f"{role}.jsonl", many)])
    async with explorer(layout) as user:
        await open_tree(user)
        assert "by words" in user.words("heading"), "nobody shares a first step"
        await user.press("w")
        assert len(lines(user)) == 13
        assert lines(user)[-1].endswith("▸ 28 rarer branches")
        taken = [int(user.cells(str(key.value))[column]) for key in user.table.rows for column in (1, 3)]
        assert sum(taken) == 40, "with those taken together the lines are all samples"
        await user.press("G", "right")
        assert len(lines(user)) == 40
        assert step(user) == lines(user)[12].split(maxsplit=5)[-1], "the cursor is on the first that was hidden"


async def test_published_counts_have_no_tree(counts_store: StoreLayout) -> None:
    async with explorer(counts_store) as user:
        await user.press("enter", "enter", "enter", "t")
        assert user.name == "ProblemScreen"
        assert "No paths are stored here" in user.said()


async def test_on_the_sample_store_the_first_level_is_the_plans() -> None:
    async with explorer(sample_store()) as user:
        await user.press("enter", "enter", "enter", "t")
        plans = {line.split("Try ")[-1] for line in lines(user)}
        assert plans == {"sums:", "products:", "groups:", "pairs:", "quotients:"}
        assert sum(line.startswith("−") for line in lines(user)) >= 3, "RL takes few of them"
