"""Estimators over a problem's (n, c): pass@k (Chen et al. 2021, arXiv 2107.03374, equation 1), Cover@tau and maj@k."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

# pass@k, the unbiased estimator of Chen et al. 2021 (arXiv 2107.03374), equation 1. pass@k = mean over problems of 1
# - C(n - c, k) / C(n, k), for k <= n. For k > n it is undefined: never padded, never extrapolated.

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


EQUAL = 1e-12
"""Curves closer than this are equal: what is left of a difference there is rounding."""


def leads(ks: Counts, first: Floats, second: Floats) -> list[tuple[int, int, int]]:
    """Who is ahead where, over all k at which both curves are defined.

    A stretch of equality belongs to the one before it; at the beginning it is left out.

    Args:
        ks: increasing, every k from 1 on.
        first, second: the two curves at these k's; NaN where undefined.

    Returns:
        First and last k of each stretch, and 1 where the second curve is ahead, -1 where the first is.
    """
    difference = second - first
    known = ~np.isnan(difference)
    difference, ks = difference[known], ks[known]
    ahead = np.flatnonzero(np.abs(difference) > EQUAL)
    if not len(ahead):
        return []
    signs = np.sign(difference[ahead]).astype(np.int64)
    turns = np.concatenate([[0], np.flatnonzero(np.diff(signs)) + 1])
    starts = ks[ahead[turns]].tolist()
    ends = [start - 1 for start in starts[1:]] + [int(ks[-1])]
    return list(zip(starts, ends, signs[turns].tolist(), strict=True))


def crossing(ks: Counts, first: Floats, second: Floats) -> int | None:
    """The smallest k at which the curve that is ahead at first is no longer ahead; arguments as of `leads`.

    Returns:
        The k, or None when the order never changes where both are defined (or they start equal and stay so).
    """
    found = leads(ks, first, second)
    return found[1][0] if len(found) > 1 else None


# Cover@tau: the share of problems of which at least a share tau of the samples is correct (arXiv 2510.08325). pass@k
# at large k rewards a lucky guess in a thousand; Cover@tau asks for reliability: tau near 0 is solvable at all, tau =
# 1 is always right. Whether c/n reaches tau is decided in integers.


def least_correct(n: int, taus: Sequence[Fraction]) -> Counts:
    """The smallest c with c/n >= tau, for each tau; shape (taus,)."""
    return np.array([-(-tau.numerator * n // tau.denominator) for tau in taus], dtype=np.int64)


def cover_tables(n: int, taus: Sequence[Fraction]) -> Floats:
    """1 where c/n >= tau, else 0.

    Args:
        n: samples of a problem.
        taus: thresholds within 0..1.

    Returns:
        Shape (n + 1, taus): a row for each number of correct samples.
    """
    return (np.arange(n + 1)[:, None] >= least_correct(n, taus)).astype(np.float64)


# maj@k: how often the answer that most of k samples give is right (self-consistency, Wang et al. 2022, 2203.11171).

DRAWS = 100
"""Random subsets of the samples of each problem, where maj@k is not exact."""


def majority_score(votes: Counts, correct: Counts) -> float:
    """Expected correctness of the answer with the most votes; among answers with equally many, each is as likely.

    Args:
        votes: samples that gave each answer, shape (answers,).
        correct: how many of them are correct, same shape. All or none, unless a verifier judged the same words
            differently; then the answer is right with that share.

    Returns:
        Between 0 and 1; 0 where nobody gave an answer.
    """
    if not len(votes):
        return 0.0
    first = votes == votes.max()
    return float((correct[first] / votes[first]).mean())


def majority_at_k(
    votes: Counts, correct: Counts, n: int, ks: Sequence[int], seed: Sequence[int], draws: int = DRAWS
) -> tuple[Floats, Floats]:
    """maj@k of one problem: the majority among k of its n samples drawn without replacement.

    Exact for k = 1 and k = n. Between, the mean over `draws` random orders of the samples, of which each k takes the
    beginning, so that the same seed gives the same numbers.

    Args:
        votes, correct: see `majority_score`; sum(votes) <= n, and the other samples gave no answer.
        ks: increasing, each in 1..n.
        seed: of the random orders.

    Returns:
        The values and the squared standard errors of those from random subsets, NaN where a value is exact; both of
        shape (ks,).
    """
    values, errors = np.zeros(len(ks)), np.full(len(ks), np.nan)
    random = _random_scores(votes, correct, n, [k for k in ks if 1 < k < n], seed, draws)
    for i, k in enumerate(ks):
        if k == 1:
            values[i] = correct.sum() / n
        elif k == n or not len(votes) or votes[0] == n:
            values[i] = majority_score(votes, correct)
        else:
            scores = random[k]
            values[i], errors[i] = scores.mean(), scores.var(ddof=1) / draws
    return values, errors


def _random_scores(
    votes: Counts, correct: Counts, n: int, ks: Sequence[int], seed: Sequence[int], draws: int
) -> dict[int, Floats]:
    """For every k the score of the majority in each random subset, shape (draws,)."""
    if not ks or not len(votes) or votes[0] == n:
        return {}
    answers = len(votes)
    # One more than there are answers: the last label is a sample without one, whose votes are not looked at.
    labels = np.repeat(np.arange(answers + 1), [*votes, n - votes.sum()])
    orders = np.random.default_rng(seed).permuted(np.tile(labels, (draws, 1)), axis=1)
    orders += np.arange(draws)[:, None] * (answers + 1)
    counted = np.zeros((draws, answers + 1), dtype=np.int64)
    shares, taken, scores = correct / votes, 0, {}
    for k in ks:
        counted += np.bincount(orders[:, taken:k].ravel(), minlength=counted.size).reshape(counted.shape)
        taken = k
        given = counted[:, :answers]
        top = given.max(axis=1, keepdims=True)
        first = (given == top) & (top > 0)
        scores[k] = (first * shares).sum(axis=1) / np.maximum(first.sum(axis=1), 1)
    return scores
