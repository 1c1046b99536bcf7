"""How sure the solve sets of a store are, and where more samples would settle most."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from backend.errors import UsageError
from backend.estimators.allocation import allocate_by_change, allocate_evenly, evaluate_allocation
from backend.estimators.mixtures import Tallies
from backend.estimators.pass_at_k import Counts, Floats
from backend.estimators.refits import Refits, forecast_counts, refit
from backend.estimators.solve_sets import all_combinations
from backend.estimators.uncertainty import (
    Posterior,
    RatePrior,
    Replication,
    fit_rates,
    predict_replication,
    rate_intervals,
)
from backend.records import Run, SetProblem, SolveSets
from backend.records.comparison import (
    SETTLED,
    UNCERTAIN,
    PlannedSamples,
    ProblemUncertainty,
    Rate,
    SamplePlan,
    SetUncertainty,
    Support,
)
from backend.store.reads import Reader

# How sure the solve sets of a store are: the priors of its runs, and what they say of problems and of counts.

MOST_LEVELS = 24
"""With more of them than this, levels are names of something else and tell nothing of a problem's difficulty."""

Row = tuple[tuple[int, int], ...]
"""n and c of a problem in each run."""

Leveled = tuple[str | None, Row]
"""Level and tallies of a problem."""

FITS_KEPT = 16
"""Priors that are kept, with the tallies that they were fitted to as the key."""


def set_uncertainty(reader: Reader, sets: SolveSets, more: int | None = None) -> SetUncertainty:
    """How sure the solve sets of a comparison are.

    The prior is fitted to all problems that the runs share, also when `sets` holds only some of them: a choice by
    outcome must not change what is believed of those chosen.

    Args:
        reader: of the runs' store.
        sets: the comparison.
        more: think of so many further samples of each problem and run; of a fresh run of the same n when omitted.
    """
    fitted = _fitted(_shared_problems(reader, sets.runs), len(sets.runs))
    runs, strata = fitted.of([(problem.level, _row(problem)) for problem in sets.problems])
    posterior = fitted.prior.posterior(runs, strata)
    counts = forecast_counts(fitted.refits, runs, strata, sets.min_correct, more)
    found = predict_replication(posterior, runs, sets.min_correct, more)
    if any(not of_run.c.any() for of_run in fitted.tallies):
        # Where a run has solved nothing, its prior is made of smoothing alone.
        changed = (np.where(run.c >= sets.min_correct, 1 - share, share)
                   for run, share in zip(runs, counts.solved, strict=True))  # fmt: skip
        found = replace(found, changed=tuple(changed), moved=counts.moved)
    keys = [problem.key for problem in sets.problems]
    return SetUncertainty(
        more=more,
        problems={doubt.key: doubt for doubt in _by_problem(keys, runs, posterior, found)},
        expected=counts.ranges,
        means=counts.means,
        uncertain=int((found.moved >= UNCERTAIN).sum()),
        expected_changes=float(found.moved.sum()),
        calibrated=counts.calibrated,
        prior=_prior_at_work(fitted, sets),
    )


def _prior_at_work(fitted: _Fitted, sets: SolveSets) -> tuple[float, float] | None:
    """P(change) of a problem with 2 correct of the common n against 0, and of one with 0 against 2; of a pair only."""
    n = sets.common_n
    if len(sets.runs) != 2 or n is None or n < 2 or any(not run.c.any() for run in fitted.tallies):
        return None
    strata = np.full(2, np.bincount(fitted.strata).argmax())
    pair = [Tallies(np.full(2, n), np.array(c)) for c in ([2, 0], [0, 2])]
    moved = predict_replication(fitted.prior.posterior(pair, strata), pair, 1).moved
    return float(moved[0]), float(moved[1])


def problem_uncertainty(
    reader: Reader, runs: Sequence[Run], problem: int, min_correct: int = 1, more: int | None = None
) -> ProblemUncertainty | None:
    """What the samples of one or more runs tell of one problem; None where a run has no verdict on it.

    Args:
        reader: of the runs' store.
        runs: those that are compared; for a pair, base first.
        problem: key of the problem.
        min_correct: correct samples from which on it counts as solved.
        more: see `set_uncertainty`.
    """
    shared = _shared_problems(reader, runs)
    if problem not in shared:
        return None
    tallies, posterior = _posterior(shared, [shared[problem]], len(runs))
    return _by_problem([problem], tallies, posterior, predict_replication(posterior, tallies, min_correct, more))[0]


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
    return _posterior(_shared_problems(reader, runs), [(each.level, _row(each)) for each in problems], len(runs))


