"""More samples: what a person asks for turned into plans and jobs, and what these found."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from backend.analysis.comparison import solve_sets
from backend.analysis.uncertainty import plan_samples
from backend.configuration import Configuration, model_path, model_place, read_configuration
from backend.engines.registry import ENGINES
from backend.errors import PasskError, UsageError
from backend.importers.run_spec import RunOptions
from backend.jobs.job import Job, jobs_of, planning_lock, prepare
from backend.jobs.plan import DEFAULTS, SamplingPlan, claimed_indices, plan_run
from backend.jobs.templates import template_hash, template_names
from backend.jobs.work import EngineChoice
from backend.records import Run
from backend.records.comparison import SamplePlan
from backend.store.database import open_store
from backend.store.layout import StoreLayout
from backend.store.reads import Reader
from backend.store.shared_files import write_inside

# What a person asks for, turned into plans: a new run of a model, or more samples of a run that exists.

NEEDED = ("template", *DEFAULTS)
"""Parameters without which nobody can prove that new samples are drawn as the stored ones were."""


@dataclass(frozen=True, slots=True)
class ParameterChanges:
    """Sampling parameters and template that a person wants otherwise than the run has them; empty for none."""

    parameters: Mapping[str, Any]
    """Under vLLM's names."""
    template: str | None = None
    """Text of a prompt template."""
    template_name: str = ""
    """As the person named it."""


NO_CHANGES = ParameterChanges({})


@dataclass(frozen=True, slots=True)
class RunExtension:
    plan: SamplingPlan
    engine: EngineChoice
    asked: str
    """The run that was to be added to."""
    because: str
    """Why the samples form a run of their own, in one sentence; empty where they join the run that was asked for."""
    can_pool: bool
    """Whether they do so only because nobody knows the prompt or parameters of the run, which is the user's to say."""
    mean_tokens: float | None
    """Of the run's stored samples; for an estimate."""

    @property
    def tokens(self) -> float | None:
        """Tokens that this will take, by the run's mean length; None when that is unknown."""
        return None if self.mean_tokens is None else self.plan.samples * self.mean_tokens


def plan_new_run(
    reader: Reader,
    *,
    benchmark: str,
    n: int,
    model: str,
    run_options: RunOptions,
    parameters: Mapping[str, Any],
    configuration: Configuration,
    engine: str | None = None,
    template: str | None = None,
    problems: Collection[str] | None = None,
) -> tuple[SamplingPlan, EngineChoice]:
    """Plan n samples of each problem of a benchmark from a model; what is there or claimed by a job is left out.

    Raises:
        UsageError: as `plan_run`.
    """
    kind, options = configuration.engine_options(engine or configuration.engine)
    run = run_options.run or f"{run_options.model}@{benchmark}"
    # Before the samples are read: a job that has just finished has stored them all.
    promised = claimed_indices(reader.database.layout, reader.stored_name(run))
    plan = plan_run(
        reader,
        benchmark=benchmark,
        n=n,
        run_options=run_options,
        parameters={**parameters, "model_path": model},
        template=template,
        problems=problems,
        claimed=promised,
    )
    return plan, EngineChoice(kind, model, options, configuration.configured_name(engine), model_named=True)


def plan_extension(
    reader: Reader,
    run: Run,
    problems: Collection[str],
    add: int | Mapping[str, int],
    *,
    configuration: Configuration,
    engine: str | None = None,
    model: str | None = None,
    pool: bool = False,
    changes: ParameterChanges = NO_CHANGES,
) -> RunExtension:
    """Plan `add` more samples of these problems (each, or by label) for a run that exists, as its own were drawn.

    With other parameters, or another template, the samples form a run of their own, `NAME+temperature=1.0`: the next
    ones of that kind join it. So they do, as `NAME+resampled`, where prompt or parameters of the run are not known (it
    was imported), unless `pool` says that they are the same: nothing that may differ is pooled silently.

    Raises:
        UsageError: nobody knows where the model lies, or nothing can be asked.
    """
    path = model or model_path(run.model.name, run.parameters, configuration)
    if path is None:
        raise UsageError(
            f"Where is the model {run.model.name}?",
            "The run was imported, and its files do not say where the model lies.",
            f"Say so once and for all in {configuration.path}:\n[models]\n"
            f'"{run.model.name}" = "/path/to/folder"\n(passk sample also takes --model PATH.)',
        )
    kind, options = configuration.engine_options(engine or configuration.engine)
    if ENGINES.load(kind).folders:
        path = model_place(path)
        if Path(path).is_absolute() and not Path(path).is_dir():
            raise UsageError(
                f"The model folder {path} does not exist",
                next_step=f"Say where {run.model.name} lies with --model PATH, or in {configuration.path} under "
                "[models].",
            )
    name, because, can_pool = _where_to(run, changes, pool=pool)
    promised = claimed_indices(reader.database.layout, reader.stored_name(name))
    kept = {key: value for key, value in run.parameters.items() if key not in ("template", "template_hash")}
    stored = run.parameters.get("template")
    plan = plan_run(
        reader,
        benchmark=run.benchmark,
        add=add,
        run_options=RunOptions(run=name, model=run.model.name, role=run.model.role),
        parameters={**kept, **changes.parameters},
        template=changes.template or (str(stored) if stored is not None else None),
        like=run.name,
        problems=problems,
        claimed=promised,
    )
    named = model is not None or path in configuration.models.values()
    choice = EngineChoice(kind, path, options, configuration.configured_name(engine), named)
    return RunExtension(plan, choice, run.name, because, can_pool, run.mean_tokens)


