"""How success rates are spread over the problems of a run: a mixing distribution on a grid of rates.

The samples of a problem are binomial with a rate of its own. The rates' distribution is estimated by maximum likelihood
without a shape (NPMLE: Kiefer & Wolfowitz 1956; on a fixed grid by EM: Laird 1978, Koenker & Mizera 2014). Zero is a
rate of its own, since some problems are never solved; so is one. What a problem's samples say is then Bayes' rule on
the grid (Robbins 1956).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.metrics.pass_at_k import Counts, Floats

LOWEST = 1e-4
"""The smallest rate on a grid that is not zero: 10,000 samples find it in 63 of 100 runs."""

RATES = 120
"""Rates on the grid, zero and one among them: 0.15 apart in log-odds, less than the samples of 1,024 tell apart."""

SPREAD = 1.0
"""Problems' worth of weight that is spread evenly over the grid: what no sample rules out keeps a little."""

ROUNDS = 400
"""Rounds of EM at most."""

ENOUGH = 1e-6
"""EM ends when a round gains less log-likelihood than this for each problem."""


def rates(how_many: int = RATES, lowest: float = LOWEST) -> Floats:
    """A grid of success rates: 0, then even in log-odds from the lowest to one minus it, then 1; shape (how_many,)."""
    end = np.log(lowest / (1.0 - lowest))
    inner = 1.0 / (1.0 + np.exp(-np.linspace(end, -end, how_many - 2)))
    return np.concatenate(([0.0], inner, [1.0]))


def likelihood(n: Counts, c: Counts, grid: Floats) -> Floats:
    """What each rate says of the samples of each problem.

    Args:
        n: samples of each problem, shape (problems,); 0 says nothing.
        c: correct samples, same shape, 0 <= c <= n.
        grid: rates, shape (G,), with at least one strictly between 0 and 1.

    Returns:
        Shape (problems, G): rate^c (1 - rate)^(n - c), scaled so that the largest of a problem is 1.
    """
    with np.errstate(divide="ignore"):
        right, wrong = np.log(grid), np.log1p(-grid)
    # 0 times -inf is to be 0: rates of 0 and 1 rule out nothing that did not happen.
    logs = np.where(c[:, None] > 0, c[:, None] * np.maximum(right, -1e300), 0.0)
    logs += np.where((n - c)[:, None] > 0, (n - c)[:, None] * np.maximum(wrong, -1e300), 0.0)
    values: Floats = np.exp(logs - logs.max(axis=1, keepdims=True))
    return values


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """A distribution of success rates on a grid."""

    grid: Floats
    """Rates, increasing from 0 to 1, shape (G,)."""
    weights: Floats
    """Share of the problems at each rate; they add up to 1, shape (G,)."""

    def posterior(self, n: Counts, c: Counts) -> Floats:
        """Where the rate of each problem may lie, given its samples.

        Args:
            n: samples of each problem, shape (problems,).
            c: correct samples, same shape.

        Returns:
            Shape (problems, G), every row adds up to 1.
        """
        rows, inverse = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
        joint = self.weights * likelihood(rows[:, 0], rows[:, 1], self.grid)
        posterior: Floats = (joint / joint.sum(axis=1, keepdims=True))[inverse.reshape(-1)]
        return posterior


def fit_prior(n: Counts, c: Counts, grid: Floats | None = None, *, rounds: int = ROUNDS) -> Prior:
    """The distribution of success rates that makes the samples of all problems likeliest.

    Args:
        n: samples of each problem, shape (problems,); problems without samples count for nothing.
        c: correct samples, same shape.
        grid: see `rates`.
        rounds: of EM at most; after few of them the distribution is still smooth, as it began.

    Returns:
        A prior in which every rate of the grid keeps some weight (`SPREAD`).
    """
    grid = rates() if grid is None else grid
    even = np.full(len(grid), 1.0 / len(grid))
    rows, times = np.unique(np.stack([n, c], axis=1)[n > 0], axis=0, return_counts=True)
    if not len(rows):
        return Prior(grid, even)
    chances, problems = likelihood(rows[:, 0], rows[:, 1], grid), float(times.sum())
    weights, before = even, -np.inf
    for _ in range(rounds):
        of_rows = chances @ weights
        weights = weights * (chances.T @ (times / of_rows)) + SPREAD * even
        weights /= weights.sum()
        now = float(times @ np.log(of_rows)) / problems
        if now - before < ENOUGH:
            break
        before = now
    return Prior(grid, weights)
