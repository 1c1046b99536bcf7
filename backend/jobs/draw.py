"""Draws a plan: an engine's samples, judged, become parts of the store; at the end one sorted part supersedes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import queries
from backend.engines.protocol import DrawnSample, Engine, SamplingParams, make_request
from backend.errors import UsageError
from backend.importers.protocol import Block, ProblemFacts, RunFacts
from backend.importers.session import as_json
from backend.jobs.plan import PlannedProblem, SamplingPlan
from backend.store.connection import open_database
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.parts import (
    Manifest,
    PartRun,
    discard,
    new_part_name,
    publish,
    read_manifest,
    waiting_parts,
    write_workspace,
)
from backend.verifiers.pool import VerdictStream, open_verifiers
from backend.verifiers.protocol import Task, Verdict, Verifier

if TYPE_CHECKING:
    import duckdb


# Parts of a draw: provisional ones while it goes on, a sorted one at its end that supersedes them.

Drawn = tuple[DrawnSample, Verdict]


@dataclass(frozen=True, slots=True)
class DrawTarget:
    """Where samples go to."""

    layout: StoreLayout
    plan: SamplingPlan
    origin: str
    """Engine, libraries and verifier with their versions."""
    job: str = ""


def write_part(target: DrawTarget, drawn: list[Drawn], connection: duckdb.DuckDBPyConnection) -> str:
    """One provisional part; its name."""
    from backend.importers.part_files import PartFiles

    layout, plan, origin = target.layout, target.plan, target.origin
    problem_keys = {problem.label: problem.key for problem in plan.problems}

    part = new_part_name("samples")
    folder = write_workspace(layout, part)
    files = PartFiles(folder, lambda _: None)
    source = source_key(origin, plan.target.run)
    groups: dict[str, list[Drawn]] = {}
    for sample, judged in drawn:
        groups.setdefault(sample.problem, []).append((sample, judged))
    try:
        for label, group in groups.items():
            block = _block(label, group)
            files.add(run_key(plan.target.run), problem_keys[label], [s.index for s, _ in group], block, source)
        files.finish()
        _write_tables(folder, part, plan, origin, connection)
        run = _run_of(plan, len(drawn), max(sample.index for sample, _ in drawn) + 1)
        publish(layout, folder, _manifest(target, part, run, len(drawn), provisional=True))
    except BaseException:
        # Closing fails too where the disk is full.
        with suppress(Exception):
            files.close()
        discard(folder)
        raise
    return part


def _block(label: str, group: list[Drawn]) -> Block:
    samples = [sample for sample, _ in group]
    return Block(
        facts=RunFacts(),
        problem=ProblemFacts(label, 0),
        verdicts=[judged.verdict for _, judged in group],
        rows=[0] * len(group),
        texts=[sample.text for sample in samples],
        answers=[judged.answer for _, judged in group],
        details=[judged.detail or None for _, judged in group],
        tokens=[sample.tokens for sample in samples],
        finish_reasons=[sample.finish_reason for sample in samples],
        seeds=[sample.seed for sample in samples],
        # A server that gives no log-probabilities leaves NaN.
        logprob_sums=[None if isnan(sample.logprob_sum) else sample.logprob_sum for sample in samples],
    )


def _write_tables(
    folder: Path, part: str, plan: SamplingPlan, origin: str, connection: duckdb.DuckDBPyConnection
) -> None:
    """Everything of a part beside its outcomes and texts, of which it takes the statistics."""
    from backend.store.parts import derive_statistics, write_rows

    target = plan.target
    model = target.model
    write_rows(folder, "models", [(model.name, model.role, model.from_model, model.step, model.algorithm, part)])
    run = (run_key(target.run), target.run, model.name, target.benchmark, as_json(target.parameters), part)
    write_rows(folder, "runs", [run])
    # Where an import names its file, a draw names engine, libraries and verifier with their versions.
    key = source_key(origin, target.run)
    write_rows(folder, "sources", [(key, origin, "", "sampled", run_key(target.run), part)])
    derive_statistics(folder, connection)


def _run_of(plan: SamplingPlan, samples: int, next_sample: int) -> PartRun:
    target = plan.target
    return PartRun(
        run=target.run,
        model=target.model.name,
        role=target.model.role,
        from_model=target.model.from_model,
        step=target.model.step,
        algorithm=target.model.algorithm,
        benchmark=target.benchmark,
        parameters=target.parameters,
        samples=samples,
        next_sample=next_sample,
    )


def _manifest(
    target: DrawTarget,
    part: str,
    run: PartRun,
    outcomes: int,
    *,
    provisional: bool,
    supersedes: tuple[str, ...] = (),
) -> Manifest:
    return Manifest(
        part=part,
        kind="samples",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=(run,),
        outcomes=outcomes,
        supersedes=supersedes,
        provisional=provisional,
        job=target.job,
    )


def _provisional_parts(target: DrawTarget) -> list[Manifest]:
    """The provisional parts of this job and run that count, also those of attempts that were killed."""
    layout, run = target.layout, target.plan.target.run
    manifests = [manifest for part in waiting_parts(layout) if (manifest := read_manifest(layout, part))]
    gone = {part for manifest in manifests for part in manifest.supersedes}
    return [
        manifest
        for manifest in manifests
        if manifest.provisional
        and manifest.job == target.job
        and manifest.part not in gone
        and [entry.run for entry in manifest.runs] == [run]
    ]


def compact_parts(
    target: DrawTarget, parts: list[str] | None = None, connection: duckdb.DuckDBPyConnection | None = None
) -> None:
    """One sorted part of these provisional parts, which supersedes them; without `parts` of all, and final."""
    layout, plan, origin = target.layout, target.plan, target.origin
    ours = [m for m in _provisional_parts(target) if parts is None or m.part in parts]
    if not ours:
        return
    part = new_part_name("samples")
    folder = write_workspace(layout, part)
    database = connection or open_database()
    try:
        for table in ("outcomes", "texts"):
            files = [str(layout.parts / manifest.part / f"{table}.parquet") for manifest in ours]
            sql = queries.render(f"parts/gather_{table}", **{table: files})
            database.execute(sql, {"target": str(folder / f"{table}.parquet")})
        # The derived statistics need the outcomes; the sources of all attempts replace those of this one.
        _write_tables(folder, part, plan, origin, database)
        files = [str(layout.parts / manifest.part / "sources.parquet") for manifest in ours]
        sql = queries.render("parts/gather_sources", sources=files)
        database.execute(sql, {"target": str(folder / "sources.parquet")})
        outcomes = sum(manifest.outcomes for manifest in ours)
        next_sample = max(entry.next_sample for manifest in ours for entry in manifest.runs)
        # Those that an earlier gathering has superseded too: their folders may outlive the part that said so.
        supersedes = tuple(name for manifest in ours for name in (*manifest.supersedes, manifest.part))
        run = _run_of(plan, outcomes, next_sample)
        final = parts is None
        publish(layout, folder, _manifest(target, part, run, outcomes, provisional=not final, supersedes=supersedes))
    except BaseException:
        discard(folder)
        raise
    finally:
        if connection is None:
            database.close()


# What a draw has finished becomes parts of the store, in a thread beside the engine. Provisional parts make samples
# visible within seconds. Now and then those of a draw are gathered into one, so that nobody who opens the store has
# hundreds to read, and at the end into a sorted one that is merged.

FLUSH_SAMPLES = 256
FLUSH_SECONDS = 5.0
"""What is finished is visible to everybody at the latest after this; the first parts come sooner, one second apart."""
GATHER_PARTS = 32
"""So many provisional parts of a draw become one."""
BACKLOG = 16 * FLUSH_SAMPLES
"""Samples that may wait for a slow disk before the engine has to."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Samples that stand in the store, whatever happens next."""

    samples: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)


