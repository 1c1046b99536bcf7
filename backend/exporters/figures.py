"""The explorer's plots as data: what svg, pdf and the csv of the points are made from."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import numpy as np

from backend.analysis import bands
from backend.analysis.cot import cot_curves
from backend.analysis.judge_tables import correction_in_words
from backend.analysis.judges import correction
from backend.analysis.perplexity import perplexities
from backend.analysis.tables import (
    efficiency_table,
    histogram_table,
    length_bins_table,
    perplexity_table,
    temperature_table,
    verdicts_table,
)
from backend.analysis.views import accuracy_histograms, response_lengths, step_series, temperature_sweep
from backend.analysis.views import agreement as read_agreement
from backend.analysis.views import efficiency as read_efficiency
from backend.errors import UsageError
from backend.estimators.histograms import BINS
from backend.estimators.intervals import METHODS
from backend.estimators.pass_at_k import powers_and_end
from backend.exporters.protocol import ExportTask
from backend.exporters.tables import Csv, Row
from backend.records import VERDICTS, Run
from backend.records.comparison import BandCurve, BandPoint, IntervalKind
from backend.records.exports import FIGURES, Box, Figure, Series
from backend.records.reading import PerplexityGroup
from backend.records.table import EXPORT, Column
from backend.records.views import LengthSummary, TemperaturePoint
from backend.wording import listed, nothing_in_common, run_label

# Figures of lines: pass@k, its difference, Cover@tau, CoT-pass@k, maj@k, training steps, temperatures.

DENSE = 96
"""Points of a curve between 1 and n, evenly spaced on the log axis."""
BANDS: dict[IntervalKind | None, str] = {
    "problems": "95 %, bootstrap over problems",
    "samples": "95 %, posterior over samples",
    None: "",
}
"""What a band is, for the legend."""


def spaced_ks(limit: int) -> list[int]:
    """Every small k, powers of two, the limit, and in between as many as a printed figure resolves."""
    spaced = np.unique(np.round(np.geomspace(1, limit, DENSE)).astype(int)).tolist() if limit else []
    return sorted({*spaced, *powers_and_end(limit)})


def title_of(job: ExportTask, counts: Iterable[int]) -> str:
    """The benchmark, how many problems, and which."""
    known = sorted(set(counts)) or [0]
    problems = f"{known[0]:,}" if len(known) == 1 else f"{known[0]:,} to {known[-1]:,}"
    title = f"{job.runs[0].benchmark}, {problems} problem{'s' if problems != '1' else ''}"
    return f"{title}\n{job.provenance.filter_words}" if job.provenance.filter_words else title


def sizes(*runs: Run) -> str:
    """The n of a run, or of several."""
    known = [n for run in runs for n in (run.n_min, run.n_max) if n is not None]
    if not known:
        return "n unknown"
    return f"n = {min(known)}" if min(known) == max(known) else f"n = {min(known)} to {max(known)}"


def _kind(job: ExportTask) -> IntervalKind | None:
    """Whose chance the bands show."""
    wanted = job.request.bands
    if wanted not in (*METHODS, "off"):
        raise UsageError(f"--bands {wanted}: unknown", next_step=f"One of {', '.join(METHODS)}, off.")
    return None if wanted == "off" else cast("IntervalKind", wanted)


def _columns(points: Sequence[BandPoint]) -> tuple[tuple[float, ...], ...]:
    """x, y, low, high; the ends of bands that are unknown are NaN, which nothing draws."""
    return tuple(
        tuple(math.nan if value is None else value for value in column)
        for column in zip(*((point.at, point.value, point.low, point.high) for point in points), strict=True)
    )


def _of_curves(job: ExportTask, axes: tuple[str, str, str, str], found: Sequence[BandCurve], *, log_x: bool) -> Figure:
    drawn = [curve for curve in found if curve.points]
    notes = [f"{curve.run.name}: no sample has a verdict" for curve in found if not curve.points]
    notes += [f"{run_label(curve.run)}: {curve.problems:,} problems, {sizes(curve.run)}" for curve in drawn]
    series = []
    for curve in drawn:
        x, y, low, high = _columns(curve.points)
        series.append(Series(run_label(curve.run), curve.run.model.role, x, y, low, high, sizes(curve.run)))
    return Figure(
        job.request.what, *axes, tuple(series), log_x=log_x, notes=tuple(notes), band=BANDS[_kind(job)],
        method=next((curve.method for curve in drawn if curve.method), ""),
        title=title_of(job, (curve.problems for curve in drawn)),
    )  # fmt: skip


def curves(job: ExportTask) -> Figure:
    found = bands.pass_at_k_bands(job.reader, job.runs, _kind(job), spaced_ks, problems=job.problems)
    return _of_curves(job, ("k", "pass_at_k", "Number of samples k", "Coverage (pass@k, %)"), found, log_x=True)


def cover(job: ExportTask) -> Figure:
    found = bands.cover_bands(job.reader, job.runs, _kind(job), problems=job.problems)
    return _of_curves(job, ("tau", "cover", "Threshold \u03c4", "Cover@\u03c4 (%)"), found, log_x=False)


def difference(job: ExportTask) -> Figure:
    """RL - base, with the crossing in the notes."""
    base, rl = job.runs
    kind: IntervalKind = _kind(job) or "problems"
    found = bands.difference(job.reader, base, rl, kind, spaced_ks, problems=job.problems)
    name = f"{run_label(rl)} - {run_label(base)}"
    series = []
    if found.points:
        x, y, low, high = _columns(found.points)
        series.append(Series(name, None, x, y, low, high, f"n = {found.n}"))
    crossing = found.crossing
    notes = [f"{found.problems:,} problems that both runs have, each paired with itself"]
    if not found.problems:
        notes = [nothing_in_common(base, rl, found.shared_names)]
    if crossing is not None and crossing.k is not None:
        ends = f"{crossing.low or '?'} to {crossing.high or f'beyond {found.n}'}"
        notes.append(f"the curves cross at k = {crossing.k} (95 % interval {ends})")
        if len(found.leads) > 2:
            notes.append(f"they cross again at k = {listed([str(lead.first) for lead in found.leads[2:]])}")
    elif crossing is not None and found.n != 1:
        notes.append(f"the curves do not cross up to k = {found.n}")
    return Figure(
        "difference", "k", "delta", "Number of samples k", "Difference of pass@k (points)", tuple(series), log_x=True,
        method=found.method, band=BANDS[kind], notes=tuple(notes), title=title_of(job, [found.problems]),
    )  # fmt: skip


def cot(job: ExportTask) -> Figure:
    """CoT-pass@k of every run that somebody judged, beside its pass@k. Raises UsageError: nothing is judged."""
    series, notes, problems, is_open = [], [], [], False
    corrected = correction(job.reader, job.runs, spaced_ks, problems=job.problems)
    of_judge = {entry.run.key: entry for entry in corrected.runs}
    for style_index, run in enumerate(job.runs):
        (plain,) = bands.pass_at_k_bands(job.reader, [run], None, spaced_ks, problems=job.problems)
        (valid,) = cot_curves(job.reader, [run], spaced_ks, problems=job.problems)
        judged, name = valid.judged, run_label(run)
        notes.append(f"{name}: {judged.judged:,} of {judged.right:,} correct paths judged, {judged.valid:,} valid")
        if not plain.points:
            continue
        problems.append(plain.problems)
        x, y, *_ = _columns(plain.points)
        series.append(Series(f"{name}, pass@k", run.model.role, x, y, of=sizes(run), style_index=style_index))
        if (entry := of_judge.get(run.key)) is not None and entry.points:
            at = [(p.k, p.low, p.interval) for p in entry.points]
            ends = tuple(end[0] for *_, end in at), tuple(end[1] for *_, end in at)
            ks, values = tuple(k for k, *_ in at), tuple(value for _, value, _ in at)
            series.append(Series(f"{name}, CoT corrected", None, ks, values, *ends, "", style_index, "dotted"))
        if judged.judged:
            is_open = is_open or judged.open > 0
            low, high = (tuple(getattr(point, end) for point in valid.points) for end in ("low", "high"))
            said = f"{judged.judged:,} of {judged.right:,} judged"
            series.append(Series(f"{name}, CoT", None, x, low, low, high, said, style_index, "dotted"))
    if not any(entry.style for entry in series):
        raise UsageError(
            "No correct path of these runs is judged", "; ".join(notes),
            "Judge some: `passk judge --run R --checker C`, or Q in the explorer.",
        )  # fmt: skip
    notes += correction_in_words(corrected)
    return Figure(
        "cot", "k", "pass_at_k", "Number of samples k", "pass@k, CoT-pass@k (%)", tuple(series), log_x=True,
        method="CoT-pass@k: pass@k over correct answers with valid reasoning; low counts unjudged paths as invalid, "
        "high as valid", band="open paths: invalid to valid" if is_open else "", notes=tuple(notes),
        title=title_of(job, problems),
    )  # fmt: skip


def steps(job: ExportTask) -> Figure:
    """pass@1 and pass@k of the trainings among the runs. Raises UsageError: there is none."""
    drawn, notes, problems = [], [], []
    trainings = step_series(job.reader, job.runs, problems=job.problems)
    for style_index, found in enumerate(trainings):
        name = found.algorithm or "training"
        if len({each.from_model for each in trainings}) > 1:
            name += f" from {found.from_model or 'unknown'}"
        if len(trainings) > 1 and "temperature" in (known := found.points[-1].run.parameters):
            name += f", temperature {known['temperature']}"
        at = tuple(point.run.model.step or 0 for point in found.points)
        of = sizes(*(point.run for point in found.points))
        for k, values, style in (
            (found.k, [point.pass_at_k for point in found.points], ""),
            (1, [point.pass_at_1 for point in found.points], "dotted"),
        ):
            points = [(step, value) for step, value in zip(at, values, strict=True) if value is not None]
            if k is not None and points:
                x, y = zip(*points, strict=True)
                drawn.append(Series(f"{name}, pass@{k}", None, x, y, of=of, style_index=style_index, style=style))
        problems += [point.problems for point in found.points]
        start = f"step 0 is the model it started from, {found.from_model or 'unknown'}"
        notes.append(f"{name}: {len(at)} checkpoints, {of}; {start}")
    if not drawn:
        raise UsageError(
            "These runs are no training steps of one model",
            next_step="Leave out --run to take every run of the benchmark; steps come with `passk import --step N`.",
        )
    return Figure(
        "steps", "step", "pass_at_k", "Training step", "pass@k (%)", tuple(drawn), notes=tuple(notes),
        title=title_of(job, problems),
    )  # fmt: skip


def temperature(job: ExportTask) -> Figure:
    """pass@1 and pass@k of models at several temperatures; the csv has every run, with its entropy.

    Raises:
        UsageError: no temperature is known.
    """
    found = temperature_sweep(job.reader, job.runs[0], job.runs, problems=job.problems)
    models: dict[tuple[str, str], list[TemperaturePoint]] = {}
    for point in found.points:
        if point.temperature is not None:
            rest = {name: value for name, value in point.summary.run.parameters.items() if name != "temperature"}
            key = point.summary.run.model.name, json.dumps(rest, sort_keys=True, default=str)
            models.setdefault(key, []).append(point)
    if not models:
        raise UsageError("The temperature of these runs is unknown", next_step="passk import --temperature T says it.")
    several = [group for group in models.values() if len({point.temperature for point in group}) > 1]
    drawn = several or list(models.values())
    series = []
    for style_index, group in enumerate(drawn):
        of = sizes(*(point.summary.run for point in group))
        for k, measure, style in ((found.k, "pass_at_k", ""), (1, "pass_at_1", "dotted")):
            points = [(point.temperature or 0.0, getattr(point.summary, measure)) for point in group]
            known = [point for point in points if point[1] is not None]
            if k is not None and known:
                x, y = zip(*known, strict=True)
                name = f"{group[0].summary.run.model.name}, pass@{k}"
                series.append(
                    Series(name, group[0].summary.run.model.role, x, y, of=of, style_index=style_index, style=style)
                )
    notes = []
    if left := len(models) - len(drawn):
        notes.append(f"{left} models sampled at one temperature only stand in the csv alone")
    notes += temperature_table(found).notes
    return Figure(
        "temperature", "temperature", "pass_at_k", "Temperature", "pass@k (%)", tuple(series),
        title=title_of(job, (point.summary.problems for group in drawn for point in group)), notes=tuple(notes),
        table=temperature_table(found),
    )  # fmt: skip


def agreement(job: ExportTask) -> Figure:
    """maj@k."""
    found = read_agreement(job.reader, job.runs, problems=job.problems)
    drawn = [each for each in found if each.points]
    series = []
    for each in drawn:
        x, y = zip(*((point.k, point.value) for point in each.points), strict=True)
        series.append(Series(run_label(each.run), each.run.model.role, x, y, of=sizes(each.run)))
    notes = [f"{each.run.name}: no answers are stored" for each in found if not each.points]
    for each in drawn:
        answered = f"{each.answered:,} of {each.samples:,} samples have an answer"
        notes.append(f"{run_label(each.run)}: {each.problems:,} problems, {answered}")
    return Figure(
        "agreement", "k", "maj_at_k", "Number of samples k", "maj@k (%)", tuple(series), log_x=True,
        title=title_of(job, (each.problems for each in drawn)), notes=tuple(notes),
    )  # fmt: skip


# Figures of bars, boxes and distributions: accuracy, efficiency, lengths, verdicts, perplexities.

LENGTH_BINS = 40
"""Bins of a length distribution at most: what a printed column resolves."""
CHOICES = {None: "all", "right": "right", "not-right": "not right"}
"""The request's verdict -> which samples' perplexities count."""


def histogram(job: ExportTask) -> Figure:
    """Problems by their share correct, with the paper's bins."""
    found = [each for each in accuracy_histograms(job.reader, job.runs, problems=job.problems) if each.problems]
    shares = [tuple(count / each.problems for count in each.counts) for each in found]
    at = tuple(map(float, range(len(BINS))))
    series = [
        Series(run_label(each.run), each.run.model.role, at, share, of=sizes(each.run))
        for each, share in zip(found, shares, strict=True)
    ]
    return Figure(
        "histogram", "bin", "share", "Share correct c/n", "Problems (%)", tuple(series), bars=True, x_names=BINS,
        table=histogram_table(found), notes=histogram_table(found).notes,
        title=title_of(job, (each.problems for each in found)),
    )  # fmt: skip


