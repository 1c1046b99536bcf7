"""How far a judge of reasoning can be trusted, and what its judgements come to once its errors are taken into account.

A judge is compared with people on the paths that both have judged: Cohen's kappa (Cohen 1960, Educational and
Psychological Measurement 20:37-46; its standard error after Fleiss, Cohen & Everitt 1969, Psychological Bulletin
72:323-327), sensitivity and specificity. From these follows the share of paths that are valid whatever the judge says
(Rogan & Gladen 1978, American Journal of Epidemiology 107:71-76), with the interval of Lang & Reiczigel 2014
(Preventive Veterinary Medicine 113:13-22), which keeps its level where few paths were read.

All of it takes that the judge errs on the paths that people have not read as on those that they have. People must
therefore not choose what they read by what the judge says (Begg & Greenes 1983, Biometrics 39:207-215).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from backend.estimators.intervals import SEED
from backend.estimators.mixtures import likelihood, rates
from backend.estimators.pass_at_k import Counts, Floats

Z = 1.959964
"""Of a two-sided interval of 95 %."""

DRAWS = 200
"""Draws of the judge's errors, and of what is valid given them."""
GRID = 48
"""Validity rates on the grid."""
SPREAD = 0.1
"""Problems' worth of weight that is spread evenly over the grid: little, as some problems have no valid path at all."""
ROUNDS = 40
"""Rounds of EM on each draw, from where the point estimate ended."""
STEPS = 6
"""Steps of the Gibbs sampler after that: how the validity rates are spread is no more known than what is valid."""


@dataclass(frozen=True, slots=True)
class Crossed:
    """The paths that a judge and another have both judged valid or invalid, by what they said."""

    both_valid: int
    only_judge: int
    """Valid for the judge, invalid for the other."""
    only_other: int
    both_invalid: int

    def __add__(self, other: Crossed) -> Crossed:
        return Crossed(
            self.both_valid + other.both_valid,
            self.only_judge + other.only_judge,
            self.only_other + other.only_other,
            self.both_invalid + other.both_invalid,
        )

    @property
    def n(self) -> int:
        return self.both_valid + self.only_judge + self.only_other + self.both_invalid

    @property
    def agreement(self) -> float | None:
        return _share(self.both_valid + self.both_invalid, self.n)

    @property
    def precision(self) -> float | None:
        """Of those that the judge calls valid, the share that is."""
        return _share(self.both_valid, self.both_valid + self.only_judge)

    @property
    def recall(self) -> float | None:
        """Of the valid ones, the share that the judge calls so: its sensitivity."""
        return _share(self.both_valid, self.both_valid + self.only_other)

    @property
    def specificity(self) -> float | None:
        """Of the invalid ones, the share that the judge calls so."""
        return _share(self.both_invalid, self.both_invalid + self.only_judge)

    @property
    def kappa(self) -> float | None:
        """Agreement beyond chance (Cohen 1960); None where chance alone agrees on everything, or nothing is there."""
        expected = self._by_chance
        return None if expected is None or expected == 1.0 else ((self.agreement or 0.0) - expected) / (1.0 - expected)

    @property
    def _by_chance(self) -> float | None:
        if not self.n:
            return None
        judge = (self.both_valid + self.only_judge) / self.n
        other = (self.both_valid + self.only_other) / self.n
        return judge * other + (1.0 - judge) * (1.0 - other)

    @property
    def kappa_interval(self) -> tuple[float, float] | None:
        """95 % confidence interval (Fleiss, Cohen & Everitt 1969); None where it is not defined."""
        kappa, expected = self.kappa, self._by_chance
        if kappa is None or expected is None:
            return None
        table = np.array([[self.both_valid, self.only_judge], [self.only_other, self.both_invalid]]) / self.n
        judge, other = table.sum(axis=1), table.sum(axis=0)
        same = sum(table[i, i] * (1.0 - (judge[i] + other[i]) * (1.0 - kappa)) ** 2 for i in range(2))
        apart = sum(table[i, 1 - i] * (other[i] + judge[1 - i]) ** 2 for i in range(2)) * (1.0 - kappa) ** 2
        variance = same + apart - (kappa - expected * (1.0 - kappa)) ** 2
        error = Z * sqrt(max(variance, 0.0) / self.n) / (1.0 - expected)
        return max(kappa - error, -1.0), min(kappa + error, 1.0)


