"""Who may touch base.duckdb: any number of readers, or one that merges.

DuckDB locks its file too, but with a lock that belongs to the process: it is gone as soon as the process closes any
other handle of that file, such as that of a second reader or of a merge that was skipped. This lock belongs to the
open file, so that it lasts as long as the reader does, and needs no right to write.
"""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

from backend.errors import StoreError

BUSY = (errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN)


class BaseLock:
    """A lock on base.duckdb, held until `release`."""

    def __init__(self, base: Path) -> None:
        """Take no lock yet.

        Raises:
            OSError: the file cannot be opened.
        """
        self._file = os.open(base, os.O_RDONLY)

    def try_alone(self) -> bool:
        """Lock everybody else out; False when somebody reads or merges."""
        import fcntl

        return self._try(fcntl.LOCK_EX)

    def share(self, *, patience: float = 20.0) -> None:
        """Keep merges out; waits for one that is running, which is short.

        Raises:
            StoreError: the merge did not end.
        """
        import fcntl

        deadline = time.monotonic() + patience
        while not self._try(fcntl.LOCK_SH):
            if time.monotonic() > deadline:
                raise StoreError(
                    "The store is being merged by another process",
                    next_step="Try again in a moment; nothing is lost.",
                )
            time.sleep(0.02)

    def _try(self, kind: int) -> bool:
        import fcntl

        try:
            fcntl.flock(self._file, kind | fcntl.LOCK_NB)
        except OSError as error:
            # Any other error: a file system without locks. DuckDB's own lock has to do there.
            return error.errno not in BUSY
        return True

    def release(self) -> None:
        """Let go; safe to call once only."""
        os.close(self._file)
