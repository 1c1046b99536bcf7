"""Figures as SVG and PDF for a paper, drawn by matplotlib (extra `figures`)."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, cast

from backend.errors import UsageError
from backend.exporters.escaping import json_text, visible_line
from backend.exporters.figures import colour_of, dash_of, figure_of
from backend.exporters.protocol import Job
from backend.records.exports import Figure, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 3.4, 2.5
"""Inches: one column of a two-column paper."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
STYLE: dict[str, Any] = {
    "font.family": "sans-serif",
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.linewidth": 0.4,
    "grid.alpha": 0.4,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "lines.linewidth": 1.2,
    "lines.markersize": 3,
    # Letters as outlines in SVG and as embedded TrueType in PDF, which journals ask for.
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    # The same points give the same bytes.
    "svg.hashsalt": "passk",
}


def export_drawing(job: Job) -> int:
    """SVG or PDF, by the form of the request.

    Raises:
        UsageError: matplotlib is missing.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise UsageError(
            "Figures are drawn by matplotlib, which is not installed",
            next_step='pip install "passk-explorer[figures]", or export the points: --to FILE.csv',
        ) from error
    figure = figure_of(job, job.request.what)
    with matplotlib.rc_context(cast("Any", STYLE)), warnings.catch_warnings():
        # A name may have letters that the font lacks; they are drawn as boxes.
        warnings.simplefilter("ignore")
        canvas = Canvas(figsize=(WIDTH, HEIGHT), layout="constrained")
        _draw(canvas.subplots(), figure)
        canvas.savefig(job.path, format=job.request.form, metadata=_metadata(job, figure))
    job.notes += figure.notes
    points = sum(len(series.x) for series in figure.series)
    job.tell(points, points)
    return points


def _metadata(job: Job, figure: Figure) -> dict[str, Any]:
    origin = json_text({**job.provenance.full, **({"method": figure.method} if figure.method else {})})
    if job.request.form == "svg":
        return {"Title": figure.y_label, "Description": origin, "Creator": "passk", "Date": None}
    return {"Title": figure.y_label, "Subject": origin, "Creator": "passk", "CreationDate": None, "ModDate": None}


def _draw(axes: Axes, figure: Figure) -> None:
    draw = _bars if figure.bars else _lines
    handles = draw(axes, figure)
    axes.set_xlabel(figure.x_label)
    axes.set_ylabel(figure.y_label)
    if figure.log_x:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(_no_ticks())
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    if len(figure.series) > 1:
        names = [visible_line(series.name, 60) for series in figure.series]
        for text in axes.legend(handles, names).get_texts():
            # A name with dollar signs is a name and no formula.
            text.set_parse_math(False)


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def _lines(axes: Axes, figure: Figure) -> list[Any]:
    handles = []
    for place, series in enumerate(figure.series):
        colour, dash = colour_of(series, place), dash_of(series)
        style = (0, [float(length) / 2 for length in dash.split()]) if dash else "-"
        if series.low is not None and series.high is not None:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.18, linewidth=0)
        (line,) = axes.plot(
            series.x, series.y, color=colour, linestyle=style, marker=MARKERS[place % len(MARKERS)],
            markevery=_marked(series, figure), markeredgewidth=0,
        )  # fmt: skip
        handles.append(line)
    if figure.kind == "difference":
        axes.axhline(0, color="black", linewidth=0.6)
    return handles


def _marked(series: Series, figure: Figure) -> list[int]:
    """Where the markers stand: at powers of two of a log axis, else at some ten of many points."""
    if figure.log_x:
        return [place for place, k in enumerate(series.x) if int(k) & (int(k) - 1) == 0]
    return list(range(0, len(series.x), max(len(series.x) // 10, 1)))


def _bars(axes: Axes, figure: Figure) -> list[Any]:
    groups = len(figure.series)
    names = figure.series[0].x
    width = 0.8 / groups
    handles = []
    for place, series in enumerate(figure.series):
        at = [bin_ + (place - (groups - 1) / 2) * width for bin_ in range(len(names))]
        handles.append(axes.bar(at, series.y, width=width, color=colour_of(series, place), linewidth=0))
    labels = figure.x_names or tuple(f"{name:g}" for name in names)
    axes.set_xticks(range(len(labels)), labels, rotation=45, ha="right", fontsize=6)
    axes.grid(axis="x", visible=False)
    return handles
