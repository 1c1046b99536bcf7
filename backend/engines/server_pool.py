"""Many requests to several servers at once: bounded, with back-off and retries, results as they come.

A server that fails rests, longer each time and with jitter; then one request alone tries it, after a look whether it
answers at all. When it has failed `retries` times more than the first, it is given up. Others go on meanwhile.
"""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from backend.engines.protocol import EngineUnavailable
from backend.engines.server_connection import Address, Connection, Key, Refused, Trouble

Job = TypeVar("Job")
Result = TypeVar("Result")

LONGEST_REST = 60.0
LAST_SECONDS = 2.0
"""So long is waited for threads that were told to end."""
ALL_REFUSED = 8
"""So many requests refused and none answered: the rest would be refused too."""


def rest(failures: int, after: float | None, backoff: float) -> float:
    """Seconds of rest after so many failures in a row; half of it is chance, so that clients do not come in step."""
    usual = min(backoff * float(2 ** (failures - 1)), LONGEST_REST)
    return max(after or 0.0, usual * random.uniform(0.5, 1.0))


@dataclass
class _Server:
    address: Address
    failures: int = 0
    wave: int = 0  # failures of requests that were sent together count once
    until: float = 0.0
    trying: bool = False
    lost: str = ""


@dataclass
class _Taken(Generic[Job]):
    job: Job
    tries: int = 0
    wave: int = 0
    alone: bool = False  # it tries a server that has failed


@dataclass(frozen=True)
class Pool:
    """Servers, and how hard they are asked."""

    addresses: Sequence[Address]
    key: Key = field(repr=False)
    concurrency: int
    retries: int
    backoff: float

    def run(
        self, jobs: Iterable[Job], task: Callable[[Connection, Job], Result]
    ) -> Generator[tuple[Job, Result | Refused], None, None]:
        """Yield every job with its result, or with why a server refused it.

        Raises:
            EngineUnavailable: no server is left, or one request fails again and again; results come first.
        """
        run = _Run(self, iter(jobs), task)
        try:
            yield from run.results()
        finally:
            run.stop()


