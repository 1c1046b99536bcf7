"""What several views have in common: pass@1 and pass@k of runs at one k."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backend.comparison import curves
from backend.records import Run
from backend.records.statistics import Level
from backend.restriction import restricted
from backend.store.reads import Reader

PAPER_K = 256
"""The k of the sampling efficiency gap."""


def common_k(reader: Reader, runs: Sequence[Run], problems: Collection[int] | None, most: int = PAPER_K) -> int | None:
    """The largest k up to `most` at which every run is defined, of those that have a verdict; None where none has."""
    sizes = [run.n_min for run in restricted(reader, runs, problems) if run.n_min is not None]
    return min(most, *sizes) if sizes else None


def levels(reader: Reader, runs: Sequence[Run], k: int | None, problems: Collection[int] | None) -> tuple[Level, ...]:
    """The levels of runs at one k; runs in them have the totals of these problems."""
    ks = [1] if k is None else sorted({1, k})
    return tuple(
        Level(curve.run, curve.problems, curve.at(1), None if k is None else curve.at(k))
        for curve in curves(reader, runs, lambda _: ks, problems=problems)
    )
