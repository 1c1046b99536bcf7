"""How the success rates of two runs are spread over the problems of a benchmark, together.

What the other run does is the best evidence about a problem that a run has not solved, and the level comes next. The
distribution of both rates is estimated on a grid of pairs, as that of one rate is (`prior.py`), by EM with a smoothing
step in every round (EMS: Silverman, Jones, Wilson & Nychka 1990), which a two-dimensional NPMLE of a few hundred
problems needs. Levels share what they know: the distribution of a level is pulled towards that of all problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from backend.metrics.pass_at_k import Counts, Floats
from backend.metrics.prior import SPREAD, likelihood, rates
from backend.metrics.solve_sets import Combination

RATES = 32
"""Rates on the grid of each run."""

NEAR_ZERO = 0.1
"""The smallest rate that is not zero shows in this share of runs of n samples."""

ROUNDS = 30
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
    grid = rates(RATES, min(NEAR_ZERO / most, 0.01))
    even = np.full((RATES, RATES), 1.0 / RATES**2)
    levels = int(strata.max(initial=0)) + 1
    counted = [
        (stratum, *block) for stratum, rows in _by_stratum(strata) for block in _distinct(first, second, rows, grid)
    ]
    weights = np.stack([even] * levels)
    smooth = _smoothing(RATES)
    for _ in range(ROUNDS):
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
