"""Counts of a replication, with what is not known of the prior: it is refitted many times, and the forecasts are mixed.

A fitted prior that is taken as known makes ranges too narrow, and what it holds below 1/n its smoothing has decided:
n samples hardly tell a rate of 1/10 n from 0. So every refit

- weighs the problems anew (Bayesian bootstrap: Rubin 1981),
- begins from a distribution of its own below 1/n: how much is never solved, and how fast the rest thins out,
- ends with a share of never solved drawn from what the samples say of it, under the prior of Jeffreys (1946) for a
  share and with the likelihood weakened (`CAUTION`), since the shape between the share's ends is an assumption.

`python -m tests.bench.coverage --only counts` measures how often the ranges hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.estimators.mixtures import NEAR_ZERO, PAIR_RATES, SHARED, Strata, Tallies, likelihood, rates
from backend.estimators.pass_at_k import Counts, Floats
from backend.estimators.solve_sets import Combination, all_combinations
from backend.estimators.uncertainty import INTERVAL, asked, at_least, count_distributions

REFITS = 40
"""Mixed; with more of them ranges move by less than a problem."""

ROUNDS = 30
"""Rounds of EM of each."""

KEPT = 0.2
"""Problems' worth of the distribution that a refit begins from, added in every round."""

NEIGHBOURS = 0.05
"""Share of a rate's weight that every round gives to each neighbour on the grid; zero and one keep theirs."""

NEVER = 2.0
"""Standard deviation of the log-odds of zero, and of one, among the rates that a refit begins from."""

THINNING = (0.25, 0.5)
"""Mean and standard deviation of the power of the rate with which weights fall below 1/n."""

UNTOLD = 1.5
"""Rates below so many n-ths are hardly told from zero: between them and it the share is drawn."""

CAUTION = 0.3
"""Power of the likelihood of that share. At 1, ranges for 3 n further samples held in 78 of 100 cases at worst."""

SOLVED = 10
"""Problems that a run solves from which on the power is that low. Where nothing was solved it is 1: no shape is assumed
then, and what is left is the rule of three."""

SHARES = np.linspace(-12.0, 12.0, 49)
"""Steps in log-odds by which the share of never solved is moved."""

SEED = 2025
"""The same tallies give the same ranges."""

AT_ONCE = 200
"""Tallies worked on at a time: too few for BLAS to start threads, which cost more than they bring here."""

EXACT = 6
"""Up to so many correct, or incorrect, samples a tally is taken as it is; beyond, in steps of a sixth."""

CALIBRATED_TO = 3
"""Forecasts for up to so many times n further samples were measured; beyond, a range has no percentage."""


@dataclass(frozen=True, slots=True, eq=False)
class Refits:
    """Priors of one run or of two, refitted: for every level and refit a distribution over pairs of rates."""

    grid: Floats
    """Rates of a run, shape (G,)."""
    weights: Floats
    """Shape (levels, refits, G, G) for two runs, (levels, refits, G, 1) for one."""


def refit(runs: Sequence[Tallies], strata: Strata, *, seed: int = SEED) -> tuple[Refits, ...]:
    """The priors of some runs, refitted: one joint prior for two runs, else one for each.

    Args:
        runs: tallies of each run, of the same problems.
        strata: level of each problem, an index from 0.
        seed: of the refits.
    """
    random = np.random.default_rng(seed)
    if len(runs) == 2:
        return (_refit(runs, strata, random),)
    # Levels play no part in priors of single runs.
    return tuple(_refit([run], np.zeros_like(strata), random) for run in runs)


