"""Draws a plan: an engine's samples, judged, into parts of the store; at the end one sorted part of them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import queries
from backend.engines.protocol import Engine, Sample, SamplingParams, make_request
from backend.errors import UsageError
from backend.importers.intake import as_json
from backend.importers.protocol import Block, ProblemFacts, RunFacts
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
from backend.verifiers.judging import Judges
from backend.verifiers.pool import open_judges
from backend.verifiers.protocol import Judgement, Task, Verifier

FLUSH_SECONDS = 5.0
"""What is drawn is visible to everybody at the latest after this."""
FLUSH_SAMPLES = 256
SETTLE_SECONDS = 5.0
"""How long judgements that are under way are waited for when a draw is interrupted."""


@dataclass(frozen=True, slots=True)
class DrawState:
    """How far a draw is."""

    samples: int = 0
    tokens: int = 0
    seconds: float = 0.0
    verdicts: Mapping[str, int] = field(default_factory=dict)
    last: str = ""
    """The text that finished last."""


Progress = Callable[[DrawState], None]
"""Told after every sample; what it raises ends the draw, and what has been drawn stays."""


def draw(
    layout: StoreLayout,
    plan: SamplingPlan,
    engine: Engine,
    verifier: Verifier | None,
    progress: Progress = lambda state: None,
) -> DrawState:
    """Draw every sample of the plan into the store.

    Samples become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been drawn stays, and the next draw goes on.

    Raises:
        UsageError: somebody else is drawing this run.
        EngineUnavailable: from the engine.
    """
    started = time.monotonic()
    params = sampling_params(plan.target.parameters)
    run = plan.target.run
    by_label = {problem.label: problem for problem in plan.problems}
    requests = [make_request(run, problem.label, problem.prompt, problem.indices) for problem in plan.problems]
    waiting: list[tuple[Sample, Judgement]] = []
    verdicts: dict[str, int] = {}
    tokens = count = 0
    state = DrawState()
    flushed = time.monotonic()
    judge = f"verified by {verifier.name} {verifier.version}" if verifier else "unverified"
    origin = f"{engine.version}, {judge}"
    judges: Judges[Sample]
    with _only_one(layout, run), open_judges(verifier) as judges:
        try:
            for sample, judged in _judged(engine.generate(requests, params), judges, by_label):
                waiting.append((sample, judged))
                verdicts[judged.verdict] = verdicts.get(judged.verdict, 0) + 1
                count, tokens = count + 1, tokens + sample.tokens
                state = DrawState(count, tokens, time.monotonic() - started, verdicts, sample.text)
                progress(state)
                if len(waiting) >= FLUSH_SAMPLES or time.monotonic() - flushed > FLUSH_SECONDS:
                    _write_part(layout, plan, waiting, origin)
                    waiting, flushed = [], time.monotonic()
        except BaseException:
            # What is drawn and nearly judged is kept; what takes longer will be drawn again.
            waiting += judges.finish(SETTLE_SECONDS)
            raise
        finally:
            if waiting:
                _write_part(layout, plan, waiting, origin)
        _gather(layout, plan, origin)
    return state


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
    samples: Iterable[Sample], judges: Judges[Sample], problems: Mapping[str, PlannedProblem]
) -> Iterator[tuple[Sample, Judgement]]:
    """The samples with their judgements, in the order in which these come."""
    for sample in samples:
        problem = problems[sample.problem]
        facts = (problem.statement, problem.reference, problem.metadata)
        judges.submit(sample, Task(sample.text, sample.finish_reason, *facts))
        yield from judges.ready()
    yield from judges.finish()


@contextmanager
def _only_one(layout: StoreLayout, run: str) -> Iterator[None]:
    """Hold the run's lock, so that two processes do not draw the same indices; the kernel frees it when we die."""
    import fcntl

    layout.create()
    with open(layout.jobs / f"{run_key(run):016x}.lock", "a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(
                f"Somebody is drawing samples of {run} already",
                next_step="Wait for them, or draw a run of another name: --run NAME.",
            ) from error
        except OSError:
            pass  # a file system without locks
        yield


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


