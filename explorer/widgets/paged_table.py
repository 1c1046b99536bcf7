"""A table that formats only the rows one can reach, and keeps its cursor when the data change under it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.coordinate import Coordinate
from textual.message import Message
from textual.widgets import DataTable
from textual.widgets.data_table import RowKey

from explorer.render.text import Column, cell
from explorer.steady import Steady

PAGE = 60
"""Rows formatted at a time. A row costs some 0.1 ms, so a page is painted within a frame or two."""

AHEAD = 30
"""The next page is added when the cursor comes this near to the end of what is there."""


@dataclass(frozen=True, slots=True)
class Sort:
    """The column that a table is sorted by, and in which direction."""

    key: str
    descending: bool = False

    def reversed(self) -> Sort:
        return Sort(self.key, not self.descending)

    def heading(self, column: Column) -> str:
        """The heading of a column, with an arrow on the one sorted by."""
        return f"{column.heading}{'▼' if self.descending else '▲'}" if column.key == self.key else column.heading


class PagedTable(Steady, DataTable[Text], inherit_bindings=False):
    """Shows items under columns that know their cells; `cursor_key` is the key of the item under the cursor.

    Enter and the keys for left and right are the screen's, so that the footer shows what they do there.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_down", show=False),
        Binding("up,k", "cursor_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("g,home", "scroll_top", show=False),
        Binding("G,end", "scroll_bottom", show=False),
    ]

    class Moved(Message):
        def __init__(self, table: PagedTable, key: str) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> PagedTable:
            return self.table

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id, cursor_type="row", zebra_stripes=False, show_row_labels=False)
        self._keys: Sequence[str] = ()
        self._items: Mapping[str, Any] = {}
        self._shown: tuple[Column, ...] = ()
        self._headings: tuple[str, ...] = ()
        self._height = 0
        """Lines it had when it was last laid out."""

    def show(
        self,
        columns: Sequence[Column],
        items: Mapping[str, Any],
        *,
        sort: Sort | None = None,
        cursor: str | None = None,
    ) -> None:
        """Show these rows. The cursor stays on its key, or goes to `cursor`; scrolling stays where the key is there.

        Args:
            columns: what to show; a change of columns rebuilds the table.
            items: the rows, in order.
            sort: what the rows are sorted by; an arrow at its heading says so.
            cursor: key to put the cursor on.
        """
        wanted = cursor if cursor is not None else self.cursor_key
        keep_scroll = cursor is None and bool(self._keys)
        names = tuple(sort.heading(column) if sort else column.heading for column in columns)
        same = list(items) == list(self._keys) and tuple(columns) == self._shown and names == self._headings
        if same and self.row_count:
            self._shown, self._items = tuple(columns), items
            self._update_cells()
            # What is said about the row under the cursor may have changed with it.
            self._say_moved()
        else:
            self._rebuild(tuple(columns), names, items, wanted, keep_scroll)
        if cursor is not None and same:
            self._to_key(cursor)

    def _update_cells(self) -> None:
        for row, key in enumerate(self._keys[: self.row_count]):
            before = self.get_row_at(row)
            for index, text in enumerate(self._cells(key)):
                if text != before[index]:
                    self.update_cell_at(Coordinate(row, index), text)

    def _rebuild(
        self,
        columns: tuple[Column, ...],
        names: tuple[str, ...],
        items: Mapping[str, Any],
        wanted: str | None,
        keep_scroll: bool,
    ) -> None:
        top = self.scroll_offset.y
        with self.prevent(DataTable.RowHighlighted):
            # Clearing scrolls to the top, and scrolling loads: not the old rows into no columns.
            self._keys = ()
            self.clear(columns=True)
            self._shown, self._headings, self._items = columns, names, items
            for column, name in zip(columns, names, strict=True):
                heading = cell(name, right=column.right)
                self.add_column(heading, width=column.width, key=column.key)
            self._keys = list(items)
            at = self._keys.index(wanted) if wanted in self._keys else 0
            self._load(at + PAGE)
            if self._keys:
                self.move_cursor(row=at, animate=False, scroll=not keep_scroll)
        if keep_scroll:
            self.scroll_to(y=top, animate=False, immediate=True)
        self._say_moved()

    def _load(self, until: int) -> None:
        """Format rows up to this index."""
        for key in self._keys[self.row_count : until]:
            self.add_row(*self._cells(key), key=key)

    def _cells(self, key: str) -> list[Text]:
        return [column.cell(self._items[key]) for column in self._shown]

    def _to_key(self, key: str) -> None:
        if key in self._keys:
            at = self._keys.index(key)
            self._load(at + PAGE)
            self.move_cursor(row=at, animate=False)

    @property
    def cursor_key(self) -> str | None:
        return self._keys[self.cursor_row] if 0 <= self.cursor_row < len(self._keys) else None

    @property
    def total(self) -> int:
        """Rows there are, formatted or not."""
        return len(self._keys)

    def _say_moved(self) -> None:
        if self.cursor_key is not None:
            self.post_message(self.Moved(self, self.cursor_key))

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        """Add the next page when the cursor comes near the end."""
        event.stop()
        if event.cursor_row + AHEAD >= self.row_count < len(self._keys):
            self._load(self.row_count + PAGE)
        self._say_moved()

    def on_resize(self) -> None:
        """What stands beside the table has taken room from it: the row under the cursor stays in sight if it was."""
        before, self._height = self._height, self.size.height
        row, top = self.cursor_row, self.scroll_offset.y
        if self._height < before and top <= row < top + before - 1:
            self.move_cursor(row=row, animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """The mouse wheel and page keys move the window without the cursor."""
        super().watch_scroll_y(old_value, new_value)
        if new_value + self.size.height + AHEAD >= self.row_count < len(self._keys):
            self._load(self.row_count + PAGE)

    def action_scroll_bottom(self) -> None:
        self._load(len(self._keys))
        super().action_scroll_bottom()

    # Painting

    def _update_dimensions(self, new_rows: Iterable[RowKey]) -> None:
        """Columns have widths of their own: no cell has to be measured."""
        super()._update_dimensions(())

    def _render_line_in_row(
        self,
        row_key: RowKey,
        line_no: int,
        base_style: Style,
        cursor_location: Coordinate,
        hover_location: Coordinate,
    ) -> tuple[list[list[Segment]], list[list[Segment]]]:
        """The segments of one row: as Textual makes them, but not by way of four of Rich's renderables a cell."""
        found = self._row_locations.get(row_key)
        row = -1 if found is None else found
        row_style = self._get_row_style(row, base_style)
        look, over = self._get_styles_to_render_cell(
            row < 0,
            False,
            False,
            row == hover_location.row,
            row == cursor_location.row,
            self.show_cursor,
            self._show_hover_cursor,
            self.cursor_foreground_priority == "css",
            self.cursor_background_priority == "css",
        )
        style, console = row_style + look, self.app.console
        columns = self.ordered_columns
        line = []
        for index, column in enumerate(columns):
            cell = column.label if row < 0 else self._data[row_key][column.key]
            line.append(_painted(cell, column.width, style + _place(row, index), over, console))
        room = max(self.size.width - sum(column.get_render_width(self) for column in columns), 0)
        line.append([Segment(" " * room, style + _place(row, 0, out_of_bounds=True))])
        return [], line


@lru_cache(maxsize=2048)
def _place(row: int, column: int, **more: bool) -> Style:
    """What tells a click where it was; the headings are row -1."""
    return Style.from_meta({"row": row, "column": column, **more})


def _painted(cell: Text, width: int, style: Style, over: Style, console: Console) -> list[Segment]:
    """A cell on one line, cut or filled to its width, with a space on both sides."""
    line = cell.copy()
    if cell.justify == "right":
        line.rstrip()
    line.align("right" if cell.justify == "right" else "left", width)
    space = Segment(" ", style + over)
    if not line.spans:
        return [space, Segment(line.plain, style + console.get_style(line.style) + over), space]
    words = [Segment(text, (style + look if look else style) + over) for text, look, _ in line.render(console)]
    return [space, *words, space]
