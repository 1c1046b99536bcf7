"""The statistics views: from their records to lines of text and to what is plotted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log2

from rich.cells import cell_len, set_cell_size

from backend import BINS
from backend.records import VERDICTS, Run
from backend.records.views import (
    AccuracyHistogram,
    Agreement,
    Efficiency,
    Lengths,
    LengthSummary,
    MajorityPoint,
    RunSummary,
    Series,
    TemperatureSweep,
)
from backend.visible_text import visible_line
from backend.wording import ROLE_WORDS, UNKNOWN, count, percent, run_label, span
from explorer.render.names import shorten_middle
from explorer.widgets.plots import MARKERS, Line, Lines

# Tables and bars of text: what a view shows that one reads and does not walk in.

GAP = "  "
SHORTEST = 12
"""Cells that a name keeps."""
NARROWEST = 14
"""Cells of a column of bars beside its counts: a bar of four cells or more, and its percentage."""
EIGHTHS = " ▏▎▍▌▋▊▉"


def text_table(
    headings: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, *, width: int, names: int = 0
) -> list[str]:
    """Aligned lines, the headings first; the first `left` columns to the left, the others to the right.

    Args:
        width: cells there are.
        names: the column whose texts are squeezed where all together find no room.
    """
    lines = [[visible_line(text) for text in row] for row in (headings, *rows)]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(headings))]
    beyond = sum(widths) + len(GAP) * (len(widths) - 1) - width
    if beyond > 0:
        widths[names] = max(widths[names] - beyond, SHORTEST)
        for line in lines[1:]:
            line[names] = shorten_middle(line[names], widths[names])
    return [
        GAP.join(
            set_cell_size(text, size) if column < left else " " * (size - cell_len(text)) + text
            for column, (text, size) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


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
        """A run's name with its marker."""
        return f"{MARKERS[self.style_indices[run.key] % len(MARKERS)]} {shorten_middle(run_label(run), LONGEST_NAME)}"


def sizes(run: Run, problems: int) -> str:
    """What figures of a run are figures of."""
    return f"n = {span(run.n_min, run.n_max)}, {problems:,} problems"


def points(value: float | None) -> str:
    """A difference of shares in percentage points."""
    return UNKNOWN if value is None else f"{100 * value:+.1f}"


def histogram_view(record: Sequence[AccuracyHistogram], frame: Frame) -> StatisticsPage:
    """Problems by their share correct, a column a run."""
    headings = [frame.marked(entry.run) for entry in record]
    lines = bar_columns(BINS, headings, [entry.counts for entry in record], frame.width)
    notes = [f"{frame.marked(entry.run)}: {sizes(entry.run, entry.problems)}" for entry in record]
    return StatisticsPage((*lines, "", "Share of problems by c/n; a bin holds its upper end.", *notes))


def efficiency_view(record: Efficiency, frame: Frame) -> StatisticsPage:
    """Delta_SE and the two ends of the curves."""
    k = record.k
    rows = [
        [
            run_label(gap.summary.run),
            percent(gap.summary.pass_at_1),
            percent(gap.summary.pass_at_k),
            "base" if gap.summary.run.key == record.base.key else points(gap.delta),
            f"{gap.common:,}",
            span(gap.summary.run.n_min, gap.summary.run.n_max),
            gap.summary.run.model.algorithm or ROLE_WORDS.get(gap.summary.run.model.role or "", UNKNOWN),
        ]
        for gap in record.gaps
    ]
    headings = ["run", "pass@1 %", f"pass@{UNKNOWN if k is None else k} %", "Δ_SE points", "problems", "n", "training"]
    return StatisticsPage(
        (
            *text_table(headings, rows, width=frame.width),
            "",
            f"Δ_SE, the sampling efficiency gap: pass@{UNKNOWN if k is None else k} of {run_label(record.base)} less "
            "pass@1 of the run, over the problems that both have. Smaller is better.",
            why_this_k(k),
        )
    )


def why_this_k(k: int | None) -> str:
    """Why a view stops at its k."""
    if k is None:
        return "pass@k is unknown: a run has no sample with a verdict."
    return "k = 256, as in the paper." if k == 256 else f"k = {k}: the largest up to 256 that all these runs reach."


