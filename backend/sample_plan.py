"""Resampling by doubt: where the next samples of a pair are expected to change most memberships for what they cost."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from backend.doubt import posterior_of
from backend.errors import UsageError
from backend.metrics.allocation import evenly, valued, where_most_changes
from backend.metrics.pass_at_k import Counts, Floats
from backend.records import SolveSets
from backend.records.doubt import SETTLED, DoubtPlan, PlannedSamples
from backend.store.reads import Reader

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
) -> DoubtPlan:
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
        adds[units] = where_most_changes(
            posterior.grid, chances[units], costs[units], budget, ahead=ahead, enough=SETTLED
        ).adds
    else:
        adds[units] = evenly(len(units), budget)
    given = valued(posterior.grid, chances[unsolved], adds[unsolved], ahead=ahead)
    changes = np.zeros(len(c))
    changes[unsolved] = given.changes
    return DoubtPlan(
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
