"""A job: a folder of the store with a plan, a status that is replaced atomically, and a log."""

from __future__ import annotations

import errno
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from backend.errors import PasskError, StoreError, UsageError, suggestion
from backend.jobs.work import EngineChoice, Plan, plan_from_json, plan_to_json
from backend.store.decisions import NOTHING_DECIDED, Decided
from backend.store.identity import without_surrogates
from backend.store.layout import StoreLayout
from backend.store.locks import exclusive_lock, is_locked
from backend.store.parts import discard
from backend.store.shared_files import NotPlain, open_inside, read_inside, read_with_owner, share, write_inside

P = TypeVar("P", bound=Plan)

SILENT_AFTER = 60.0
"""Seconds without a word after which a worker counts as gone; it reports every second or two."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
"""The disk is full, or this user's share of it."""

RECENT = 20
"""So many of the newest jobs are looked at every second."""


@dataclass(frozen=True, slots=True)
class JobStatus:
    """What a worker last said."""

    state: str = "prepared"
    """prepared, running, finished, failed or cancelled."""
    wanted: int = 0
    samples: int = 0
    """Samples of the plan that stand in the store."""
    drawn: int = 0
    """Samples drawn, over all attempts; what a killed worker had not stored yet is drawn again."""
    tokens: int = 0
    """Of those drawn."""
    seconds: float = 0.0
    """Time spent drawing, over all attempts."""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    last: str = ""
    """The beginning of the text that finished last."""
    error: str = ""
    host: str = ""
    pid: int = 0
    updated: float = 0.0
    """Seconds since the epoch."""


_started: list[subprocess.Popen[bytes]] = []
"""Workers that this process has started. Somebody has to take note of their ends, or they stay as zombies as long as
the explorer runs. Not by a thread: one that still waits when Python ends makes DuckDB's binding print about leaks."""


