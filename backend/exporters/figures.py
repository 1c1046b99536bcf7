"""The explorer's plots as data: what svg, pdf and the csv of the points are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend.errors import UsageError
from backend.exporters import figure_curves, figure_groups
from backend.exporters.protocol import Job
from backend.exporters.tables import Column, Csv, Row
from backend.records.exports import FIGURES, Figure, Series

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Okabe and Ito's: told apart with every kind of colour vision."""
DASHES = {"instruct": "6 2", "distill": "2 2", "sft": "8 2 2 2"}
"""Role -> dash pattern, so that the lines differ in grey, too; base and RL runs are solid."""
DOTTED, AGAIN = "1 2", "10 3"

KINDS: Mapping[str, Callable[[Job], Figure]] = {
    "curves": figure_curves.curves,
    "difference": figure_curves.difference,
    "cover": figure_curves.cover,
    "cot": figure_curves.cot,
    "steps": figure_curves.steps,
    "temperature": figure_curves.temperature,
    "agreement": figure_curves.agreement,
    "histogram": figure_groups.histogram,
    "efficiency": figure_groups.efficiency,
    "lengths": figure_groups.lengths,
    "verdicts": figure_groups.verdicts,
    "perplexity": figure_groups.perplexity,
}
"""What -> how it is computed."""

assert KINDS.keys() == FIGURES.keys()


def look_of(series: Series, place: int) -> int:
    """The index of its colour and marker, for the series at that place."""
    return place if series.look is None else series.look


def colour_of(series: Series, place: int) -> str:
    """The colour of the series at that place."""
    return COLOURS[look_of(series, place) % len(COLOURS)]


def dash_of(series: Series, place: int) -> str:
    """Its dash pattern as SVG has it; empty for a solid line. When the colours begin anew, solid lines are dashed."""
    if series.style == "dotted":
        return DOTTED
    return DASHES.get(series.role or "") or (AGAIN if look_of(series, place) >= len(COLOURS) else "")


def legend_of(series: Series) -> str:
    """What the legend calls it, with what it is a figure of."""
    return f"{series.name} ({series.of})" if series.of else series.name


def figure_of(job: Job, kind: str) -> Figure:
    """The figure of that kind of a job's runs.

    Raises:
        UsageError: there is nothing to draw.
    """
    figure = KINDS[kind](job)
    if not figure.series and not figure.boxes:
        raise UsageError("There is nothing to draw", "; ".join(figure.notes))
    return figure


def export_points(job: Job) -> int:
    """The points as csv: a row a point, unknown ends of bands empty."""
    figure = figure_of(job, job.request.what)
    columns, rows = _of_table(figure) if figure.table is not None else _of_series(figure)
    origin = {**job.provenance.full, **({"method": figure.method} if figure.method else {})}
    writer = Csv(job.path, columns, origin)
    writer.write(rows)
    writer.close()
    job.notes += figure.notes
    job.tell(len(rows), len(rows))
    return len(rows)


def _of_table(figure: Figure) -> tuple[list[Column], list[Row]]:
    assert figure.table is not None
    return [Column(name, kind) for name, kind in figure.table.columns], list(figure.table.rows)


def _of_series(figure: Figure) -> tuple[list[Column], list[Row]]:
    numbers = (Column(name, "number") for name in (figure.x, figure.y, "low", "high"))
    rows: list[Row] = []
    for series in figure.series:
        nothing = (None,) * len(series.x)
        points = zip(series.x, series.y, series.low or nothing, series.high or nothing, strict=True)
        # The end of a band that is unknown is NaN, which nothing draws.
        rows += [(series.name, *(None if value != value else value for value in point)) for point in points]
    return [Column("run"), *numbers], rows