def _share(part: int, of: int) -> float | None:
    return part / of if of else None


def why_unknown(read: Crossed) -> str:
    """Why a judge's error cannot be corrected; empty where it can."""
    if not read.n:
        return "no path was judged by people and by it"
    if not read.both_valid + read.only_other:
        return "no path that people call valid was judged by it"
    if not read.both_invalid + read.only_judge:
        return "no path that people call invalid was judged by it"
    if (read.recall or 0.0) + (read.specificity or 0.0) <= 1.0:
        return "it is no better than chance on the paths that people have read"
    return ""


def corrected_share(valid: int, judged: int, read: Crossed) -> tuple[float, float, float] | None:
    """The share of paths that are valid, corrected for the judge's errors, and its 95 % confidence interval.

    Args:
        valid: paths that the judge calls valid.
        judged: paths that it calls valid or invalid.
        read: the paths that people have judged too.

    Returns:
        (share, low, high), each within [0, 1]: Rogan & Gladen 1978 and Lang & Reiczigel 2014; None where `why_unknown`
        says why, or nothing is judged.
    """
    recall, specificity = read.recall, read.specificity
    if why_unknown(read) or not judged or recall is None or specificity is None:
        return None
    share = (valid / judged + specificity - 1.0) / (recall + specificity - 1.0)
    of_valid, of_invalid = read.both_valid + read.only_other, read.both_invalid + read.only_judge
    n, n_valid, n_invalid = judged + Z**2, of_valid + 2, of_invalid + 2
    called = (valid + Z**2 / 2) / n
    se, sp = (read.both_valid + 1) / n_valid, (read.both_invalid + 1) / n_invalid
    youden = se + sp - 1.0
    adjusted = min(max((called + sp - 1.0) / youden, 0.0), 1.0)
    of_se, of_sp = se * (1.0 - se) / n_valid, sp * (1.0 - sp) / n_invalid
    shift = 2 * Z**2 * (adjusted * of_se - (1.0 - adjusted) * of_sp)
    error = Z * sqrt(called * (1.0 - called) / n + adjusted**2 * of_se + (1.0 - adjusted) ** 2 * of_sp) / youden
    low, high = adjusted + shift - error, adjusted + shift + error
    return tuple(min(max(value, 0.0), 1.0) for value in (share, low, high))  # type: ignore[return-value]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedProblems:
    """The right paths of the problems of one run, by what was said of them; each of shape (problems,)."""

    n: Counts
    c: Counts
    read_valid: Counts
    """Judged by people."""
    read_invalid: Counts
    called_valid: Counts
    """Judged by the judge alone."""
    called_invalid: Counts

    @property
    def open(self) -> Counts:
        """Judged by neither."""
        said: Counts = self.read_valid + self.read_invalid + self.called_valid + self.called_invalid
        return self.c - said


def draw_valid(runs: Sequence[JudgedProblems], read: Crossed, *, draws: int = DRAWS, seed: int = 0) -> list[Counts]:
    """How many right paths of each problem are valid, drawn as often as the judge's errors are.

    Sensitivity and specificity are drawn from their posteriors under Jeffreys' prior, the same for all runs. Given
    them, how validity rates are spread over the problems of a run is estimated from what judge and people said (by EM,
    see `mixtures`, and a Gibbs sampler from there), and each path that the judge alone has judged is valid with the
    chance that follows (Bayes' rule). Paths that people have read are what they say. So the pass@k of a draw is one
    that the truth may have: a share that is corrected for the run as a whole says nothing of pass@k at large k, which
    asks whether a problem has any valid path.

    Args:
        seed: added to the fixed one.

    Returns:
        For each run shape (draws, problems): valid paths among those that the judge or people have judged.

    Raises:
        ValueError: the error is not known; see `why_unknown`.
    """
    if reason := why_unknown(read):
        raise ValueError(reason)
    random = np.random.default_rng([SEED, seed])
    grid = rates(GRID, 1e-3)
    found = [np.zeros((draws, len(run.n)), dtype=np.int64) for run in runs]
    of_runs = [_Rows.of(run) for run in runs]
    even = np.full(GRID, 1.0 / GRID)
    starts = [
        of.fit(of.likelihood(grid, read.recall or 0.0, read.specificity or 0.0), even, 20 * ROUNDS) for of in of_runs
    ]
    for draw in range(draws):
        se, sp = _errors(read, random)
        for run, of, start, target in zip(runs, of_runs, starts, found, strict=True):
            chances = of.likelihood(grid, se, sp)
            rate = grid[of.draw(chances, of.fit(chances, start, ROUNDS), random)]
            called, not_called = rate * se + (1.0 - rate) * (1.0 - sp), rate * (1.0 - se) + (1.0 - rate) * sp
            if_called = np.divide(rate * se, called, out=np.zeros_like(rate), where=called > 0)
            if_not = np.divide(rate * (1.0 - se), not_called, out=np.zeros_like(rate), where=not_called > 0)
            drawn = random.binomial(run.called_valid, if_called) + random.binomial(run.called_invalid, if_not)
            target[draw] = run.read_valid + drawn
    return found