class _Run(Generic[Job, Result]):
    """One pass over jobs. Everything below is guarded by `_changed`, except for the calls to servers."""

    def __init__(self, pool: Pool, jobs: Iterator[Job], task: Callable[[Connection, Job], Result]) -> None:
        self._pool, self._jobs, self._task = pool, jobs, task
        self._changed = threading.Condition()
        self._servers = [_Server(address) for address in pool.addresses]
        self._again: deque[_Taken[Job]] = deque()
        self._results: deque[tuple[Job, Result | Refused]] = deque()
        self._most = 4 * pool.concurrency * len(self._servers)  # results that may wait for whoever takes them
        self._busy = self._answered = self._refused = 0
        self._drained = self._stopped = False
        self._error: BaseException | None = None
        self._connections: list[Connection] = []
        self._threads = [
            threading.Thread(target=self._work, args=(server,), name=f"server-{place}", daemon=True)
            for server in self._servers
            for place in range(pool.concurrency)
        ]
        for thread in self._threads:
            thread.start()

    def results(self) -> Iterator[tuple[Job, Result | Refused]]:
        """Results as they come; at the end the error, if there was one."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._results or self._over())
                if not self._results:
                    break
                result = self._results.popleft()
                self._changed.notify_all()
            yield result
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Drop what is under way and end the threads."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
            connections = list(self._connections)
        deadline = time.monotonic() + LAST_SECONDS
        while any(thread.is_alive() for thread in self._threads) and time.monotonic() < deadline:
            # Again and again: a thread may have been about to open its connection when it was told to end.
            for connection in connections:
                connection.abort()
            for thread in self._threads:
                thread.join(timeout=0.05)

    def _over(self) -> bool:
        if self._error is not None:
            # Requests to servers that work are waited for; those to servers that are lost may never end.
            return self._busy == 0 or all(server.lost for server in self._servers)
        return self._drained and not self._again and self._busy == 0

    def _work(self, server: _Server) -> None:
        connection = Connection(server.address, self._pool.key)
        with self._changed:
            self._connections.append(connection)
        try:
            while (taken := self._take(server)) is not None:
                self._do(server, connection, taken)
        finally:
            with suppress(OSError):
                connection.close()

    def _do(self, server: _Server, connection: Connection, taken: _Taken[Job]) -> None:
        try:
            if taken.alone:
                self._look(connection)
            result = self._task(connection, taken.job)
        except Trouble as trouble:
            self._failed(server, taken, trouble)
        except Refused as refused:
            self._refuse(server, taken, refused)
        except BaseException as error:  # a mistake of ours: shown, not swallowed by a thread
            self._end(error)
        else:
            with self._changed:
                self._busy -= 1
                self._answered += 1
                self._works(server, taken)
                self._results.append((taken.job, result))
                self._changed.notify_all()

    def _works(self, server: _Server, taken: _Taken[Job]) -> None:
        if taken.wave == server.wave:  # an answer to what was sent before it failed says nothing
            server.failures, server.trying = 0, False

    def _look(self, connection: Connection) -> None:
        """A request may take minutes; whether a server is there at all takes no time."""
        with suppress(Refused):  # an answer, and so there
            connection.get(f"{connection.address.path}/models")

    def _take(self, server: _Server) -> _Taken[Job] | None:
        """The next job for this server; None when there will be none."""
        with self._changed:
            while True:
                if self._stopped or self._error is not None or server.lost:
                    return None
                resting = server.until - time.monotonic()
                if server.failures and (server.trying or resting > 0):
                    self._changed.wait(None if server.trying else resting)
                    continue
                if len(self._results) < self._most and (taken := self._next(fresh=server.failures > 0)) is not None:
                    taken.wave = server.wave
                    taken.alone = server.trying = server.failures > 0
                    self._busy += 1
                    return taken
                if self._over():
                    self._changed.notify_all()
                    return None
                self._changed.wait()

    def _next(self, *, fresh: bool) -> _Taken[Job] | None:
        """A job to do: a failed one first, but never to try a server with what may have broken it."""
        if self._again and not fresh:
            return self._again.popleft()
        if not self._drained:
            try:
                return _Taken(next(self._jobs))
            except StopIteration:
                self._drained = True
        return self._again.popleft() if self._again else None

    def _failed(self, server: _Server, taken: _Taken[Job], trouble: Trouble) -> None:
        with self._changed:
            self._busy -= 1
            taken.tries += 1
            self._again.append(taken)
            if taken.wave == server.wave:
                server.wave += 1
                server.failures += 1
                server.trying = False
                server.until = time.monotonic() + rest(server.failures, trouble.after, self._pool.backoff)
                if server.failures > self._pool.retries:
                    server.lost = str(trouble)
            if all(each.lost for each in self._servers):
                self._end_locked(
                    EngineUnavailable(f"No server is left: {_listed([each.lost for each in self._servers])}")
                )
            elif taken.tries > self._pool.retries * len(self._servers) + 1:
                self._end_locked(EngineUnavailable(f"One request failed {taken.tries} times; the last time {trouble}"))
            self._changed.notify_all()

    def _refuse(self, server: _Server, taken: _Taken[Job], refused: Refused) -> None:
        with self._changed:
            self._busy -= 1
            self._works(server, taken)
            if refused.everything:
                server.lost = str(refused)
                self._again.append(taken)
                if all(each.lost for each in self._servers):
                    self._end_locked(EngineUnavailable(_listed([each.lost for each in self._servers])))
            else:
                self._refused += 1
                self._results.append((taken.job, refused))
                if self._refused >= ALL_REFUSED and not self._answered:
                    self._end_locked(EngineUnavailable(str(refused)))
            self._changed.notify_all()

    def _end(self, error: BaseException) -> None:
        with self._changed:
            self._busy -= 1
            self._end_locked(error)
            self._changed.notify_all()

    def _end_locked(self, error: BaseException) -> None:
        self._error = self._error or error


def _listed(reasons: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(reasons))
