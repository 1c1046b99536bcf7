"""The only bridge from the screens to the backend: numbered requests in threads, answers as messages."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator
from contextlib import closing
from typing import Any

from textual.message import Message
from textual.message_pump import MessagePump

from backend import Database, Reader
from backend.errors import Cancelled, PasskError

Query = Callable[[Reader], Any]
"""Reads a record; or is a generator of records, each of which is handed on as it comes."""

AGAIN = 0.02
"""Seconds between two interrupts of the same request."""


class Loaded(Message):
    """A request has been answered, or one record of its stream has come."""

    def __init__(self, request: PendingQuery, record: Any, *, more: bool = False) -> None:
        super().__init__()
        self.request = request
        self.record = record
        self.more = more
        """Whether other records will come, and then `Ended`."""


class Ended(Message):
    """Every record of a stream has come."""

    def __init__(self, request: PendingQuery) -> None:
        super().__init__()
        self.request = request


class Failed(Message):
    """A request could not be answered."""

    def __init__(self, request: PendingQuery, error: PasskError) -> None:
        super().__init__()
        self.request = request
        self.error = error


class PendingQuery:
    """One question to the store."""

    def __init__(self, number: int, slot: str, query: Query, asker: MessagePump) -> None:
        self.number = number
        self.slot = slot
        self.query = query
        self.asker = asker
        self.cancelled = False


class _Worker(threading.Thread):
    """A thread with a reader of its own."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(name="gateway", daemon=True)
        self.gateway = gateway
        self.lock = threading.Lock()
        self.current: PendingQuery | None = None
        self.reader: Reader | None = None

    def run(self) -> None:
        with Reader(self.gateway.database) as reader:
            self.reader = reader
            while (request := self.gateway.requests.get()) is not None:
                with self.lock:
                    if request.cancelled:
                        continue
                    self.current = request
                    reader.begin()
                self._answer(reader, request)
                with self.lock:
                    self.current = None

    def _answer(self, reader: Reader, request: PendingQuery) -> None:
        answer: Message
        try:
            record = request.query(reader)
            answer = self._stream(request, record) if isinstance(record, Generator) else Loaded(request, record)
        except Cancelled:
            return
        except PasskError as error:
            answer = Failed(request, error)
        except Exception as error:
            answer = Failed(request, PasskError("Something went wrong in passk itself", repr(error), REPORT))
            answer.error.__cause__ = error
        if not request.cancelled:
            request.asker.post_message(answer)

    def _stream(self, request: PendingQuery, records: Generator[Any, None, None]) -> Ended:
        """Hand on every record as it comes, until the end or until nobody wants them any more."""
        with closing(records):
            for record in records:
                if request.cancelled:
                    raise Cancelled("Cancelled")
                request.asker.post_message(Loaded(request, record, more=True))
        return Ended(request)

    def interrupt(self, request: PendingQuery) -> None:
        """Stop this request if it is the one being answered; never another that came after it."""
        with self.lock:
            if self.current is not request or self.reader is None:
                return
            self.reader.interrupt()
        # An interrupt just before a query, or between two, is lost: repeat it until the request has ended.
        again = threading.Timer(AGAIN, self.interrupt, (request,))
        again.daemon = True
        again.start()


REPORT = "Please report it with the lines above; your store is untouched."


class Gateway:
    """Answers requests in threads. One slot of one asker has at most one living request: a newer one supersedes it."""

    def __init__(self, database: Database, threads: int = 2) -> None:
        self.database = database
        self.requests: queue.Queue[PendingQuery | None] = queue.Queue()
        self._number = 0
        self._living: dict[tuple[int, str], PendingQuery] = {}
        self._workers = [_Worker(self) for _ in range(threads)]
        for worker in self._workers:
            worker.start()

    def ask(self, asker: MessagePump, slot: str, query: Query) -> PendingQuery:
        """Put a question; `Loaded` or `Failed` comes to the asker. An older one of the same slot is interrupted."""
        self.cancel(asker, slot)
        self._number += 1
        request = PendingQuery(self._number, slot, query, asker)
        self._living[id(asker), slot] = request
        self.requests.put(request)
        return request

    def cancel(self, asker: MessagePump, slot: str) -> None:
        """The answer in this slot is no longer wanted."""
        request = self._living.pop((id(asker), slot), None)
        if request is not None:
            request.cancelled = True
            for worker in self._workers:
                worker.interrupt(request)

    def is_current(self, request: PendingQuery) -> bool:
        """Whether nothing newer was asked in its slot."""
        return self._living.get((id(request.asker), request.slot)) is request

    def forget(self, asker: MessagePump) -> None:
        """An asker is gone; its open questions are interrupted."""
        for owner, slot in list(self._living):
            if owner == id(asker):
                self.cancel(asker, slot)

    def close(self) -> None:
        """Interrupt what runs and wait for the threads: DuckDB must not be closed under them."""
        for request in list(self._living.values()):
            self.cancel(request.asker, request.slot)
        for _ in self._workers:
            self.requests.put(None)
        for worker in self._workers:
            worker.join(timeout=5)
