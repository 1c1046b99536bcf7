"""Locks on files, which the kernel frees when their holder dies, however it dies.

`BaseLock` says who may touch base.duckdb: any number of readers, or one that merges. DuckDB locks its file too, but
with a lock that belongs to the process: it is gone as soon as the process closes any other handle of that file, such as
that of a second reader or of a merge that was skipped. These locks belong to the open file, so that they last as long
as the reader does, and need no right to write. Where a file system has no locks, everybody gets them: nothing depends
on a lock alone.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from backend.errors import PasskError, StoreError

BUSY = (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)


def _try_lock(file: int, kind: int) -> bool | None:
    """Whether the lock is ours now, without waiting; None where the file system has no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in BUSY else None
    return True


@contextmanager
def exclusive_lock(path: Path, busy: PasskError | None = None) -> Iterator[None]:
    """Hold the lock on a file, which is made if need be and stays.

    Args:
        busy: raised when somebody else holds the lock; waits for them when omitted.

    Raises:
        StoreError: the file cannot be made.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise StoreError(
            f"{path.parent} cannot be written",
            f"{error.strerror}: {path}",
            "Ask its owner for write rights, or copy the store and name the copy with --store.",
        ) from error
    try:
        if busy is None:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        elif _try_lock(file, fcntl.LOCK_EX) is False:
            raise busy
        yield
    finally:
        os.close(file)


def is_locked(path: Path) -> bool | None:
    """Whether somebody holds the lock on a file; None where nobody can tell: no such file, or no locks."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        free = _try_lock(file, fcntl.LOCK_SH)
    finally:
        os.close(file)
    return None if free is None else not free


class BaseLock:
    """A lock on base.duckdb, held until `release`."""

    def __init__(self, base: Path) -> None:
        """Take no lock yet. Raises OSError: the file cannot be opened."""
        self._file = os.open(base, os.O_RDONLY)

    def try_alone(self) -> bool:
        """Lock everybody else out; False when somebody reads or merges."""
        return _try_lock(self._file, fcntl.LOCK_EX) is not False

    def share(self, *, patience: float = 20.0) -> None:
        """Keep merges out; waits for one that is running, which is short. Raises StoreError: the merge did not end."""
        deadline = time.monotonic() + patience
        while _try_lock(self._file, fcntl.LOCK_SH) is False:
            if time.monotonic() > deadline:
                raise StoreError(
                    "The store is being merged by another process",
                    next_step="Try again in a moment; nothing is lost.",
                )
            time.sleep(0.02)

    def release(self) -> None:
        """Let go; safe to call once only."""
        os.close(self._file)
