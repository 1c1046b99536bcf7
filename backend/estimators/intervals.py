"""95 % intervals of a mean over problems, of a paired difference of two runs, and of where their curves cross."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from backend.estimators.mixtures import fit_prior
from backend.estimators.pass_at_k import Counts, Floats
from backend.records.comparison import IntervalKind

# 95 % intervals of a mean over problems: pass@k at each k, Cover@tau at each tau. Two questions, two kinds of
# interval, each for every point of a curve by itself (pointwise).
#
# Over problems: where is the curve of all problems of this kind, of which the benchmark is a sample? Bootstrap by
# problem, percentile interval (Efron 1979; Efron & Tibshirani 1993). Resampling alone never leaves what was seen: when
# all of 30 problems are solved, it says 100 to 100 %. So each limit is drawn with a little of an unseen problem
# (`UNSEEN`) at its own end of the scale, in the way in which Beta priors keep the interval of a share apart from 0 and
# 1 (Brown, Cai & DasGupta 2001).
#
# Over samples: where is the curve of just these problems, had each been sampled without end? The estimator is unbiased
# (Chen et al. 2021), so only its variance is wanted: that of a statistic of n binomial draws, averaged over where the
# posterior of each problem says its rate may be (`mixtures.py`); the interval is normal. Intervals of the posterior
# means themselves are too narrow, because the prior is estimated from the same problems (Morris 1983): of 100 simulated
# benchmarks they held the truth in 60 to 90.
#
# `python -m tests.bench.coverage` measures how often both hold.

Statistic = Callable[[int], Floats]
"""For n samples: the statistic of a problem for every number of correct ones, shape (n + 1, points), within 0..1."""

TAILS = (0.025, 0.975)
"""An interval of 95 %."""

REPLICATES = 4_000
"""Bootstrap replicates: the limits then vary by some 2 % of the interval's half width from seed to seed."""

AT_ONCE = 500
"""Replicates drawn, and groups added up, at a time: a benchmark of 10,000 problems then takes some 100 MB for it."""

SEED = 2025
"""The same store shows the same numbers."""

UNSEEN = 0.25
"""Problems' worth of weight at the end of the scale towards which a limit lies."""

SMOOTH = 10
"""Rounds of EM for the rates' distribution: its maximum sits on few rates and is too sure that none lies between."""


@dataclass(frozen=True, slots=True, eq=False)
class Band:
    """A curve with its interval at every point; each array has shape (points,)."""

    value: Floats
    low: Floats
    high: Floats


def statistic_per_problem(n: Counts, c: Counts, statistic: Statistic) -> Floats:
    """The statistic of each problem, shape (problems, points)."""
    tables = {int(size): statistic(int(size)) for size in np.unique(n)}
    if len(tables) == 1:
        return tables[int(n[0])][c]
    return np.stack([tables[size][correct] for size, correct in zip(n.tolist(), c.tolist(), strict=True)])


def distinct_tallies(*columns: Counts) -> tuple[tuple[Counts, ...], Counts]:
    """Problems with the same counts, taken together: the distinct counts, and how many problems have them."""
    rows, times = np.unique(np.stack(columns, axis=1), axis=0, return_counts=True)
    return tuple(rows.T), times


# Over problems


@dataclass(frozen=True, slots=True, eq=False)
class BootstrapDraws:
    """Bootstrap replicates of a benchmark whose problems are taken together in groups."""

    drawn: NDArray[np.float32]
    """How often problems of each group were drawn, shape (groups, replicates)."""
    unseen: Floats
    """Weight of an unseen problem in the lower and in the upper limit, shape (2, replicates)."""


def draw_bootstrap(times: Counts) -> BootstrapDraws:
    """As many problems as there are, drawn with replacement, from the fixed seed; groups have `times` problems."""
    return _resampled(tuple(times.tolist()))


@lru_cache(maxsize=4)
def _resampled(times: tuple[int, ...]) -> BootstrapDraws:
    # Kept for a few: while one moves along a curve, the problems stay the same.
    random = np.random.default_rng(SEED)
    unseen = random.standard_gamma(UNSEEN, size=(2, REPLICATES))
    groups, problems = len(times), sum(times)
    of_problem = np.repeat(np.arange(groups), times)
    drawn = np.empty((groups, REPLICATES), dtype=np.float32)
    for start in range(0, REPLICATES, AT_ONCE):
        picked = of_problem[random.integers(0, problems, size=(AT_ONCE, problems))]
        picked += groups * np.arange(AT_ONCE)[:, None]
        counts = np.bincount(picked.ravel(), minlength=groups * AT_ONCE)
        drawn[:, start : start + AT_ONCE] = counts.reshape(AT_ONCE, groups).T
    return BootstrapDraws(drawn, unseen)


