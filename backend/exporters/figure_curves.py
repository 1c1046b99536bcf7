"""Figures of lines: pass@k, its difference, Cover@tau, CoT-pass@k, maj@k, training steps, temperatures."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np

from backend import bands
from backend.errors import UsageError
from backend.exporters.comparison import run_label
from backend.exporters.protocol import Job
from backend.judgements.reading import cot_curves
from backend.metrics.intervals import METHODS
from backend.metrics.pass_at_k import powers_and_end
from backend.records import Run
from backend.records.bands import BandCurve, BandPoint, Kind
from backend.records.exports import Figure, Series, Table
from backend.records.statistics import Warmth
from backend.statistics.agreement import agreement as read_agreement
from backend.statistics.steps import step_series
from backend.statistics.temperature import temperature_sweep

DENSE = 96
"""Points of a curve between 1 and n, evenly spaced on the log axis."""
BANDS: dict[Kind | None, str] = {
    "problems": "95 %, bootstrap over problems",
    "samples": "95 %, posterior over samples",
    None: "",
}
"""What a band is, for the legend."""


def spaced_ks(limit: int) -> list[int]:
    """Every small k, powers of two, the limit, and in between as many as a printed figure resolves."""
    spaced = np.unique(np.round(np.geomspace(1, limit, DENSE)).astype(int)).tolist() if limit else []
    return sorted({*spaced, *powers_and_end(limit)})


def title_of(job: Job, counts: Iterable[int]) -> str:
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


def _kind(job: Job) -> Kind | None:
    """Whose chance the bands show."""
    wanted = job.request.bands
    if wanted not in (*METHODS, "off"):
        raise UsageError(f"--bands {wanted}: unknown", next_step=f"One of {', '.join(METHODS)}, off.")
    return None if wanted == "off" else cast("Kind", wanted)


def _columns(points: Sequence[BandPoint]) -> tuple[tuple[float, ...], ...]:
    """x, y, low, high; the ends of bands that are unknown are NaN, which nothing draws."""
    return tuple(
        tuple(math.nan if value is None else value for value in column)
        for column in zip(*((point.at, point.value, point.low, point.high) for point in points), strict=True)
    )


def _of_curves(job: Job, axes: tuple[str, str, str, str], found: Sequence[BandCurve], *, log_x: bool) -> Figure:
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


def curves(job: Job) -> Figure:
    """pass@k."""
    found = bands.pass_at_k_bands(job.reader, job.runs, _kind(job), spaced_ks, problems=job.problems)
    return _of_curves(job, ("k", "pass_at_k", "Number of samples k", "Coverage (pass@k, %)"), found, log_x=True)


def cover(job: Job) -> Figure:
    """Cover@tau."""
    found = bands.cover_bands(job.reader, job.runs, _kind(job), problems=job.problems)
    return _of_curves(job, ("tau", "cover", "Threshold \u03c4", "Cover@\u03c4 (%)"), found, log_x=False)


def difference(job: Job) -> Figure:
    """RL - base, with the crossing in the notes."""
    base, rl = job.runs
    kind: Kind = _kind(job) or "problems"
    found = bands.difference(job.reader, base, rl, kind, spaced_ks, problems=job.problems)
    name = f"{run_label(rl)} - {run_label(base)}"
    series = []
    if found.points:
        x, y, low, high = _columns(found.points)
        series.append(Series(name, None, x, y, low, high, f"n = {found.n}"))
    crossing = found.crossing
    notes = [f"{found.problems:,} problems that both runs have, each paired with itself"]
    if crossing is not None and crossing.k is not None:
        ends = f"{crossing.low or '?'} to {crossing.high or f'beyond {found.n}'}"
        notes.append(f"the curves cross at k = {crossing.k} (95 % interval {ends})")
    elif crossing is not None:
        notes.append(f"the curves do not cross up to k = {found.n}")
    return Figure(
        "difference", "k", "delta", "Number of samples k", "Difference of pass@k (points)", tuple(series), log_x=True,
        method=found.method, band=BANDS[kind], notes=tuple(notes), title=title_of(job, [found.problems]),
    )  # fmt: skip


def cot(job: Job) -> Figure:
    """CoT-pass@k of every run that somebody judged, beside its pass@k.

    Raises:
        UsageError: nothing is judged.
    """
    series, notes, problems, is_open = [], [], [], False
    for look, run in enumerate(job.runs):
        (plain,) = bands.pass_at_k_bands(job.reader, [run], None, spaced_ks, problems=job.problems)
        (valid,) = cot_curves(job.reader, [run], spaced_ks, problems=job.problems)
        judged, name = valid.judged, run_label(run)
        notes.append(f"{name}: {judged.judged:,} of {judged.right:,} right paths judged, {judged.valid:,} valid")
        if not plain.points:
            continue
        problems.append(plain.problems)
        x, y, *_ = _columns(plain.points)
        series.append(Series(f"{name}, pass@k", run.model.role, x, y, of=sizes(run), look=look))
        if judged.judged:
            is_open = is_open or judged.open > 0
            low, high = (tuple(getattr(point, end) for point in valid.points) for end in ("low", "high"))
            said = f"{judged.judged:,} of {judged.right:,} judged"
            series.append(Series(f"{name}, CoT", None, x, low, low, high, said, look, "dotted"))
    if not any(entry.style for entry in series):
        raise UsageError(
            "No right path of these runs is judged", "; ".join(notes),
            "Judge some: `passk judge --run R --checker C`, or Q in the explorer.",
        )  # fmt: skip
    return Figure(
        "cot", "k", "pass_at_k", "Number of samples k", "pass@k, CoT-pass@k (%)", tuple(series), log_x=True,
        method="CoT-pass@k: pass@k by right answers with valid reasoning; low counts open paths as invalid, high as "
        "valid", band="open paths: invalid to valid" if is_open else "", notes=tuple(notes),
        title=title_of(job, problems),
    )  # fmt: skip


def steps(job: Job) -> Figure:
    """pass@1 and pass@k of the trainings among the runs.

    Raises:
        UsageError: there is none.
    """
    drawn, notes, problems = [], [], []
    trainings = step_series(job.reader, job.runs, problems=job.problems)
    for look, found in enumerate(trainings):
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
                drawn.append(Series(f"{name}, pass@{k}", None, x, y, of=of, look=look, style=style))
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


def temperature(job: Job) -> Figure:
    """pass@1 and pass@k of models at several temperatures; the csv has every run, with its entropy.

    Raises:
        UsageError: no temperature is known.
    """
    found = temperature_sweep(job.reader, job.runs[0], job.runs, problems=job.problems)
    models: dict[tuple[str, str], list[Warmth]] = {}
    for point in found.points:
        if point.temperature is not None:
            rest = {name: value for name, value in point.level.run.parameters.items() if name != "temperature"}
            key = point.level.run.model.name, json.dumps(rest, sort_keys=True, default=str)
            models.setdefault(key, []).append(point)
    if not models:
        raise UsageError("The temperature of these runs is unknown", next_step="passk import --temperature T says it.")
    several = [group for group in models.values() if len({point.temperature for point in group}) > 1]
    drawn = several or list(models.values())
    series = []
    for look, group in enumerate(drawn):
        of = sizes(*(point.level.run for point in group))
        for k, measure, style in ((found.k, "pass_at_k", ""), (1, "pass_at_1", "dotted")):
            points = [(point.temperature or 0.0, getattr(point.level, measure)) for point in group]
            known = [point for point in points if point[1] is not None]
            if k is not None and known:
                x, y = zip(*known, strict=True)
                name = f"{group[0].level.run.model.name}, pass@{k}"
                series.append(Series(name, group[0].level.run.model.role, x, y, of=of, look=look, style=style))
    notes = []
    if left := len(models) - len(drawn):
        notes.append(f"{left} models sampled at one temperature only stand in the csv alone")
    nearest = found.nearest and found.nearest.level.run.name
    notes.append(f"nearest to the entropy of {found.base.name}: {nearest or 'unknown'}")
    return Figure(
        "temperature", "temperature", "pass_at_k", "Temperature", "pass@k (%)", tuple(series),
        title=title_of(job, (point.level.problems for group in drawn for point in group)), notes=tuple(notes),
        table=_sweep(found.k, found.points),
    )  # fmt: skip


def _sweep(k: int | None, points: Sequence[Warmth]) -> Table:
    columns = (("run", "text"), ("temperature", "number"), ("problems", "whole"), ("n_min", "whole"),
               ("n_max", "whole"), ("k", "whole"), ("pass_at_1", "number"), ("pass_at_k", "number"),
               ("entropy", "number"), ("entropy_samples", "whole"))  # fmt: skip
    rows = [
        (point.level.run.name, point.temperature, point.level.problems, point.level.run.n_min, point.level.run.n_max, k,
         point.level.pass_at_1, point.level.pass_at_k, point.entropy.value if point.entropy else None,
         point.entropy.samples if point.entropy else None)
        for point in points
    ]  # fmt: skip
    return Table(columns, tuple(rows))


def agreement(job: Job) -> Figure:
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
