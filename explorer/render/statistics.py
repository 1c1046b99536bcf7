"""The statistics views: from their records to lines of text and to what is plotted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import log2

from rich.cells import cell_len, set_cell_size

from backend import (
    BINS,
    agreement_table,
    efficiency_table,
    histogram_table,
    lengths_table,
    steps_table,
    temperature_table,
    verdicts_table,
)
from backend.records import Run
from backend.records.table import SCREEN, Column, Table
from backend.records.views import AccuracyHistogram, Agreement, Efficiency, Lengths, Series, TemperatureSweep
from backend.visible_text import visible_line
from backend.wording import UNKNOWN, percent, run_label
from explorer.render.curves import MARKERS, Lines, PlottedLine
from explorer.render.names import shorten_middle
from explorer.render.text_table import GAP, table_lines

# Tables and bars of text: what a view shows that one reads and does not walk in.

NARROWEST = 14
"""Cells of a column of bars beside its counts: a bar of four cells or more, and its percentage."""
EIGHTHS = " ▏▎▍▌▋▊▉"


def bar(share: float, largest: float, width: int) -> str:
    """A bar of at most `width` cells, to an eighth of a cell; what is more than nothing can be seen."""
    if width <= 0:
        return ""
    eighths = round(8 * width * share / largest) if largest else 0
    eighths = max(eighths, 1) if share > 0 else 0
    return ("█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()).ljust(width)


def bar_columns(
    labels: Sequence[str], headings: Sequence[str], columns: Sequence[Sequence[int]], width: int
) -> list[str]:
    """Shares as bars: a line for each label, and in it for each heading the bar, its percentage and its count.

    Args:
        labels: names of the lines.
        headings: names of the columns; those that find no room stand in further blocks below.
        columns: for each heading the counts of the labels; a share is of their sum.
        width: cells there are.
    """
    totals = [sum(counts) for counts in columns]
    first = max(map(cell_len, [*labels, ""])) + 1
    digits = max((len(f"{count:,}") for counts in columns for count in counts), default=1)
    most = max((width - first) // (NARROWEST + digits), 1)
    blocks = -(-len(columns) // most)
    beside = -(-len(columns) // max(blocks, 1))
    each = (width - first) // max(beside, 1) - len(GAP)
    shares = [[count / total if total else None for count in counts]
              for counts, total in zip(columns, totals, strict=True)]  # fmt: skip
    largest = max((share for of_column in shares for share in of_column if share is not None), default=0.0)
    lines: list[str] = []
    for start in range(0, len(columns), max(beside, 1)):
        shown = range(start, min(start + beside, len(columns)))
        names = (set_cell_size(shorten_middle(visible_line(headings[column]), each), each) for column in shown)
        lines += [""] * bool(lines) + [(" " * first + GAP.join(names)).rstrip()]
        for row, label in enumerate(labels):
            parts = (_share(shares[column][row], columns[column][row], largest, each, digits) for column in shown)
            lines.append((set_cell_size(visible_line(label), first) + GAP.join(parts)).rstrip())
    return lines


def _share(share: float | None, count: int, largest: float, width: int, digits: int) -> str:
    percentage = f"{UNKNOWN:>6}" if share is None else f"{100 * share:5.1f}%"
    return f"{bar(share or 0.0, largest, width - 8 - digits)} {percentage} {count:>{digits},}"


# The statistics views: from their records to lines of text and to what is plotted.

LONGEST_NAME = 40
"""Cells for a run's name."""


@dataclass(frozen=True, slots=True)
class StatisticsPage:
    """What one view shows: lines of text, and a plot above them where there is one."""

    text: tuple[str, ...]
    plot: Lines | None = None


@dataclass(frozen=True, slots=True)
class Frame:
    """What a view is shown in: so many cells, and a look for each run, the same as on the curves."""

    width: int
    style_indices: Mapping[int, int]
    """Run key -> index of its marker and colour."""

    def marked(self, run: Run) -> str:
        return f"{MARKERS[self.style_indices[run.key] % len(MARKERS)]} {shorten_middle(run_label(run), LONGEST_NAME)}"


def histogram_view(record: Sequence[AccuracyHistogram], frame: Frame) -> StatisticsPage:
    """Problems by their share correct, a column a run."""
    headings = [frame.marked(entry.run) for entry in record]
    lines = bar_columns(BINS, headings, [entry.counts for entry in record], frame.width)
    return StatisticsPage((*lines, "", *histogram_table(record).notes))


def efficiency_view(record: Efficiency, frame: Frame) -> StatisticsPage:
    return _page(efficiency_table(record), frame)