def percentile_band(
    values: Floats, times: Counts, resampled: BootstrapDraws, least: Floats | float = 0.0, most: Floats | float = 1.0
) -> tuple[Band, Floats]:
    """The bootstrap's interval of a mean over problems.

    Args:
        values: what each group of problems has at each point, shape (groups, points).
        times: problems of each group.
        resampled: the same groups, resampled.
        least: what an unseen problem has at the lower limit, for all points or for each, shape (points,).
        most: the same at the upper limit.

    Returns:
        The band, and the replicates of the curve, shape (points, replicates).
    """
    problems = times.sum()
    sums, value = resampled_sums(values, resampled.drawn), times @ values / problems
    low, high = (
        _quantile((sums + np.reshape(extreme, (-1, 1)) * weight) / (problems + weight), tail)
        for tail, extreme, weight in zip(TAILS, (least, most), resampled.unseen, strict=True)
    )
    return Band(value, np.minimum(low, value), np.maximum(high, value)), sums / problems


def resampled_sums(values: Floats, drawn: NDArray[np.float32]) -> Floats:
    """`values.T @ drawn`: numpy itself takes three times as long over two kinds of number."""
    sums = np.zeros((values.shape[1], drawn.shape[1]))
    for start in range(0, len(drawn), AT_ONCE):
        block = slice(start, start + AT_ONCE)
        sums += values[block].T @ drawn[block].astype(np.float64)
    return sums


def _quantile(replicates: Floats, share: float) -> Floats:
    """Of each row; puts the rows in order, which is four times as fast as `np.quantile`."""
    replicates.sort(axis=1)
    whole, rest = divmod(share * (replicates.shape[1] - 1), 1.0)
    below, above = replicates[:, int(whole)], replicates[:, int(whole) + 1]
    quantile: Floats = below + rest * (above - below)
    return quantile


def band_over_problems(n: Counts, c: Counts, statistic: Statistic) -> Band:
    """The mean of a statistic over problems with its interval for all problems of this kind.

    Args:
        n: samples of each problem, shape (problems,), all >= 1, at least one problem.
        c: correct samples, same shape.
    """
    (sizes, correct), times = distinct_tallies(n, c)
    return percentile_band(statistic_per_problem(sizes, correct, statistic), times, draw_bootstrap(times))[0]


# Over samples


def binomial(n: int, rates: Floats) -> Floats:
    """Chance of each number of correct samples at each rate, shape (rates, n + 1)."""
    c = np.arange(n + 1, dtype=np.float64)
    ways = np.concatenate([[0.0], np.cumsum(np.log((n - c[:-1]) / (c[:-1] + 1.0)))])
    inner = np.clip(rates, 1e-300, 1.0 - 1e-16)[:, None]
    chances: Floats = np.exp(ways + c * np.log(inner) + (n - c) * np.log1p(-inner))
    chances[rates == 0.0] = c == 0
    chances[rates == 1.0] = c == n
    return chances


def _errors(n: Counts, c: Counts) -> Iterator[tuple[int, Floats, Floats]]:
    """For each number of samples: it, the expected problems at each rate, the chance of each c at each rate."""
    prior = fit_prior(n, c, rounds=SMOOTH)
    for size in np.unique(n).tolist():
        of_size = n == size
        yield size, prior.posterior(n[of_size], c[of_size]).sum(axis=0), binomial(size, prior.grid)


def sampling_variance(n: Counts, c: Counts, statistic: Statistic) -> Floats:
    """How much the mean of a statistic varies from run to run of the same problems.

    A problem of rate p adds Var(f(C)) with C ~ Binomial(n, p); where p may be is its posterior. The errors of problems
    are independent, and each has mean zero at any p, so the variances add up.

    Args:
        n: samples of each problem, shape (problems,), all >= 1, at least one problem.
        c: correct samples, same shape.

    Returns:
        Shape (points,).
    """
    total = np.zeros(1)
    for size, problems, chances in _errors(n, c):
        table = statistic(size)
        total = total + problems @ (chances @ table**2 - (chances @ table) ** 2)
    return np.maximum(total, 0.0) / len(n) ** 2


def sampling_covariance(n: Counts, c: Counts, statistic: Statistic) -> Floats:
    """The same between the points of the curve, shape (points, points)."""
    total = np.zeros((1, 1))
    for size, problems, chances in _errors(n, c):
        table = statistic(size)
        expected = chances @ table
        total = total + (table.T * (problems @ chances)) @ table - (expected.T * problems) @ expected
    return total / len(n) ** 2


def normal_band(value: Floats, variance: Floats, *, least: float = 0.0) -> Band:
    """The normal interval around an unbiased estimate, cut to the scale from `least` to 1."""
    reach = NormalDist().inv_cdf(TAILS[1]) * np.sqrt(variance)
    return Band(value, np.maximum(value - reach, least), np.minimum(value + reach, 1.0))


