"""The table of runs beside the curves: marker, name, value at the cursor, its interval."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from backend.records import Run
from backend.wording import percent, run_label
from explorer.render.curves import MARKERS, RICH_COLOURS, CurveSettings, Values, interval, interval_heading
from explorer.render.names import fitting_names
from explorer.render.text import Column, cell, room_beside

VALUE, INTERVAL = 7, 10
"""Widths of these columns."""
BESIDE = 2
"""Cells of a marker and the space behind it."""
SHORTEST = 10
"""The least width of a name."""


def run_columns(runs: Sequence[Run], settings: CurveSettings, values: Values, heading: str, width: int) -> list[Column]:
    """The columns for a table of this width; a run that is off has no marker and no interval."""
    order = [run.key for run in runs]

    def style(run: Run) -> str:
        return "" if run.name in settings.on else "dim"

    def value(run: Run) -> str:
        point = values.get(run.name)
        return percent(None if point is None else point.value)

    def ends(run: Run) -> str:
        return interval(values.get(run.name)) if run.name in settings.on else ""

    def name(run: Run) -> Text:
        place = order.index(run.key)
        marker = MARKERS[place % len(MARKERS)] if run.name in settings.on else " "
        return cell(f"{marker} ", RICH_COLOURS[place % len(RICH_COLOURS)]) + cell(names[place], style(run))

    others = [Column("value", heading, VALUE, True, value, style)]
    if (over := interval_heading(settings)) is not None:
        others.append(Column("interval", over, INTERVAL, True, ends, style))
    room = max(room_beside(others, width), SHORTEST)
    names = fitting_names([run_label(run) for run in runs], room - BESIDE)
    return [Column("run", "run", room, value=name), *others]
