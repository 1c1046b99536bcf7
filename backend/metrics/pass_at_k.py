"""pass@k, the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374), equation 1.

pass@k = mean over problems of 1 - C(n - c, k) / C(n, k), for k <= n. For k > n it is undefined: never padded, never
extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

IN_CACHE = 8_192
"""Numbers that are worked on at a time: few enough for the cache, and too few for BLAS to start threads of its own."""


@lru_cache(maxsize=64)
def pass_at_k_table(n: int, k: int) -> Floats:
    """pass@k of one problem for every possible number of correct samples.

    C(n - c, k) / C(n, k) = prod over i < c of (n - k - i) / (n - i), so one cumulative product gives all c at once. Its
    error stays below 2e-15 up to n = 4096; the usual form with lgamma loses four digits and is not 0 at c = 0.

    Returns:
        Shape (n + 1,): index c. Read-only, since it is cached.

    Raises:
        ValueError: k is not in 1..n.
    """
    if not 1 <= k <= n:
        raise ValueError(f"pass@{k} is undefined for n = {n}: k must be in 1..n")
    i = np.arange(n, dtype=np.float64)
    survival = np.cumprod(np.maximum(n - k - i, 0.0) / (n - i))
    table = np.concatenate(([0.0], 1.0 - survival))
    table.setflags(write=False)
    return table


def pass_at_k_tables(n: int, ks: Counts) -> Floats:
    """`pass_at_k_table` for several k at once, not cached.

    Args:
        n: samples of a problem.
        ks: the k's, shape (m,), all in 1..n.

    Returns:
        Shape (n + 1, m): a row for each number of correct samples.
    """
    i = np.arange(n, dtype=np.float64)[:, None]
    survival = np.cumprod(np.maximum(n - ks - i, 0.0) / (n - i), axis=0)
    return np.concatenate([np.zeros((1, len(ks))), 1.0 - survival])


def pass_at_k(n: Counts, c: Counts, ks: Counts, weights: Counts | None = None) -> Floats:
    """Mean pass@k over problems, for several k.

    Args:
        n: samples of each problem, shape (problems,), all >= 1.
        c: correct samples of each problem, same shape, 0 <= c <= n.
        ks: the k's, shape (m,).
        weights: how many problems share this (n, c), same shape as n; 1 each when omitted.

    Returns:
        Shape (m,): NaN where k exceeds the smallest n, since pass@k is undefined there.
    """
    if weights is not None:
        n, c = np.repeat(n, weights), np.repeat(c, weights)
    values: Floats = pass_at_k_of_runs([(n, c)], ks)[0]
    return values


def pass_at_k_of_runs(runs: Sequence[tuple[Counts, Counts]], ks: Counts) -> Floats:
    """Mean pass@k over the problems of each run, for several k; runs with the same n share the work.

    Args:
        runs: n and c of each problem of a run; see `pass_at_k`.
        ks: the k's, shape (m,).

    Returns:
        Shape (runs, m): NaN where k exceeds the smallest n of a run.
    """
    total = np.zeros((len(runs), len(ks)))
    for size in np.unique(np.concatenate([n for n, _ in runs])) if runs else ():
        how_many = np.stack([np.bincount(c[n == size], minlength=size + 1) for n, c in runs]).astype(np.float64)
        total += _sum_over_correct(int(size), ks.astype(np.float64), how_many)
    smallest = np.array([n.min() if len(n) else 0 for n, _ in runs], dtype=np.int64)[:, None]
    problems = np.array([len(n) for n, _ in runs], dtype=np.float64)[:, None]
    return np.where((ks >= 1) & (ks <= smallest), total / np.maximum(problems, 1), np.nan)


def _sum_over_correct(n: int, ks: Floats, how_many: Floats) -> Floats:
    """Sum of pass@k over problems with n samples each, `how_many[run, c]` of them with c correct; shape (runs, m)."""
    total = np.zeros((len(how_many), len(ks)))
    found = np.flatnonzero(how_many.any(axis=0))
    highest = int(found[-1]) if len(found) else 0
    if not highest:
        return total
    i = np.arange(highest, dtype=np.float64)
    block = max(IN_CACHE // highest, 1)
    for start in range(0, len(ks), block):
        survival = np.maximum(n - ks[start : start + block, None] - i, 0.0)
        survival /= n - i
        np.cumprod(survival, axis=1, out=survival)
        total[:, start : start + block] = how_many[:, 1 : highest + 1] @ (1.0 - survival).T
    return total


def powers_and_end(limit: int) -> list[int]:
    """1, 2, 4 ... up to the limit, and the limit itself: the k's of the paper's figures."""
    ks = [1 << i for i in range(limit.bit_length()) if 1 << i <= limit]
    return ks if not ks or ks[-1] == limit else [*ks, limit]


def crossing(ks: Counts, first: Floats, second: Floats) -> int | None:
    """The smallest k at which the curve that is ahead at k = 1 is no longer ahead.

    Args:
        ks: increasing, every k from 1 on.
        first, second: the two curves at these k's; NaN where undefined.

    Returns:
        The k, or None when the order never changes where both are defined (or they start equal and stay so).
    """
    difference = (second - first)[~np.isnan(second - first)]
    ahead = np.flatnonzero(difference)
    if not len(ahead):
        return None
    sign = np.sign(difference[ahead[0]])
    after = np.flatnonzero(np.sign(difference[ahead[0] :]) == -sign)
    return int(ks[ahead[0] + after[0]]) if len(after) else None