class PartPublisher:
    """Takes finished samples and publishes them; leaving the `with` block publishes the rest and ends the thread."""

    def __init__(self, target: DrawTarget) -> None:
        """Write into this target."""
        self._target = target
        self._changed = threading.Condition()
        self._waiting: list[Drawn] = []
        self._since = 0.0
        """When the first of those that wait came."""
        self._closing = False
        self._failure: BaseException | None = None
        self.stored = Stored()
        self._parts: list[str] = []
        self._thread = threading.Thread(target=self._run, name="parts", daemon=True)
        self._thread.start()

    def add(self, sample: DrawnSample, judged: Verdict) -> None:
        """Take a finished sample.

        Raises:
            OSError, duckdb.Error, PasskError: those before it could not be written.
        """
        with self._changed:
            while len(self._waiting) >= BACKLOG and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if not self._waiting:
                self._since = time.monotonic()
                self._changed.notify_all()
            self._waiting.append((sample, judged))
            if len(self._waiting) == FLUSH_SAMPLES:
                self._changed.notify_all()

    def __enter__(self) -> PartPublisher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Publish what waits; raises like `add`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        try:
            self._thread.join()
        finally:
            self._thread.join()  # a signal may have ended the first
        if self._failure is not None and self._failure is not error:
            raise self._failure

    def _run(self) -> None:
        try:
            connection = open_database()
            try:
                while drawn := self._next():
                    self._write(connection, drawn)
            finally:
                connection.close()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _next(self) -> list[Drawn]:
        """The samples of the next part, when it is due; none at the end."""
        with self._changed:
            while not self._closing and len(self._waiting) < FLUSH_SAMPLES:
                patience = min(1.0 + len(self._parts), FLUSH_SECONDS)
                left = self._since + patience - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            drawn, self._waiting = self._waiting, []
            self._changed.notify_all()
            return drawn

    def _write(self, connection: duckdb.DuckDBPyConnection, drawn: list[Drawn]) -> None:
        self._parts.append(write_part(self._target, drawn, connection))
        verdicts = dict(self.stored.verdicts)
        for _, judged in drawn:
            verdicts[judged.verdict] = verdicts.get(judged.verdict, 0) + 1
        self.stored = Stored(self.stored.samples + len(drawn), verdicts)
        if len(self._parts) % GATHER_PARTS == 0:
            compact_parts(self._target, self._parts[-GATHER_PARTS:], connection)


