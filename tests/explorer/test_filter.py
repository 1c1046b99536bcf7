"""The filter: one line on every screen of figures, said in words, kept everywhere until it is taken away."""

from __future__ import annotations

import pytest
from textual.widgets import Input

from backend.store.layout import StoreLayout
from explorer.widgets.fields import FilterLine
from explorer.widgets.strips import SetStrip
from tests.explorer.driving import SIZES, Driver, explorer


def counts(user: Driver) -> dict[str, int]:
    return {chip.name: chip.count for chip in user.find(SetStrip).chips}


@pytest.mark.parametrize("size", SIZES)
async def test_one_filter_on_all_screens(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await user.press("enter")
        assert "only" not in user.flat()
        await user.press("f")
        await user.type("level=1")
        assert "2 of 6 problems: level 1" in user.flat(), "what it means, while one types"
        assert "n = 8, 6 problems" in user.flat(), "the figures wait for enter"
        await user.press("enter")
        assert not user.find(FilterLine).is_open
        assert "only 2 of 6 problems: level 1 [level=1]" in user.flat()
        assert "n = 8, 2 problems, 16 samples" in user.words("words")
        # s1 and s4: 8 and 2 of 8 correct for the base, 8 and 0 for RL.
        assert user.cells("tiny-base@sums")[1] == "62.5"
        assert user.cells("tiny-rl@sums")[1] == "50.0"
        await user.press("enter")
        assert user.name == "SetsScreen"
        assert "only 2 of 6 problems: level 1" in user.flat()
        assert counts(user) == {"both": 1, "base-only": 1, "RL-only": 0, "neither": 0, "all": 2}
        await user.press("f")
        assert user.find(Input).value == "level=1", "one goes on from what there is"
        await user.type(",2")
        await user.press("enter")
        assert counts(user)["all"] == 4
        await user.press("escape")
        assert user.name == "CurvesScreen"
        assert "only 4 of 6 problems: level 1 or 2" in user.flat(), "it holds on the screen behind as well"
        assert user.screen.location.filter == "level=1,2"
        assert "n = 8, 4 problems" in user.words("words")
        await user.press("f", "escape")
        assert user.name == "CurvesScreen", "esc takes the filter away, and is not the way back"
        assert "only" not in user.flat()
        assert "n = 8, 6 problems" in user.words("words")
        await user.press("escape")
        assert user.name == "HomeScreen"


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_wrong_is_said_under_the_line(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await user.press("enter", "f")
        await user.type("c<")
        assert "c<: a number is missing" in user.flat()
        await user.press("enter")
        assert user.find(FilterLine).is_open, "what means nothing is not kept"
        assert user.screen.location.filter == ""
        await user.type("3")
        assert "3 of 6 problems: c < 3 in both runs" in user.flat()
        await user.type(" lvl=1")
        assert "lvl=1: nothing in sums is called lvl" in user.flat()
        await user.press("escape")
        assert not user.find(FilterLine).is_open
        assert user.screen.location.filter == ""


async def test_letters_are_letters_while_one_types(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter")
        k = user.screen.location.k
        await user.press("f")
        await user.type("what q?")
        await user.press("home", "end", "left", "right", "backspace", "backspace", "backspace")
        assert user.find(Input).value == "what"
        assert user.screen.location.k == k
        assert "6 of 6 problems" in user.flat()
        await user.press("enter", "right")
        assert user.screen.location.k == 2, "and keys afterwards"


async def test_a_filter_that_leaves_nothing(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "f")
        await user.type("nowhere")
        await user.press("enter")
        assert "only 0 of 6 problems" in user.flat()
        assert user.cells("tiny-base@sums")[1] == "–", "unknown, not zero"
        assert "pass@k unknown, no problem left" in " ".join(user.words("words").split())
        await user.press("enter")
        assert counts(user)["all"] == 0
        await user.press("enter")
        assert "No problem in this set" in user.said()


async def test_marks_outside_the_filter_are_not_resampled(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "enter", "space", "space")
        assert "2 marked" in user.words("status")
        await user.press("f")
        await user.type("level=3")
        await user.press("enter")
        assert user.column("problem") == ["● s3"]
        assert "1 marked" in user.words("status")


async def test_hostile_words_are_only_words(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await user.press("enter", "f")
        for text in ("[/bold]", "[red]x", '"[@click=quit]"', "\\[", "{x}"):
            user.find(Input).value = text
            await user.idle()
            await user.press("enter")
            assert user.name == "CurvesScreen"
            assert f"[{text}]" in user.shown
            await user.press("f")


@pytest.mark.parametrize("size", SIZES)
async def test_a_filter_that_means_nothing_among_other_runs(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    """`set:` is of the two runs it was written for; with a third one switched on, that is said, and all is shown."""
    async with explorer(sums_store, size) as user:
        await user.press("enter", "f")
        await user.type("set:base_only")
        await user.press("enter")
        assert "only 2 of 6 problems" in user.flat()
        await user.press("a", "enter")
        assert user.name == "SetsScreen"
        said = "filter ignored, all problems shown: set:base_only: solve sets are of two runs, and 3 are compared"
        assert said in user.flat()
        assert "Say it by counts, such as base.c>0 rl.c=0." in user.flat()
        assert counts(user)["all"] == 6
        await user.press("f")
        user.find(Input).value = "base.c>0 rl.c=0"
        await user.idle()
        await user.press("enter")
        assert "only 2 of 6 problems: c > 0 in tiny-base, c = 0 in tiny-rl" in user.flat()
        assert counts(user)["all"] == 2