def _refit(runs: Sequence[Tallies], strata: Strata, random: np.random.Generator) -> Refits:
    most = max(int(run.n.max(initial=1)) for run in runs)
    grid = rates(PAIR_RATES, min(NEAR_ZERO / most, 0.01))
    levels = [_Level(grid, runs, rows, random) for rows in _rows_of_levels(strata)]
    start = np.ones((REFITS, len(grid), 1))
    for axis, run in enumerate(runs):
        of_run = _starts(grid, run, random)
        start = of_run[:, :, None] if axis == 0 else start * of_run[:, None, :]
    start /= start.sum(axis=(1, 2), keepdims=True)
    weights = np.stack([start] * len(levels))
    smooth = [_smoothing(size) for size in start.shape[1:]]
    for _ in range(ROUNDS):
        found = np.stack([level.expected(of_level) for level, of_level in zip(levels, weights, strict=True)])
        found = smooth[0] @ found @ smooth[1].T
        everywhere = found.sum(axis=0) + KEPT * start
        everywhere /= everywhere.sum(axis=(1, 2), keepdims=True)
        weights = found + (SHARED * everywhere if len(levels) > 1 else KEPT * start)
        weights /= weights.sum(axis=(2, 3), keepdims=True)
    for axis, run in enumerate(runs):
        weights = _draw_never(grid, levels, weights, axis, run, random)
    return Refits(grid, weights)


def _rows_of_levels(strata: Strata) -> list[Counts]:
    return [np.flatnonzero(strata == level) for level in range(int(strata.max(initial=0)) + 1)]


def _starts(grid: Floats, run: Tallies, random: np.random.Generator) -> Floats:
    """The distributions of a run's rates that refits begin from, shape (refits, G)."""
    n = _usual_n(run)
    power = random.normal(*THINNING, size=(REFITS, 1))
    start = np.exp(power * np.minimum(np.log(np.maximum(grid, grid[1]) * n), 0.0))
    start[:, 0] *= np.exp(random.normal(0.0, NEVER, REFITS)) * max((grid < 1 / n).sum() - 1, 1)
    start[:, -1] *= np.exp(random.normal(0.0, NEVER / 2, REFITS))
    shares: Floats = start / start.sum(axis=1, keepdims=True)
    return shares


def _usual_n(run: Tallies) -> float:
    sampled = run.n[run.n > 0]
    return float(np.median(sampled)) if len(sampled) else 1.0


class _Level:
    """The problems of one level: likelihoods of their distinct tallies, and their weight in each refit."""

    def __init__(self, grid: Floats, runs: Sequence[Tallies], rows: Counts, random: np.random.Generator) -> None:
        columns = [column[rows] for run in runs for column in (run.n, _coarse(run.n, run.c))]
        found, self.times = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
        self.problems = len(rows)
        self.of_first = likelihood(found[:, 0], found[:, 1], grid)
        self.of_second = likelihood(found[:, 2], found[:, 3], grid) if len(runs) == 2 else np.ones((len(found), 1))
        drawn = random.standard_gamma(self.times, size=(REFITS, len(found)))
        self.drawn: Floats = drawn * (len(rows) / np.maximum(drawn.sum(axis=1, keepdims=True), 1e-300))

    def expected(self, weights: Floats) -> Floats:
        """Expected problems at every pair of rates in every refit, as a step of EM has them."""
        total = np.zeros_like(weights)
        for start in range(0, len(self.times), AT_ONCE):
            block = slice(start, start + AT_ONCE)
            first, second = self.of_first[block], self.of_second[block]
            evidence = ((first @ weights) * second).sum(axis=2)
            total += first.T @ (second * (self.drawn[:, block] / evidence)[:, :, None])
        return weights * total


