"""How often verifiers err: rates of a sample that was read in strata, and rates of one verifier against another.

Disagreements are read at another rate than agreements, so each stratum (what two verifiers say together) is weighted
by its samples (Cochran 1977, chapter 5). The rate of correct samples in a stratum has the Jeffreys posterior
Beta(t + 1/2, r - t + 1/2) after r were read and t of them are correct (Brown, Cai & DasGupta 2001); what was not read
is drawn from it, what was read is known. The interval of a rate, a quotient of sums over strata, are the percentiles of
such draws. A rate that needs a stratum of which nothing was read is unknown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.estimators.intervals import REPLICATES, SEED, TAILS, draw_bootstrap, resampled_sums
from backend.estimators.pass_at_k import Counts, Floats
from backend.records.audit import ErrorRate, Stratum
from backend.records.comparison import Interval


def draw_correct(strata: Sequence[Stratum], seed: int) -> tuple[Floats, Floats]:
    """How many samples of each stratum are correct.

    Args:
        strata: those of which nothing was read are NaN, unless they are empty.
        seed: added to the fixed one; other runs take another.

    Returns:
        The estimates, shape (strata,), and draws of the posterior, shape (strata, REPLICATES).
    """
    random = np.random.default_rng([SEED, seed])
    values, draws = np.full(len(strata), np.nan), np.full((len(strata), REPLICATES), np.nan)
    for place, of in enumerate(strata):
        if of.read:
            rates = random.beta(of.correct + 0.5, of.read - of.correct + 0.5, REPLICATES)
            draws[place] = of.correct + random.binomial(of.samples - of.read, rates)
            values[place] = of.samples * of.correct / of.read
        elif not of.samples:
            values[place] = draws[place] = 0
    return values, draws


def share(part: Floats, whole: Floats) -> Floats:
    """Part / whole; NaN where the whole is 0 or something is unknown."""
    found: Floats = np.divide(part, whole, out=np.full(np.shape(whole), np.nan), where=np.asarray(whole) > 0)
    return found


def rate_of(value: Floats, draws: Floats) -> ErrorRate:
    """A rate with its interval; unknown where the value is NaN."""
    if np.isnan(value):
        return ErrorRate()
    known = draws[~np.isnan(draws)]
    low, high = np.quantile(known, TAILS).tolist()
    return ErrorRate(float(value), (min(low, float(value)), max(high, float(value))))


def clopper_pearson(n: int, c: int) -> ErrorRate:
    """C of n with its two-sided 95 % interval (Clopper & Pearson 1934); unknown for n = 0."""
    if not n:
        return ErrorRate()
    from scipy.special import betaincinv

    low = float(betaincinv(c, n - c + 1, TAILS[0])) if c else 0.0
    high = float(betaincinv(c + 1, n - c, TAILS[1])) if c < n else 1.0
    return ErrorRate(c / n, (low, high))


def rate_over_problems(cases: Counts, of: Counts) -> tuple[ErrorRate, Floats]:
    """A rate of a run with its 95 % interval: bootstrap by problem, since samples of one problem err together.

    Where there is no case at all, no replicate has one: the interval of Clopper and Pearson stands in.

    Args:
        cases: of each problem, shape (problems,).
        of: samples that could be one, same shape.

    Returns:
        The rate, unknown where no sample could be a case; and its replicates, the same problems for every run.
    """
    drawn = draw_bootstrap(np.ones(len(cases), dtype=np.int64)).drawn
    replicates = share(*resampled_sums(np.stack([cases, of], axis=1).astype(np.float64), drawn))
    if not cases.any():
        return clopper_pearson(int(of.sum()), 0), replicates
    return rate_of(share(cases.sum(), of.sum()), replicates), replicates


def difference_of_rates(base: tuple[ErrorRate, Floats], rl: tuple[ErrorRate, Floats]) -> Interval:
    """The 95 % interval of RL - base over the same drawn problems; for runs whose rates are known."""
    low, high = np.nanquantile(rl[1] - base[1], TAILS).tolist()
    bounds = [rate.interval[1] if rate.interval and not rate.value else 0.0 for rate, _ in (base, rl)]
    return low - bounds[0], high + bounds[1]
