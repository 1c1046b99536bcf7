"""What is left of counts when a verifier calls a share F of the incorrect samples correct.

A sample of a problem with the true success rate p is called correct with the chance q = F + (1 - F) p (Rogan & Gladen
1978). So the distribution of p over the problems is fitted to the counts through q (the NPMLE of `mixtures.py`, on a
grid that begins at F), and of the c samples called correct each is truly so with the chance p / q, given p: what is
known of a problem's true count is the mixture of such binomials over the posterior of p. A problem with one correct
verdict in 256 is so nearly surely spurious where most problems are never solved, and one with 20 is not. Samples that
the verifier calls incorrect are taken as incorrect: false negatives are another question.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.estimators.intervals import Band, Statistic, binomial, normal_band
from backend.estimators.mixtures import fit_prior, rates
from backend.estimators.pass_at_k import Counts, Floats

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

    def spurious(self, least: int = 1) -> Floats:
        """Chance that fewer than `least` of a problem's correct samples are so; 0 where too few are called so."""
        found = [float(dist[:least].sum()) if len(dist) > least else 0.0 for dist in self.chances]
        return np.array(found)[self.places]

    def mean(self, statistic: Statistic) -> Band:
        """The mean over problems of a statistic of the true counts, with the 95 % interval of which verdicts are false.

        Normal: what the problems add is independent, and its variance known.
        """
        times = np.bincount(self.places, minlength=len(self.rows)).astype(np.float64)
        tables = {int(n): statistic(int(n)) for n in np.unique(self.rows[:, 0])}
        first, second = [], []
        for (n, c), dist in zip(self.rows.tolist(), self.chances, strict=True):
            table = tables[n][: c + 1]
            first.append(dist @ table)
            second.append(dist @ table**2)
        means, squares = np.array(first), np.array(second)
        problems = times.sum()
        variance = times @ np.maximum(squares - means**2, 0.0) / problems**2
        return normal_band(times @ means / problems, variance)


def true_counts(n: Counts, c: Counts, share: float) -> TrueCounts:
    """What counts say of the truth when this share of the incorrect samples is called correct.

    Args:
        n: samples of each problem, shape (problems,), all >= 1.
        c: samples called correct, same shape.
        share: F, from 0 to below 1.
    """
    true = rates()
    called = share + (1.0 - share) * true
    posterior = fit_prior(n, c, called)
    kept = np.divide(true, called, out=np.ones_like(true), where=called > 0)
    rows, places = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
    of_rows = posterior.posterior(rows[:, 0], rows[:, 1])
    chances = [of_row @ binomial(int(correct), kept) for of_row, correct in zip(of_rows, rows[:, 1], strict=True)]
    return TrueCounts(rows, places.reshape(-1), chances)


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
    """Between which counts of independent events 95 % lie: the Poisson-binomial distribution, exact."""
    sure = int((chances >= 1.0).sum())
    total = np.ones(1)
    for chance in chances[(chances > 0.0) & (chances < 1.0)].tolist():
        total = np.convolve(total, (1.0 - chance, chance))
    below = np.cumsum(total)
    return sure + int(np.searchsorted(below, 0.025)), sure + int(np.searchsorted(below, 0.975))