def efficiency(job: ExportTask) -> Figure:
    """pass@1 and pass@k of every run as bars, Delta_SE below them (table 2 and figure 8)."""
    base, *_ = job.runs
    found = read_efficiency(job.reader, base, job.runs, problems=job.problems)
    known = [gap for gap in found.gaps if gap.summary.pass_at_1 is not None]
    sized = [(run_label(gap.summary.run), sizes(gap.summary.run)) for gap in known]
    at = tuple(map(float, range(len(known))))
    series = [Series("pass@1", None, at, tuple(gap.summary.pass_at_1 or 0.0 for gap in known))]
    if found.k is not None:
        series.append(Series(f"pass@{found.k}", None, at, tuple(gap.summary.pass_at_k or 0.0 for gap in known)))
    return Figure(
        "efficiency", "run", "share", "", "Share of problems (%)", tuple(series) if known else (), bars=True,
        x_names=tuple(name for name, _ in sized),
        over=tuple("" if gap.delta is None else f"{100 * gap.delta:.1f}" for gap in known),
        over_words="numbers: \u0394SE in points", table=efficiency_table(found),
        title=title_of(job, (gap.summary.problems for gap in known)),
        notes=(*efficiency_table(found).notes, *(f"{name}: {size}" for name, size in sized)),
    )  # fmt: skip


