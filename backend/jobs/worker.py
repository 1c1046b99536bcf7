"""`passk work JOB`: does a job, anywhere that sees its folder. It can be killed at any moment and done again."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from threading import main_thread
from types import FrameType, MappingProxyType
from typing import Any

import duckdb

from backend.configuration import read_configuration
from backend.engines.protocol import EngineUnavailable
from backend.errors import PasskError, StoreError, UsageError
from backend.jobs.job import NO_ROOM, Job, JobStatus, planning_lock
from backend.jobs.trust import engine_for_work, require_confirmed
from backend.jobs.work import EngineChoice, Plan, WorkState
from backend.store.layout import StoreLayout
from backend.store.locks import exclusive_lock
from backend.store.merge import merge
from backend.store.shared_files import is_mine
from backend.visible_text import visible

BEGAN = time.time()
"""When this process came to be, by the clock that files are dated by."""
SAY_EVERY = 1.0
"""Seconds between two statuses."""


class _Stopped(Exception):
    """Somebody cancelled the job, or the machine wants the process gone."""


def work(folder: Path, options: Mapping[str, Any] = MappingProxyType({}), confirmed: str = "") -> JobStatus:
    """Do a job, or what is left of it.

    Args:
        folder: of the job.
        options: of the engine, which the user of this worker gives.
        confirmed: hash of the plan that the user has confirmed, where somebody else may have written it.

    Returns:
        The last status: finished or cancelled.

    Raises:
        NotConfirmed: somebody else prepared it; nothing was done.
        PasskError: it failed; the status says so too, and the job can be resumed.
    """
    job = Job(folder)
    layout = StoreLayout(folder.parent.parent)
    text, owner = job.plan_text()
    require_confirmed(job, text, owner, confirmed)
    plan, choice = job.parse_plan(text)
    busy = UsageError(f"A worker is at the job {job.name} already")
    with exclusive_lock(job.lock, busy, root=layout.root), _sigterm():
        _forget_old_cancel(job)
        before = job.status()
        status = replace(before, state="running", error="", host=socket.gethostname(), pid=os.getpid())
        try:
            with planning_lock(layout):
                choice, notes = engine_for_work(choice, read_configuration(), options, mine=is_mine(owner))
                for note in notes:
                    print(f"passk: {visible(note)}", file=sys.stderr, flush=True)
                left = plan.left(layout, job.name)
                status = _with_stored(status, plan.stored(layout))
                status = replace(status, wanted=status.samples + left.samples)
                job.say(status)
            status = _carry_out(job, layout, plan, left, choice, status)
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
        if job.cancel_mark.lstat().st_mtime < BEGAN:
            job.cancel_mark.unlink()


def _with_stored(status: JobStatus, verdicts: Counter[str]) -> JobStatus:
    """The status with what the store holds of the plan."""
    return replace(status, samples=verdicts.total(), verdicts=dict(sorted(verdicts.items())))


def _now(job: Job, layout: StoreLayout, plan: Plan, status: JobStatus) -> JobStatus:
    """The status after an interruption: what was last said of tokens and time, and what the store holds."""
    with suppress(PasskError, OSError):
        said = job.status()
        status = replace(status, tokens=said.tokens, seconds=said.seconds, drawn=said.drawn, last=said.last)
        return _with_stored(status, plan.stored(layout))
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
            f"What was written before is kept. {_remedy(error)}\n{resume}",
        )
    return error


def _remedy(error: Exception) -> str:
    """What is to be done about a write that failed, by its cause."""
    said = str(error).lower()
    if getattr(error, "errno", None) in NO_ROOM or "no space left" in said or "quota" in said:
        return "Is there room on the disk? Make some."
    if getattr(error, "errno", None) in (errno.EACCES, errno.EPERM, errno.EROFS) or "permission denied" in said:
        return "It takes the right to write the store: ask its owner."
    return "The line above says what the system refused."


def _carry_out(
    job: Job, layout: StoreLayout, plan: Plan, left: Plan, choice: EngineChoice, status: JobStatus
) -> JobStatus:
    if not left.samples:
        plan.finish(layout, job.name)
        return replace(status, state="finished")
    with _Reports(job, status) as reports:
        reports.state = plan.carry_out(layout, left, choice, reports.take, job.name)
    return replace(reports.status(), state="finished")


class _Reports:
    """Says every second how far the job is and looks whether somebody has cancelled it, beside the engine.

    So a worker whose model takes minutes to load or to finish a sample is neither silent nor deaf.
    """

    def __init__(self, job: Job, start: JobStatus) -> None:
        self._job, self._start = job, start
        self.state: WorkState | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reports", daemon=True)

    def take(self, state: WorkState) -> None:
        """Note how far the work is."""
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
