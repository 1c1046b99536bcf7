"""The explorer's plots as data: what svg, pdf and the csv of the points are made from."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np

from backend.bands import cover_bands, difference, pass_at_k_bands
from backend.errors import UsageError
from backend.exporters.comparison import run_label
from backend.exporters.protocol import Job
from backend.exporters.tables import Column, Csv
from backend.metrics.accuracy_bins import BINS
from backend.metrics.intervals import METHODS
from backend.metrics.pass_at_k import powers_and_end
from backend.records import Run
from backend.records.bands import BandCurve, BandPoint, Kind
from backend.records.exports import Figure, Series
from backend.statistics.agreement import agreement
from backend.statistics.histogram import accuracy_histograms
from backend.statistics.steps import step_series

DENSE = 96
"""Points of a curve between 1 and n, evenly spaced on the log axis."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
"""Okabe and Ito's: told apart with every kind of colour vision."""
DASHES = {"instruct": "6 2", "distill": "2 2", "sft": "8 2 2 2"}
"""Role -> dash pattern, so that the lines differ in grey, too; base and RL runs are solid."""


def colour_of(series: Series, place: int) -> str:
    """The colour of the series at that place."""
    return COLOURS[place % len(COLOURS)]


def dash_of(series: Series) -> str:
    """Its dash pattern as SVG has it; empty for a solid line."""
    return DASHES.get(series.role or "", "")


def spaced_ks(limit: int) -> list[int]:
    """Every small k, powers of two, the limit, and in between as many as a printed figure resolves."""
    spaced = np.unique(np.round(np.geomspace(1, limit, DENSE)).astype(int)).tolist() if limit else []
    return sorted({*spaced, *powers_and_end(limit)})


def _kind(job: Job) -> Kind | None:
    """Whose chance the bands show."""
    bands = job.request.bands
    if bands not in (*METHODS, "off"):
        raise UsageError(f"--bands {bands}: unknown", next_step=f"One of {', '.join(METHODS)}, off.")
    return None if bands == "off" else cast("Kind", bands)


def _series(curve: BandCurve) -> Series:
    run = curve.run
    return Series(run_label(run), run.model.role, *_columns(curve.points))


def _columns(points: Sequence[BandPoint]) -> tuple[tuple[float, ...], ...]:
    """x, y, low, high; the ends of bands that are unknown are NaN, which nothing draws."""
    return tuple(
        tuple(math.nan if value is None else value for value in column)
        for column in zip(*((point.at, point.value, point.low, point.high) for point in points), strict=True)
    )


def _of_curves(kind: str, x: str, labels: tuple[str, str], found: Sequence[BandCurve], *, log_x: bool) -> Figure:
    drawn = [curve for curve in found if curve.points]
    notes = [f"{curve.run.name}: no sample has a verdict" for curve in found if not curve.points]
    notes += [f"{run_label(curve.run)}: {curve.problems:,} problems, n = {_sizes(curve.run)}" for curve in drawn]
    return Figure(
        kind, x, kind if kind == "cover" else "pass_at_k", *labels, tuple(map(_series, drawn)), log_x=log_x,
        method=next((curve.method for curve in drawn if curve.method), ""), notes=tuple(notes),
    )  # fmt: skip


def _sizes(run: Run) -> str:
    return f"{run.n_min}" if run.n_min == run.n_max else f"{run.n_min} to {run.n_max}"


def _curves(job: Job) -> Figure:
    found = pass_at_k_bands(job.reader, job.runs, _kind(job), spaced_ks, problems=job.problems)
    return _of_curves("curves", "k", ("Number of samples k", "Coverage (pass@k, %)"), found, log_x=True)


def _cover(job: Job) -> Figure:
    found = cover_bands(job.reader, job.runs, _kind(job), problems=job.problems)
    return _of_curves("cover", "tau", ("Threshold \u03c4", "Cover@\u03c4 (%)"), found, log_x=False)


def _difference(job: Job) -> Figure:
    base, rl = job.runs
    found = difference(job.reader, base, rl, _kind(job) or "problems", spaced_ks, problems=job.problems)
    series = [Series(f"{run_label(rl)} - {run_label(base)}", None, *_columns(found.points))] if found.points else []
    crossing = found.crossing
    notes = [f"{found.problems:,} problems that both runs have, each paired with itself"]
    if crossing is not None and crossing.k is not None:
        ends = f"{crossing.low or '?'} to {crossing.high or f'beyond {found.n}'}"
        notes.append(f"the curves cross at k = {crossing.k} (95 % interval {ends})")
    elif crossing is not None:
        notes.append(f"the curves do not cross up to k = {found.n}")
    return Figure(
        "difference", "k", "delta", "Number of samples k", "RL - base (pass@k, points)", tuple(series), log_x=True,
        method=found.method, notes=tuple(notes),
    )  # fmt: skip


