"""Nasty texts in the tree, side by side and in the reading view: seen, never obeyed; and half a million characters."""

from __future__ import annotations

from pathlib import Path
from time import process_time
from typing import Any

import pytest

from backend.store.layout import StoreLayout
from explorer.screens.tree import TreeScreen
from explorer.widgets.text_view import AlignedView, TextView
from tests.explorer.driving import SIZES, Driver, explorer, import_into
from tests.explorer.hostile import NAMES, NASTY, stored
from tests.explorer.test_hostile import check
from tests.support import jsonl


def one_problem(folder: Path, texts: list[str]) -> StoreLayout:
    """All these texts as samples of one problem, in both runs, with a beginning of the run's own."""
    layout = StoreLayout(folder / "nasty.passk")
    for name, role in zip(NAMES, ("base", "rl"), strict=True):
        rows: list[dict[str, Any]] = [
            {
                "problem_id": "p [/b]", "question": "q", "completion": start + text, "is_correct": number % 2 == 0,
                "extracted_answer": text[:300], "finish_reason": text[:50], "model": name, "role": role,
                "benchmark": "b",
            }
            for number, text in enumerate(texts)
            for start in ("", f"{role}: ")
        ]  # fmt: skip
        import_into(layout, [jsonl(folder / f"{role}.jsonl", rows)])
    return layout


@pytest.fixture(scope="module")
def nasty_problem(made: Path) -> StoreLayout:
    folder = made / "hostile-reading"
    folder.mkdir()
    return one_problem(folder, list(NASTY.values()))


async def open_problem(user: Driver) -> None:
    await user.press("enter", "enter", "enter")
    assert user.name == "ProblemScreen"


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("by", ["step", "word"])
async def test_the_tree(nasty_problem: StoreLayout, size: tuple[int, int], by: str) -> None:
    async with explorer(nasty_problem, size) as user:
        await open_problem(user)
        await user.press("t")
        if by not in user.words("heading"):
            await user.press("w")
        check(user)
        await user.press("G", "right")
        check(user)
        await user.press("g")
        for _ in range(user.table.total):
            await user.press("j")
            check(user)
        assert "HOSTILE" in "\n".join(cell.plain for key in user.table.rows for cell in user.table.get_row(key))
        for key in ("o", "d", "s", "s", "right", "left", "y", "m", "enter"):
            await user.press(key)
            check(user)


@pytest.mark.parametrize("size", SIZES)
async def test_two_paths(nasty_problem: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(nasty_problem, size) as user:
        await open_problem(user)
        await user.press("g", "enter", "c", "c", "c")
        assert user.name == "CompareScreen"
        seen = set()
        for _ in range(2 * len(NASTY)):
            check(user)
            seen.add(user.find(AlignedView, "right").text)
            await user.press("n", "G", "right")
        assert {stored(text) for text in NASTY.values()} <= seen | {user.find(AlignedView, "left").text}


async def test_the_reading_view(nasty_problem: StoreLayout) -> None:
    async with explorer(nasty_problem) as user:
        await open_problem(user)
        await user.press("g", "enter", "m")
        seen = set()
        for _ in range(2 * len(NASTY)):
            check(user)
            seen.add(user.find(TextView).text)
            await user.press("G", "right")
        assert {stored(text) for text in NASTY.values()} <= seen


async def test_half_a_million_characters(nasty_problem: StoreLayout) -> None:
    """Every answer of the thread, from key to paint, in bounded time of the processor."""
    async with explorer(nasty_problem) as user:
        await open_problem(user)
        started = process_time()
        await user.press("t")
        assert process_time() - started < 5
        await user.press("w", "G", "right")
        screen = user.screen
        assert isinstance(screen, TreeScreen)
        assert screen.view is not None
        long = [row for row in screen.view.rows() if row.branch.characters > 400_000]
        assert len(long) >= 3
        for row in long:
            started = process_time()
            user.table.move_cursor(row=[r.branch.key for r in screen.view.rows()].index(row.branch.key), animate=False)
            await user.idle()
            assert process_time() - started < 2
            check(user)
            assert "more characters" in user.find(TextView).text


async def test_half_a_million_characters_side_by_side(made: Path) -> None:
    folder = made / "long-hostile"
    folder.mkdir()
    long = NASTY["long"]
    layout = one_problem(folder, [long, long.replace("word7 ", "WORD7 "), NASTY["long and wide"]])
    async with explorer(layout, (120, 40)) as user:
        await open_problem(user)
        await user.press("g", "enter")
        started = process_time()
        await user.press("c", "c", "c")
        while user.find(AlignedView, "right").text != long.replace("word7 ", "WORD7 "):
            await user.press("right")
        assert process_time() - started < 20
        assert "⟦WORD7⟧" in user.shown
        left, right = user.find(AlignedView, "left"), user.find(AlignedView, "right")
        assert left.lines == right.lines > 6_000
        started = process_time()
        for key in ("G", "g", "pagedown", "j", "n"):
            await user.press(key)
            check(user)
        assert process_time() - started < 5
