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
from backend.store.shared_files import NotPlain, open_inside

BUSY = (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)


def _try_lock(file: int, kind: int) -> bool | None:
    """Whether the lock is ours now, without waiting; None where the file system has no locks."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in BUSY else None
    return True


PATIENCE = 120.0
"""Seconds after which a lock that is only ever held for moments counts as held by something that hangs."""


@contextmanager
def exclusive_lock(path: Path, busy: PasskError | None = None, *, root: Path | None = None) -> Iterator[None]:
    """Hold the lock on a file, which is made if need be and stays.

    Args:
        busy: raised when somebody else holds the lock; waits for them when omitted.
        root: the store's folder, where the file does not lie in it directly.

    Raises:
        StoreError: the file cannot be made, or somebody has been holding the lock for minutes.
    """
    try:
        # To lock it takes no right to write: a colleague's will do.
        file = open_inside(root or path.parent, path, os.O_RDONLY | os.O_CREAT)
    except OSError as error:
        raise StoreError(
            f"{path.parent} cannot be written",
            f"{error.strerror}: {path}",
            "Remove that file."
            if isinstance(error, NotPlain)
            else "Ask its owner for write rights, or copy the store and name the copy with --store.",
        ) from error
    try:
        deadline = time.monotonic() + PATIENCE
        if (locked := _try_lock(file, fcntl.LOCK_EX)) is None:
            # No locks here; or NFS, which makes an exclusive lock of a kind that needs a handle for writing.
            with suppress(OSError):
                os.dup2(opened := open_inside(root or path.parent, path, os.O_RDWR), file, inheritable=False)
                os.close(opened)
                locked = _try_lock(file, fcntl.LOCK_EX)
        while locked is False:
            if busy is not None:
                raise busy
            if time.monotonic() > deadline:
                raise StoreError(
                    f"Somebody has been holding {path} for minutes",
                    "It is only ever held for moments: a process hangs, perhaps on another machine.",
                    f"fuser {path} tells which one; end it, and try again.",
                )
            time.sleep(0.01)
            locked = _try_lock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def is_locked(path: Path, *, root: Path | None = None) -> bool | None:
    """Whether somebody holds the lock on a file; None where nobody can tell: no such file, or no locks."""
    try:
        file = open_inside(root or path.parent, path, os.O_RDONLY)
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
        self._base = base
        self._file = os.open(base, os.O_RDONLY)

    def try_alone(self) -> bool:
        """Lock everybody else out; False when somebody reads or merges."""
        if _try_lock(self._file, fcntl.LOCK_EX) is False:
            return False
        if replaced := self._was_replaced():
            _try_lock(self._file, fcntl.LOCK_UN)
        return not replaced

    def _was_replaced(self) -> bool:
        """Whether base.duckdb has been written anew since its file was opened here: this lock is of the one before."""
        mine, there = os.fstat(self._file), os.stat(self._base)
        return (mine.st_dev, mine.st_ino) != (there.st_dev, there.st_ino)

    def share(self, *, patience: float = 20.0) -> None:
        """Keep merges out; waits for one that is running, which is short. Raises StoreError: the merge did not end."""
        deadline = time.monotonic() + patience
        while (locked := _try_lock(self._file, fcntl.LOCK_SH)) is False or self._was_replaced():
            if locked is not False:
                os.close(self._file)
                self._file = os.open(self._base, os.O_RDONLY)
                continue
            if time.monotonic() > deadline:
                raise StoreError(
                    "The store is being merged by another process",
                    next_step="Try again in a moment; nothing is lost.",
                )
            time.sleep(0.02)

    def release(self) -> None:
        """Let go; safe to call once only."""
        os.close(self._file)