def _write_part(
    layout: StoreLayout,
    plan: SamplingPlan,
    drawn: list[tuple[Sample, Judgement]],
    origin: str,
) -> None:
    """One provisional part."""
    from backend.importers.part_files import PartFiles

    part = new_part_name("samples")
    folder = write_workspace(layout, part)
    files = PartFiles(folder, lambda _: None)
    by_label = {problem.label: problem for problem in plan.problems}
    source = source_key(origin, plan.target.run)
    groups: dict[str, list[tuple[Sample, Judgement]]] = {}
    for sample, judged in drawn:
        groups.setdefault(sample.problem, []).append((sample, judged))
    try:
        for label, group in groups.items():
            block = _block(label, group)
            files.add(run_key(plan.target.run), by_label[label].key, [s.index for s, _ in group], block, source)
        files.finish()
        _write_tables(folder, part, plan, origin)
        run = _run_of(plan, len(drawn), max(sample.index for sample, _ in drawn) + 1)
        publish(layout, folder, _manifest(part, run, len(drawn), provisional=True))
    except BaseException:
        # Closing fails too where the disk is full.
        with suppress(Exception):
            files.close()
        discard(folder)
        raise


def _block(label: str, group: list[tuple[Sample, Judgement]]) -> Block:
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


def _write_tables(folder: Path, part: str, plan: SamplingPlan, origin: str) -> None:
    from backend.store.part_tables import derive_statistics, write_rows

    target = plan.target
    model = target.model
    write_rows(folder, "models", [(model.name, model.role, model.from_model, model.step, model.algorithm, part)])
    run = (run_key(target.run), target.run, model.name, target.benchmark, as_json(target.parameters), part)
    write_rows(folder, "runs", [run])
    # Where an import names its file, a draw names engine, libraries and verifier with their versions.
    key = source_key(origin, target.run)
    write_rows(folder, "sources", [(key, origin, "", "sampled", run_key(target.run), part)])
    derive_statistics(folder)


def _manifest(
    part: str, run: PartRun, outcomes: int, *, provisional: bool, supersedes: tuple[str, ...] = ()
) -> Manifest:
    return Manifest(
        part=part,
        kind="samples",
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=(run,),
        outcomes=outcomes,
        supersedes=supersedes,
        provisional=provisional,
    )


def _gather(layout: StoreLayout, plan: SamplingPlan, origin: str) -> None:
    """One sorted part of all provisional parts of this run, which supersedes them."""
    run = plan.target.run
    manifests = [manifest for part in waiting_parts(layout) if (manifest := read_manifest(layout, part))]
    gone = {part for manifest in manifests for part in manifest.supersedes}
    ours = [m for m in manifests if m.provisional and m.part not in gone and [r.run for r in m.runs] == [run]]
    if not ours:
        return
    part = new_part_name("samples")
    folder = write_workspace(layout, part)
    try:
        # The derived statistics need the outcomes; the sources of all attempts replace those of this one.
        connection = open_database()
        try:
            for table in ("outcomes", "texts"):
                files = [str(layout.parts / manifest.part / f"{table}.parquet") for manifest in ours]
                sql = queries.render(f"parts/gather_{table}", **{table: files})
                connection.execute(sql, {"target": str(folder / f"{table}.parquet")})
            _write_tables(folder, part, plan, origin)
            files = [str(layout.parts / manifest.part / "sources.parquet") for manifest in ours]
            sql = queries.render("parts/gather_sources", sources=files)
            connection.execute(sql, {"target": str(folder / "sources.parquet")})
        finally:
            connection.close()
        outcomes = sum(manifest.outcomes for manifest in ours)
        next_sample = max(entry.next_sample for manifest in ours for entry in manifest.runs)
        supersedes = tuple(manifest.part for manifest in ours)
        run_part = _run_of(plan, outcomes, next_sample)
        publish(layout, folder, _manifest(part, run_part, outcomes, provisional=False, supersedes=supersedes))
    except BaseException:
        discard(folder)
        raise
