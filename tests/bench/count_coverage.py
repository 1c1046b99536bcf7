"""How often the ranges of counts hold on synthetic benchmarks, where the rates are known: a part of `coverage`.

Of a benchmark's two runs one is seen; then a fresh run of the same n, n and 3 n further samples are drawn, and every
set's count is to lie in its range, in 92 to 98 of 100 cases (near 0 or all, nearly always). Each benchmark is a user
who has one split: the least share that one of them finds held, over all sets and designs, stands beside the mean.
`plan`: expected changes over those that came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from backend.estimators.allocation import allocate_by_change
from backend.estimators.mixtures import Tallies
from backend.estimators.refits import forecast_counts, refit
from backend.estimators.solve_sets import all_combinations
from backend.estimators.uncertainty import fit_rates
from tests.bench.synthetic import SHAPES, Rates, sharpened

Floats = NDArray[np.float64]

DESIGNS = ((30, 64, 64, 1), (200, 64, 64, 1), (500, 64, 64, 1), (200, 1024, 64, 1), (200, 64, 64, 2), (200, 64, 64, 4))
"""Problems, n of the base, n of RL, correct samples that count as solved."""
ENDS: Mapping[str, Rates] = {
    "never solved": lambda random, problems: np.zeros(problems),
    "all solved": lambda random, problems: random.beta(30, 1, problems),
}
LOW = 0.92
DRAWN_AGAIN = 20


def held(rates: Rates, design: tuple[int, int, int, int], benchmarks: int, seed: int) -> tuple[Floats, Floats]:
    """Share of redrawn counts inside their range, shape (benchmarks, 3); and expected and true changes of a plan."""
    problems, base_n, rl_n, least = design
    random, strata = np.random.default_rng(seed), np.zeros(problems, dtype=np.int64)
    inside, plans = np.zeros((benchmarks, 3)), np.zeros(2)
    for place in range(benchmarks):
        base = rates(random, problems)
        truth = [base, sharpened(random, base)]
        sizes = [np.full(problems, base_n), np.full(problems, rl_n)]
        runs = [Tallies(n, random.binomial(n, rate)) for n, rate in zip(sizes, truth, strict=True)]
        refits, smaller = refit(runs, strata), min(base_n, rl_n)
        for column, more in enumerate((None, smaller, 3 * smaller)):
            found = forecast_counts(refits, runs, strata, least, more).ranges
            solved = []
            for run, rate in zip(runs, truth, strict=True):
                drawn = random.binomial(run.n if more is None else more, rate, size=(DRAWN_AGAIN, problems))
                solved.append((drawn if more is None else drawn + run.c) >= least)
            for entry in all_combinations(2):
                counts = ((solved[0] == entry[0]) & (solved[1] == entry[1])).sum(axis=1)
                low, high = found[entry]
                inside[place, column] += ((counts >= low) & (counts <= high)).mean() / 4
        plans += _plan(runs, truth, strata)
    return inside, plans


def _plan(runs: list[Tallies], truth: list[Floats], strata: NDArray[np.int64]) -> Floats:
    """Expected and true changes of a plan of 20 samples a problem."""
    posterior = fit_rates(runs, strata).posterior(runs, strata)
    unsolved = np.flatnonzero(np.concatenate([run.c for run in runs]) == 0)
    if not len(unsolved):
        return np.zeros(2)
    chances, rates = np.concatenate(posterior.of_runs)[unsolved], np.concatenate(truth)[unsolved]
    budget = 20 * len(strata)
    given = allocate_by_change(posterior.grid, chances, np.ones(len(unsolved)), budget, ahead=256, enough=0.0)
    return np.array([given.changes.sum(), (1 - (1 - rates) ** given.adds).sum()])


def counts_table(benchmarks: int) -> Iterator[str]:
    """All designs and shapes, as lines of text; a hundredth of the benchmarks that bands get, and four at least."""
    many = max(benchmarks // 100, 4)
    for design in DESIGNS:
        problems, base_n, rl_n, least = design
        yield f"\n{problems} problems, n = {base_n} and {rl_n}, {least} correct, {many} users: % of counts in range"
        yield f"{'shape':24}{'fresh':>8}{'n more':>8}{'3 n':>8}{'worst user':>12}{'plan: expected / true':>24}"
        cells = []
        for number, (shape, rates) in enumerate({**SHAPES, **ENDS}.items()):
            inside, (expected, true) = held(rates, design, many, 100 + number)
            means = inside.mean(axis=0)
            cells += means.tolist()
            shares = "".join(f"{100 * share:8.1f}" for share in means)
            ratio = f"{expected:.1f} / {true:.1f}" + (f" = {expected / true:.2f}" if true > 1 else "")
            yield f"{shape:24}{shares}{100 * inside.mean(axis=1).min():12.1f}{ratio:>24}"
        found = np.array(cells)
        mean, lowest, share = 100 * found.mean(), 100 * found.min(), 100 * (found >= LOW).mean()
        yield f"mean {mean:.1f} %, lowest {lowest:.1f} %, {share:.0f} % of cells at {100 * LOW:.0f} % or more"