def _histogram(job: Job) -> Figure:
    found = [each for each in accuracy_histograms(job.reader, job.runs, problems=job.problems) if each.problems]
    upper_ends = tuple(place / 10 for place in range(len(BINS)))
    series = [
        Series(
            run_label(each.run), each.run.model.role, upper_ends,
            tuple(count / each.problems for count in each.counts),
        )
        for each in found
    ]  # fmt: skip
    notes = tuple(f"{run_label(each.run)}: {each.problems:,} problems, n = {_sizes(each.run)}" for each in found)
    return Figure(
        "histogram", "up_to", "share", "Share correct c/n", "Problems (%)", tuple(series), bars=True, x_names=BINS,
        notes=notes,
    )  # fmt: skip


def _steps(job: Job) -> Figure:
    drawn, notes = [], []
    trainings = step_series(job.reader, job.runs, problems=job.problems)
    for found in trainings:
        name = f"{found.algorithm or 'training'} from {found.from_model or 'unknown'}"
        if len(trainings) > 1 and "temperature" in (known := found.points[-1].run.parameters):
            name += f", temperature {known['temperature']}"
        steps = tuple(point.run.model.step or 0 for point in found.points)
        for k, values in (
            (1, [point.pass_at_1 for point in found.points]),
            (found.k, [point.pass_at_k for point in found.points]),
        ):
            points = [(step, value) for step, value in zip(steps, values, strict=True) if value is not None]
            if k is not None and points:
                drawn.append(Series(f"{name}, pass@{k}", None, *zip(*points, strict=True)))
        sizes = sorted({_sizes(point.run) for point in found.points})
        notes.append(f"{name}: {len(steps)} checkpoints, n = {', '.join(sizes)}; step 0 is the model it started from")
    if not drawn:
        raise UsageError(
            "These runs are no training steps of one model",
            next_step="Leave out --run to take every run of the benchmark; steps come with `passk import --step N`.",
        )
    return Figure("steps", "step", "pass_at_k", "Training step", "pass@k (%)", tuple(drawn), notes=tuple(notes))


def _agreement(job: Job) -> Figure:
    found = agreement(job.reader, job.runs, problems=job.problems)
    drawn = [each for each in found if each.points]
    series = [
        Series(run_label(each.run), each.run.model.role, *zip(*((p.k, p.value) for p in each.points), strict=True))
        for each in drawn
    ]
    notes = [f"{each.run.name}: no answers are stored" for each in found if not each.points]
    for each in drawn:
        answered = f"{each.answered:,} of {each.samples:,} samples have an answer"
        notes.append(f"{run_label(each.run)}: {each.problems:,} problems, {answered}")
    return Figure(
        "agreement", "k", "maj_at_k", "Number of samples k", "maj@k (%)", tuple(series), log_x=True, notes=tuple(notes)
    )


KINDS: Mapping[str, Callable[[Job], Figure]] = {
    "curves": _curves,
    "cover": _cover,
    "difference": _difference,
    "histogram": _histogram,
    "steps": _steps,
    "agreement": _agreement,
}
"""What -> how it is computed."""


def figure_of(job: Job, kind: str) -> Figure:
    """The figure of that kind of a job's runs.

    Raises:
        UsageError: there is nothing to draw.
    """
    figure = KINDS[kind](job)
    if not figure.series:
        raise UsageError("There is nothing to draw", "; ".join(figure.notes))
    return figure


def export_points(job: Job) -> int:
    """The points as csv: a row a point, unknown ends of bands empty."""
    figure = figure_of(job, job.request.what)
    columns = (
        Column("run"), Column(figure.x, "number"), Column(figure.y, "number"), Column("low", "number"),
        Column("high", "number"),
    )  # fmt: skip
    origin = {**job.provenance.full, **({"method": figure.method} if figure.method else {})}
    writer = Csv(job.path, columns, origin)
    written = 0
    for series in figure.series:
        nothing = (None,) * len(series.x)
        rows = zip(series.x, series.y, series.low or nothing, series.high or nothing, strict=True)
        writer.write([(series.name, *(None if value != value else value for value in row)) for row in rows])
        written += len(series.x)
    writer.close()
    job.notes += figure.notes
    job.tell(written, written)
    return written
