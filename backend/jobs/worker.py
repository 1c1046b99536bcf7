"""What a worker does for each kind of plan: what the store holds of it, what is left, and doing that."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import main_thread
from types import FrameType

import duckdb

from backend.engines.protocol import Engine, EngineUnavailable
from backend.engines.registry import load_engine
from backend.errors import PasskError, StoreError, UsageError
from backend.jobs.draw import DrawState, DrawTarget, compact_draw, draw
from backend.jobs.job import Job, JobStatus, Plan, claimed_indices, planning_lock
from backend.jobs.plan import EngineChoice, SamplingPlan, remaining_plan
from backend.scoring.plan import ScoringPlan, without_scored
from backend.scoring.requests import claimed_texts as claimed_scores
from backend.scoring.requests import scored_texts
from backend.scoring.score import compact_scores, outcome, score
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.locks import exclusive_lock
from backend.store.merge import merge
from backend.store.reads import Reader
from backend.verifiers.protocol import Verifier
from backend.verifiers.registry import verifier_for

# What a worker does for each kind of plan: what the store holds of it, what is left, and doing that.


def stored_counts(layout: StoreLayout, plan: Plan) -> Counter[str]:
    """What the store holds of a plan: how many samples of each verdict, or how many texts with what outcome."""
    if isinstance(plan, SamplingPlan):
        return Counter(verdict for problem in _drawn(layout, plan).values() for verdict in problem.values())
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        return Counter(outcome(fits) for fits in scored_texts(reader, plan).values())


def remaining(layout: StoreLayout, plan: Plan, job: str) -> Plan:
    """What a job has to do of its plan: neither stored nor claimed by another job since this one was given up."""
    if isinstance(plan, SamplingPlan):
        # Claims first: those of a job that finishes in between are in the store then.
        left = remaining_plan(plan, claimed_indices(layout, plan.target.run, but=job))
        return remaining_plan(left, _drawn(layout, plan))
    others = claimed_scores(layout, plan, but=job)
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        return without_scored(plan, others.union(scored_texts(reader, plan)))


def carry_out(
    layout: StoreLayout,
    plan: Plan,
    engine: Engine,
    verifier: Verifier | None,
    progress: Callable[[DrawState], None],
    job: str,
) -> DrawState:
    """Draw or score; raises like `draw` and `score`."""
    if isinstance(plan, ScoringPlan):
        return score(layout, plan, engine, progress, job=job)
    return draw(layout, plan, engine, verifier, progress, job=job)


def finish_plan(layout: StoreLayout, plan: Plan, job: str) -> None:
    """Compact the parts of a job of which nothing is left: its last worker was killed before it could."""
    if isinstance(plan, ScoringPlan):
        compact_scores(layout, job)
    else:
        compact_draw(DrawTarget(layout, plan, "", job))


def _drawn(layout: StoreLayout, plan: SamplingPlan) -> dict[int, dict[int, str]]:
    """Verdicts of the plan's samples that stand in the store, by problem key and index."""
    wanted = {problem.key: set(problem.indices) for problem in plan.problems}
    found: dict[int, dict[int, str]] = {}
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        for key, verdict, indices in reader.rows("reads/sample_verdicts", run_key=run_key(plan.target.run)):
            here = wanted.get(key, set()).intersection(indices)
            found.setdefault(key, {}).update((index, verdict) for index in here)
    return found


# `passk work JOB`: does a job, anywhere that sees its folder. It can be killed at any moment and done again.

BEGAN = time.time()
"""When this process came to be, by the clock that files are dated by."""
SAY_EVERY = 1.0
"""Seconds between two statuses."""


class _Stopped(Exception):
    """Somebody cancelled the job, or the machine wants the process gone."""


def work(folder: Path) -> JobStatus:
    """Do a job, or what is left of it.

    Returns:
        The last status: finished or cancelled.

    Raises:
        PasskError: it failed; the status says so too, and the job can be resumed.
    """
    job = Job(folder)
    layout = StoreLayout(folder.parent.parent)
    plan, choice = job.plan()
    busy = UsageError(f"A worker is at the job {job.name} already")
    with exclusive_lock(job.lock, busy), _sigterm():
        _forget_old_cancel(job)
        before = job.status()
        status = replace(before, state="running", error="", host=socket.gethostname(), pid=os.getpid())
        try:
            # For the whole plan: what is left of it may look like something else.
            verifier = verifier_for(plan, plan.verifier) if isinstance(plan, SamplingPlan) else None
            with planning_lock(layout):
                left = remaining(layout, plan, job.name)
                status = _with_stored(status, stored_counts(layout, plan))
                status = replace(status, wanted=status.samples + left.samples)
                job.say(status)
            status = _draw(job, layout, left, choice, verifier, status)
        except (_Stopped, KeyboardInterrupt):
            status = replace(_now(job, layout, plan, status), state="cancelled")
        except Exception as error:
            failure = _in_words(error, job)
            said = str(failure) or repr(failure)
            job.say(replace(_now(job, layout, plan, status), state="failed", error=said))
            raise failure from error
        job.say(status)
    merge(layout)
    return status