def _page(table: Table, frame: Frame) -> StatisticsPage:
    """A table and what must be known to read it."""
    return StatisticsPage((*table_lines(table.on(SCREEN), frame.width), "", *table.notes))


def steps_view(record: Sequence[Series], frame: Frame) -> StatisticsPage:
    """Each training as a table; the longest is plotted."""
    text: list[str] = []
    for series in record:
        title = f"{series.algorithm or 'algorithm unknown'} from {series.from_model or 'an unknown model'}"
        first = series.points[0].run.parameters.get("temperature")
        title += "" if first is None else f", temperature {first}"
        table = steps_table([series])
        text += [title, *table_lines(table.on(SCREEN), frame.width), "", *table.notes]
    if not record:
        return StatisticsPage(steps_table(record).notes)
    return StatisticsPage((*text, "o pass@1, x pass@k"), _steps_plot(record[0]))


def _steps_plot(series: Series) -> Lines:
    """pass@1 and pass@k over steps; the base run stands at step 0."""
    steps = [float(level.run.model.step or 0) for level in series.points]
    lines = []
    for style_index, values in enumerate(
        ([level.pass_at_1 for level in series.points], [level.pass_at_k for level in series.points])
    ):
        known = [(step, 100 * value) for step, value in zip(steps, values, strict=True) if value is not None]
        lines.append(PlottedLine(tuple(step for step, _ in known), tuple(value for _, value in known), style_index))
    labels = tuple(f"{step:g}" for step in steps)
    return Lines(tuple(lines), tuple(steps), labels, "training step", "%")


def temperature_view(record: TemperatureSweep, frame: Frame) -> StatisticsPage:
    """Runs by temperature, with their entropy; and which matches the base run's."""
    return _page(temperature_table(record), frame)


def lengths_view(record: Lengths, frame: Frame) -> StatisticsPage:
    """Lengths in tokens, correct and other samples apart: a summary, and bins as bars."""
    table = lengths_table(record)
    known = [item for item in table.items if item[2] is not None]
    if not known:
        return StatisticsPage(table.notes[1:])
    headings = [f"{table.column('kind').of(item)[0]} {frame.marked(item[0].run)}" for item in known]
    columns = [item[2].bins for item in known]
    labels = [f"{index * record.width:,}" for index in range(max(map(len, columns)))]
    bars = bar_columns(labels, headings, columns, frame.width)
    return StatisticsPage((*table_lines(table.on(SCREEN), frame.width), "", *bars, "", *table.notes))


def verdicts_view(record: Lengths, frame: Frame) -> StatisticsPage:
    """Shares of verdicts, a column a run."""
    table = verdicts_table(record)
    shown = [entry for entry in record.runs if entry.verdicts]
    used = list(dict.fromkeys(verdict for _, verdict in table.items))
    columns = [[entry.verdicts.get(verdict, 0) for verdict in used] for entry in shown]
    headings = [frame.marked(entry.run) for entry in shown]
    lines = bar_columns([verdict.replace("_", " ") for verdict in used], headings, columns, frame.width)
    return StatisticsPage((*lines, "", *table.notes) if shown else table.notes)


def agreement_view(record: Sequence[Agreement], frame: Frame) -> StatisticsPage:
    """maj@k of runs, a column a run, and how many majorities are correct."""
    notes = agreement_table(record).notes
    known = [entry for entry in record if entry.points]
    if not known:
        return StatisticsPage(notes)
    ks = sorted({point.k for entry in known for point in entry.points})
    columns = (
        Column("k", "whole", "maj@k %   k", lambda k: k),
        *(Column(entry.run.name, "whole", frame.marked(entry.run), partial(_majority_cell, entry)) for entry in known),
    )
    plot = Lines(
        tuple(
            PlottedLine(
                tuple(log2(point.k) for point in entry.points),
                tuple(100 * point.value for point in entry.points),
                frame.style_indices[entry.run.key],
            )
            for entry in known
        ),
        tuple(log2(k) for k in ks),
        tuple(str(k) for k in ks),
        "k (log2)",
        "maj@k %",
    )
    return StatisticsPage((*table_lines(Table(columns, ks), frame.width), "", *notes), plot)


def _majority_cell(entry: Agreement, k: int) -> str | None:
    """maj@k with its standard error; as wide without one, so that points stand under each other."""
    point = next((point for point in entry.points if point.k == k), None)
    if point is None:
        return None
    return percent(point.value) + ("      " if point.error is None else f" ±{100 * point.error:.2f} ")