# Draws a plan: an engine's samples, judged, into parts of the store; at the end one sorted part of them all.

SETTLE_SECONDS = 5.0
"""How long judgements that are under way are waited for when a draw is interrupted."""


@dataclass(frozen=True, slots=True)
class DrawState:
    """How far a draw is."""

    finished: int
    """Samples that are drawn and judged; those of the last seconds may not be stored yet."""
    tokens: int
    """Of those that are finished."""
    seconds: float
    last: str
    """The text that finished last."""
    stored: Callable[[], Stored]
    """The samples that stand in the store by now: what nothing can take away any more."""


Progress = Callable[[DrawState], None]
"""Told after every sample; what it raises ends the draw, and what has been drawn stays."""


def draw(
    layout: StoreLayout,
    plan: SamplingPlan,
    engine: Engine,
    verifier: Verifier | None,
    progress: Progress = lambda state: None,
    *,
    job: str = "",
) -> DrawState:
    """Draw every sample of the plan into the store.

    Samples become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been drawn stays, and the next draw goes on.

    Args:
        layout: the store.
        plan: what is to be drawn; nobody else may be drawing the same indices (see `claims`).
        engine: draws.
        verifier: judges; without one every sample is `unverified`.
        progress: see `Progress`.
        job: name of the job that this is; its attempts gather each other's parts.

    Raises:
        UsageError: the parameters cannot be used.
        EngineUnavailable: from the engine.
    """
    started = time.monotonic()
    params = sampling_params(plan.target.parameters)
    run = plan.target.run
    by_label = {problem.label: problem for problem in plan.problems}
    requests = [make_request(run, problem.label, problem.prompt, problem.indices) for problem in plan.problems]
    tokens = finished = 0
    last = ""
    judge = f"verified by {verifier.name} {verifier.version}" if verifier else "unverified"
    target = DrawTarget(layout, plan, f"{engine.version}, {judge}", job)
    judges: VerdictStream[DrawnSample]
    with PartPublisher(target) as parts, open_verifiers(verifier) as judges:

        def state() -> DrawState:
            return DrawState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

        try:
            for sample, judged in _judged(engine.generate(requests, params), judges, by_label):
                parts.add(sample, judged)
                finished, tokens, last = finished + 1, tokens + sample.tokens, sample.text
                progress(state())
        except BaseException:
            # What is drawn and nearly judged is kept; what takes longer will be drawn again.
            for sample, judged in judges.finish(SETTLE_SECONDS):
                parts.add(sample, judged)
            raise
    compact_parts(target)
    return state()


def sampling_params(parameters: Mapping[str, Any]) -> SamplingParams:
    """A run's parameters as an engine takes them.

    Raises:
        UsageError: a value that no engine can honour.
    """
    try:
        return SamplingParams(
            temperature=float(parameters["temperature"]),
            top_p=float(parameters["top_p"]),
            max_tokens=int(parameters["max_tokens"]),
        )
    except ValueError as error:
        raise UsageError(f"The sampling parameters cannot be used: {error}") from error


def _judged(
    samples: Iterable[DrawnSample], judges: VerdictStream[DrawnSample], problems: Mapping[str, PlannedProblem]
) -> Iterator[tuple[DrawnSample, Verdict]]:
    """The samples with their judgements, in the order in which these come."""
    for sample in samples:
        problem = problems[sample.problem]
        facts = (problem.statement, problem.reference, problem.metadata)
        judges.submit(sample, Task(sample.text, sample.finish_reason, *facts))
        yield from judges.ready()
    yield from judges.finish()
