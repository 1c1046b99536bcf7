"""What is left of counts when a verifier calls a share F of the incorrect samples correct.

A sample of a problem with the true success rate p is called correct with the chance q = F + (1 - F) p (Rogan & Gladen
1978). So the distribution of p over the problems is fitted to the counts through q (the NPMLE of `mixtures.py`, on a
grid that begins at F), and of the c samples called correct each is truly so with the chance p / q, given p: what is
known of a problem's true count is the mixture of such binomials over the posterior of p. A problem with one correct
verdict in 256 is so nearly surely spurious where most problems are never solved, and one with 20 is not. Samples that
the verifier calls incorrect are taken as incorrect: false negatives are another question.

How p is spread is itself known from these problems only: the fit is repeated on `REFITS` bootstrap samples of them, and
intervals are of the mixture (as those of solve sets are, see `refits.py`). `tests/metrics/test_false_positives.py`
measures how often they hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.estimators.intervals import SEED, Band, Statistic, binomial, normal_band
from backend.estimators.mixtures import fit_prior, rates
from backend.estimators.pass_at_k import Counts, Floats

REFITS = 20
"""Bootstrap samples of the problems on which the distribution of rates is fitted again."""

ALLOWED = 3.84
"""Twice the log-likelihood that counts may lose by a rate: the 95 % point of chi squared with one degree of freedom."""


@dataclass(frozen=True, slots=True, eq=False)
class TrueCounts:
    """What is known of the truly correct samples of each problem."""

    rows: Counts
    """The distinct pairs of n and c, shape (rows, 2)."""
    places: Counts
    """Which row is a problem's, shape (problems,)."""
    chances: Sequence[Floats]
    """Of each row the chance of every true count, shape (c + 1,)."""
    refits: Sequence[Sequence[Floats]] = ()
    """The same by each refit."""

    def spurious(self, least: int = 1) -> Floats:
        """Chance that fewer than `least` of a problem's correct samples are so; 0 where too few are called so."""
        return _below(self.chances, least)[self.places]

    def spurious_of_refits(self, least: int = 1) -> Floats:
        """The same by each refit, shape (refits, problems)."""
        return np.array([_below(chances, least)[self.places] for chances in self.refits])

    def mean(self, statistic: Statistic) -> Band:
        """The mean over problems of a statistic of the true counts, with its 95 % interval.

        Normal: what the problems add is independent, with a known variance, and the refits have one of their own.
        """
        times = np.bincount(self.places, minlength=len(self.rows)).astype(np.float64)
        tables = {int(n): statistic(int(n)) for n in np.unique(self.rows[:, 0])}
        of_rows = [tables[n][: c + 1] for n, c in self.rows.tolist()]
        means = np.array([dist @ table for dist, table in zip(self.chances, of_rows, strict=True)])
        squares = np.array([dist @ table**2 for dist, table in zip(self.chances, of_rows, strict=True)])
        problems = times.sum()
        variance = times @ np.maximum(squares - means**2, 0.0) / problems**2
        if self.refits:
            again = [
                times @ np.array([dist @ table for dist, table in zip(chances, of_rows, strict=True)]) / problems
                for chances in self.refits
            ]
            variance = variance + np.var(again, axis=0, ddof=1)
        return normal_band(times @ means / problems, variance)


def _below(chances: Sequence[Floats], least: int) -> Floats:
    """Of each row the chance of a true count below `least`."""
    return np.array([float(dist[:least].sum()) if len(dist) > least else 0.0 for dist in chances])


def true_counts(n: Counts, c: Counts, share: float) -> TrueCounts:
    """What counts say of the truth when this share of the incorrect samples is called correct.

    Args:
        n: samples of each problem, shape (problems,), all >= 1.
        c: samples called correct, same shape.
        share: F, from 0 to below 1.
    """
    true = rates()
    called = share + (1.0 - share) * true
    kept = np.divide(true, called, out=np.ones_like(true), where=called > 0)
    rows, places = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
    thinned = [binomial(int(correct), kept) for correct in rows[:, 1]]

    def chances(of_n: Counts, of_c: Counts) -> list[Floats]:
        of_rows = fit_prior(of_n, of_c, called).posterior(rows[:, 0], rows[:, 1])
        return [of_row @ table for of_row, table in zip(of_rows, thinned, strict=True)]

    random = np.random.default_rng(SEED)
    drawn = [random.integers(0, len(n), len(n)) for _ in range(REFITS)] if share > 0 else []
    return TrueCounts(rows, places.reshape(-1), chances(n, c), [chances(n[some], c[some]) for some in drawn])


def allows(n: Counts, c: Counts, share: float) -> bool:
    """Whether counts are compatible with this share: a verifier that errs so often leaves few problems unsolved."""

    def fit(grid: Floats) -> float:
        inner = np.clip(grid, 1e-300, 1.0 - 1e-16)
        weights = fit_prior(n, c, grid).weights
        chances = np.exp(c[:, None] * np.log(inner) + (n - c)[:, None] * np.log1p(-inner)) @ weights
        return float(np.log(np.maximum(chances, 1e-300)).sum())

    true = rates()
    return 2 * (fit(true) - fit(share + (1.0 - share) * true)) < ALLOWED


def count_interval(chances: Floats) -> tuple[int, int]:
    """Between which counts of independent events 95 % lie: Poisson-binomial distributions, exact, mixed evenly.

    Args:
        chances: of each event, by each refit, shape (refits, events).
    """
    below = np.zeros(chances.shape[1] + 1)
    for of_refit in chances:
        sure = int((of_refit >= 1.0).sum())
        total = np.ones(1)
        for chance in of_refit[(of_refit > 0.0) & (of_refit < 1.0)].tolist():
            total = np.convolve(total, (1.0 - chance, chance))
        below[sure : sure + len(total)] += total / len(chances)
    below = np.cumsum(below)
    return int(np.searchsorted(below, 0.025)), int(np.searchsorted(below, 0.975))