def lengths(job: ExportTask) -> Figure:
    found = response_lengths(job.reader, job.runs, problems=job.problems, bins=LENGTH_BINS)
    series = []
    for style_index, entry in enumerate(found.runs):
        for kind, word, style in (("right", "correct", ""), ("other", "other", "dotted")):
            summary: LengthSummary | None = getattr(entry, kind)
            if summary is None:
                continue
            shares = tuple(count / summary.samples for count in summary.bins)
            middles = tuple((place + 0.5) * found.width for place in range(len(shares)))
            of = f"{summary.samples:,} samples"
            name = f"{run_label(entry.run)}, {word}"
            series.append(
                Series(name, entry.run.model.role, middles, shares, of=of, style_index=style_index, style=style)
            )
    table = length_bins_table(found)
    return Figure(
        "lengths", "tokens", "share", "Response length (tokens)", "Samples (%)", tuple(series), bins=True,
        table=table, notes=table.notes,
        title=title_of(job, (entry.run.problems for entry in found.runs if entry.right or entry.other)),
    )  # fmt: skip


def verdicts(job: ExportTask) -> Figure:
    found = response_lengths(job.reader, job.runs, problems=job.problems)
    shown = [entry for entry in found.runs if entry.verdicts]
    used = [verdict for verdict in VERDICTS if any(verdict in entry.verdicts for entry in shown)]
    series = []
    for entry in shown:
        total = sum(entry.verdicts.values())
        shares = tuple(entry.verdicts.get(verdict, 0) / total for verdict in used)
        at = tuple(map(float, range(len(used))))
        series.append(Series(run_label(entry.run), entry.run.model.role, at, shares, of=f"{total:,} samples"))
    table = verdicts_table(found)
    return Figure(
        "verdicts", "verdict", "share", "Verdict", "Samples (%)", tuple(series), bars=True,
        x_names=tuple(verdict.replace("_", " ") for verdict in used), table=table, notes=table.notes,
        title=title_of(job, (entry.run.problems for entry in shown)),
    )  # fmt: skip


