"""How success rates are spread over the problems of a benchmark: mixing distributions of one run and of two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from backend.estimators.pass_at_k import Counts, Floats
from backend.estimators.solve_sets import Combination

# How success rates are spread over the problems of a run: a mixing distribution on a grid of rates. The samples of a
# problem are binomial with a rate of its own. The rates' distribution is estimated by maximum likelihood without a
# shape (NPMLE: Kiefer & Wolfowitz 1956; on a fixed grid by EM: Laird 1978, Koenker & Mizera 2014). Zero is a rate of
# its own, since some problems are never solved; so is one. What a problem's samples say is then Bayes' rule on the
# grid (Robbins 1956).

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


# How the success rates of two runs are spread over the problems of a benchmark, together. What the other run does is
# the best evidence about a problem that a run has not solved, and the level comes next. The distribution of both
# rates is estimated on a grid of pairs, as that of one rate is (`prior.py`), by EM with a smoothing step in every
# round (EMS: Silverman, Jones, Wilson & Nychka 1990), which a two-dimensional NPMLE of a few hundred problems needs.
# Levels share what they know: the distribution of a level is pulled towards that of all problems.

PAIR_RATES = 32
"""Rates on the grid of each run."""

NEAR_ZERO = 0.1
"""The smallest rate that is not zero shows in this share of runs of n samples."""

PAIR_ROUNDS = 30
"""Rounds of EM: more of them fit the noise of few problems."""

TO_NEIGHBOURS = 0.1
"""Share of a rate's weight that every round gives to each neighbour on the grid; zero and one keep theirs."""

SHARED = 10.0
"""Problems' worth of the distribution over all problems that every level starts from."""

BLOCK = 200
"""Tallies that are worked on at a time: too few for BLAS to start threads, which cost more than they bring here."""

Strata = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tallies:
    """n and c of the same problems in one run, both of shape (problems,)."""

    n: Counts
    c: Counts


@dataclass(frozen=True, slots=True, eq=False)
class PairPosterior:
    """Where both rates of each problem may lie, given the samples of both runs."""

    grid: Floats
    """Rates, shape (G,)."""
    of_runs: tuple[Floats, Floats]
    """For each run the chance of each rate, every row adds up to 1, shape (problems, G)."""
    _likelihoods: tuple[Floats, Floats]
    _weights: Floats
    _strata: Strata

    def combinations(self, solving: Sequence[Floats]) -> dict[Combination, Floats]:
        """Chance of each combination of runs that solve a problem.

        Args:
            solving: for each run the chance of solving at each rate, shape (problems, G).

        Returns:
            Shape (problems,) for each combination; they add up to 1.
        """
        first, second = solving
        return {
            (one, other): self._expect(first if one else 1 - first, second if other else 1 - second)
            for one, other in product((True, False), repeat=2)
        }

    def _expect(self, first: Floats, second: Floats) -> Floats:
        """Expected product of a function of the first rate and one of the second; shape (problems,)."""
        result = np.empty(len(self._strata))
        for stratum, rows in _by_stratum(self._strata):
            weights = self._weights[stratum]
            one, other = (chances[rows] for chances in self._likelihoods)
            evidence = ((one @ weights) * other).sum(axis=1)
            result[rows] = (((one * first[rows]) @ weights) * (other * second[rows])).sum(axis=1) / evidence
        return result


@dataclass(frozen=True, slots=True, eq=False)
class PairPrior:
    """A distribution of the success rates of two runs on a grid of pairs, one for each level."""

    grid: Floats
    """Rates of either run, increasing from 0 to 1, shape (G,)."""
    weights: Floats
    """Share of a level's problems at each pair of rates; each level adds up to 1, shape (levels, G, G)."""

    def posterior(self, runs: Sequence[Tallies], strata: Strata) -> PairPosterior:
        """What the samples of both runs say of each problem.

        Args:
            runs: the tallies of the problems in the two runs.
            strata: level of each problem, an index into `weights`, shape (problems,).
        """
        first, second = runs
        one, other = likelihood(first.n, first.c, self.grid), likelihood(second.n, second.c, self.grid)
        of_first, of_second = np.empty_like(one), np.empty_like(other)
        for stratum, rows in _by_stratum(strata):
            weights = self.weights[stratum]
            of_first[rows] = one[rows] * (other[rows] @ weights.T)
            of_second[rows] = other[rows] * (one[rows] @ weights)
        of_runs = tuple(joint / joint.sum(axis=1, keepdims=True) for joint in (of_first, of_second))
        return PairPosterior(self.grid, (of_runs[0], of_runs[1]), (one, other), self.weights, strata)


def fit_pair(first: Tallies, second: Tallies, strata: Strata) -> PairPrior:
    """The smooth distribution of both rates that makes the samples of all problems likely.

    Args:
        first, second: tallies of the same problems in two runs.
        strata: level of each problem, 0, 1, ... ; all 0 where levels are unknown.
    """
    most = max(int(first.n.max(initial=1)), int(second.n.max(initial=1)))
    grid = rates(PAIR_RATES, min(NEAR_ZERO / most, 0.01))
    even = np.full((PAIR_RATES, PAIR_RATES), 1.0 / PAIR_RATES**2)
    levels = int(strata.max(initial=0)) + 1
    counted = [
        (stratum, *block) for stratum, rows in _by_stratum(strata) for block in _distinct(first, second, rows, grid)
    ]
    weights = np.stack([even] * levels)
    smooth = _smoothing(PAIR_RATES)
    for _ in range(PAIR_ROUNDS):
        found = np.zeros_like(weights)
        for stratum, one, other, times in counted:
            evidence = ((one @ weights[stratum]) * other).sum(axis=1)
            found[stratum] += weights[stratum] * (one.T @ (other * (times / evidence)[:, None]))
        everywhere = smooth @ (found.sum(axis=0) + SPREAD * even) @ smooth.T
        everywhere /= everywhere.sum()
        weights = smooth @ found @ smooth.T + SHARED * everywhere
        weights /= weights.sum(axis=(1, 2), keepdims=True)
    return PairPrior(grid, weights)


def _by_stratum(strata: Strata) -> Iterator[tuple[int, Counts]]:
    """Every level that has problems, and which."""
    for stratum in np.unique(strata).tolist():
        yield stratum, np.flatnonzero(strata == stratum)


def _distinct(first: Tallies, second: Tallies, rows: Counts, grid: Floats) -> Iterator[tuple[Floats, Floats, Counts]]:
    """Likelihoods of the distinct tallies among these problems and how often each occurs, a block at a time."""
    tallies = np.stack([first.n, first.c, second.n, second.c], axis=1)[rows]
    found, times = np.unique(tallies, axis=0, return_counts=True)
    one, other = likelihood(found[:, 0], found[:, 1], grid), likelihood(found[:, 2], found[:, 3], grid)
    for start in range(0, len(found), BLOCK):
        block = slice(start, start + BLOCK)
        yield one[block], other[block], times[block]


def _smoothing(size: int) -> Floats:
    """The matrix that gives a share of every inner rate's weight to its neighbours; columns add up to 1."""
    inner = np.arange(1, size - 1)
    matrix = np.zeros((size, size))
    matrix[0, 0] = matrix[-1, -1] = 1.0
    matrix[inner, inner] = 1.0 - 2 * TO_NEIGHBOURS
    for neighbours in (np.maximum(inner - 1, 1), np.minimum(inner + 1, size - 2)):
        matrix[neighbours, inner] += TO_NEIGHBOURS
    return matrix
