"""Targeted resampling, as the explorer asks for it: some problems, the runs of a comparison, what moved afterwards."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from backend.comparison import solve_sets
from backend.configuration import read_configuration
from backend.errors import PasskError, UsageError
from backend.jobs.claims import planning
from backend.jobs.job import Job, jobs_of, prepare
from backend.jobs.plan import SamplingPlan
from backend.jobs.requests import NO_CHANGES, Addition, Changes, plan_addition
from backend.store.database import open_store
from backend.store.layout import StoreLayout
from backend.store.reads import Reader


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be sampled, as a person asks for it."""

    compared: tuple[str, ...]
    """The runs of the comparison, whose solve sets are watched."""
    runs: tuple[str, ...]
    """Those of them that are to be sampled."""
    problems: tuple[str, ...]
    """Labels."""
    add: int | Mapping[str, int]
    """Samples for each problem and run, or by label."""
    engine: str
    """Name of an engine."""
    changes: Changes = NO_CHANGES
    pool: bool = False
    """Whether the samples join imported runs of which nobody knows how they were drawn."""
    expected: float | None = None
    """Memberships that this is expected to change, where a plan says so."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """More samples of the same problems for one or more runs."""

    wish: Wish
    additions: tuple[Addition, ...]
    refusals: tuple[str, ...]
    """Why a run cannot be sampled, in words with what to do."""
    sets: dict[str, tuple[bool, ...]]
    """Which of the compared runs solved each problem when this was planned, by label."""
    tokens_per_second: float | None
    """Of the last job with this engine that drew something; None when there is none."""

    @property
    def samples(self) -> int:
        """Samples to draw, over all runs."""
        return sum(addition.plan.samples for addition in self.additions)

    @property
    def tokens(self) -> float | None:
        """Tokens that takes, by the runs' mean lengths; None when one is unknown."""
        known = [addition.tokens for addition in self.additions]
        return None if None in known else sum(tokens for tokens in known if tokens is not None)


def plan_resampling(reader: Reader, wish: Wish) -> Resampling:
    """What a wish comes to: for each run a plan, or why there is none."""
    configuration = read_configuration()
    additions: list[Addition] = []
    refusals: list[str] = []
    for name in wish.runs:
        try:
            addition = plan_addition(
                reader,
                reader.run(name),
                wish.problems,
                wish.add,
                configuration=configuration,
                engine=wish.engine,
                pool=wish.pool,
                changes=wish.changes,
            )
            additions.append(addition)
        except UsageError as error:
            refusals.append(str(error))
    sets: dict[str, tuple[bool, ...]] = {}
    if len(wish.compared) > 1:
        found = solve_sets(reader, [reader.run(name) for name in wish.compared])
        sets = {problem.label: problem.solved for problem in found.problems if problem.label in set(wish.problems)}
    layout = reader.database.layout
    # The name may be the configuration's; a job keeps the engine's kind.
    kind, _ = configuration.engine_options(wish.engine)
    return Resampling(wish, tuple(additions), tuple(refusals), sets, last_throughput(layout, kind))


def last_throughput(layout: StoreLayout, engine: str) -> float | None:
    """Tokens per second of the newest job with this engine that drew something; None when there is none."""
    for job in jobs_of(layout):
        try:
            status, (plan, choice) = job.status(), job.plan()
        except PasskError:
            continue
        if isinstance(plan, SamplingPlan) and choice.name == engine and status.tokens and status.seconds:
            return status.tokens / status.seconds
    return None


def start_resampling(layout: StoreLayout, wish: Wish) -> list[Job]:
    """Write a job for each run and start its worker.

    Raises:
        StoreError: the store cannot be written.
    """
    jobs = []
    # Planned anew, from what the store holds now: since the estimate others may have drawn the same indices.
    with planning(layout), closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        resampling = plan_resampling(reader, wish)
        for addition in resampling.additions:
            job = prepare(layout, addition.plan, addition.engine)
            watched = {"runs": wish.compared, "sets": resampling.sets, "expected": wish.expected}
            watch_file(job).write_text(json.dumps(watched, ensure_ascii=False), encoding="utf-8")
            jobs.append(job)
    for job in jobs:
        job.start()
    return jobs


def watch_file(job: Job) -> Path:
    """Where a job keeps what it watches: the compared runs, their sets when it was planned, what was expected."""
    return job.folder / "watch.json"


@dataclass(frozen=True, slots=True)
class Move:
    """A problem that has changed its solve set since a job was planned."""

    problem: str
    before: tuple[bool, ...]
    after: tuple[bool, ...]


def moves(reader: Reader, job: Job) -> tuple[tuple[str, ...], list[Move]]:
    """The runs that a job's sets compare, and the problems that have moved; nothing for a job that watches none."""
    try:
        watched = json.loads(watch_file(job).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return (), []
    runs, before = tuple(watched["runs"]), watched["sets"]
    if len(runs) < 2:
        return (), []
    found = solve_sets(reader, [reader.run(name) for name in runs])
    moved = [
        Move(problem.label, tuple(before[problem.label]), problem.solved)
        for problem in found.problems
        if problem.label in before and tuple(before[problem.label]) != problem.solved
    ]
    return runs, moved
