"""Opens the explorer without a terminal, presses keys, waits until it is idle, and reads what it shows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any, TypeVar

from textual.geometry import Offset
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from backend import Reader, RunOptions, import_files, open_store
from backend.store.layout import StoreLayout
from explorer.app import Explorer
from explorer.location import resolve_permalink
from explorer.screens.base import DataScreen
from explorer.widgets.bars import Breadcrumbs
from explorer.widgets.paged_table import PagedTable
from tests.support import long_rows

SIZES = ((80, 24), (120, 40))
PATIENCE = 60.0
"""Seconds before a test gives up waiting."""

T = TypeVar("T", bound=Widget)


async def until(what: Callable[[], Any], *, said: str = "") -> Any:
    """Wait until something is so, as short as possible."""
    deadline = monotonic() + PATIENCE
    while not (answer := what()):
        assert monotonic() < deadline, said or "waited in vain"
        await asyncio.sleep(0.005)
    return answer


class Driver:
    """A person at the explorer."""

    def __init__(self, app: Explorer, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def screen(self) -> Screen[Any]:
        return self.app.screen

    @property
    def name(self) -> str:
        return type(self.screen).__name__

    async def idle(self) -> None:
        """Until every question is answered, every message handled and everything painted."""
        deadline = monotonic() + PATIENCE
        calm = 0
        # A key passes four queues before its action runs: the app, the widget with the focus, the screen, the app.
        while calm < 8:
            assert monotonic() < deadline, f"{self.name} does not get idle"
            screen = self.screen
            await self.pilot._wait_for_screen()
            screen._on_timer_update()
            waiting = isinstance(screen, DataScreen) and not screen.idle
            pumps = [self.app, *screen.walk_children(with_self=True)]
            queued = any(pump.message_queue_size for pump in pumps)
            calm = 0 if waiting or queued or screen is not self.screen else calm + 1
            await asyncio.sleep(0.002 if waiting else 0)

    async def press(self, *keys: str) -> None:
        for key in keys:
            await self.pilot.press(key)
            await self.idle()

    async def type(self, text: str) -> None:
        await self.pilot.press(*({" ": "space"}.get(letter, letter) for letter in text))
        await self.idle()

    async def resize(self, width: int, height: int) -> None:
        await self.pilot.resize_terminal(width, height)
        await until(lambda: self.screen._compositor.size == (width, height) == self.screen.size)
        await self.idle()

    def find(self, what: type[T], name: str | None = None) -> T:
        return self.screen.query_one(f"#{name}", what) if name else self.screen.query_one(what)

    @property
    def table(self) -> PagedTable:
        return self.find(PagedTable)

    def cells(self, key: str | None = None) -> list[str]:
        """Cells of the row with that key, or under the cursor, as shown."""
        row = self.table.get_row(key or str(self.table.cursor_key))
        return [cell.plain.strip() for cell in row]

    def column(self, name: str) -> list[str]:
        """Cells of a column, from the top."""
        return [cell.plain.strip() for cell in self.table.get_column(name)]

    def headings(self) -> list[str]:
        return [column.label.plain for column in self.table.ordered_columns]

    def words(self, name: str) -> str:
        """What a text on the screen says."""
        return str(self.find(Static, name).content)

    @property
    def crumbs(self) -> tuple[str, ...]:
        return self.find(Breadcrumbs).parts

    def lines(self) -> list[str]:
        """The screen as it is painted, line by line."""
        strips = self.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]

    @property
    def shown(self) -> str:
        return "\n".join(self.lines())

    def flat(self) -> str:
        """The screen as running text, for words that may stand on two lines."""
        return " ".join(self.shown.split())

    def said(self) -> str:
        """What the corner says."""
        return "\n".join(notification.message for notification in self.app._notifications)

    async def click_text(self, text: str) -> None:
        """Click on a piece of text, wherever it stands."""
        for y, line in enumerate(self.lines()):
            if (x := line.find(text)) >= 0:
                await self.pilot.click(offset=Offset(x + 1, y))
                await self.idle()
                return
        raise AssertionError(f"{text!r} is not on the screen:\n{self.shown}")

    def state(self) -> dict[str, Any]:
        """All that Esc must bring back: the place, the cursor, the scrolling, the sort, the filter, what is painted."""
        screen = self.screen
        assert isinstance(screen, DataScreen)
        table = next(iter(screen.query(PagedTable)), None)
        return {
            "screen": type(screen).__name__,
            "location": screen.location,
            "cursor": table and table.cursor_key,
            "scroll": table and table.scroll_offset,
            "focus": screen.focused and screen.focused.id,
            **{name: getattr(screen, name, None) for name in ("sort", "choice", "on")},
            "painted": self.lines(),
        }


@asynccontextmanager
async def explorer(
    store: StoreLayout | Path, size: tuple[int, int] = (80, 24), place: str | None = None
) -> AsyncIterator[Driver]:
    """The explorer on a store, at Home or at a place."""
    database = open_store(store if isinstance(store, StoreLayout) else StoreLayout(store))
    try:
        at = None
        if place is not None:
            with Reader(database) as reader:
                at = resolve_permalink(reader, place)
        app = Explorer(database, at)
        async with app.run_test(size=size) as pilot:
            driver = Driver(app, pilot)
            await driver.idle()
            yield driver
    finally:
        database.close()


def import_into(layout: StoreLayout, paths: Iterable[Path], **run_options: Any) -> None:
    import_files(layout, list(paths), run_options=RunOptions(**run_options))


def many_rows(problems: int, samples: int) -> list[dict[str, Any]]:
    """Long form of many problems of which none is like another."""
    return [row | {"tokens": 10 + number % 90} for number, row in enumerate(long_rows(problems, samples))]