def perplexity(job: ExportTask) -> Figure:
    """Perplexities of base, RL and reference responses under every model that scored them (figure 6)."""
    choice = CHOICES.get(job.request.verdict, "all")
    benchmark = job.runs[0].benchmark
    found = perplexities(job.reader, benchmark, job.runs, problems=job.problems, choice=choice)
    scored = [group for group in found.groups if group.n or group.unfitting]
    boxes = [
        Box(f"under {group.scorer}", f"{_responses(group)} responses", group.quantiles, f"n = {group.n:,}")
        for group in scored
        if group.quantiles is not None
    ]
    table = perplexity_table(found)
    notes = ["boxes: 25 to 75 %, median; whiskers: 5 to 95 %"]
    notes += [f"{_responses(group)} responses under {group.scorer}: n = {group.n:,}" for group in scored]
    if choice != "all":
        notes.append(f"only samples that are {choice}")
    notes = [*(notes if scored else ()), *table.notes]
    title = title_of(job, (group.problems for group in scored if group.run))
    return Figure(
        "perplexity", "under", "perplexity", "", "Perplexity", boxes=tuple(boxes),
        table=table, notes=tuple(notes),
        title=title if choice == "all" else f"{title}, {choice} samples",
    )  # fmt: skip


def _responses(group: PerplexityGroup) -> str:
    return run_label(group.run) if group.run else "reference"