def _errors(read: Crossed, random: np.random.Generator) -> tuple[float, float]:
    """Sensitivity and specificity of a judge that is better than chance."""
    while True:
        se = random.beta(read.both_valid + 0.5, read.only_other + 0.5)
        sp = random.beta(read.both_invalid + 0.5, read.only_judge + 0.5)
        if se + sp > 1.0:
            return se, sp


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Problems of which the same was said, once."""

    read: Counts
    """Paths that people call valid, and that they call invalid; shape (rows, 2)."""
    called: Counts
    times: Counts
    row_of: NDArray[np.intp]

    @classmethod
    def of(cls, run: JudgedProblems) -> _Rows:
        every = np.stack([run.read_valid, run.read_invalid, run.called_valid, run.called_invalid], axis=1)
        rows, row_of, times = np.unique(every, axis=0, return_inverse=True, return_counts=True)
        return cls(rows[:, :2], rows[:, 2:], times, row_of.reshape(-1))

    @property
    def is_said(self) -> NDArray[np.bool_]:
        """Which rows have anything judged."""
        found: NDArray[np.bool_] = (self.read.sum(axis=1) + self.called.sum(axis=1)) > 0
        return found

    def likelihood(self, grid: Floats, se: float, sp: float) -> Floats:
        """What each validity rate says of each row, shape (rows, G)."""
        called = np.clip(grid * se + (1.0 - grid) * (1.0 - sp), 1e-12, 1.0 - 1e-12)
        by_people = likelihood(self.read.sum(axis=1), self.read[:, 0], grid)
        by_judge = likelihood(self.called.sum(axis=1), self.called[:, 0], called)
        # People and judge may say what no rate explains well: then every rate that people leave is as good.
        return np.maximum(by_people * by_judge, 1e-300)

    def fit(self, chances: Floats, start: Floats, rounds: int) -> Floats:
        """How validity rates are spread over the problems with anything judged, by EM; shape (G,)."""
        said = self.is_said
        chances, times, weights = chances[said], self.times[said], start
        for _ in range(rounds if len(times) else 0):
            weights = weights * (chances.T @ (times / (chances @ weights))) + SPREAD / len(start)
            weights = weights / weights.sum()
        return weights

    def draw(self, chances: Floats, weights: Floats, random: np.random.Generator) -> NDArray[np.intp]:
        """A place on the grid for each problem, from its posterior; shape (problems,)."""
        said = self.is_said[self.row_of]
        for _ in range(STEPS):
            place = self._places(chances, weights, random)[said]
            weights = random.dirichlet(np.bincount(place, minlength=len(weights)) + SPREAD / len(weights))
        return self._places(chances, weights, random)

    def _places(self, chances: Floats, weights: Floats, random: np.random.Generator) -> NDArray[np.intp]:
        posterior = np.cumsum(np.maximum(weights * chances, 1e-320), axis=1)
        posterior /= posterior[:, -1:]
        chosen = random.random(len(self.row_of))
        places: NDArray[np.intp] = (posterior[self.row_of] < chosen[:, None]).sum(axis=1)
        return np.minimum(places, len(weights) - 1)
