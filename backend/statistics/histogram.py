"""Accuracy histograms: problems of runs by their share correct (figures 5 and 13 of the paper)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from backend.comparison import tallies_of
from backend.metrics.accuracy_bins import accuracy_bins
from backend.records import Run
from backend.records.statistics import AccuracyHistogram
from backend.restriction import restricted
from backend.store.reads import Reader


def accuracy_histograms(
    reader: Reader, runs: Sequence[Run], *, problems: Collection[int] | None = None
) -> tuple[AccuracyHistogram, ...]:
    """The histogram of each run, over its problems with a verified sample.

    Args:
        problems: keys of the only problems that count; None for all.
    """
    tallies = tallies_of(reader, runs, problems)
    result = []
    for run in restricted(reader, runs, problems):
        _, n, c = tallies[run.key]
        counts = accuracy_bins(n[n > 0], c[n > 0])
        result.append(AccuracyHistogram(run, int(counts.sum()), tuple(counts.tolist())))
    return tuple(result)
