"""pass@k, the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374), equation 1.

pass@k = mean over problems of 1 - C(n - c, k) / C(n, k), for k <= n. For k > n it is undefined: never padded, never
extrapolated.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


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
    weights = np.ones_like(n) if weights is None else weights
    result = np.full(len(ks), np.nan)
    if not len(n):
        return result
    defined = (ks >= 1) & (ks <= n.min())
    if not defined.any():
        return result
    wanted = ks[defined].astype(np.float64)
    total = np.zeros(len(wanted))
    for size in np.unique(n):
        of_size = n == size
        how_many = np.bincount(c[of_size], weights=weights[of_size], minlength=int(size) + 1).astype(np.float64)
        total += _sum_over_correct(int(size), wanted, how_many)
    result[defined] = total / weights.sum()
    return result


def _sum_over_correct(n: int, ks: Floats, how_many: Floats) -> Floats:
    """Sum of pass@k over problems with n samples each, `how_many[c]` of them with c correct; shape of ks."""
    survival = np.ones(len(ks))
    total = np.zeros(len(ks))
    highest = int(np.flatnonzero(how_many)[-1])
    for c in range(1, highest + 1):
        survival *= np.maximum(n - ks - (c - 1), 0.0) / (n - (c - 1))
        if how_many[c]:
            total += how_many[c] * (1.0 - survival)
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