def _where_to(run: Run, changes: ParameterChanges, *, pool: bool) -> tuple[str, str, bool]:
    """The run that the samples go to, why it is another than this one, and whether pooling is the user's to say."""
    stored = run.parameters
    changed = {name: value for name, value in changes.parameters.items() if name in stored and stored[name] != value}
    words = [f"{name} {stored[name]} becomes {value}" for name, value in changed.items()]
    suffix = [f"{name}={value}" for name, value in changed.items()]
    if changes.template is not None and stored.get("template", changes.template) != changes.template:
        named = changes.template_name if changes.template_name in template_names() else template_hash(changes.template)
        words.append("the prompt template becomes another")
        suffix.append(f"template={named}")
    if words:
        because = f"A run is one sampling configuration, and {', '.join(words)}."
        return "+".join((run.name, *suffix)), because, False
    given = {*stored, *changes.parameters, *(["template"] if changes.template is not None else [])}
    unknown = [name for name in NEEDED if name not in given]
    if unknown and not pool:
        what = ", ".join(name.replace("_", " ") for name in unknown)
        return f"{run.name}+resampled", f"{run.name} was imported, and its {what} is not known.", True
    return run.name, "", bool(unknown)


# Targeted resampling, as the explorer asks for it: some problems, the runs of a comparison, what moved afterwards.


@dataclass(frozen=True, slots=True)
class ResamplingRequest:
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
    changes: ParameterChanges = NO_CHANGES
    pool: bool = False
    """Whether the samples join imported runs of which nobody knows how they were drawn."""
    expected: float | None = None
    """Memberships that this is expected to change, where a plan says so."""


@dataclass(frozen=True, slots=True)
class Resampling:
    """More samples of the same problems for one or more runs."""

    request: ResamplingRequest
    additions: tuple[RunExtension, ...]
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


def plan_resampling(reader: Reader, request: ResamplingRequest) -> Resampling:
    """What a request comes to: for each run a plan, or why there is none."""
    configuration = read_configuration()
    additions: list[RunExtension] = []
    refusals: list[str] = []
    for name in request.runs:
        try:
            addition = plan_extension(
                reader,
                reader.run(name),
                request.problems,
                request.add,
                configuration=configuration,
                engine=request.engine,
                pool=request.pool,
                changes=request.changes,
            )
            additions.append(addition)
        except UsageError as error:
            refusals.append(str(error))
    sets: dict[str, tuple[bool, ...]] = {}
    if len(request.compared) > 1:
        found = solve_sets(reader, [reader.run(name) for name in request.compared])
        sets = {problem.label: problem.solved for problem in found.problems if problem.label in set(request.problems)}
    layout = reader.database.layout
    # The name may be the configuration's; a job keeps the engine's kind.
    kind, _ = configuration.engine_options(request.engine)
    return Resampling(request, tuple(additions), tuple(refusals), sets, last_throughput(layout, kind))


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


def start_resampling(layout: StoreLayout, request: ResamplingRequest) -> list[Job]:
    """Write a job for each run and start its worker. Raises StoreError: the store cannot be written."""
    jobs = []
    # Planned anew, from what the store holds now: since the estimate others may have drawn the same indices.
    with planning_lock(layout), closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        resampling = plan_resampling(reader, request)
        for addition in resampling.additions:
            job = prepare(layout, addition.plan, addition.engine)
            watched = {"runs": request.compared, "sets": resampling.sets, "expected": request.expected}
            write_inside(layout.root, watch_file(job), json.dumps(watched).encode())
            jobs.append(job)
    for job in jobs:
        job.start()
    return jobs