def _row(problem: SetProblem) -> Row:
    return tuple((tally.n, tally.c) for tally in problem.tallies)


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """What was fitted to the problems that some runs share."""

    levels: Mapping[str | None, int]
    tallies: tuple[Tallies, ...]
    strata: Counts
    prior: RatePrior

    @property
    def refits(self) -> tuple[Refits, ...]:
        """The prior fitted again and again: half a second for a thousand problems, so only where it is asked for."""
        return _refits(self)

    def of(self, rows: Sequence[Leveled]) -> tuple[tuple[Tallies, ...], Counts]:
        """Tallies and levels of some problems."""
        strata = np.array([self.levels.get(level, 0) for level, _ in rows], dtype=np.int64)
        return _tallies([row for _, row in rows], len(self.tallies)), strata


def _fitted(shared: Mapping[int, Leveled], runs: int) -> _Fitted:
    levels = {level: number for number, level in enumerate(dict.fromkeys(level for level, _ in shared.values()))}
    if len(levels) > MOST_LEVELS:
        levels = dict.fromkeys(levels, 0)
    return _fit(
        tuple(row for _, row in shared.values()), tuple(levels[level] for level, _ in shared.values()), runs,
        tuple(levels.items()),
    )  # fmt: skip


def _posterior(
    shared: Mapping[int, Leveled], rows: Sequence[Leveled], runs: int
) -> tuple[tuple[Tallies, ...], Posterior]:
    """The tallies of some rows, and the posterior of their rates under the prior of all shared problems."""
    fitted = _fitted(shared, runs)
    tallies, strata = fitted.of(rows)
    return tallies, fitted.prior.posterior(tallies, strata)


def _shared_problems(reader: Reader, runs: Sequence[Run]) -> dict[int, Leveled]:
    """Level and tallies of the problems of which every run has a verdict, by key."""
    place = {run.key: index for index, run in enumerate(runs)}
    found: dict[int, tuple[str | None, dict[int, tuple[int, int]]]] = {}
    for run_key, problem_key, n, c, level in reader.rows("uncertainty/tallies", run_keys=list(place)):
        found.setdefault(problem_key, (level, {}))[1][place[run_key]] = n, c
    return {
        key: (level, tuple(per_run[run] for run in range(len(runs))))
        for key, (level, per_run) in found.items()
        if len(per_run) == len(runs)
    }


@lru_cache(maxsize=FITS_KEPT)
def _fit(
    rows: tuple[Row, ...], strata: tuple[int, ...], runs: int, levels: tuple[tuple[str | None, int], ...]
) -> _Fitted:
    """The prior of these tallies; kept, since screens ask again whenever a store grows or a filter changes."""
    tallies, of_problems = _tallies(rows, runs), np.array(strata, dtype=np.int64)
    return _Fitted(dict(levels), tallies, of_problems, fit_rates(tallies, of_problems))


@lru_cache(maxsize=FITS_KEPT)
def _refits(fitted: _Fitted) -> tuple[Refits, ...]:
    return refit(fitted.tallies, fitted.strata)


def _tallies(rows: Sequence[Row], runs: int) -> tuple[Tallies, ...]:
    numbers = np.array(rows, dtype=np.int64).reshape(len(rows), runs, 2)
    return tuple(Tallies(numbers[:, run, 0], numbers[:, run, 1]) for run in range(runs))


def _by_problem(
    keys: Sequence[int], runs: Sequence[Tallies], posterior: Posterior, found: Replication
) -> list[ProblemUncertainty]:
    """A record for each problem."""
    rates = [_rates(posterior.grid, run, chances) for run, chances in zip(runs, posterior.of_runs, strict=True)]
    changed = [chances.tolist() for chances in found.changed]
    ranges = [list(zip(low.tolist(), high.tolist(), strict=True)) for low, high in found.ranges]
    columns = (zip(*per_run, strict=True) for per_run in (rates, changed, ranges))
    return [ProblemUncertainty(*row) for row in zip(keys, *columns, found.moved.tolist(), strict=True)]


