"""Targeted resampling, as the explorer asks for it: some problems, the runs of a comparison, what moved afterwards."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from backend.comparison import solve_sets
from backend.configuration import read_configuration
from backend.errors import PasskError, UsageError
from backend.jobs.job import Job, jobs_of, prepare
from backend.jobs.plan import SamplingPlan
from backend.jobs.requests import Addition, plan_addition
from backend.store.layout import StoreLayout
from backend.store.reads import Reader


@dataclass(frozen=True, slots=True)
class Resampling:
    """More samples of the same problems for one or more runs."""

    additions: tuple[Addition, ...]
    refusals: tuple[str, ...]
    """Why a run cannot be sampled, in words with what to do."""
    compared: tuple[str, ...]
    """Runs whose solve sets are watched."""
    sets: dict[str, tuple[bool, ...]]
    """Which of them solved each problem when this was planned, by label."""
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


def plan_resampling(
    reader: Reader, compared: Sequence[str], chosen: Sequence[str], problems: Sequence[str], add: int, engine: str
) -> Resampling:
    """Plan `add` more samples of these problems for each chosen run.

    Args:
        reader: of the runs' store.
        compared: the runs of the comparison, whose sets are watched.
        chosen: those of them that are to be sampled.
        problems: labels.
        add: samples for each problem and run.
        engine: name of an engine.
    """
    configuration = read_configuration()
    additions: list[Addition] = []
    refusals: list[str] = []
    for name in chosen:
        try:
            additions.append(
                plan_addition(reader, reader.run(name), problems, add, configuration=configuration, engine=engine)
            )
        except UsageError as error:
            refusals.append(str(error))
    sets: dict[str, tuple[bool, ...]] = {}
    if len(compared) > 1:
        found = solve_sets(reader, [reader.run(name) for name in compared])
        sets = {problem.label: problem.solved for problem in found.problems if problem.label in set(problems)}
    layout = reader.database.layout
    return Resampling(tuple(additions), tuple(refusals), tuple(compared), sets, last_throughput(layout, engine))


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


def start_resampling(layout: StoreLayout, resampling: Resampling) -> list[Job]:
    """Write a job for each run and start its worker."""
    jobs = []
    for addition in resampling.additions:
        job = prepare(layout, addition.plan, addition.engine)
        watched = {"runs": resampling.compared, "sets": resampling.sets}
        _watch_file(job).write_text(json.dumps(watched, ensure_ascii=False), encoding="utf-8")
        job.start()
        jobs.append(job)
    return jobs


def _watch_file(job: Job) -> Path:
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
        watched = json.loads(_watch_file(job).read_text(encoding="utf-8"))
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
