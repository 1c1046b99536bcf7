"""The table of runs beside the curves: marker, name, value at the cursor, its interval."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from backend.records import Run
from backend.records.bands import BandPoint
from explorer.render.curve_words import interval
from explorer.render.literal import cell
from explorer.render.names import run_label, squeezed
from explorer.render.numbers import percent
from explorer.widgets.curve_plot import MARKERS, RICH_COLOURS
from explorer.widgets.paged_table import Column

VALUE, INTERVAL = 7, 10
"""Widths of these columns."""
BESIDE = 2
"""Cells beside the text of a column."""
SHORTEST = 10
"""The least width of a name."""


def run_columns(width: int, heading: str, *, intervals: bool) -> list[Column]:
    """The columns for a table of this width."""
    others = [
        Column("value", heading, VALUE, True),
        *([Column("interval", "95 %", INTERVAL, True)] if intervals else []),
    ]
    room = width - BESIDE - sum(column.width + BESIDE for column in others)
    return [Column("run", "run", max(room, SHORTEST)), *others]


def run_row(run: Run, look: int, value: BandPoint | None, columns: Sequence[Column], *, on: bool) -> list[Text]:
    """One run; a run that is off has no marker and no interval."""
    style = "" if on else "dim"
    marker = cell(f"{MARKERS[look % len(MARKERS)]} " if on else "  ", RICH_COLOURS[look % len(RICH_COLOURS)])
    label = cell(squeezed(run_label(run), columns[0].width - 2), style)
    ends = [cell(interval(value) if on else "", style, right=True) for column in columns if column.key == "interval"]
    return [marker + label, cell(percent(None if value is None else value.value), style, right=True), *ends]