def _rates(grid: Floats, run: Tallies, chances: Floats) -> list[Rate]:
    columns = (run.n, run.c, *rate_intervals(grid, chances))
    return [Rate(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]


# Resampling by doubt: where the next samples of a pair are expected to change most memberships for what they cost.

POLICIES = ("doubt", "unsolved", "uniform")
"""By doubt; those without a right sample alike; every problem alike."""

AHEAD = 256
"""Further samples of each problem that the stopping rule looks at."""


def plan_samples(
    reader: Reader,
    sets: SolveSets,
    budget: int,
    policy: str = "doubt",
    *,
    only: Collection[str] | None = None,
    ahead: int = AHEAD,
) -> SamplePlan:
    """One round of samples for the runs of a comparison.

    A membership changes when a run gets its first right sample of a problem; one that has it can only be confirmed.
    After the round has been drawn, plan again: what came is evidence about the rest. The policy `doubt` gives out less
    than the budget when it leaves fewer than `SETTLED` memberships that are expected to change within the next `ahead`
    samples of each.

    Args:
        reader: of the runs' store.
        sets: the comparison, and the problems of it that may be sampled.
        budget: samples, over all problems and runs.
        policy: one of `POLICIES`.
        only: names of the runs that may be sampled; all of them when omitted.
        ahead: see above.

    Raises:
        UsageError: no such policy, or a budget below 1.
    """
    if policy not in POLICIES:
        raise UsageError(f"There is no policy {policy}", next_step=f"One of: {', '.join(POLICIES)}")
    if budget < 1:
        raise UsageError(f"A budget of {budget} samples", next_step="It must be 1 or more.")
    runs, posterior = posterior_of(reader, sets.runs, sets.problems)
    n, c = (np.concatenate(columns) for columns in zip(*((run.n, run.c) for run in runs), strict=True))
    chances, tokens = np.concatenate(posterior.of_runs), mean_tokens(sets)
    may = np.repeat([only is None or run.name in only for run in sets.runs], len(sets.problems))
    unsolved = np.flatnonzero((c == 0) & may)
    costs = tokens if np.isfinite(tokens).all() else np.ones(len(c))
    adds = np.zeros(len(c), dtype=np.int64)
    units = np.flatnonzero(may) if policy == "uniform" else unsolved
    if policy == "doubt":
        adds[units] = allocate_by_change(
            posterior.grid, chances[units], costs[units], budget, ahead=ahead, enough=SETTLED
        ).adds
    else:
        adds[units] = allocate_evenly(len(units), budget)
    given = evaluate_allocation(posterior.grid, chances[unsolved], adds[unsolved], ahead=ahead)
    changes = np.zeros(len(c))
    changes[unsolved] = given.changes
    return SamplePlan(
        policy=policy,
        budget=budget,
        rows=_rows(sets, n, adds, changes, tokens, costs),
        unsolved=len(unsolved),
        ahead=ahead,
        before=given.before,
        after=given.after,
        settled=given.after < SETTLED,
    )


def mean_tokens(sets: SolveSets) -> Floats:
    """Mean tokens of a sample of each problem in each run, run after run; the run's mean, or NaN, where unknown."""
    return np.array(
        [
            next((mean for mean in (problem.mean_tokens[index], run.mean_tokens) if mean), np.nan)
            for index, run in enumerate(sets.runs)
            for problem in sets.problems
        ],
        dtype=np.float64,
    )


def _rows(
    sets: SolveSets, n: Counts, adds: Counts, changes: Floats, tokens: Floats, costs: Floats
) -> tuple[PlannedSamples, ...]:
    """The rows of a plan, what finds most for its cost first."""
    given = np.flatnonzero(adds)
    order: Sequence[int] = given[np.argsort(-changes[given] / (adds[given] * costs[given]), kind="stable")].tolist()
    problems = len(sets.problems)
    return tuple(
        PlannedSamples(
            run=sets.runs[unit // problems].name,
            problem=sets.problems[unit % problems].label,
            n=int(n[unit]),
            add=int(adds[unit]),
            expected_changes=float(changes[unit]),
            tokens=float(adds[unit] * tokens[unit]) if np.isfinite(tokens[unit]) else None,
        )
        for unit in order
    )
