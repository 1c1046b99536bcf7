"""How sure a solve set is: chances from the posterior of the success rates, in closed form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from backend.estimators.mixtures import Prior, Strata, Tallies, fit_pair, fit_prior
from backend.estimators.pass_at_k import Counts, Floats
from backend.estimators.solve_sets import Combination, all_combinations

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


class RatePrior(Protocol):
    """How success rates of some runs are spread over problems."""

    def posterior(self, runs: Sequence[Tallies], strata: Strata) -> Posterior:
        """What samples say of each problem, given its tallies in each run and its level."""


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


@dataclass(frozen=True, slots=True, eq=False)
class SeparatePriors:
    """For each run a prior of its own."""

    priors: tuple[Prior, ...]

    def posterior(self, runs: Sequence[Tallies], strata: Strata) -> SeparatePosterior:
        """See `RatePrior`; levels play no part."""
        of_runs = tuple(prior.posterior(run.n, run.c) for prior, run in zip(self.priors, runs, strict=True))
        return SeparatePosterior(self.priors[0].grid, of_runs)


def fit_rates(runs: Sequence[Tallies], strata: Strata) -> RatePrior:
    """How the success rates of some runs are spread, fitted to all problems that they share.

    Two runs share a prior of both rates, by level (`joint_prior.py`); otherwise every run has its own (`prior.py`).

    Args:
        runs: tallies of each run, one or more, of the same problems.
        strata: level of each problem, an index from 0.
    """
    if len(runs) == 2:
        return fit_pair(runs[0], runs[1], strata)
    return SeparatePriors(tuple(fit_prior(run.n, run.c) for run in runs))


def at_least(rates: Floats, draws: Counts, needed: Counts) -> Floats:
    """Chance that at least `needed` of `draws` samples are right: the binomial tail.

    Args:
        needed: right ones wanted; 0 or less is certain. All three are broadcast against each other.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        # expm1 keeps the digits of small rates.
        once = np.where(draws > 0, -np.expm1(draws * np.log1p(-rates)), 0.0)
    chances: Floats = np.where(needed <= 0, 1.0, once)
    if (needed > 1).any():
        from scipy.special import betainc

        # At least k of m: the regularised incomplete beta function I_p(k, m - k + 1); impossible for k > m.
        tail = betainc(np.maximum(needed, 1), np.maximum(draws - needed + 1, 0.5), rates)
        chances = np.where(needed > 1, np.where(needed > draws, 0.0, tail), chances)
    return chances


def rate_intervals(grid: Floats, chances: Floats) -> tuple[Floats, Floats, Floats]:
    """Posterior mean of each problem's rate, and its equal-tailed 95 % credible interval.

    Zero and one are rates of their own; between the others of the grid the distribution function is a straight line.

    Args:
        grid: rates, shape (G,).
        chances: posterior, shape (problems, G).

    Returns:
        Mean, low, high; each of shape (problems,).
    """
    below = np.cumsum(chances, axis=1) - chances / 2
    below[:, 0], below[:, -1] = chances[:, 0], 1 - chances[:, -1]
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
class Replication:
    """Chances of what fresh samples, or further ones, would say of each problem."""

    solved: tuple[Floats, ...]
    """For each run, the chance that it is solved then; shape (problems,)."""
    changed: tuple[Floats, ...]
    """For each run, the chance that this is not what is so now; shape (problems,)."""
    ranges: tuple[tuple[Floats, Floats], ...]
    """That chance at the two ends of each rate's credible interval, the smaller first."""
    combinations: dict[Combination, Floats]
    """For each combination of runs, the chance that just these solve the problem; they add up to 1."""
    moved: Floats
    """Chance that the problem is then in another set; shape (problems,)."""


def predict_replication(
    posterior: Posterior, runs: Sequence[Tallies], least: int, more: int | None = None
) -> Replication:
    """What a fresh run of the same n, or `more` further samples, would say.

    Args:
        posterior: of the same problems and runs.
        least: right samples from which on a run solves a problem.
        more: further samples of each problem and run; None for a fresh run.
    """
    wanted_of = [asked(run, least, more) for run in runs]
    solving = [at_least(posterior.grid, draws[:, None], needed[:, None]) for draws, needed in wanted_of]
    solved = tuple((chances * at).sum(axis=1) for chances, at in zip(posterior.of_runs, solving, strict=True))
    now = [run.c >= least for run in runs]
    # The chance of failing is summed of its own: one minus the other would lose the digits of small chances.
    changed = tuple(
        np.where(so, (chances * (1 - at)).sum(axis=1), share)
        for so, at, chances, share in zip(now, solving, posterior.of_runs, solved, strict=True)
    )
    ranges = []
    for so, chances, (draws, needed) in zip(now, posterior.of_runs, wanted_of, strict=True):
        ends = [at_least(end, draws, needed) for end in rate_intervals(posterior.grid, chances)[1:]]
        first, second = (np.where(so, 1 - end, end) for end in ends)
        ranges.append((np.minimum(first, second), np.maximum(first, second)))
    combinations = posterior.combinations(solving)
    stays = np.zeros(len(now[0]))
    for entry, chances in combinations.items():
        here = np.logical_and.reduce([so == wanted for so, wanted in zip(now, entry, strict=True)])
        stays[here] = chances[here]
    return Replication(solved, changed, tuple(ranges), combinations, np.clip(1 - stays, 0.0, 1.0))


def asked(run: Tallies, least: int, more: int | None) -> tuple[Counts, Counts]:
    """Samples to draw of each problem, and how many of them must be right for it to be solved."""
    if more is None:
        return run.n, np.full_like(run.n, least)
    return np.full_like(run.n, more), least - run.c


def count_distributions(chances: Floats) -> Floats:
    """How many of the problems are counted, each with its own chance: the exact Poisson-binomial distribution.

    The product of the problems' generating functions, pair by pair.

    Args:
        chances: shape (problems, m): m distributions at once, problems independent in each.

    Returns:
        Shape (problems + 1, m) or longer, zero beyond.
    """
    columns = chances.shape[1]
    factors = np.stack([1 - chances, chances], axis=2) if len(chances) else np.ones((1, columns, 1))
    while len(factors) > 1:
        if len(factors) % 2:
            one = np.zeros((1, *factors.shape[1:]))
            one[:, :, 0] = 1.0
            factors = np.concatenate([factors, one])
        size = 2 * factors.shape[2] - 1
        spectrum = np.fft.rfft(factors, size, axis=2)
        factors = np.fft.irfft(spectrum[::2] * spectrum[1::2], size, axis=2)
    found: Floats = np.maximum(factors[0].T, 0.0)
    return found


def count_range(chances: Floats) -> tuple[int, int]:
    """Between which numbers the count of problems lies in 95 % of cases, each being counted with its own chance.

    Args:
        chances: shape (problems,), independent.

    Returns:
        The 2.5 % and the 97.5 % quantile.
    """
    below = np.cumsum(count_distributions(chances[:, None])[:, 0])
    low, high = (int(np.searchsorted(below, share * below[-1])) for share in ((1 - INTERVAL) / 2, (1 + INTERVAL) / 2))
    return min(low, len(chances)), min(high, len(chances))
