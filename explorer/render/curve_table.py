"""The table of runs beside the curves: marker, name, value at the cursor, its interval."""

from __future__ import annotations

from collections.abc import Sequence
from os.path import commonprefix

from rich.text import Text

from backend.records import Run
from backend.records.comparison import BandPoint
from backend.wording import percent, run_label
from explorer.render.curves import MARKERS, RICH_COLOURS, interval
from explorer.render.names import shorten_middle
from explorer.render.text import Column, cell

VALUE, INTERVAL = 7, 10
"""Widths of these columns."""
BESIDE = 2
"""Cells beside the text of a column."""
SHORTEST = 10
"""The least width of a name."""


def run_columns(width: int, heading: str, interval_heading: str | None) -> list[Column]:
    """The columns for a table of this width; without an interval where it has no heading."""
    others = [
        Column("value", heading, VALUE, True),
        *([Column("interval", interval_heading, INTERVAL, True)] if interval_heading else []),
    ]
    room = width - BESIDE - sum(column.width + BESIDE for column in others)
    return [Column("run", "run", max(room, SHORTEST)), *others]


def run_names(runs: Sequence[Run], width: int) -> list[str]:
    """What runs are called in a column of this width: where one does not fit, what all begin with is left out."""
    names = [run_label(run) for run in runs]
    shared = commonprefix(names).rpartition("-")  # noqa: RUF071 - letters are meant
    if len(names) > 1 and max(map(len, names)) > width and len(shared[0]) > 2:
        names = [f"…{name[len(shared[0]) + 1 :]}" for name in names]
    return [shorten_middle(name, width) for name in names]


def run_row(name: str, style_index: int, value: BandPoint | None, columns: Sequence[Column], *, on: bool) -> list[Text]:
    """One run, as `run_names` calls it; a run that is off has no marker and no interval."""
    style = "" if on else "dim"
    marker = cell(
        f"{MARKERS[style_index % len(MARKERS)]} " if on else "  ", RICH_COLOURS[style_index % len(RICH_COLOURS)]
    )
    label = cell(name, style)
    ends = [cell(interval(value) if on else "", style, right=True) for column in columns if column.key == "interval"]
    return [marker + label, cell(percent(None if value is None else value.value), style, right=True), *ends]
