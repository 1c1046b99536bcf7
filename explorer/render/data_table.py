"""A table as the explorer's tables show it: which columns find room, the cells of a row, and the order by a column."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from rich.cells import cell_len

from backend.records.table import SCREEN, Column, Table
from backend.wording import shown
from explorer.render.names import shorten_middle
from explorer.render.text import Column as Shown

LEAST_PROSE = 10
"""Cells that prose gets at least."""
LONGEST_TEXT = 16
LONGEST_WORD = 9
"""Of a heading's first part, as a run's name is."""
WIDEST = {"percent": 5, "chance": 5, "compact": 5, "interval": 11, "points": 6}
"""Cells that a value of a kind takes at most; of other kinds as many as there are."""
BESIDE = 2
"""Cells beside the text of a column."""


def data_columns(table: Table, width: int, mark: Callable[[Any], str] | None = None) -> list[Shown]:
    """The columns of a table on a screen: those that find room in so many cells, prose second with what is left.

    Args:
        mark: what stands before the first column of an item, two cells.
    """
    columns = list(table.on(SCREEN).columns)
    sizes = {column.key: _width(table, column) for column in columns}
    sizes[columns[0].key] += 2 if mark else 0

    def rest() -> int:
        return width - 2 * BESIDE - sum(sizes[each.key] + BESIDE for each in columns if each.kind != "prose")

    while rest() < LEAST_PROSE and (least := max(columns, key=lambda column: column.gives_way)).gives_way:
        columns.remove(least)
    sizes |= {each.key: max(rest(), LEAST_PROSE) for each in columns if each.kind == "prose"}
    first, *others = [
        Shown(each.key, _heading(each), sizes[each.key], each.right, partial(_text, each))
        for each in sorted(columns, key=lambda each: (each is not columns[0], each.kind != "prose"))
    ]
    if mark:
        first = replace(first, value=lambda item: mark(item) + _text(columns[0], item))
    return [first, *others]


def _text(column: Column, item: Any) -> str:
    return shown(column.of(item), column.kind)


def _heading(column: Column) -> str:
    first, space, last = column.title.rpartition(" ")
    return f"{shorten_middle(first, LONGEST_WORD)}{space}{last}"


def _width(table: Table, column: Column) -> int:
    """Cells for the values and for the heading with its arrow."""
    most = WIDEST.get(column.kind)
    if most is None:
        lengths = (cell_len(_text(column, item)) for item in table.items)
        most = min(max(lengths, default=0), LONGEST_TEXT)
    return max(most, cell_len(_heading(column)) + 1)


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 10 and Level 3 before Level 12."""
    # Numbers are compared as strings, the shorter one first: an id may be a number of any length.
    parts = [part.lstrip("0") if number % 2 else part for number, part in enumerate(re.split("([0-9]+)", text))]
    return tuple((0, len(part), part) if number % 2 else (1, 0, part) for number, part in enumerate(parts))


def in_order(table: Table, items: Sequence[Any], key: str, *, reverse: bool) -> list[Any]:
    """Items sorted by a column, equal ones as they were; what is unknown comes last in either direction."""
    column = table.on(SCREEN).column(key)
    known = [(value, item) for item in items if (value := column.of(item)) is not None]
    unknown = [item for item in items if column.of(item) is None]
    ordered = sorted(known, key=lambda pair: _sort_key(pair[0], column.kind), reverse=reverse)
    return [item for _, item in ordered] + unknown


def _sort_key(value: Any, kind: str) -> Any:
    if kind == "tally":
        return value.c / value.n if value.n else -1.0
    return natural_key(value.lower()) if isinstance(value, str) else value