def _note_ends() -> None:
    _started[:] = [worker for worker in _started if worker.poll() is None]


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a store."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def lock(self) -> Path:
        """Held by the worker as long as it lives."""
        return self.folder / "lock"

    @property
    def cancel_mark(self) -> Path:
        """A file that asks the worker to stop, wherever it runs."""
        return self.folder / "cancel"

    @property
    def root(self) -> Path:
        """The store's folder."""
        return self.folder.parent.parent

    def read(self, name: str) -> bytes:
        """A file of the job.

        Raises:
            OSError: it cannot be read, or is no plain file.
        """
        return read_inside(self.root, self.folder / name)

    def plan(self) -> tuple[Plan, EngineChoice]:
        """What is to be done, and with what.

        Raises:
            StoreError: the plan is damaged.
        """
        return self.parse_plan(self.plan_text()[0])

    def plan_text(self) -> tuple[bytes, os.stat_result]:
        """The plan as it is written, and whose file it is; raises like `plan`."""
        try:
            return read_with_owner(self.root, self.folder / "plan.json")
        except OSError as error:
            raise self._damaged("plan.json", error) from error

    def parse_plan(self, text: bytes) -> tuple[Plan, EngineChoice]:
        """What a plan says; raises like `plan`."""
        try:
            return plan_from_json(text)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._damaged("plan.json", error) from error

    def _damaged(self, name: str, error: Exception) -> StoreError:
        return StoreError(f"The job {self.name} is damaged", f"{name}: {error}", "Prepare it again.")

    def log_text(self, last: int = 4_000_000) -> str:
        """What the worker printed, at most so many bytes of its end.

        Raises:
            StoreError: the log cannot be read, or is no plain file.
        """
        try:
            return read_inside(self.root, self.log, last=last).decode("utf-8", "replace")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._damaged("log", error) from error

    def status(self) -> JobStatus:
        """What the worker last said; `gone` where it stopped responding without an end."""
        try:
            found = msgspec.json.decode(self.read("status.json"), type=JobStatus)
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged("status.json", error) from error
        is_gone = found.state == "running" and self._is_gone(found)
        return replace(found, state="gone") if is_gone else found

    def say(self, status: JobStatus) -> None:
        """Replace the status; readers see the old one or the new one, never half of it."""
        target = self.folder / "status.json"
        last, error = without_surrogates(status.last), without_surrogates(status.error)
        data = msgspec.json.encode(replace(status, last=last, error=error, updated=time.time()))
        try:
            write_inside(self.root, target, data)
        except OSError as failure:
            if failure.errno not in NO_ROOM or not target.exists():
                raise
            self._overwrite(target, data)

    def _overwrite(self, target: Path, data: bytes) -> None:
        """Write into the blocks that a file has already, in one go: what is left to do on a full disk."""
        with open(open_inside(self.root, target, os.O_RDWR), "r+b", buffering=0) as file:
            # Blanks after JSON are none of it; the file does not shrink, so that its room stays.
            file.write(data.ljust(os.fstat(file.fileno()).st_size))

    def _is_gone(self, status: JobStatus) -> bool:
        """Whether the worker is no more: it holds the job's lock as long as it lives."""
        held = is_locked(self.lock, root=self.root)
        # No lock file yet, or a file system without locks: then only its silence tells.
        return time.time() - status.updated > SILENT_AFTER if held is None else not held

    def start(self, options: Sequence[str] = (), confirmed: str = "") -> subprocess.Popen[bytes]:
        """Start a worker as a process of its own session, which no terminal takes down with it.

        Args:
            options: of the engine, NAME=VALUE, that the user gives and no plan may hold.
            confirmed: hash of the plan that the user has confirmed, where it is somebody else's.

        Raises:
            StoreError: the job's folder cannot be written.
        """
        given = [word for option in options for word in ("--option", option)]
        words = [*given, *(("--confirmed", confirmed) if confirmed else ())]
        try:
            self.cancel_mark.unlink(missing_ok=True)
            opened = open_inside(self.root, self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        except OSError as error:
            raise self._unwritable(error) from error
        with open(opened, "ab") as log:
            worker = subprocess.Popen(
                # -P: a folder that has a package called explorer, or a json.py, is not where ours comes from.
                [sys.executable, "-P", "-m", "explorer.commands.main", "work", str(self.folder), *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                # Base and RL model are mostly drawn side by side: torch's threads of two workers would fight.
                env={"OMP_NUM_THREADS": str(max((os.cpu_count() or 2) // 2, 1)), **os.environ},
            )
        _started.append(worker)
        return worker

    def cancel(self) -> None:
        """Ask the worker to stop; what has been drawn stays. Where there is none, the job is given up."""
        status = self.status()
        try:
            os.close(open_inside(self.root, self.cancel_mark, os.O_RDONLY | os.O_CREAT))
            if status.state in ("prepared", "gone", "failed"):
                self.say(replace(status, state="cancelled"))
        except OSError as error:
            raise self._unwritable(error) from error

    def _unwritable(self, error: OSError) -> StoreError:
        """Why a worker cannot be started or stopped."""
        if isinstance(error, NotPlain):
            step = "Somebody has put that there. Remove it, or prepare the job again."
        elif error.errno in NO_ROOM:
            step = "Make room on the disk."
        else:
            step = "Ask the owner of the store for the right to write it."
        return StoreError(f"The job {self.name} cannot be written", f"{error.strerror}: {error.filename}", step)


def prepare(layout: StoreLayout, plan: Plan, engine: EngineChoice) -> Job:
    """Write a job that any worker that sees the folder can do. Raises StoreError: the store cannot be written."""
    # Sorts by time. Of the last version's names, which end with the second, one sorts before those of the same second.
    name = f"{datetime.now(UTC):%Y%m%d-%H%M%S%f}-{secrets.token_hex(2)}"
    workspace = layout.unfinished / f"job-{name}"
    job = Job(workspace)
    text = plan_to_json(plan, engine)
    layout.create()
    try:
        workspace.mkdir()
        share(workspace, layout.root)
        # A plan that others could alter would be theirs: see `trust`.
        write_inside(layout.root, workspace / "plan.json", text, private=True)
        job.say(JobStatus(wanted=plan.samples))
        os.close(open_inside(layout.root, job.log, os.O_RDONLY | os.O_CREAT))
        os.rename(workspace, layout.jobs / name)
    except OSError as error:
        discard(workspace)
        raise StoreError(
            f"The job could not be written into {layout.root}",
            f"{error.strerror}: {error.filename or workspace}",
            "Make room on the disk, or name a store that you can write with --store.",
        ) from error
    return Job(layout.jobs / name)


def jobs_of(layout: StoreLayout) -> list[Job]:
    """The store's jobs, the newest first."""
    _note_ends()
    try:
        with os.scandir(layout.jobs) as entries:
            names = sorted((entry.name for entry in entries if entry.is_dir(follow_symlinks=False)), reverse=True)
    except FileNotFoundError:
        return []
    return [Job(layout.jobs / name) for name in names]


def running_jobs(layout: StoreLayout) -> list[JobStatus]:
    """What the workers say that are at work, of the newest jobs."""
    found = []
    for job in jobs_of(layout)[:RECENT]:
        with suppress(StoreError):  # the list of jobs says which one is damaged
            found.append(job.status())
    return [status for status in found if status.state == "running"]


def find_job(layout: StoreLayout, name: str) -> Job:
    """The job of that name, or the only one whose name contains it; `last` is the newest.

    Raises:
        UsageError: none, or several.
    """
    jobs = jobs_of(layout)
    if name == "last" and jobs:
        return jobs[0]
    exact = [job for job in jobs if job.name == name] or [job for job in jobs if name in job.name]
    if len(exact) != 1:
        what = f"{len(exact)} jobs match {name}" if exact else f"There is no job {name}"
        raise UsageError(what, next_step=suggestion(name, [job.name for job in jobs], "job"))
    return exact[0]


DESCRIBED = (
    *("job", "state", "kind", "run", "engine", "problems", "samples", "wanted", "tokens", "samples_per_second"),
    *("tokens_per_second", "seconds_left", "verdicts", "last", "error", "host"),
)
"""What `describe` says of a job."""


def describe(job: Job, decided: Decided = NOTHING_DECIDED) -> dict[str, Any]:
    """One job as a flat row: what it draws, how far it is; one that cannot be read is `damaged`, and says why.

    Args:
        decided: what runs are called now; the job's own files keep the name of when it was made.
    """
    try:
        status, (plan, engine) = job.status(), job.plan()
    except StoreError as error:
        known = {"job": job.name, "state": "damaged", "verdicts": {}, "last": "", "error": str(error), "host": ""}
        return {**dict.fromkeys(DESCRIBED), **known}
    seconds = status.seconds or None
    rate = status.drawn / seconds if seconds and status.drawn else None
    left = (status.wanted - status.samples) / rate if rate and status.state == "running" else None
    return {
        "job": job.name,
        "state": status.state,
        "kind": plan.kind,
        "run": plan.called(decided.name_of),
        "engine": engine.name,
        "problems": len(plan.problems),
        "samples": status.samples,
        "wanted": status.wanted,
        "tokens": status.tokens,
        "samples_per_second": rate,
        "tokens_per_second": status.tokens / seconds if seconds and status.drawn else None,
        "seconds_left": left,
        "verdicts": dict(status.verdicts),
        "last": status.last,
        "error": status.error,
        "host": status.host,
    }


# What is promised to a job, so that no two jobs draw the same sample or score the same text. A job claims what its plan
# names from the moment it is written until it is finished or cancelled, also while its worker has not begun, has
# failed or is gone, since it can be resumed. Plans are made, jobs written and workers begun while `planning_lock` holds
# the store's planning lock, so that two processes never give out the same.

CLAIMING = ("prepared", "running", "gone", "failed")


@contextmanager
def planning_lock(layout: StoreLayout) -> Iterator[None]:
    """Hold the planning lock. Raises StoreError: the store cannot be written."""
    layout.create()
    with exclusive_lock(layout.jobs / "planning.lock", root=layout.root):
        yield


def claiming(layout: StoreLayout, kind: type[P]) -> Iterator[tuple[Job, P]]:
    """The jobs with a plan of this kind that claim what it names, the newest first; damaged jobs claim nothing."""
    for job in jobs_of(layout):
        try:
            if job.status().state not in CLAIMING:
                continue
            plan, _ = job.plan()
        except PasskError:
            continue
        if isinstance(plan, kind):
            yield job, plan
