"""How the screens look. After a wanted change: make test ARGS="tests/explorer/test_snapshots.py --snapshot-update"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from backend import open_store
from backend.store.layout import StoreLayout
from explorer.app import Explorer
from tests.explorer.driving import Driver
from tests.explorer.test_keys import WALK, go_to

Compare = Callable[..., bool]


def looks_as_before(compare: Compare, store: StoreLayout, size: tuple[int, int], walk: Callable[..., Any]) -> bool:
    database = open_store(store)
    app = Explorer(database)

    async def before(pilot: Pilot[None]) -> None:
        user = Driver(app, pilot)
        await user.idle()
        await walk(user)

    try:
        return compare(app, terminal_size=size, run_before=before)
    finally:
        database.close()


@pytest.mark.parametrize(
    ("where", "size"),
    [*((where, (80, 24)) for where, _ in WALK), *((where, (120, 40)) for where in ("home", "sets", "problem"))],
    ids=lambda value: value if isinstance(value, str) else "x".join(map(str, value)),
)
def test_screen(snap_compare: Compare, sums_store: StoreLayout, where: str, size: tuple[int, int]) -> None:
    assert looks_as_before(snap_compare, sums_store, size, lambda user: go_to(user, where))


def test_keys_of_a_screen(snap_compare: Compare, sums_store: StoreLayout) -> None:
    async def walk(user: Driver) -> None:
        await go_to(user, "sets")
        await user.press("question_mark")

    assert looks_as_before(snap_compare, sums_store, (80, 24), walk)


def test_published_counts(snap_compare: Compare, counts_store: StoreLayout) -> None:
    assert looks_as_before(snap_compare, counts_store, (80, 24), lambda user: go_to(user, "problem"))
