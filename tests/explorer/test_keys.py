"""One table of actions: each of them works where it says, is in the help, in the palette, and fits the footer."""

from __future__ import annotations

import pytest
from textual.command import CommandPalette
from textual.widgets import Input

from backend import Reader
from backend.store.layout import StoreLayout
from explorer.actions import ACTIONS, DISPUTED, EVERYWHERE, MATCHING, QUEUED, actions_of
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import Dialog
from explorer.widgets.bars import first_key
from explorer.widgets.fields import FilterLine
from explorer.widgets.text_view import TextView
from tests.explorer.driving import SIZES, Driver, explorer

WALK = (("home", ()), ("curves", ("enter",)), ("sets", ("enter",)), ("problem", ("enter",)), ("path", ("enter",)))
"""Every screen, and the keys that lead to it from the one before."""
ASIDE = {
    "statistics": ("curves", ("v",)),
    "tree": ("problem", ("t",)),
    "branch": ("tree", ("enter",)),
    "compare": ("path", ("c",)),
    "perplexity": ("curves", ("P",)),
    "search": ("curves", ("slash", "tab")),
    "queue": ("curves", ("Q",)),
    "audit": ("curves", ("A",)),
    "bookmarks": ("curves", ("B",)),
    "imports": ("curves", ("I",)),
    "matching": ("curves", ("M",)),
}
"""Screens beside the walk: from where, and by which keys."""
SCREENS = [*(where for where, _ in WALK), *ASIDE]


async def go_to(user: Driver, where: str) -> None:
    if where in ASIDE:
        before, keys = ASIDE[where]
        await go_to(user, before)
        await user.press(*keys)
        assert screen_name(user) == where
        return
    for screen, keys in WALK:
        await user.press(*keys)
        assert screen_name(user) == screen
        if screen == where:
            return


def screen_name(user: Driver) -> str:
    return user.screen.WHERE if isinstance(user.screen, DataScreen) else user.name


@pytest.mark.parametrize("where", SCREENS)
async def test_help_lists_every_action(sums_store: StoreLayout, where: str) -> None:
    async with explorer(sums_store, (80, 60)) as user:
        await go_to(user, where)
        await user.press("question_mark")
        assert isinstance(user.screen, Dialog)
        for action in actions_of(where):
            assert any(action.shown_key in line and action.help in line for line in user.lines()), action
        await user.press("escape")
        assert screen_name(user) == where


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_help_that_does_not_fit_can_be_scrolled(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    async with explorer(sums_store, size) as user:
        await go_to(user, "path")
        await user.press("question_mark")
        seen = user.shown
        await user.press("end")
        seen += user.shown
        assert "To the next part of the screen" in seen


@pytest.mark.parametrize("where", SCREENS)
async def test_the_footer_fits(sums_store: StoreLayout, where: str) -> None:
    async with explorer(sums_store, (80, 24)) as user:
        await go_to(user, where)
        footer = user.lines()[-1]
        for action in actions_of(where):
            if action.in_footer:
                assert f"{first_key(action.shown_key)} {action.label}" in footer, (action.label, footer)
        assert footer.rstrip().endswith("? Keys")


@pytest.mark.parametrize("where", SCREENS)
async def test_every_key_of_a_screen_does_something_or_says_why(sums_store: StoreLayout, where: str) -> None:
    keys = [(action, key) for action in ACTIONS if where in action.where for key in action.keys.split(",")]
    async with explorer(sums_store, (80, 24)) as user:
        await go_to(user, where)
        screen = user.screen
        for action, key in keys:
            called: list[str] = []
            name = action.name.partition("(")[0]
            method = getattr(screen, f"action_{name}")

            def record(
                *arguments: object, name: str = name, method: object = method, called: list[str] = called
            ) -> object:
                called.append(name)
                return method(*arguments)  # type: ignore[operator]

            setattr(screen, f"action_{name}", record)
            await user.press(key)
            assert called == [name], f"{key} on {where}"
            delattr(screen, f"action_{name}")
            while user.screen is not screen or any(line.is_open for line in screen.query(FilterLine)):
                await user.press("escape")
            if isinstance(screen.focused, Input):
                # Where one types, letters are letters.
                await user.press("tab")


async def test_every_action_belongs_to_a_screen() -> None:
    for action in ACTIONS:
        assert set(action.where) <= {*SCREENS, MATCHING, QUEUED, DISPUTED, "jobs", EVERYWHERE}
    for where in (*SCREENS, MATCHING, QUEUED, DISPUTED):
        keys = [key for action in actions_of(where) for key in action.keys.split(",")]
        assert len(keys) == len(set(keys)), f"a key of {where} is taken twice"


async def test_the_palette_offers_and_runs_what_the_screen_can_do(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (120, 40)) as user:
        await go_to(user, "curves")
        await user.press("ctrl+p")
        assert isinstance(user.screen, CommandPalette)
        await user.type("largest")
        await user.press("enter")
        if isinstance(user.screen, CommandPalette):
            await user.press("enter")
        assert screen_name(user) == "curves"
        assert user.words("at") == "pass@k at k = 8"


@pytest.mark.parametrize("size", SIZES)
async def test_back_is_exactly_where_one_was(sums_store: StoreLayout, size: tuple[int, int]) -> None:
    """On every screen something is moved, sorted or filtered; then on to the next screen, and all the way back."""
    async with explorer(sums_store, size) as user:
        # What one reads is marked in the list of samples; here all has been read before.
        with Reader(user.app.database) as reader:
            for run in reader.runs():
                for problem in reader.labels(run.benchmark):
                    for sample in range(8):
                        user.app.marks.see(run.key, problem, sample)
        states = []
        moves = {
            "home": ("j", "k"),
            "curves": ("right", "L", "j", "a", "space", "k"),
            "sets": ("right", "right", "right", "plus", "minus", "s", "s", "S", "j", "j"),
            "problem": ("right", "v", "v", "s", "s", "S", "j", "a", "a"),
            "path": ("right", "i", "left"),
        }
        for where, keys in WALK:
            await user.press(*keys)
            assert screen_name(user) == where
            await user.press(*moves[where])
            if where == "curves":
                await user.press("f")
                await user.type("what")
                await user.press("enter")
            if where != "path":
                states.append(user.state())
        for state in reversed(states):
            await user.press("escape")
            assert user.state() == state
        await user.press("escape")
        assert screen_name(user) == "home", "at Home there is nothing behind"


async def test_the_scroll_of_a_text_is_kept(sums_store: StoreLayout) -> None:
    async with explorer(sums_store, (60, 8)) as user:
        await go_to(user, "path")
        text = user.find(TextView)
        assert text.max_scroll_y > 0 or text.lines <= text.size.height
        await user.press("j")
        where = text.scroll_offset
        await user.press("question_mark", "escape")
        assert text.scroll_offset == where


async def test_backspace_edits_the_filter_and_does_not_leave(sums_store: StoreLayout) -> None:
    async with explorer(sums_store) as user:
        await go_to(user, "sets")
        await user.press("f")
        await user.type("what is")
        await user.press("backspace", "backspace")
        assert screen_name(user) == "sets"
        assert user.find(Input).value == "what "


async def test_the_screen_follows_the_size_of_the_terminal(sums_store: StoreLayout) -> None:
    for where in SCREENS:
        async with explorer(sums_store, (120, 40)) as user:
            await go_to(user, where)
            wide = user.shown
            for size in ((80, 24), (40, 12), (20, 6), (200, 60), (120, 40)):
                await user.resize(*size)
            assert user.shown == wide, where
