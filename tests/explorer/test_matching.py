"""The screen of matching: the table of the command, a match written and taken back by keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.store.layout import StoreLayout
from tests.explorer.driving import SIZES, explorer, until
from tests.store.test_matching import QUESTIONS, two


@pytest.fixture
def store(tmp_path: Path) -> StoreLayout:
    layout = StoreLayout(tmp_path / "apart.passk")
    two(layout, tmp_path / "files")
    return layout


@pytest.mark.parametrize("size", SIZES)
async def test_problems_are_made_one_and_two_again(store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(store, size) as user:
        assert "have no problem in common" in user.flat() and "passk match base@b rl@b --by id" in user.flat()
        await user.press("enter", "M")
        assert user.name == "MatchingScreen" and user.crumbs[-1] == "matching"
        assert user.column("state") == ["no"] * 2 * len(QUESTIONS)
        assert "(100%)" in user.column("looks_like")[0]
        await user.press("b")
        assert user.name == "MatchDialog"
        await until(lambda: "6 problems matched by id, of 6 of base@b and 6 of rl@b" in user.flat())
        assert "enter writes this as a decision" in user.flat()
        await user.press("left")
        assert "Which pattern, or which file?" in user.flat()
        await user.press("enter")
        assert user.name == "MatchDialog", "nothing is written that was not said"
        await user.press("right")
        await until(lambda: "6 problems matched by id" in user.flat())
        await user.press("enter")
        await until(lambda: user.name == "MatchingScreen")
        await user.idle()
        assert user.column("state") == ["by id"] * len(QUESTIONS)
        await user.press("enter")
        assert user.name == "ProblemScreen"
        await user.press("escape", "escape", "enter")
        assert user.name == "SetsScreen" and "6 problems" in user.flat()
        await user.press("M", "U")
        assert "6 problems of these runs are two again" in user.flat()
        await user.press("y")
        await user.idle()
        assert user.column("state") == ["no"] * 2 * len(QUESTIONS)
        await user.press("U")
        assert user.column("decision") == ["–"] * 2 * len(QUESTIONS)
