"""The lines of a table are made in a shorter way than Textual's: they must look the same, and tell clicks the same."""

from __future__ import annotations

from itertools import chain

import pytest
from rich.segment import Segment
from rich.text import Text
from textual.app import App, ComposeResult
from textual.coordinate import Coordinate
from textual.widgets import DataTable

from explorer.render.text import Column
from explorer.widgets.paged_table import PagedTable


def cells(key: str) -> list[Text]:
    """Too long, styled, of two cells a character, in parts, empty."""
    mixed = Text.assemble(("ab", "red"), f"cd {key} 你好", style="on blue", justify="left")
    words = [mixed, Text(), Text("it is far too long for this column", style="dim reverse", justify="left")]
    return [
        Text(f"row {key} 你好 is long", justify="left", no_wrap=True),
        Text(f"{key} ", style="bold", justify="right", no_wrap=True),
        words[int(key) % len(words)],
    ]


COLUMNS = [
    Column("id", "problem", 10, value=lambda key: cells(key)[0]),
    Column("c", "c▲", 6, right=True, value=lambda key: cells(key)[1]),
    Column("words", "words", 20, value=lambda key: cells(key)[2]),
]


class OneTable(App[None]):
    """A table alone."""

    def compose(self) -> ComposeResult:
        """The table."""
        yield PagedTable()


@pytest.mark.parametrize("hovered", [False, True])
@pytest.mark.parametrize("focused", [True, False])
async def test_lines_are_those_of_textual(focused: bool, hovered: bool) -> None:
    async with OneTable().run_test(size=(60, 12)) as pilot:
        table = pilot.app.query_one(PagedTable)
        table.show(COLUMNS, {str(number): str(number) for number in range(100)})
        table.move_cursor(row=2)
        pilot.app.set_focus(table if focused else None)
        await pilot.pause()
        table._show_hover_cursor = hovered
        keys = [table._header_row_key, *(table._row_locations.get_key(row) for row in range(10))]
        for key in keys:
            assert key is not None
            here = (key, 0, table.rich_style, table.cursor_coordinate, Coordinate(4, 1))
            ours, theirs = table._render_line_in_row(*here), DataTable._render_line_in_row(table, *here)
            assert ours[0] == theirs[0] == []
            assert drawn(ours[1]) == drawn(theirs[1])


def drawn(line: list[list[Segment]]) -> list[tuple[str, object]]:
    """Every character and how it looks, and what a click on it says."""
    return [
        (character, (part.style, part.style and part.style.meta)) for part in chain(*line) for character in part.text
    ]