def _coarse(n: Counts, c: Counts) -> Counts:
    """c, in steps of a sixth where neither many correct nor many incorrect samples are far from any boundary."""
    fewer = np.minimum(c, n - c)
    step = np.maximum(fewer // EXACT, 1)
    rounded = np.where(fewer > EXACT, fewer // step * step + step // 2, fewer)
    return np.where(c <= n - c, rounded, n - rounded)


def _draw_never(
    grid: Floats, levels: Sequence[_Level], weights: Floats, axis: int, run: Tallies, random: np.random.Generator
) -> Floats:
    """The refits with a share of never solved that is drawn from what the samples say of it."""
    untold: NDArray[np.bool_] = grid < UNTOLD / _usual_n(run)
    untold[0] = False
    if not untold.any():
        return weights
    sides = weights if axis == 0 else weights.transpose(0, 1, 3, 2)
    totals = sides.sum(axis=3)
    never, seldom = np.maximum(totals[:, :, 0], 1e-300), np.maximum(totals[:, :, untold].sum(axis=2), 1e-300)
    both = never + seldom
    odds = np.log(never / seldom) + SHARES[:, None, None]
    share = 1 / (1 + np.exp(-odds))
    to_never, to_seldom = share * both / never, (1 - share) * both / seldom
    logs = np.zeros((len(SHARES), weights.shape[1]))
    for place, level in enumerate(levels):
        logs += _log_likelihood(level, sides[place], untold, axis, to_never[:, place], to_seldom[:, place])
    sizes = np.array([level.problems for level in levels], dtype=np.float64)[:, None] * both
    pooled = (share * sizes).sum(axis=1) / sizes.sum(axis=0)
    power = 1 - (1 - CAUTION) * min(float((run.c > 0).sum()) / SOLVED, 1.0)
    logs = power * logs + 0.5 * np.log(np.clip(pooled * (1 - pooled), 1e-300, None))
    chances = np.cumsum(np.exp(logs - logs.max(axis=0)), axis=0)
    drawn = (random.random(logs.shape[1]) * chances[-1] > chances).sum(axis=0)
    refits = np.arange(logs.shape[1])
    moved = sides.copy()
    moved[:, :, 0] *= to_never[drawn, :, refits].T[:, :, None]
    moved[:, :, untold] *= to_seldom[drawn, :, refits].T[:, :, None, None]
    return moved if axis == 0 else moved.transpose(0, 1, 3, 2)


def _log_likelihood(
    level: _Level, weights: Floats, untold: NDArray[np.bool_], axis: int, to_never: Floats, to_seldom: Floats
) -> Floats:
    """Of a level's tallies for each step of `SHARES` and each refit; arguments as `_draw_never` makes them."""
    these, others = (level.of_first, level.of_second) if axis == 0 else (level.of_second, level.of_first)
    logs = np.zeros_like(to_never)
    for start in range(0, len(level.times), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        joint = (others[block] @ weights.transpose(0, 2, 1)) * these[block]
        zero, low = joint[:, :, 0], joint[:, :, untold].sum(axis=2)
        rest = joint.sum(axis=2) - zero - low
        for place in range(len(logs)):
            evidence = rest + to_never[place][:, None] * zero + to_seldom[place][:, None] * low
            logs[place] += np.log(np.maximum(evidence, 1e-300)) @ level.times[block]
    return logs


def _smoothing(size: int) -> Floats:
    inner = np.arange(1, size - 1)
    matrix = np.eye(size)
    if size > 2:
        matrix[inner, inner] = 1.0 - 2 * NEIGHBOURS
        for neighbours in (np.maximum(inner - 1, 1), np.minimum(inner + 1, size - 2)):
            matrix[neighbours, inner] += NEIGHBOURS
    return matrix


@dataclass(frozen=True, slots=True, eq=False)
class CountForecast:
    """How many problems each set is expected to have in a replication, or after further samples."""

    ranges: dict[Combination, tuple[int, int]]
    """The 2.5 % and the 97.5 % quantile."""
    means: dict[Combination, float]
    solved: tuple[Floats, ...]
    """For each run the mean chance that it solves a problem then, shape (problems,)."""
    moved: Floats
    """Mean chance that a problem is then in another set, shape (problems,)."""
    calibrated: bool
    """Whether ranges of this kind were measured to hold; beyond that they are no 95 %."""


def forecast_counts(
    refits: Sequence[Refits], runs: Sequence[Tallies], strata: Strata, least: int, more: int | None = None
) -> CountForecast:
    """The counts of sets in a fresh run of the same n, or after `more` further samples of each problem.

    A range for a fresh run never excludes the count that was seen: that run was one of its kind.

    Args:
        refits: of the same runs, fitted to these problems or to more of their kind.
        runs: tallies of each run.
        strata: level of each problem.
        least: correct samples from which on a run solves a problem.
        more: further samples of each problem and run; None for a fresh run.
    """
    entries = all_combinations(len(runs))
    chances = _combination_chances(refits, runs, strata, least, more)
    now = [run.c >= least for run in runs]
    ranges, means = {}, {}
    stays, solved = np.zeros(len(now[0])), [np.zeros(len(now[0])) for _ in runs]
    for entry, of_entry in zip(entries, chances, strict=True):
        here = np.logical_and.reduce([so == wanted for so, wanted in zip(now, entry, strict=True)])
        below = np.cumsum(count_distributions(of_entry).mean(axis=1)) if len(here) else np.ones(1)
        low, high = (
            min(int(np.searchsorted(below, tail * below[-1])), len(here))
            for tail in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2)
        )
        if more is None:
            low, high = min(low, int(here.sum())), max(high, int(here.sum()))
        ranges[entry] = low, high
        share = of_entry.mean(axis=1)
        means[entry] = float(share.sum())
        stays += np.where(here, share, 0.0)
        for of_run, wanted in zip(solved, entry, strict=True):
            of_run += share * wanted
    smallest = min((int(run.n.min()) for run in runs if len(run.n)), default=0)
    calibrated = more is None or more <= CALIBRATED_TO * smallest
    moved = np.clip(1 - stays, 0.0, 1.0)
    return CountForecast(ranges, means, tuple(solved), moved, calibrated)


def _combination_chances(
    refits: Sequence[Refits], runs: Sequence[Tallies], strata: Strata, least: int, more: int | None
) -> list[Floats]:
    """For each combination of runs the chance that just these solve a problem, shape (problems, refits)."""
    solving = []
    for run in runs:
        draws, needed = asked(run, least, more)
        solving.append(at_least(refits[0].grid, draws[:, None], needed[:, None]))
    if len(runs) == 2:
        return _pair_chances(refits[0], runs, strata, solving)
    of_runs = []
    for of_run, run, solved in zip(refits, runs, solving, strict=True):
        weights = of_run.weights[0, :, :, 0]
        joint = likelihood(run.n, run.c, of_run.grid)
        of_runs.append((joint * solved) @ weights.T / (joint @ weights.T))
    return [
        np.prod([share if wanted else 1 - share for wanted, share in zip(entry, of_runs, strict=True)], axis=0)
        for entry in all_combinations(len(runs))
    ]


def _pair_chances(refits: Refits, runs: Sequence[Tallies], strata: Strata, solving: Sequence[Floats]) -> list[Floats]:
    columns = np.stack([strata, *(column for run in runs for column in (run.n, run.c))], axis=1)
    _, first_at, inverse = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    one, other = (likelihood(run.n[first_at], run.c[first_at], refits.grid) for run in runs)
    first, second = (solved[first_at] for solved in solving)
    found = np.empty((4, len(first_at), refits.weights.shape[1]))
    levels = np.minimum(strata[first_at], len(refits.weights) - 1)
    for level in np.unique(levels).tolist():
        rows = np.flatnonzero(levels == level)
        for start in range(0, len(rows), AT_ONCE):
            block = rows[start : start + AT_ONCE]
            at = one[block] @ refits.weights[level]
            solved = (one[block] * first[block]) @ refits.weights[level]
            with_second, without = other[block] * second[block], other[block] * (1 - second[block])
            evidence = (at * other[block]).sum(axis=2)
            both, by_first = (solved * with_second).sum(axis=2), (solved * without).sum(axis=2)
            by_second, by_none = (at * with_second).sum(axis=2) - both, (at * without).sum(axis=2) - by_first
            for place, chances in enumerate((both, by_first, by_second, by_none)):
                found[place, block] = (chances / evidence).T
    return list(np.clip(found, 0.0, 1.0)[:, inverse.reshape(-1)])
