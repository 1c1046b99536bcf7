"""`passk work JOB`: does a job, anywhere that sees its folder. It can be killed at any moment and done again."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType

from backend.engines.protocol import EngineUnavailable
from backend.engines.registry import load_engine
from backend.errors import UsageError
from backend.jobs.draw import DrawState, draw
from backend.jobs.job import Job, JobStatus
from backend.jobs.plan import EngineChoice, SamplingPlan, without
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.merge import merge
from backend.store.reads import Reader
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
        left = without(plan, _drawn(layout, plan))
        status = replace(
            before,
            state="running",
            error="",
            wanted=plan.samples,
            samples=plan.samples - left.samples,
            host=socket.gethostname(),
            pid=os.getpid(),
        )
        job.say(status)
        try:
            status = _draw(job, layout, left, choice, status)
        except (_Stopped, KeyboardInterrupt):
            status = replace(status, state="cancelled")
        except BaseException as error:
            job.say(replace(status, state="failed", error=str(error) or repr(error)))
            raise
        job.say(status)
    merge(layout)
    return status


def _drawn(layout: StoreLayout, plan: SamplingPlan) -> dict[int, list[int]]:
    database = open_store(layout, merging=False)
    try:
        with Reader(database) as reader:
            return dict(reader.rows("reads/sample_indices", run_key=run_key(plan.target.run)))
    finally:
        database.close()


def _draw(job: Job, layout: StoreLayout, plan: SamplingPlan, choice: EngineChoice, status: JobStatus) -> JobStatus:
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

    verifier = verifier_for(plan, plan.verifier)
    engine = load_engine(choice.model, name=choice.name, options=choice.options)
    try:
        draw(layout, plan, engine, verifier, progress)
    except (ValueError, EngineUnavailable) as error:
        # An engine's word on a prompt that does not fit, a parameter it cannot honour, or a server that is gone.
        raise UsageError(str(error), next_step=f"Then go on with: passk jobs resume {job.name}") from error
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
