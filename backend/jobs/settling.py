"""Resampling that settles doubt: a plan turned into jobs, and afterwards what they found of what was expected."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backend.comparison import solve_sets
from backend.errors import UsageError
from backend.jobs.job import Job
from backend.jobs.resampling import Move, Resampling, Wish, moves, plan_resampling, start_resampling, watch_file
from backend.records.doubt import DoubtPlan
from backend.sample_plan import plan_samples
from backend.store.layout import StoreLayout
from backend.store.reads import Reader


def plan_settling(reader: Reader, wish: Wish) -> tuple[DoubtPlan, tuple[Resampling, ...]]:
    """What settles most doubt about the problems of a wish: the plan, and for each run what that comes to.

    Args:
        reader: of the runs' store.
        wish: its `add` is the budget over all problems and runs.

    Raises:
        UsageError: fewer than two runs are compared, or the wish says how many samples each problem gets.
    """
    if not isinstance(wish.add, int):
        raise UsageError("A plan shares out a budget", next_step="Say how many samples in all.")
    sets = solve_sets(reader, [reader.run(name) for name in wish.compared])
    named = set(wish.problems)
    meant = replace(sets, problems=tuple(problem for problem in sets.problems if problem.label in named))
    plan = plan_samples(reader, meant, wish.add, only=wish.runs)
    return plan, tuple(plan_resampling(reader, part) for part in wishes(plan, wish))


def wishes(plan: DoubtPlan, wish: Wish) -> tuple[Wish, ...]:
    """A wish for each run of a plan, with what it is expected to change."""
    found = []
    for run in wish.runs:
        rows = [row for row in plan.rows if row.run == run]
        if rows:
            adds = {row.problem: row.add for row in rows}
            expected = sum(row.expected_changes for row in rows)
            found.append(replace(wish, runs=(run,), problems=tuple(adds), add=adds, expected=expected))
    return tuple(found)


def start_settling(layout: StoreLayout, planned: Sequence[Wish]) -> list[Job]:
    """Start the jobs of a plan's wishes; raises like `start_resampling`."""
    return [job for wish in planned for job in start_resampling(layout, wish)]


@dataclass(frozen=True, slots=True)
class Found:
    """What a job has come to for the comparison that it was asked for."""

    compared: tuple[str, ...]
    """The runs compared; none where it watches none."""
    moved: tuple[Move, ...]
    """Problems that have changed their set since it was planned, whichever job changed them."""
    expected_changes: float | None
    """Memberships that it was expected to change; None where no plan made it."""
    found_changes: int | None
    """Memberships of its own run that have changed; None where its samples form a run that is not compared."""


def found_by(reader: Reader, job: Job) -> Found:
    """What a job has found by now, beside what it was expected to find; raises like `Job.plan`."""
    runs, moved = moves(reader, job)
    drawn = job.plan()[0].title
    place = runs.index(drawn) if drawn in runs else None
    changed = None if place is None else sum(move.before[place] != move.after[place] for move in moved)
    return Found(runs, tuple(moved), expected_changes(job), changed)


def expected_changes(job: Job) -> float | None:
    """Memberships that a job was expected to change before it began; None for one that no plan made."""
    try:
        expected = json.loads(watch_file(job).read_text(encoding="utf-8")).get("expected")
    except (OSError, ValueError):
        return None
    return None if expected is None else float(expected)
