"""The sampling efficiency gap, Delta_SE = base pass@k - RL pass@1 (figure 8 and table 2 of the paper)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from backend.comparison import RunTallies, tallies_of
from backend.metrics.pass_at_k import pass_at_k_of_runs
from backend.records import Run
from backend.records.statistics import Efficiency, Gap
from backend.statistics.levels import common_k, levels
from backend.store.reads import Reader


def efficiency(
    reader: Reader,
    base: Run,
    runs: Sequence[Run],
    *,
    k: int | None = None,
    problems: Collection[int] | None = None,
) -> Efficiency:
    """pass@1, pass@k and Delta_SE of runs against one base run.

    Args:
        base: whose pass@k counts.
        runs: the others; the base is put first if it is not among them.
        k: 256 when omitted, or the largest k at which all are defined if that is less.
        problems: keys of the only problems that count; None for all.
    """
    every = list(runs) if any(run.key == base.key for run in runs) else [base, *runs]
    k = k if k is not None else common_k(reader, every, problems)
    tallies = tallies_of(reader, every, problems)
    gaps = []
    for level in levels(reader, every, k, problems):
        delta, common = _delta(tallies, base.key, level.run.key, k)
        gaps.append(Gap(level, None if level.run.model.role == "base" or level.run.key == base.key else delta, common))
    return Efficiency(base, k, tuple(gaps))


def _delta(tallies: RunTallies, base: int, other: int, k: int | None) -> tuple[float | None, int]:
    """Delta_SE over the problems that both runs have with a verified sample, and how many those are."""
    (first, base_n, base_c), (second, n, c) = tallies[base], tallies[other]
    _, at_base, at_other = np.intersect1d(first, second, assume_unique=True, return_indices=True)
    base_n, base_c, n, c = base_n[at_base], base_c[at_base], n[at_other], c[at_other]
    both = (base_n > 0) & (n > 0)
    if k is None or not both.any():
        return None, int(both.sum())
    at_k = pass_at_k_of_runs([(base_n[both], base_c[both])], np.array([k]))[0, 0]
    at_1 = pass_at_k_of_runs([(n[both], c[both])], np.array([1]))[0, 0]
    return (None if np.isnan(at_k) else float(at_k - at_1)), int(both.sum())
