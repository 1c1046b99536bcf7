"""Training steps of one model as a series (figures 1 right, 15 and table 3 of the paper)."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence

from backend.records import Run
from backend.records.statistics import Series
from backend.statistics.levels import common_k, levels
from backend.store.reads import Reader

SeriesKey = tuple[str, str, str]


def step_series(
    reader: Reader, runs: Sequence[Run], *, k: int | None = None, problems: Collection[int] | None = None
) -> tuple[Series, ...]:
    """The trainings among the runs of one benchmark: checkpoints of one origin, algorithm and sampling configuration.

    Args:
        runs: those of one benchmark.
        k: 256 when omitted, or the largest k at which every point of a series is defined if that is less.
        problems: keys of the only problems that count; None for all.

    Returns:
        Series of two points or more: steps in order, after the base run that was sampled in the same way, if there is
        one. Longest first.
    """
    groups: dict[SeriesKey, list[Run]] = {}
    for run in runs:
        if run.model.step is not None:
            groups.setdefault(_series_of(run), []).append(run)
    found = []
    for group in groups.values():
        points = [*_origin(runs, group[0]), *sorted(group, key=lambda run: run.model.step or 0)]
        if len(points) > 1:
            at = k if k is not None else common_k(reader, points, problems)
            model = group[0].model
            found.append(Series(model.algorithm, model.from_model, at, levels(reader, points, at, problems)))
    return tuple(sorted(found, key=lambda series: -len(series.points)))


def _series_of(run: Run) -> SeriesKey:
    return run.model.from_model or "", run.model.algorithm or "", _configuration(run)


def _configuration(run: Run) -> str:
    return json.dumps(dict(run.parameters), sort_keys=True, default=str)


def _origin(runs: Sequence[Run], checkpoint: Run) -> list[Run]:
    """The run of the base model that a training started from, sampled as its checkpoints were; empty if unknown."""
    bases = [
        run
        for run in runs
        if run.model.role == "base"
        and run.model.step is None
        and checkpoint.model.from_model in (None, run.model.name)
        and _configuration(run) == _configuration(checkpoint)
    ]
    return bases if len(bases) == 1 else []
