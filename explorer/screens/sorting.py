"""A screen with a list of problems that is sorted by its columns."""

from __future__ import annotations

from textual.widgets import DataTable

from explorer.navigation import Place
from explorer.screens.filtered import FilteredScreen
from explorer.widgets.paged_table import Column


class SortedScreen(FilteredScreen):
    """A filtered screen whose table is sorted by key or by a click on a heading."""

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self.sort = "position"
        """Key of the column; `position` is the order of the benchmark."""
        self.descending = False
        self.columns: list[Column] = []

    def show_problems(self) -> None:
        """The list anew, in the order that is wanted now."""
        raise NotImplementedError

    def _sort_by(self, column: str) -> None:
        self.sort = column
        # Shares, lengths and doubts are looked at from the top.
        self.descending = column == "doubt" or (column[0] in "ct" and column[1:].isdigit())
        self.show_problems()

    def action_sort(self) -> None:
        """By the next column; after the last, in the order of the benchmark again."""
        keys = ["position", *(column.key for column in self.columns)]
        at = keys.index(self.sort) if self.sort in keys else 0
        self._sort_by(keys[(at + 1) % len(keys)])

    def action_reverse(self) -> None:
        """The other way around."""
        self.descending = not self.descending
        self.show_problems()

    def on_data_table_header_selected(self, event: DataTable.HeaderSelected) -> None:
        """A click on a heading sorts by it, a second one turns around."""
        column = str(event.column_key.value)
        if column == self.sort:
            self.action_reverse()
        else:
            self._sort_by(column)
