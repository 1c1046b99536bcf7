"""Runs seen on some of their problems only: the same run, with totals over these problems."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from backend.records import Run
from backend.store.reads import Reader

TOTALS = (
    "problems", "samples", "correct", "unverified", "n_min", "n_max", "without_verdict", "solvable", "texts",
    "mean_tokens",
)  # fmt: skip
EMPTY = (0, 0, 0, 0, None, None, 0, 0, 0, None)


def restricted(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None) -> tuple[Run, ...]:
    """Each run with the totals that it has over these problems; as it is for None."""
    if problems is None:
        return tuple(runs)
    rows = reader.rows("statistics/run_totals", run_keys=[run.key for run in runs], problem_keys=sorted(problems))
    totals = {key: values for key, *values in rows}
    return tuple(replace(run, **dict(zip(TOTALS, totals.get(run.key, EMPTY), strict=True))) for run in runs)