def watch_file(job: Job) -> Path:
    """Where a job keeps what it watches: the compared runs, their sets when it was planned, what was expected."""
    return job.folder / "watch.json"


class _Watched(msgspec.Struct, frozen=True):
    """What a job watches, as its file says."""

    runs: tuple[str, ...] = ()
    sets: Mapping[str, tuple[bool, ...]] = {}
    expected: float | None = None


def _watched(job: Job) -> _Watched:
    try:
        return msgspec.json.decode(job.read(watch_file(job).name), type=_Watched)
    except (OSError, ValueError, RecursionError):  # most jobs watch nothing
        return _Watched()


@dataclass(frozen=True, slots=True)
class Move:
    """A problem that has changed its solve set since a job was planned."""

    problem: str
    before: tuple[bool, ...]
    after: tuple[bool, ...]


def moves(reader: Reader, job: Job) -> tuple[tuple[str, ...], list[Move]]:
    """The runs that a job's sets compare, and the problems that have moved; nothing for a job that watches none."""
    watched = _watched(job)
    runs, before = watched.runs, watched.sets
    if len(runs) < 2 or any(len(solved) != len(runs) for solved in before.values()):
        return (), []
    found = solve_sets(reader, [reader.run(name) for name in runs])
    moved = [
        Move(problem.label, before[problem.label], problem.solved)
        for problem in found.problems
        if problem.label in before and before[problem.label] != problem.solved
    ]
    return runs, moved


# Resampling that settles doubt: a plan turned into jobs, and afterwards what they found of what was expected.


def plan_by_uncertainty(reader: Reader, request: ResamplingRequest) -> tuple[SamplePlan, tuple[Resampling, ...]]:
    """What settles most doubt about the problems of a request: the plan, and for each run what that comes to.

    Args:
        request: its `add` is the budget over all problems and runs.

    Raises:
        UsageError: fewer than two runs are compared, or the request says how many samples each problem gets.
    """
    if not isinstance(request.add, int):
        raise UsageError("A plan shares out a budget", next_step="Say how many samples in all.")
    sets = solve_sets(reader, [reader.run(name) for name in request.compared])
    named = set(request.problems)
    meant = replace(sets, problems=tuple(problem for problem in sets.problems if problem.label in named))
    plan = plan_samples(reader, meant, request.add, only=request.runs)
    return plan, tuple(plan_resampling(reader, part) for part in requests_of_plan(plan, request))


def requests_of_plan(plan: SamplePlan, request: ResamplingRequest) -> tuple[ResamplingRequest, ...]:
    """A request for each run of a plan, with what it is expected to change."""
    found = []
    for run in request.runs:
        rows = [row for row in plan.rows if row.run == run]
        if rows:
            adds = {row.problem: row.add for row in rows}
            expected = sum(row.expected_changes for row in rows)
            found.append(replace(request, runs=(run,), problems=tuple(adds), add=adds, expected=expected))
    return tuple(found)


def start_by_uncertainty(layout: StoreLayout, planned: Sequence[ResamplingRequest]) -> list[Job]:
    """Start the jobs of a plan's requests; raises like `start_resampling`."""
    return [job for request in planned for job in start_resampling(layout, request)]


@dataclass(frozen=True, slots=True)
class ResamplingOutcome:
    """What a job has come to for the comparison that it was asked for."""

    compared: tuple[str, ...]
    """The runs compared; none where it watches none."""
    moved: tuple[Move, ...]
    """Problems that have changed their set since it was planned, whichever job changed them."""
    expected_changes: float | None
    """Memberships that it was expected to change; None where no plan made it."""
    found_changes: int | None
    """Memberships of its own run that have changed; None where its samples form a run that is not compared."""


def resampling_outcome(reader: Reader, job: Job) -> ResamplingOutcome:
    """What a job has found by now, beside what it was expected to find; raises like `Job.plan`."""
    runs, moved = moves(reader, job)
    drawn = job.plan()[0].title
    place = runs.index(drawn) if drawn in runs else None
    changed = None if place is None else sum(move.before[place] != move.after[place] for move in moved)
    return ResamplingOutcome(runs, tuple(moved), expected_changes(job), changed)


def expected_changes(job: Job) -> float | None:
    """Memberships that a job was expected to change before it began; None for one that no plan made."""
    return _watched(job).expected
