"""How the screens look at 80x24, where room is shortest; what larger ones show is asked of their text.

After a wanted change: make test ARGS="tests/explorer/test_snapshots.py --snapshot-update".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from textual.pilot import Pilot

from backend import open_store
from backend.store.layout import StoreLayout
from explorer.app import Explorer
from tests.explorer.driving import Driver, explorer
from tests.explorer.test_keys import WALK, go_to

Compare = Callable[..., bool]
Walk = Callable[[Driver], Any]
LARGE = ((120, 40), (200, 60))


def looks_as_before(compare: Compare, store: StoreLayout, walk: Walk) -> bool:
    database = open_store(store)
    app = Explorer(database)

    async def before(pilot: Pilot[None]) -> None:
        user = Driver(app, pilot)
        await user.idle()
        await walk(user)

    try:
        return compare(app, terminal_size=(80, 24), run_before=before)
    finally:
        database.close()


async def shows_on_large_screens(store: StoreLayout, walk: Walk, texts: Iterable[str]) -> None:
    """Text that stands there with room for it, at once and after the terminal has grown."""
    async with explorer(store, LARGE[0]) as user:
        await walk(user)
        for size in LARGE:
            await user.resize(*size)
            painted = user.flat()
            assert [text for text in texts if text not in painted] == [], size
            assert len(user.lines()) == size[1] and "? Keys" in user.lines()[-1]


@pytest.mark.parametrize("where", [where for where, _ in WALK])
def test_screen(snap_compare: Compare, sums_store: StoreLayout, where: str) -> None:
    assert looks_as_before(snap_compare, sums_store, lambda user: go_to(user, where))


LARGE_TEXTS = {
    "home": ("both base RL none samples", "8 31.2 → 35.4 66.7 → 50.0 3 2 2 1 1 96"),
    "sets": ("What is 30 + 3?", "1/8 0/8", "base tok RL tok"),
    "problem": ("What is 30 + 3?", "finish seed", "stop 1007"),
}
"""Columns that 80 have no room for."""


@pytest.mark.parametrize("where", LARGE_TEXTS)
async def test_large_screen(sums_store: StoreLayout, where: str) -> None:
    await shows_on_large_screens(sums_store, lambda user: go_to(user, where), LARGE_TEXTS[where])


def test_keys_of_a_screen(snap_compare: Compare, sums_store: StoreLayout) -> None:
    async def walk(user: Driver) -> None:
        await go_to(user, "sets")
        await user.press("question_mark")

    assert looks_as_before(snap_compare, sums_store, walk)


def test_published_counts(snap_compare: Compare, counts_store: StoreLayout) -> None:
    assert looks_as_before(snap_compare, counts_store, lambda user: go_to(user, "problem"))
