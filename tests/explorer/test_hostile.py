"""Text from a model is never markup and never commands the terminal, on any screen; and it is copied exactly."""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from backend import Reader
from backend.errors import UsageError
from backend.store.layout import StoreLayout
from backend.visible_text import visible
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import Dialog
from explorer.widgets.strips import SetStrip
from explorer.widgets.text_view import TextView
from tests.explorer.driving import SIZES, Driver, explorer, until
from tests.explorer.hostile import NASTY, hostile_store, stored

COMMANDS = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories that a terminal may obey, or that change how the rest of a line is laid out."""


@pytest.fixture(scope="module")
def nasty_store(made: Path) -> StoreLayout:
    folder = made / "hostile"
    folder.mkdir()
    return hostile_store(folder)


def check(user: Driver) -> None:
    """Nothing that is painted commands the terminal, and every line is as wide as the screen."""
    strips = user.screen._compositor.render_strips()
    assert len(strips) == user.screen.size.height
    for strip in strips:
        line = "".join(segment.text for segment in strip)
        bad = [f"U+{ord(letter):04X}" for letter in line if unicodedata.category(letter) in COMMANDS]
        assert not bad, (user.name, bad, line)
        assert not any(segment.control for segment in strip)
        assert cell_len(line) == user.screen.size.width, (user.name, line)
        for segment in strip:
            # A link or an action could come from markup in data only: the set strip's are its own.
            assert segment.style is None or segment.style.link is None


async def to_problem(user: Driver, number: int) -> None:
    """From all problems in the order of the benchmark, open this one."""
    user.table.move_cursor(row=number, animate=False)
    await user.idle()
    await user.press("enter")
    assert user.name == "ProblemScreen"


async def to_all(user: Driver) -> None:
    await user.press("enter", "enter")
    user_strip = user.find(SetStrip)
    while user_strip.selected is not None:
        await user.press("right")


@pytest.mark.parametrize("size", SIZES)
async def test_every_screen(nasty_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(nasty_store, size) as user:
        check(user)
        assert "HOSTILE" in user.shown, "what would command the terminal is seen as text"
        assert "[/b]" in user.shown
        await user.press("enter")
        check(user)
        await user.press("right", "space", "enter")
        check(user)
        assert user.said()
        await user.press("space", "enter")
        check(user)
        await user.press("s", "s", "s", "left", "right")
        check(user)
        await user.press("escape", "escape")
        await to_all(user)
        for key in ("G", "g", "pagedown", "s", "s", "s"):
            await user.press(key)
            check(user)
        await user.press("f")
        await user.type("[/b]")
        check(user)
        await user.press("enter")
        check(user)
        assert user.table.total >= 1
        await user.press("y")


@pytest.mark.parametrize("first", range(0, len(NASTY), 8))
async def test_problem_and_path(nasty_store: StoreLayout, first: int) -> None:
    async with explorer(nasty_store) as user:
        await to_all(user)
        for number in range(first, min(first + 8, len(NASTY))):
            text = stored(list(NASTY.values())[number])
            await look_at_problem(user, number, text)
            await look_at_path(user, text)
            await user.press("escape", "escape")
            assert user.name == "SetsScreen"


async def look_at_problem(user: Driver, number: int, text: str) -> None:
    await to_problem(user, number)
    check(user)
    statement = user.find(TextView)
    assert statement.text == f"{number} {text}"
    await user.press("y")
    assert user.app.clipboard == statement.text
    for key in ("z", "G", "z", "a", "s", "a"):
        await user.press(key)
        check(user)


async def look_at_path(user: Driver, text: str) -> None:
    await user.press("g", "enter")
    assert user.name == "PathScreen"
    if user.crumbs[-1] == "sample 0":
        await user.press("right")
    view = user.find(TextView)
    assert view.text == text
    check(user)
    await user.press("y")
    assert user.app.clipboard == text
    assert f"Copied the path: {len(text):,} characters." in user.said()
    for key in ("G", "pageup", "i", "a"):
        await user.press(key)
        check(user)


async def test_every_character_of_a_text_is_painted(nasty_store: StoreLayout) -> None:
    text = NASTY["long without a break"][:3_000] + "\n" + NASTY["long and wide"][:3_000] + "\n" + NASTY["wide"] * 40
    async with explorer(nasty_store, (40, 12)) as user:
        await to_all(user)
        await to_problem(user, 0)
        await user.press("enter")
        view = user.find(TextView)
        view.show(text)
        await user.idle()
        seen = ""
        for top in range(view.lines):
            view.scroll_to(y=top, animate=False, immediate=True)
            line = view.render_line(0) if view.scroll_offset.y == top else view.render_line(top - view.scroll_offset.y)
            seen += line.text.rstrip()
            assert cell_len(line.text) == view.scrollable_content_region.width
        await user.idle()
        assert seen.replace(" ", "") == visible(text).replace("\n", "").replace(" ", "")
        check(user)


async def test_an_error_about_nasty_text(nasty_store: StoreLayout) -> None:
    nasty = "\n".join(text for text in NASTY.values() if len(text) < 2_000)

    def fail(_: Reader) -> None:
        raise UsageError(nasty, nasty, nasty)

    async with explorer(nasty_store) as user:
        assert isinstance(user.screen, DataScreen)
        user.screen.ask("slot", fail, lambda _: None)
        await until(lambda: isinstance(user.screen, Dialog))
        await user.idle()
        check(user)
        await user.press("end")
        check(user)


async def test_a_long_path_scrolls_at_once(nasty_store: StoreLayout) -> None:
    """Only the lines in view are made: a key in half a million characters costs as little as in a short text."""
    async with explorer(nasty_store) as user:
        await to_all(user)
        await to_problem(user, list(NASTY).index("long"))
        await user.press("enter", "right")
        view = user.find(TextView)
        assert view.lines > 6_000
        painted = Counter[str]()

        class Counting(str):
            """The text; every character taken from it is counted."""

            def __getitem__(self, index: Any) -> str:
                found = super().__getitem__(index)
                painted["characters"] += len(found)
                return found

        view.painted = replace(view.painted, text=Counting(view.painted.text))
        for y in range(view.size.height):
            view.render_line(y)
        assert 0 < painted["characters"] <= view.size.width * view.size.height
