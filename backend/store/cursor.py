"""One thread's way to ask a store: the rows of a query, its arrays, or a stream of rows; all can be interrupted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Self, cast

import duckdb

import queries
from backend.errors import Cancelled
from backend.store.connection import as_passk_error
from backend.store.database import Database

if TYPE_CHECKING:
    import numpy as np

Row = tuple[Any, ...]

MOST_CACHED = 256
"""Queries whose rows are kept in memory."""


class StoreCursor:
    """Asks one store. Used by one thread; `interrupt` may come from any."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._cursor = database.cursor()
        self._streams: set[duckdb.DuckDBPyConnection] = set()
        self._interrupted = False

    def close(self) -> None:
        self._cursor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def interrupt(self) -> None:
        """Stop the query that is running in another thread; it raises Cancelled there, and the cursor stays usable."""
        self._interrupted = True
        for cursor in (self._cursor, *tuple(self._streams)):
            # One that was closed in this very moment has nothing left to stop.
            with suppress(duckdb.ConnectionException):
                cursor.interrupt()

    def begin(self) -> None:
        """What comes now is another question: interrupts of the one before are not meant for it."""
        self._interrupted = False

    def go_on(self) -> None:
        """Called between the steps of long work outside the store, which no interrupt of a query can stop.

        Raises:
            Cancelled: interrupted since the question began.
        """
        if self._interrupted:
            self._interrupted = False
            raise Cancelled("Cancelled")

    def rows(self, query: str, /, **parameters: Any) -> list[Row]:
        """All rows of a query.

        Raises:
            Cancelled: interrupted.
            StoreError: DuckDB failed.
        """
        try:
            return self._cursor.execute(queries.load(query), parameters or None).fetchall()
        except duckdb.Error as error:
            raise as_passk_error(error, f"The query {query}") from error

    def cached_rows(self, query: str, /, **parameters: Any) -> list[Row]:
        """Rows of a small query, read once until the store changes; raises like `rows`."""
        cache, key = self.database.query_cache, (query, tuple(parameters.items()))
        found = cache.get(key)
        if found is None:
            found = self.rows(query, **parameters)
            if len(cache) >= MOST_CACHED:
                cache.clear()
            cache[key] = found
        return found

    def arrays(self, query: str, /, **parameters: Any) -> dict[str, np.ndarray[Any, Any]]:
        """All rows of a query of numbers, as one numpy array a column; raises like `rows`."""
        try:
            result = self._cursor.execute(queries.load(query), parameters or None).fetchnumpy()
            return cast("dict[str, np.ndarray[Any, Any]]", result)
        except duckdb.Error as error:
            raise as_passk_error(error, f"The query {query}") from error

    @contextmanager
    def stream(self, query: str, first: int, then: int, /, **parameters: Any) -> Iterator[Iterator[list[Row]]]:
        """The rows of a query in batches, `first` rows and then `then` at a time, as DuckDB finds them.

        On a cursor of its own, so that others may be asked between two batches. Raises like `rows`.
        """
        cursor = self.database.cursor()
        # Hand on the first rows when there are some hundred, not a megabyte of them.
        cursor.execute("SET SESSION streaming_buffer_size = '64KB'")
        self._streams.add(cursor)

        def batches() -> Iterator[list[Row]]:
            try:
                result = cursor.execute(queries.load(query), parameters or None)
                rows = result.fetchmany(first)
                while rows:
                    yield rows
                    rows = result.fetchmany(then)
            except duckdb.Error as error:
                raise as_passk_error(error, f"The query {query}") from error

        try:
            yield batches()
        finally:
            self._streams.discard(cursor)
            cursor.close()
