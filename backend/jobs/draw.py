"""Draws a plan: an engine's samples, judged, become parts of the store; at the end one sorted part supersedes them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, Any

from backend.engines.protocol import DrawnSample, Engine, SamplingParams, make_request
from backend.errors import UsageError
from backend.importers.protocol import Block, ProblemFacts, RunFacts
from backend.jobs.plan import PlannedProblem, SamplingPlan
from backend.jobs.work import Progress, Stored, WorkState
from backend.store.connection import open_database
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter, compact_parts
from backend.store.parts import PartRun
from backend.verifiers.pool import VerdictStream, open_verifiers
from backend.verifiers.protocol import Task, Verdict, Verifier

if TYPE_CHECKING:
    import duckdb


# Parts of a draw: provisional ones while it goes on, a sorted one at its end that supersedes them.

Drawn = tuple[DrawnSample, Verdict]
KIND = "samples"
"""Kind of the parts."""


@dataclass(frozen=True, slots=True)
class DrawTarget:
    layout: StoreLayout
    plan: SamplingPlan
    origin: str
    """Engine, libraries and verifier with their versions."""
    job: str = ""


def write_part(target: DrawTarget, drawn: list[Drawn], connection: duckdb.DuckDBPyConnection) -> str:
    """One provisional part; its name."""
    from backend.importers.part_files import SampleFiles

    plan, run = target.plan, target.plan.target
    problem_keys = {problem.label: problem.key for problem in plan.problems}
    # Where an import names its file, a draw names engine, libraries and verifier with their versions.
    source = source_key(target.origin, run.run)
    groups: dict[str, list[Drawn]] = {}
    for sample, judged in drawn:
        groups.setdefault(sample.problem, []).append((sample, judged))
    with PartWriter(target.layout, KIND, connection=connection) as part:
        files = SampleFiles(part)
        try:
            for label, group in groups.items():
                indices = [sample.index for sample, _ in group]
                files.add(run_key(run.run), problem_keys[label], indices, _block(label, group), source)
            files.finish()
        except BaseException:
            with suppress(Exception):  # what is thrown away need not be whole
                files.close()
            raise
        part.write("sources", [(source, target.origin, "", "sampled", run_key(run.run))])
        next_sample = max(sample.index for sample, _ in drawn) + 1
        said = PartRun.of(run.run, run.model, run.benchmark, run.parameters, len(drawn), next_sample)
        part.publish(runs=[said], provisional=True, job=target.job)
        return part.part


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


def compact_draw(
    target: DrawTarget, parts: list[str] | None = None, connection: duckdb.DuckDBPyConnection | None = None
) -> None:
    """One sorted part of these provisional parts; without `parts` of all of the draw, and final."""
    run = target.plan.target.run
    compact_parts(target.layout, KIND, target.job, run=run, parts=parts, connection=connection)


# What a draw has finished becomes parts of the store, in a thread beside the engine. Provisional parts make samples
# visible within seconds. Now and then those of a draw are compacted into one, so that nobody who opens the store has
# hundreds to read, and at the end into a sorted one that is merged.

FLUSH_SAMPLES = 256
FLUSH_SECONDS = 5.0
"""What is finished is visible to everybody at the latest after this; the first parts come sooner, one second apart."""
COMPACT_PARTS = 32
"""So many provisional parts of a draw become one."""
BACKLOG = 16 * FLUSH_SAMPLES
"""Samples that may wait for a slow disk before the engine has to."""


class PartPublisher:
    """Takes finished samples and publishes them; leaving the `with` block publishes the rest and ends the thread."""

    def __init__(self, target: DrawTarget) -> None:
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
        if len(self._parts) % COMPACT_PARTS == 0:
            compact_draw(self._target, self._parts[-COMPACT_PARTS:], connection)


# Draws a plan: an engine's samples, judged, into parts of the store; at the end one sorted part of them all.

SETTLE_SECONDS = 5.0
"""How long judgements that are under way are waited for when a draw is interrupted."""


def draw(
    layout: StoreLayout,
    plan: SamplingPlan,
    engine: Engine,
    verifier: Verifier | None,
    progress: Progress = lambda state: None,
    *,
    job: str = "",
) -> WorkState:
    """Draw every sample of the plan into the store.

    Samples become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been drawn stays, and the next draw goes on.

    Args:
        plan: what is to be drawn; nobody else may be drawing the same indices (see `claims`).
        verifier: judges; without one every sample is `unverified`.
        job: name of the job that this is; its attempts compact each other's parts.

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

        def state() -> WorkState:
            return WorkState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

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
    compact_draw(target)
    return state()


def sampling_params(parameters: Mapping[str, Any]) -> SamplingParams:
    """A run's parameters as an engine takes them. Raises UsageError: a value that no engine can honour."""
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