def _step(level: RunSummary) -> str:
    return f"{level.run.model.step:,}" if level.run.model.step is not None else "base"


def steps_view(record: Sequence[Series], frame: Frame) -> StatisticsPage:
    """Each training as a table; the longest is plotted."""
    if not record:
        return StatisticsPage(
            ("No two runs here are checkpoints of one training.", "Import them with --step and --from.")
        )
    text: list[str] = []
    for series in record:
        title = f"{series.algorithm or 'algorithm unknown'} from {series.from_model or 'an unknown model'}"
        first = series.points[0].run.parameters.get("temperature")
        title += "" if first is None else f", temperature {first}"
        rows = [
            [
                _step(level),
                run_label(level.run),
                percent(level.pass_at_1),
                percent(level.pass_at_k),
                f"{level.run.solvable:,}/{level.problems:,}",
                span(level.run.n_min, level.run.n_max),
                UNKNOWN if level.run.mean_tokens is None else f"{level.run.mean_tokens:,.0f}",
            ]
            for level in series.points
        ]
        at = f"pass@{UNKNOWN if series.k is None else series.k} %"
        text += [
            title,
            *text_table(
                ["step", "run", "o pass@1 %", f"x {at}", "solvable", "n", "tokens"], rows, 2, width=frame.width, names=1
            ),
            "",
        ]
        if len({level.run.n_max for level in series.points}) > 1:
            text += [f"n differs, and more samples solve more: compare solvable at equal n only, or {at[:-2]}.", ""]
    return StatisticsPage(tuple(text), _steps_plot(record[0]))


def _steps_plot(series: Series) -> Lines:
    """pass@1 and pass@k over steps; the base run stands at step 0."""
    steps = [float(level.run.model.step or 0) for level in series.points]
    lines = []
    for style_index, values in enumerate(
        ([level.pass_at_1 for level in series.points], [level.pass_at_k for level in series.points])
    ):
        known = [(step, 100 * value) for step, value in zip(steps, values, strict=True) if value is not None]
        lines.append(Line(tuple(step for step, _ in known), tuple(value for _, value in known), style_index))
    labels = tuple(f"{step:g}" for step in steps)
    return Lines(tuple(lines), tuple(steps), labels, "training step", "%")


def temperature_view(record: TemperatureSweep, frame: Frame) -> StatisticsPage:
    """Runs by temperature, with their entropy; and which matches the base run's."""
    rows = [
        [
            f"{'≈' if point is record.nearest else ' '} {run_label(point.summary.run)}",
            UNKNOWN if point.temperature is None else f"{point.temperature:g}",
            percent(point.summary.pass_at_1),
            percent(point.summary.pass_at_k),
            UNKNOWN if point.entropy is None else f"{point.entropy.value:.4f}",
            UNKNOWN if point.entropy is None else count(point.entropy.samples),
            span(point.summary.run.n_min, point.summary.run.n_max),
        ]
        for point in record.points
    ]
    at = f"pass@{UNKNOWN if record.k is None else record.k} %"
    problems = [point.summary.problems for point in record.points]
    base = run_label(record.base)
    if record.nearest is not None:
        found = f"≈ Nearest to the entropy of {base}: {run_label(record.nearest.summary.run)}"
    elif all(point.entropy is None for point in record.points):
        found = "Entropy unknown: no log-probabilities are stored."
    else:
        found = f"No RL run whose entropy could be compared with that of {base}."
    return StatisticsPage(
        (
            *text_table(["  run", "T", "pass@1 %", at, "entropy", "of samples", "n"], rows, width=frame.width),
            "",
            f"Over {span(min(problems), max(problems))} problems. {found}" if problems else found,
            "Entropy is estimated as the mean negative log-probability per token, in nats, of the run's own samples, "
            "as stored: many engines store it before temperature and top-p.",
            why_this_k(record.k),
        )
    )