# The explorer's plots as data: what svg, pdf and the csv of the points are made from.

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Okabe and Ito's: told apart with every kind of colour vision."""
DASHES = {"instruct": "6 2", "distill": "2 2", "sft": "8 2 2 2"}
"""Role -> dash pattern, so that the lines differ in grey, too; base and RL runs are solid."""
DOTTED, AGAIN = "1 2", "10 3"

KINDS: Mapping[str, Callable[[ExportTask], Figure]] = {
    "curves": curves,
    "difference": difference,
    "cover": cover,
    "cot": cot,
    "steps": steps,
    "temperature": temperature,
    "agreement": agreement,
    "histogram": histogram,
    "efficiency": efficiency,
    "lengths": lengths,
    "verdicts": verdicts,
    "perplexity": perplexity,
}
"""What -> how it is computed."""

assert KINDS.keys() == FIGURES.keys()


def look_of(series: Series, place: int) -> int:
    """The index of its colour and marker, for the series at that place."""
    return place if series.style_index is None else series.style_index


def colour_of(series: Series, place: int) -> str:
    return COLOURS[look_of(series, place) % len(COLOURS)]


def dash_of(series: Series, place: int) -> str:
    """Its dash pattern as SVG has it; empty for a solid line. When the colours begin anew, solid lines are dashed."""
    if series.style == "dotted":
        return DOTTED
    return DASHES.get(series.role or "") or (AGAIN if look_of(series, place) >= len(COLOURS) else "")


def legend_of(series: Series) -> str:
    """What the legend calls it, with what it is a figure of."""
    return f"{series.name} ({series.of})" if series.of else series.name


def figure_of(job: ExportTask, kind: str) -> Figure:
    """The figure of that kind of a job's runs. Raises UsageError: there is nothing to draw."""
    figure = KINDS[kind](job)
    if not figure.series and not figure.boxes:
        raise UsageError("There is nothing to draw", "; ".join(figure.notes))
    return figure


def export_points(job: ExportTask) -> int:
    """The points as csv: a row a point, unknown ends of bands empty."""
    figure = figure_of(job, job.request.what)
    if figure.table is not None:
        table = figure.table.on(EXPORT)
        columns, rows = table.columns, list[Row](table.rows)
    else:
        columns, rows = _of_series(figure)
    origin = {**job.provenance.full, **({"method": figure.method} if figure.method else {})}
    writer = Csv(job.path, columns, origin)
    writer.write(rows)
    writer.close()
    job.notes += figure.notes
    job.tell(len(rows), len(rows))
    return len(rows)


def _of_series(figure: Figure) -> tuple[tuple[Column, ...], list[Row]]:
    numbers = (Column(name, "number") for name in (figure.x, figure.y, "low", "high"))
    rows: list[Row] = []
    for series in figure.series:
        nothing = (None,) * len(series.x)
        points = zip(series.x, series.y, series.low or nothing, series.high or nothing, strict=True)
        # The end of a band that is unknown is NaN, which nothing draws.
        rows += [(series.name, *(None if value != value else value for value in point)) for point in points]
    return (Column("run"), *numbers), rows