def _forget_old_cancel(job: Job) -> None:
    """Whoever starts a worker takes back what was cancelled before; what is cancelled since then still counts."""
    with suppress(FileNotFoundError):
        if job.cancel_mark.stat().st_mtime < BEGAN:
            job.cancel_mark.unlink()


def _with_stored(status: JobStatus, verdicts: Counter[str]) -> JobStatus:
    """The status with what the store holds of the plan."""
    return replace(status, samples=verdicts.total(), verdicts=dict(sorted(verdicts.items())))


def _now(job: Job, layout: StoreLayout, plan: Plan, status: JobStatus) -> JobStatus:
    """The status after an interruption: what was last said of tokens and time, and what the store holds."""
    with suppress(PasskError, OSError):
        said = job.status()
        status = replace(status, tokens=said.tokens, seconds=said.seconds, drawn=said.drawn, last=said.last)
        return _with_stored(status, stored_counts(layout, plan))
    return status


def _in_words(error: Exception, job: Job) -> Exception:
    """An error as a sentence that says what to do; one that nobody expected stays as it is."""
    resume = f"When that is put right, go on with: passk jobs resume {job.name}"
    if isinstance(error, PasskError):
        return type(error)(error.title, error.detail, "\n".join(part for part in (error.next_step, resume) if part))
    if isinstance(error, ValueError):
        # An engine's word on prompts that do not fit or a parameter that it cannot honour.
        return UsageError(str(error), next_step=f"Leave such problems out of a new job with --problems. {resume}")
    if isinstance(error, EngineUnavailable):
        return UsageError(str(error), next_step=resume)
    if isinstance(error, (OSError, duckdb.Error)):
        return StoreError(
            "The samples could not be written",
            str(error).strip(),
            f"What was written before is kept. Is there room on the disk? Make some.\n{resume}",
        )
    return error


def _draw(
    job: Job,
    layout: StoreLayout,
    plan: Plan,
    choice: EngineChoice,
    verifier: Verifier | None,
    status: JobStatus,
) -> JobStatus:
    if not plan.samples:
        finish_plan(layout, plan, job.name)
        return replace(status, state="finished")
    with _Reports(job, status) as reports:
        engine = load_engine(choice.model, name=choice.name, options=choice.options)
        try:
            reports.state = carry_out(layout, plan, engine, verifier, reports.take, job.name)
        finally:
            engine.close()
    return replace(reports.status(), state="finished")


class _Reports:
    """Says every second how far the job is and looks whether somebody has cancelled it, beside the engine.

    So a worker whose model takes minutes to load or to finish a sample is neither silent nor deaf.
    """

    def __init__(self, job: Job, start: JobStatus) -> None:
        self._job, self._start = job, start
        self.state: DrawState | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def take(self, state: DrawState) -> None:
        """The draw is so far."""
        self.state = state

    def status(self) -> JobStatus:
        """What the job had at its start, and what this attempt has added."""
        state, start = self.state, self._start
        if state is None:
            return start
        stored = state.stored()
        return replace(
            start,
            samples=start.samples + stored.samples,
            tokens=start.tokens + state.tokens,
            seconds=start.seconds + state.seconds,
            drawn=start.drawn + state.finished,
            verdicts=dict(Counter(start.verdicts) + Counter(stored.verdicts)),
            last=state.last[:500],
        )

    def _run(self) -> None:
        while not self._ended.wait(SAY_EVERY):
            self._say()
            if self._job.cancel_mark.exists():
                # The same way as a SIGTERM from outside; to the main thread, so that nothing waits on.
                signal.pthread_kill(main_thread().ident or 0, signal.SIGTERM)
                return

    def _say(self) -> None:
        # Where even this is not to be written, the end of the job says why.
        with suppress(OSError):
            self._job.say(self.status())

    def __enter__(self) -> _Reports:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._say()


@contextmanager
def _sigterm() -> Iterator[None]:
    """SIGTERM stops the job as a cancel does: what is finished is written, what is in flight is dropped."""

    def stop(number: int, frame: FrameType | None) -> None:
        # Once: what is finished is being written from here on.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise _Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
