"""How sure the solve sets of a store are: the priors of its runs, and what they say of problems and of counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from backend.metrics.doubt import Otherwise, Posterior, RatePrior, count_range, fit_rates, otherwise, rate_intervals
from backend.metrics.joint_prior import Tallies
from backend.metrics.pass_at_k import Floats
from backend.metrics.solve_sets import all_combinations
from backend.records import Run, SetProblem, SolveSets
from backend.records.doubt import DOUBTFUL, ProblemDoubt, Rate, SetDoubt, Support
from backend.store.reads import Reader

MOST_LEVELS = 24
"""With more of them than this, levels are names of something else and tell nothing of a problem's difficulty."""

Row = tuple[tuple[int, int], ...]
"""n and c of a problem in each run."""

Leveled = tuple[str | None, Row]
"""Level and tallies of a problem."""

FITS_KEPT = 16
"""Priors that are kept, with the tallies that they were fitted to as the key."""


def set_doubt(reader: Reader, sets: SolveSets, more: int | None = None) -> SetDoubt:
    """How sure the solve sets of a comparison are.

    The prior is fitted to all problems that the runs share, also when `sets` holds only some of them: a choice by
    outcome must not change what is believed of those chosen.

    Args:
        reader: of the runs' store.
        sets: the comparison.
        more: think of so many further samples of each problem and run; of a fresh run of the same n when omitted.
    """
    runs, posterior = posterior_of(reader, sets.runs, sets.problems)
    found = otherwise(posterior, runs, sets.min_correct, more)
    keys = [problem.key for problem in sets.problems]
    return SetDoubt(
        more=more,
        problems={doubt.key: doubt for doubt in _by_problem(keys, runs, posterior, found)},
        expected={entry: count_range(shares) for entry, shares in found.combinations.items()},
        means={entry: float(shares.sum()) for entry, shares in found.combinations.items()},
        in_doubt=int((found.moved >= DOUBTFUL).sum()),
        moving=float(found.moved.sum()),
    )


def problem_doubt(
    reader: Reader, runs: Sequence[Run], problem: int, min_correct: int = 1, more: int | None = None
) -> ProblemDoubt | None:
    """What the samples of one or more runs tell of one problem; None where a run has no verdict on it.

    Args:
        reader: of the runs' store.
        runs: those that are compared; for a pair, base first.
        problem: key of the problem.
        min_correct: correct samples from which on it counts as solved.
        more: see `set_doubt`.
    """
    shared = _shared_problems(reader, runs)
    if problem not in shared:
        return None
    tallies, posterior = _posterior(shared, [shared[problem]], len(runs))
    return _by_problem([problem], tallies, posterior, otherwise(posterior, tallies, min_correct, more))[0]


def support(sets: SolveSets) -> Support:
    """Empirical support of a pair: what RL has kept, lost and won; see `Support`."""
    kept, lost, won, outside = (sets.counts[entry] for entry in all_combinations(2))

    def share(part: int, whole: int) -> float | None:
        return part / whole if whole else None

    found = kept + lost + won
    return Support(kept, lost, won, outside, share(kept, kept + lost), share(won, kept + won), share(won - lost, found))


def posterior_of(
    reader: Reader, runs: Sequence[Run], problems: Sequence[SetProblem]
) -> tuple[tuple[Tallies, ...], Posterior]:
    """The tallies of a comparison's problems in each run, and where their success rates may lie."""
    rows = [(problem.level, tuple((tally.n, tally.c) for tally in problem.tallies)) for problem in problems]
    return _posterior(_shared_problems(reader, runs), rows, len(runs))


def _posterior(
    shared: Mapping[int, Leveled], rows: Sequence[Leveled], runs: int
) -> tuple[tuple[Tallies, ...], Posterior]:
    """The tallies of some rows, and the posterior of their rates under the prior of all shared problems."""
    levels = {level: number for number, level in enumerate(dict.fromkeys(level for level, _ in shared.values()))}
    if len(levels) > MOST_LEVELS:
        levels = dict.fromkeys(levels, 0)
    prior = _fit(tuple(row for _, row in shared.values()), tuple(levels[level] for level, _ in shared.values()), runs)
    tallies = _tallies([row for _, row in rows], runs)
    return tallies, prior.posterior(tallies, np.array([levels.get(level, 0) for level, _ in rows], dtype=np.int64))


def _shared_problems(reader: Reader, runs: Sequence[Run]) -> dict[int, Leveled]:
    """Level and tallies of the problems of which every run has a verdict, by key."""
    place = {run.key: index for index, run in enumerate(runs)}
    found: dict[int, tuple[str | None, dict[int, tuple[int, int]]]] = {}
    for run_key, problem_key, n, c, level in reader.rows("doubt/tallies", run_keys=list(place)):
        found.setdefault(problem_key, (level, {}))[1][place[run_key]] = n, c
    return {
        key: (level, tuple(per_run[run] for run in range(len(runs))))
        for key, (level, per_run) in found.items()
        if len(per_run) == len(runs)
    }


@lru_cache(maxsize=FITS_KEPT)
def _fit(rows: tuple[Row, ...], strata: tuple[int, ...], runs: int) -> RatePrior:
    """The prior of these tallies; kept, since screens ask again whenever a store grows or a filter changes."""
    return fit_rates(_tallies(rows, runs), np.array(strata, dtype=np.int64))


def _tallies(rows: Sequence[Row], runs: int) -> tuple[Tallies, ...]:
    numbers = np.array(rows, dtype=np.int64).reshape(len(rows), runs, 2)
    return tuple(Tallies(numbers[:, run, 0], numbers[:, run, 1]) for run in range(runs))


def _by_problem(
    keys: Sequence[int], runs: Sequence[Tallies], posterior: Posterior, found: Otherwise
) -> list[ProblemDoubt]:
    """A record for each problem."""
    rates = [_rates(posterior.grid, run, chances) for run, chances in zip(runs, posterior.of_runs, strict=True)]
    changed = [chances.tolist() for chances in found.changed]
    ranges = [list(zip(low.tolist(), high.tolist(), strict=True)) for low, high in found.ranges]
    columns = (zip(*per_run, strict=True) for per_run in (rates, changed, ranges))
    return [ProblemDoubt(*row) for row in zip(keys, *columns, found.moved.tolist(), strict=True)]


def _rates(grid: Floats, run: Tallies, chances: Floats) -> list[Rate]:
    columns = (run.n, run.c, *rate_intervals(grid, chances))
    return [Rate(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