def lengths_view(record: Lengths, frame: Frame) -> StatisticsPage:
    """Lengths in tokens, right and other samples apart: a summary, and bins as bars."""
    if all(entry.right is None and entry.other is None for entry in record.runs):
        return StatisticsPage(("No token counts are stored for these runs.",))
    rows, headings, columns = [], [], []
    for entry in record.runs:
        for mark, kind, summary in (("✓", "right", entry.right), ("✗", "other", entry.other)):
            rows.append([frame.marked(entry.run), f"{mark} {kind}", *_length_cells(summary)])
            if summary is not None:
                headings.append(f"{mark} {frame.marked(entry.run)}")
                columns.append(summary.bins)
    unknown = [
        f"{run_label(entry.run)}: {entry.unknown:,} samples without a token count are left out"
        for entry in record.runs
        if entry.unknown
    ]
    bins = max(len(counts) for counts in columns)
    labels = [f"{index * record.width:,}" for index in range(bins)]
    table = text_table(
        ["tokens of", "", "samples", "mean", "10 %", "median", "90 %", "longest"], rows, 2, width=frame.width
    )
    note = (
        f"Bins of {record.width:,} tokens by their lower end. Other: every verdict but correct; unverified in neither."
    )
    return StatisticsPage((*table, "", *bar_columns(labels, headings, columns, frame.width), "", note, *unknown))


def _length_cells(summary: LengthSummary | None) -> list[str]:
    if summary is None:
        return [UNKNOWN] * 6
    numbers = (summary.tenth, summary.median, summary.ninetieth, summary.longest)
    return [f"{summary.samples:,}", f"{summary.mean:,.1f}", *(f"{number:,}" for number in numbers)]


def verdicts_view(record: Lengths, frame: Frame) -> StatisticsPage:
    """Shares of verdicts, a column a run."""
    shown = [entry for entry in record.runs if entry.verdicts]
    counted_only = [run_label(entry.run) for entry in record.runs if not entry.verdicts]
    notes = [f"Verdicts of single samples are unknown, only counts are stored: {', '.join(counted_only)}"]
    if not shown:
        return StatisticsPage(tuple(notes))
    used = [verdict for verdict in VERDICTS if any(verdict in entry.verdicts for entry in shown)]
    columns = [[entry.verdicts.get(verdict, 0) for verdict in used] for entry in shown]
    headings = [frame.marked(entry.run) for entry in shown]
    lines = bar_columns([verdict.replace("_", " ") for verdict in used], headings, columns, frame.width)
    samples = [
        f"{heading}: {sum(counts):,} samples, {sizes(entry.run, entry.run.problems)}"
        for heading, counts, entry in zip(headings, columns, shown, strict=True)
    ]
    return StatisticsPage((*lines, "", "Share of all stored samples.", *samples, *(notes if counted_only else [])))


def agreement_view(record: Sequence[Agreement], frame: Frame) -> StatisticsPage:
    """maj@k of runs, and how many majorities are right."""
    known = [entry for entry in record if entry.points]
    missing = [
        f"{run_label(entry.run)}: " + ("no answers are stored" if entry.samples else "no samples are stored")
        for entry in record
        if not entry.points
    ]
    if not known:
        return StatisticsPage(tuple(missing))
    ks = sorted({point.k for entry in known for point in entry.points})
    values = [{point.k: point for point in entry.points} for entry in known]
    rows = [[f"{k:,}", *(_majority_cell(of_run, k) for of_run in values)] for k in ks]
    table = text_table(["maj@k %   k", *(frame.marked(entry.run) for entry in known)], rows, 0, width=frame.width)
    notes = [
        f"{frame.marked(entry.run)}: {sizes(entry.run, entry.problems)}; the majority of all samples is right on "
        f"{sum(majority.right for majority in entry.majorities):,.1f}; {entry.samples - entry.answered:,} of "
        f"{entry.samples:,} samples gave no answer and do not vote"
        for entry in known
    ]
    plot = Lines(
        tuple(
            Line(
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
    how = (
        f"Exact where no ± stands; else the mean of {known[0].draws} random subsets of each problem (fixed seed) "
        "± its standard error."
    )
    same = "Answers are the same where their extracted words are; equal first places share the vote."
    return StatisticsPage((*table, "", *notes, *missing, how, same), plot)


def _majority_cell(of_run: Mapping[int, MajorityPoint], k: int) -> str:
    point = of_run.get(k)
    if point is None:
        return UNKNOWN + "       "
    return percent(point.value) + ("      " if point.error is None else f" ±{100 * point.error:.2f} ")
