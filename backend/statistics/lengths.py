"""Response lengths, right and other samples apart, and shares of verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from backend.metrics.distribution import in_bins, quantiles, round_width
from backend.metrics.pass_at_k import Counts
from backend.records import VERDICTS, Run
from backend.records.statistics import Lengths, LengthSummary, RunLengths
from backend.restriction import restricted
from backend.store.reads import Reader

MOST_BINS = 12
"""Bins of a distribution: as many as a small terminal has lines for."""

Lines = list[tuple[str, int | None, int]]
"""Verdict, tokens, samples: increasing tokens within a verdict."""


def response_lengths(
    reader: Reader, runs: Sequence[Run], *, problems: Collection[int] | None = None, bins: int = MOST_BINS
) -> Lengths:
    """How long the samples of each run are, in tokens, and how many have which verdict.

    Args:
        problems: keys of the only problems that count; None for all.
        bins: how many bins at most.
    """
    by_run: dict[int, Lines] = {run.key: [] for run in runs}
    for key, verdict, tokens, samples in reader.rows(
        "statistics/lengths",
        run_keys=list(by_run),
        problem_keys=None if problems is None else sorted(problems),
    ):
        by_run[key].append((verdict, tokens, samples))
    longest = max((tokens or 0 for lines in by_run.values() for _, tokens, _ in lines), default=0)
    width = round_width(longest, bins)
    used = longest // width + 1
    return Lengths(
        width,
        tuple(_run_lengths(run, by_run[run.key], width, used) for run in restricted(reader, runs, problems)),
    )


def _run_lengths(run: Run, lines: Lines, width: int, bins: int) -> RunLengths:
    verdicts = {verdict: sum(samples for found, _, samples in lines if found == verdict) for verdict in VERDICTS}
    verified = [line for line in lines if line[0] != "unverified"]
    return RunLengths(
        run=run,
        right=_summary([line for line in verified if line[0] == "correct"], width, bins),
        other=_summary([line for line in verified if line[0] != "correct"], width, bins),
        unknown=sum(samples for _, tokens, samples in verified if tokens is None),
        verdicts={verdict: samples for verdict, samples in verdicts.items() if samples},
    )


def _summary(lines: Lines, width: int, bins: int) -> LengthSummary | None:
    known = np.array([(tokens, samples) for _, tokens, samples in lines if tokens is not None], dtype=np.int64)
    if not len(known):
        return None
    values, at = np.unique(known[:, 0], return_inverse=True)
    times: Counts = np.bincount(at, weights=known[:, 1]).astype(np.int64)
    tenth, median, ninetieth, longest = quantiles(values, times, (0.1, 0.5, 0.9, 1.0))
    return LengthSummary(
        samples=int(times.sum()),
        mean=float((values * times).sum() / times.sum()),
        tenth=tenth,
        median=median,
        ninetieth=ninetieth,
        longest=longest,
        bins=tuple(in_bins(values, times, width, bins).tolist()),
    )
