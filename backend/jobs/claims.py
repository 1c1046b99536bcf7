"""Which sample indices are promised to a job, so that no two jobs draw the same sample.

A job claims the indices of its plan from the moment it is written until it is finished or cancelled, also while its
worker has not begun, has failed or is gone, since it can be resumed. Plans are made, jobs written and workers begun
while `planning` holds the store's planning lock, so that two processes never give out the same index.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from backend.errors import PasskError, StoreError
from backend.jobs.job import Job, jobs_of
from backend.jobs.plan import SamplingPlan
from backend.store.layout import StoreLayout

Claims = Mapping[int, set[int]]
"""Sample indices by problem key."""

CLAIMING = ("prepared", "running", "gone", "failed")


@contextmanager
def planning(layout: StoreLayout) -> Iterator[None]:
    """Hold the planning lock; the kernel frees it when we die. Where the file system has no locks, go on without.

    Raises:
        StoreError: the store cannot be written.
    """
    layout.create()
    try:
        lock = os.open(layout.jobs / "planning.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StoreError(
            f"The store {layout.root} cannot be written",
            f"{error.strerror}: {error.filename}",
            "Ask its owner for write rights, or copy the store and name the copy with --store.",
        ) from error
    try:
        with suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def claimed(layout: StoreLayout, run: str, but: str = "") -> Claims:
    """The indices of a run that jobs have claimed, those of the job `but` left out; damaged jobs claim nothing.

    Read them before the samples: those of a job that has just finished are in the store already.
    """
    found: dict[int, set[int]] = {}
    for job, plan in claimants(layout, run):
        if job.name != but:
            for problem in plan.problems:
                found.setdefault(problem.key, set()).update(problem.indices)
    return found


def claimants(layout: StoreLayout, run: str) -> Iterator[tuple[Job, SamplingPlan]]:
    """The jobs that have claimed indices of a run, with their plans, the newest first."""
    for job in jobs_of(layout):
        try:
            if job.status().state not in CLAIMING:
                continue
            plan, _ = job.plan()
        except PasskError:
            continue
        if isinstance(plan, SamplingPlan) and plan.target.run == run:
            yield job, plan
