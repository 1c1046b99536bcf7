"""How sure a solve set is: chances from the posterior of the success rates, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backend.metrics.joint_prior import Strata, Tallies, fit_pair
from backend.metrics.pass_at_k import Counts, Floats
from backend.metrics.prior import fit_prior
from backend.metrics.solve_sets import Combination, all_combinations

INTERVAL = 0.95
"""Share inside every interval."""


class Posterior(Protocol):
    """Where the success rates of each problem may lie in each run."""

    @property
    def grid(self) -> Floats:
        """Rates, shape (G,)."""

    @property
    def of_runs(self) -> tuple[Floats, ...]:
        """For each run, the chance of each rate; shape (problems, G)."""

    def combinations(self, solving: Sequence[Floats]) -> dict[Combination, Floats]:
        """Chance of each combination of runs that solve a problem, shape (problems,); they add up to 1.

        Args:
            solving: for each run the chance of solving at each rate, shape (problems, G).
        """


@dataclass(frozen=True, slots=True, eq=False)
class SeparatePosterior:
    """Posterior of any number of runs, each under a prior of its own."""

    grid: Floats
    of_runs: tuple[Floats, ...]

    def combinations(self, solving: Sequence[Floats]) -> dict[Combination, Floats]:
        """See `Posterior`; rates of different runs are independent given the samples."""
        solved = [(chances * at).sum(axis=1) for chances, at in zip(self.of_runs, solving, strict=True)]
        return {
            entry: np.prod(
                [share if wanted else 1 - share for wanted, share in zip(entry, solved, strict=True)], axis=0
            )
            for entry in all_combinations(len(solved))
        }


def posterior_of(runs: Sequence[Tallies], strata: Strata) -> Posterior:
    """Posterior of the success rates of the same problems in some runs, under a prior fitted to all of them.

    Two runs share a prior of both rates, by level (`joint_prior.py`); otherwise every run has its own (`prior.py`).

    Args:
        runs: tallies of each run, one or more.
        strata: level of each problem, an index from 0.
    """
    if len(runs) == 2:
        first, second = runs
        pair: Posterior = fit_pair(first, second, strata).posterior(first, second, strata)
        return pair
    priors = [fit_prior(run.n, run.c) for run in runs]
    of_runs = tuple(prior.posterior(run.n, run.c) for prior, run in zip(priors, runs, strict=True))
    return SeparatePosterior(priors[0].grid, of_runs)


def chance_of_success(grid: Floats, draws: Counts, needed: Counts) -> Floats:
    """Chance that at least `needed` of `draws` samples are right, at each rate: the binomial tail.

    Args:
        grid: rates, shape (G,).
        draws: samples of each problem, shape (problems,).
        needed: right ones wanted, same shape; 0 or less is certain.

    Returns:
        Shape (problems, G).
    """
    pairs, inverse = np.unique(np.stack([draws, np.maximum(needed, 0)], axis=1), axis=0, return_inverse=True)
    m, least = pairs[:, :1].astype(np.float64), pairs[:, 1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        # expm1 keeps the digits of small rates.
        once = np.where(m > 0, -np.expm1(m * np.log1p(-grid)), 0.0)
    chances = np.where(least <= 0, 1.0, once)
    if (least > 1).any():
        from scipy.special import betainc

        # At least k of m: the regularised incomplete beta function I_p(k, m - k + 1); impossible for k > m.
        tail = betainc(np.maximum(least, 1), np.maximum(m - least + 1, 0.5), grid)
        chances = np.where(least > 1, np.where(least > m, 0.0, tail), chances)
    result: Floats = chances[inverse.reshape(-1)]
    return result


def rate_intervals(grid: Floats, chances: Floats) -> tuple[Floats, Floats, Floats]:
    """Posterior mean of each problem's rate, and its equal-tailed 95 % credible interval.

    Between two rates of the grid the distribution function is taken as a straight line; an end lies on zero or one
    when half of that rate's own chance reaches over it.

    Args:
        grid: rates, shape (G,).
        chances: posterior, shape (problems, G).

    Returns:
        Mean, low, high; each of shape (problems,).
    """
    below = np.cumsum(chances, axis=1) - chances / 2
    ends = []
    for share in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2):
        right = np.clip((below < share).sum(axis=1), 1, len(grid) - 1)
        rows = np.arange(len(chances))
        low, high = below[rows, right - 1], below[rows, right]
        part = np.clip((share - low) / np.maximum(high - low, 1e-300), 0.0, 1.0)
        ends.append(grid[right - 1] + part * (grid[right] - grid[right - 1]))
    mean: Floats = chances @ grid
    return mean, np.minimum(ends[0], mean), np.maximum(ends[1], mean)


@dataclass(frozen=True, slots=True, eq=False)
class Otherwise:
    """Chances of what fresh samples, or further ones, would say of each problem."""

    solved: tuple[Floats, ...]
    """For each run, the chance that it is solved then; shape (problems,)."""
    changed: tuple[Floats, ...]
    """For each run, the chance that this is not what is so now; shape (problems,)."""
    combinations: dict[Combination, Floats]
    """For each combination of runs, the chance that just these solve the problem; they add up to 1."""
    moved: Floats
    """Chance that the problem is then in another set; shape (problems,)."""


def otherwise(posterior: Posterior, runs: Sequence[Tallies], least: int, more: int | None = None) -> Otherwise:
    """What a fresh run of the same n, or `more` further samples, would say.

    Args:
        posterior: of the same problems and runs.
        runs: the tallies.
        least: right samples from which on a run solves a problem.
        more: further samples of each problem and run; None for a fresh run.
    """
    solving = [chance_of_success(posterior.grid, *_asked(run, least, more)) for run in runs]
    solved = tuple((chances * at).sum(axis=1) for chances, at in zip(posterior.of_runs, solving, strict=True))
    now = [run.c >= least for run in runs]
    # The chance of failing is summed of its own: one minus the other would lose the digits of small chances.
    changed = tuple(
        np.where(so, (chances * (1 - at)).sum(axis=1), share)
        for so, at, chances, share in zip(now, solving, posterior.of_runs, solved, strict=True)
    )
    combinations = posterior.combinations(solving)
    stays = np.zeros(len(now[0]))
    for entry, chances in combinations.items():
        here = np.logical_and.reduce([so == wanted for so, wanted in zip(now, entry, strict=True)])
        stays[here] = chances[here]
    return Otherwise(solved, changed, combinations, np.clip(1 - stays, 0.0, 1.0))


def _asked(run: Tallies, least: int, more: int | None) -> tuple[Counts, Counts]:
    """Samples to draw of each problem, and how many of them must be right for it to be solved."""
    if more is None:
        return run.n, np.full_like(run.n, least)
    return np.full_like(run.n, more), least - run.c


def count_range(chances: Floats) -> tuple[int, int]:
    """Between which numbers the count of problems lies in 95 % of cases, each being counted with its own chance.

    The exact Poisson-binomial distribution: the product of the problems' generating functions, pair by pair.

    Args:
        chances: shape (problems,), independent.

    Returns:
        The 2.5 % and the 97.5 % quantile.
    """
    factors = np.stack([1 - chances, chances], axis=1) if len(chances) else np.ones((1, 1))
    while len(factors) > 1:
        if len(factors) % 2:
            factors = np.vstack([factors, np.eye(1, factors.shape[1])])
        size = 2 * factors.shape[1] - 1
        spectrum = np.fft.rfft(factors, size, axis=1)
        factors = np.fft.irfft(spectrum[::2] * spectrum[1::2], size, axis=1)
    below = np.cumsum(np.maximum(factors[0], 0.0))
    low, high = (int(np.searchsorted(below, share * below[-1])) for share in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2))
    return min(low, len(chances)), min(high, len(chances))
