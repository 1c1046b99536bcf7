"""Figures as SVG and PDF for a paper, drawn by matplotlib (extra `figures`)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from io import BytesIO
from textwrap import wrap
from typing import TYPE_CHECKING, Any, cast

from backend.errors import UsageError
from backend.exporters.escaping import json_text, one_line
from backend.exporters.figures import COLOURS, colour_of, dash_of, figure_of, legend_of, look_of
from backend.exporters.protocol import ExportTask
from backend.records.exports import Figure, Series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

WIDTH, HEIGHT = 3.4, 2.5
"""Inches: one column of a two-column paper."""
LEGEND_LINE, TITLE_LINE, NAME_LETTER = 0.135, 0.14, 0.052
"""Inches that a line of the legend, a line of the title, and a letter of a slanted name add to the height."""
LONGEST_NAME, LONGEST_TITLE = 60, 400
"""Characters."""
TITLE_WIDTH = 54
"""Characters of a line of the title."""
LONGEST_BESIDE = 27
"""Characters of a legend's entry of which two stand beside each other."""
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""One more than there are colours, so that both together begin anew much later."""
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
    "axes.titlesize": 7,
    "axes.axisbelow": True,
    "legend.fontsize": 6.5,
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


def export_drawing(job: ExportTask) -> int:
    """SVG or PDF, by the form of the request. Raises UsageError: matplotlib is missing."""
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
        _draw(canvas, figure)
        # By way of memory: matplotlib's own report of a full disk is a failure inside its PDF writer.
        drawn = BytesIO()
        canvas.savefig(drawn, format=job.request.form, metadata=_metadata(job, figure))
    job.path.write_bytes(drawn.getvalue())
    job.notes += figure.notes
    points = sum(len(series.x) for series in figure.series) or len(figure.boxes)
    job.tell(points, points)
    return points


def _metadata(job: ExportTask, figure: Figure) -> dict[str, Any]:
    said = {"method": figure.method, "notes": list(figure.notes)}
    origin = json_text({**job.provenance.full, **{name: value for name, value in said.items() if value}})
    if job.request.form == "svg":
        return {"Title": figure.y_label, "Description": origin, "Creator": "passk", "Date": None}
    return {"Title": figure.y_label, "Subject": origin, "Creator": "passk", "CreationDate": None, "ModDate": None}


def _draw(canvas: Canvas, figure: Figure) -> None:
    axes = canvas.subplots()
    draw: Callable[[Axes, Figure], dict[str, Any]] = _boxes if figure.boxes else _bars if figure.bars else _lines
    legend = draw(axes, figure)
    axes.set_xlabel(figure.x_label)
    axes.set_ylabel(figure.y_label)
    lines = [part for line in figure.title.split("\n") for part in wrap(one_line(line, LONGEST_TITLE), TITLE_WIDTH)]
    axes.set_title("\n".join(lines), loc="left").set_parse_math(False)
    if figure.log_x:
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(_no_ticks())
    if not figure.boxes:
        axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:g}")
    more = TITLE_LINE * len(lines)
    # Two columns, unless a name is long.
    columns = 2 if max(map(len, legend)) <= LONGEST_BESIDE else 1
    more += LEGEND_LINE * -(-len(legend) // columns)
    # Below the axes, where it hides nothing.
    for text in canvas.legend([*legend.values()], [*legend], loc="outside lower center", ncols=columns).get_texts():
        # A name with dollar signs is a name and no formula.
        text.set_parse_math(False)
    slanted = max((len(label.get_text()) for label in axes.get_xticklabels() if label.get_rotation()), default=0)
    canvas.set_size_inches(WIDTH, HEIGHT + more + NAME_LETTER * min(slanted, LONGEST_NAME))


def _no_ticks() -> Any:
    from matplotlib.ticker import NullLocator

    return NullLocator()


def _lines(axes: Axes, figure: Figure) -> dict[str, Any]:
    from matplotlib.patches import Patch

    legend: dict[str, Any] = {}
    for place, series in enumerate(figure.series):
        colour, dash = colour_of(series, place), dash_of(series, place)
        style = (0, [float(length) / 2 for length in dash.split()]) if dash else "-"
        if series.low is not None and series.high is not None:
            alpha = 0.18 if len(figure.series) <= 4 else 0.1
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=alpha, linewidth=0)
        (line,) = axes.plot(
            series.x, series.y, color=colour, linestyle=style, markeredgewidth=0, markevery=_marked(series, figure),
            marker=MARKERS[look_of(series, place) % len(MARKERS)] if not figure.bins else "",
            drawstyle="steps-mid" if figure.bins else "default",
        )  # fmt: skip
        legend[one_line(legend_of(series), LONGEST_NAME)] = line
    if figure.band:
        legend[figure.band] = Patch(color="0.5", alpha=0.3, linewidth=0)
    if figure.kind == "difference":
        axes.axhline(0, color="black", linewidth=0.6)
    return legend


def _marked(series: Series, figure: Figure) -> list[int]:
    """Where the markers stand: at powers of two of a log axis, else at some ten of many points."""
    if figure.log_x:
        return [place for place, k in enumerate(series.x) if int(k) & (int(k) - 1) == 0]
    return list(range(0, len(series.x), max(len(series.x) // 10, 1)))


def _bars(axes: Axes, figure: Figure) -> dict[str, Any]:
    from matplotlib.patches import Patch

    groups = len(figure.series)
    width = 0.8 / groups
    legend: dict[str, Any] = {}
    for place, series in enumerate(figure.series):
        at = [x + (place - (groups - 1) / 2) * width for x in series.x]
        bars = axes.bar(at, series.y, width=width, color=colour_of(series, place), linewidth=0)
        legend[one_line(legend_of(series), LONGEST_NAME)] = bars
    for place, words in enumerate(figure.over):
        highest = max(series.y[place] for series in figure.series)
        axes.annotate(words, (place, highest), (0, 2), textcoords="offset points", ha="center", fontsize=5.5)
    if any(figure.over):
        legend[figure.over_words] = Patch(alpha=0)
    _name_groups(axes, figure.x_names)
    return legend


def _boxes(axes: Axes, figure: Figure) -> dict[str, Any]:
    """A group for each model, in it a box for each kind of responses; on a log axis where they are far apart."""
    from matplotlib.patches import Patch
    from matplotlib.ticker import NullFormatter

    groups = list(dict.fromkeys(box.group for box in figure.boxes))
    names = list(dict.fromkeys(box.name for box in figure.boxes))
    width = 0.8 / len(names)
    for box in figure.boxes:
        colour = COLOURS[names.index(box.name) % len(COLOURS)]
        at = groups.index(box.group) + (names.index(box.name) - (len(names) - 1) / 2) * width
        low, lower, middle, upper, high = box.quantiles
        axes.bxp(
            [{"whislo": low, "q1": lower, "med": middle, "q3": upper, "whishi": high, "fliers": []}],
            positions=[at], widths=[0.75 * width], showfliers=False, patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.6, "linewidth": 0.6}, medianprops={"color": "black"},
            whiskerprops={"linewidth": 0.6}, capprops={"linewidth": 0.6},
        )  # fmt: skip
        axes.annotate(box.of, (at, high), (0, 2), textcoords="offset points", ha="center", fontsize=5)
    ends = [value for box in figure.boxes for value in box.quantiles]
    if max(ends) > 5 * min(ends):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(-0.6, len(groups) - 0.4)
    _name_groups(axes, groups)
    return {
        one_line(name, LONGEST_NAME): Patch(facecolor=COLOURS[place % len(COLOURS)], alpha=0.6)
        for place, name in enumerate(names)
    }


def _name_groups(axes: Axes, names: Sequence[str]) -> None:
    """What stands under each group, slanted where it would run into its neighbour."""
    shown = [one_line(name, LONGEST_NAME) for name in names]
    longest = max(map(len, shown), default=0)
    slanted = longest * len(shown) > 64
    style: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    axes.set_xticks(range(len(shown)), shown, fontsize=6, **style)
    for label in axes.get_xticklabels():
        label.set_parse_math(False)
    axes.grid(axis="x", visible=False)
