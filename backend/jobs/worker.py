"""`passk work JOB`: does a job, anywhere that sees its folder. It can be killed at any moment and done again."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType

import duckdb

from backend.engines.protocol import EngineUnavailable
from backend.engines.registry import load_engine
from backend.errors import PasskError, StoreError, UsageError
from backend.jobs.draw import DrawState, draw
from backend.jobs.job import Job, JobStatus
from backend.jobs.plan import EngineChoice, SamplingPlan, without
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.merge import merge
from backend.store.reads import Reader
from backend.verifiers.protocol import Verifier
from backend.verifiers.registry import verifier_for

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
    with _alone(job), _sigterm():
        before = job.status()
        status = replace(before, state="running", error="", host=socket.gethostname(), pid=os.getpid())
        try:
            # For the whole plan: what is left of it may look like something else.
            verifier = verifier_for(plan, plan.verifier)
            left, status = _left(layout, plan, status)
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


def _left(layout: StoreLayout, plan: SamplingPlan, status: JobStatus) -> tuple[SamplingPlan, JobStatus]:
    """What is left of a plan, and the status with what the store holds of it."""
    wanted = {problem.key: set(problem.indices) for problem in plan.problems}
    done: dict[int, list[int]] = {}
    verdicts: dict[str, int] = {}
    database = open_store(layout, merging=False)
    try:
        with Reader(database) as reader:
            for key, verdict, indices in reader.rows("reads/sample_verdicts", run_key=run_key(plan.target.run)):
                if found := wanted.get(key, set()).intersection(indices):
                    done.setdefault(key, []).extend(found)
                    verdicts[verdict] = verdicts.get(verdict, 0) + len(found)
    finally:
        database.close()
    left = without(plan, done)
    samples = plan.samples - left.samples
    return left, replace(status, wanted=plan.samples, samples=samples, verdicts=dict(sorted(verdicts.items())))


def _now(job: Job, layout: StoreLayout, plan: SamplingPlan, status: JobStatus) -> JobStatus:
    """The status after an interruption: what was last said of tokens and time, and what the store holds."""
    with suppress(PasskError, OSError):
        said = job.status()
        status = replace(status, tokens=said.tokens, seconds=said.seconds, last=said.last)
        return _left(layout, plan, status)[1]
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
    plan: SamplingPlan,
    choice: EngineChoice,
    verifier: Verifier | None,
    status: JobStatus,
) -> JobStatus:
    start = status
    said = 0.0

    def progress(state: DrawState) -> None:
        nonlocal status, said
        verdicts = dict(start.verdicts)
        for verdict, times in state.verdicts.items():
            verdicts[verdict] = verdicts.get(verdict, 0) + times
        status = replace(
            start,
            samples=start.samples + state.samples,
            tokens=start.tokens + state.tokens,
            seconds=start.seconds + state.seconds,
            verdicts=verdicts,
            last=state.last[:500],
        )
        now = time.monotonic()
        if now - said > SAY_EVERY:
            said = now
            job.say(status)
            if job.cancel_mark.exists():
                raise _Stopped

    engine = load_engine(choice.model, name=choice.name, options=choice.options)
    try:
        draw(layout, plan, engine, verifier, progress)
    finally:
        engine.close()
    return replace(status, state="finished")


@contextmanager
def _alone(job: Job) -> Iterator[None]:
    """Hold the job's lock; the kernel frees it when the worker dies."""
    with open(job.lock, "a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"A worker is at the job {job.name} already") from error
        except OSError:
            pass  # a file system without locks
        yield


@contextmanager
def _sigterm() -> Iterator[None]:
    """SIGTERM stops the job as a cancel does: what is finished is written, what is in flight is dropped."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise _Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