def band_over_samples(n: Counts, c: Counts, statistic: Statistic) -> Band:
    """The mean of a statistic over problems with its interval for just these problems; arguments as above."""
    (sizes, correct), times = distinct_tallies(n, c)
    value = times @ statistic_per_problem(sizes, correct, statistic) / len(n)
    return normal_band(value, sampling_variance(n, c, statistic))


def band(kind: IntervalKind, n: Counts, c: Counts, statistic: Statistic) -> Band:
    return (band_over_problems if kind == "problems" else band_over_samples)(n, c, statistic)


METHODS: dict[IntervalKind, str] = {
    "problems": f"95 % at each point, over problems: bootstrap by problem, {REPLICATES:,} replicates, percentiles",
    "samples": "95 % at each point, over samples of these problems: variance by each problem's posterior, normal",
}
"""The kinds of interval in words."""


# The paired difference RL - base as a curve of its own, where the two curves cross, and who wins how many problems.

Tallies = tuple[Counts, Counts]
"""n and c of each problem, in the order that both runs of a pair share."""


@dataclass(frozen=True, slots=True)
class SignChanges:
    """Where replicates of a difference change their sign, as an interval of indices of the points."""

    low: int | None
    high: int | None
    """An end is None when it lies beyond the last point."""
    share_without: float
    """Share of replicates whose sign never changes."""


def paired_difference(
    kind: IntervalKind, base: Tallies, rl: Tallies, statistic: Statistic, statistic_of_rl: Statistic | None = None
) -> tuple[Band, SignChanges]:
    """The mean over problems of RL - base with its interval, and where it changes its sign.

    Over problems, a replicate draws the same problems for both runs: the pairing is kept. Over samples, the runs'
    errors are independent, so their covariances add up; replicates of the curve are normal with that covariance.

    Args:
        kind: what the interval is over.
        base: n and c of each problem, arrays of shape (problems,), n >= 1, at least one problem.
        rl: the same problems.
        statistic: of base, and of RL where it has none of its own with as many points.
    """
    for_rl = statistic_of_rl or statistic
    (base_n, base_c, rl_n, rl_c), times = distinct_tallies(*base, *rl)
    of_base, of_rl = statistic_per_problem(base_n, base_c, statistic), statistic_per_problem(rl_n, rl_c, for_rl)
    values = of_rl - of_base
    if kind == "problems":
        # An unseen problem is one that a run solves as it solves others, and the other run never.
        least, most = -(times @ of_base) / times.sum(), (times @ of_rl) / times.sum()
        # Where nothing was solved, nobody knows how other problems are solved.
        nothing = (least == 0.0) & (most == 0.0)
        least, most = np.where(nothing, -1.0, least), np.where(nothing, 1.0, most)
        band, replicates = percentile_band(values, times, draw_bootstrap(times), least, most)
    else:
        covariance = sampling_covariance(*base, statistic) + sampling_covariance(*rl, for_rl)
        variance = np.maximum(np.diag(covariance), 0.0)
        band = normal_band(times @ values / times.sum(), variance, least=-1.0)
        replicates = band.value[:, None] + _normal_curves(covariance)
    return band, sign_changes(replicates)


def _normal_curves(covariance: Floats) -> Floats:
    """Normal curves of mean zero with this covariance, shape (points, replicates), from the fixed seed."""
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > 1e-12 * max(variances[-1], 0.0)
    spread = np.random.default_rng(SEED).standard_normal((int(kept.sum()), REPLICATES))
    curves: Floats = (directions[:, kept] * np.sqrt(variances[kept])) @ spread
    return curves


def first_sign_changes(differences: Floats) -> Counts:
    """Where each curve first has the other sign than it began with.

    Args:
        differences: a curve a column, shape (points, curves); a curve begins where it is first not zero.

    Returns:
        Index of the point, shape (curves,); the number of points where the sign never changes.
    """
    signs = np.sign(differences)
    begun = np.take_along_axis(signs, (signs != 0).argmax(axis=0)[None], axis=0)
    turned = (signs == -begun) & (begun != 0)
    return np.where(turned.any(axis=0), turned.argmax(axis=0), len(differences))


def sign_changes(replicates: Floats) -> SignChanges:
    """Where curves change their sign; one that never does counts as one that does beyond the last point.

    Args:
        replicates: shape (points, replicates).
    """
    points = len(replicates)
    places = np.sort(first_sign_changes(replicates))
    low, high = (int(places[round(tail * (len(places) - 1))]) for tail in TAILS)
    without = float((places == points).mean())
    return SignChanges(low if low < points else None, high if high < points else None, without)


def wins(base: Tallies, rl: Tallies) -> tuple[int, int, int]:
    """Problems in which RL has the higher c/n, base has it, both are equal. In integers: c/n > C/N where cN > Cn."""
    by_rl, by_base = rl[1] * base[0], base[1] * rl[0]
    return int((by_rl > by_base).sum()), int((by_base > by_rl).sum()), int((by_rl == by_base).sum())
