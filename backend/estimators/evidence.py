"""What counts are evidence of: whether two success rates differ, and between which ends a rate lies."""

from __future__ import annotations

from math import comb

import numpy as np

from backend.estimators.intervals import Tallies
from backend.estimators.pass_at_k import Counts, Floats

LEVEL = 0.05
"""Of tests; bounds hold with one minus it."""


def fisher_greater(first: Tallies, second: Tallies) -> Floats:
    """Of each problem, the chance of so many correct samples in the second run, or more, were both rates the same.

    The one-sided exact test of Fisher (1935): given all correct samples, those of the second run are hypergeometric.

    Args:
        first, second: n and c of the same problems.

    Returns:
        Shape (problems,).
    """
    rows, inverse = np.unique(np.stack([*first, *second], axis=1), axis=0, return_inverse=True)
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, rows[:, [0, 2]].sum(axis=1).max(initial=0) + 1)))])

    def ways(n: Counts | int, k: Counts | int) -> Floats:
        chosen: Floats = logs[n] - logs[k] - logs[np.subtract(n, k)]
        return chosen

    found = np.ones(len(rows))
    for place, (n1, c1, n2, c2) in enumerate(rows.tolist()):
        if c2:
            x = np.arange(c2, min(c1 + c2, n2) + 1)
            x = x[c1 + c2 - x <= n1]
            found[place] = np.exp(ways(n2, x) + ways(n1, c1 + c2 - x) - ways(n1 + n2, c1 + c2)).sum()
    return np.minimum(found, 1.0)[inverse.reshape(-1)]


def holm(chances: Floats) -> Floats:
    """The same, adjusted for how many there are: the step-down procedure of Holm (1979)."""
    order = np.argsort(chances, kind="stable")
    adjusted = np.empty(len(chances))
    adjusted[order] = np.minimum(np.maximum.accumulate(chances[order] * np.arange(len(chances), 0, -1)), 1.0)
    return adjusted


def discordance(first: int, second: int) -> float:
    """Chance of so uneven a split of the problems that one run alone solves, were either as likely (McNemar, exact)."""
    total, fewer = first + second, min(first, second)
    return float(min(2 * sum(comb(total, x) for x in range(fewer + 1)) / (1 << total), 1.0))


def rate_bounds(n: Counts, c: Counts) -> tuple[Floats, Floats]:
    """Lower and upper bound of each rate, each by itself with 95 % (Clopper & Pearson 1934, one-sided)."""
    from scipy.special import betaincinv

    low = np.where(c > 0, betaincinv(np.maximum(c, 1), n - c + 1, LEVEL), 0.0)
    high = np.where(c < n, betaincinv(c + 1, np.maximum(n - c, 1), 1 - LEVEL), 1.0)
    return low, high
