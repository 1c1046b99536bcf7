"""What a draw has finished becomes parts of the store, in a thread beside the engine.

Provisional parts make samples visible within seconds. Now and then those of a draw are gathered into one, so that
nobody who opens the store has hundreds to read, and at the end into a sorted one that is merged.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from backend.engines.protocol import Sample
from backend.jobs.parts import Drawn, DrawTarget, gather, write_part
from backend.store.connection import open_database
from backend.verifiers.protocol import Judgement

if TYPE_CHECKING:
    import duckdb

FLUSH_SAMPLES = 256
FLUSH_SECONDS = 5.0
"""What is finished is visible to everybody at the latest after this; the first parts come sooner, one second apart."""
GATHER_PARTS = 32
"""So many provisional parts of a draw become one."""
BACKLOG = 16 * FLUSH_SAMPLES
"""Samples that may wait for a slow disk before the engine has to."""


@dataclass(frozen=True, slots=True)
class Stored:
    """Samples that stand in the store, whatever happens next."""

    samples: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)


class DrawnParts:
    """Takes finished samples and publishes them; leaving the `with` block publishes the rest and ends the thread."""

    def __init__(self, target: DrawTarget) -> None:
        """Write into this target."""
        self._target = target
        self._changed = threading.Condition()
        self._waiting: list[Drawn] = []
        self._since = 0.0
        """When the first of those that wait came."""
        self._closing = False
        self._failure: BaseException | None = None
        self.stored = Stored()
        self._parts: list[str] = []
        self._thread = threading.Thread(target=self._run, name="parts", daemon=True)
        self._thread.start()

    def add(self, sample: Sample, judged: Judgement) -> None:
        """Take a finished sample.

        Raises:
            OSError, duckdb.Error, PasskError: those before it could not be written.
        """
        with self._changed:
            while len(self._waiting) >= BACKLOG and self._failure is None:
                self._changed.wait()
            if self._failure is not None:
                raise self._failure
            if not self._waiting:
                self._since = time.monotonic()
                self._changed.notify_all()
            self._waiting.append((sample, judged))
            if len(self._waiting) == FLUSH_SAMPLES:
                self._changed.notify_all()

    def __enter__(self) -> DrawnParts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Publish what waits; raises like `add`."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        try:
            self._thread.join()
        finally:
            self._thread.join()  # a signal may have ended the first
        if self._failure is not None and self._failure is not error:
            raise self._failure

    def _run(self) -> None:
        try:
            connection = open_database()
            try:
                while drawn := self._next():
                    self._write(connection, drawn)
            finally:
                connection.close()
        except BaseException as error:
            with self._changed:
                self._failure = error
                self._changed.notify_all()

    def _next(self) -> list[Drawn]:
        """The samples of the next part, when it is due; none at the end."""
        with self._changed:
            while not self._closing and len(self._waiting) < FLUSH_SAMPLES:
                patience = min(1.0 + len(self._parts), FLUSH_SECONDS)
                left = self._since + patience - time.monotonic() if self._waiting else None
                if left is not None and left <= 0:
                    break
                self._changed.wait(left)
            drawn, self._waiting = self._waiting, []
            self._changed.notify_all()
            return drawn

    def _write(self, connection: duckdb.DuckDBPyConnection, drawn: list[Drawn]) -> None:
        self._parts.append(write_part(self._target, drawn, connection))
        verdicts = dict(self.stored.verdicts)
        for _, judged in drawn:
            verdicts[judged.verdict] = verdicts.get(judged.verdict, 0) + 1
        self.stored = Stored(self.stored.samples + len(drawn), verdicts)
        if len(self._parts) % GATHER_PARTS == 0:
            gather(self._target, self._parts[-GATHER_PARTS:], connection)
