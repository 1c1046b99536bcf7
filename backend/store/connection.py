"""DuckDB as this project uses it: settings, closed to the network, errors turned into sentences."""

from __future__ import annotations

import atexit
import os
import shutil
import time
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import duckdb

import queries
from backend.errors import Cancelled, StoreError
from backend.store.parts import SCHEMA_VERSION

STORAGE_VERSION = "v1.5.0"
"""Read and written by DuckDB 1.5 and 2.0 alike; older versions leave zstd columns uncompressed."""


def open_database(path: Path | None = None, *, memory_limit: str = "2GB") -> duckdb.DuckDBPyConnection:
    """A connection to a database file, or to a new one in memory.

    `memory_limit` bounds DuckDB's own memory; beyond it, it spills to a temporary folder.

    Raises:
        duckdb.Error: as DuckDB does, a lock error among them when another process has the file open.
    """
    settings: dict[str, Any] = {
        "storage_compatibility_version": STORAGE_VERSION,
        # A closed machine must not hang on a download.
        "autoinstall_known_extensions": "false",
        "memory_limit": memory_limit,
        # Where it spills to; a database in memory would use the user's working folder.
        "temp_directory": _spill_folder(os.getpid()),
    }
    connection = duckdb.connect(":memory:" if path is None else str(path), config=settings)
    disable_progress_bar(connection)
    return connection


@cache
def _spill_folder(process: int) -> str:
    """This process's own folder for what does not fit into memory: texts of samples, so nobody else may look in."""
    folder = mkdtemp(prefix=f"passk-{process}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def disable_progress_bar(connection: duckdb.DuckDBPyConnection) -> None:
    """Never print a progress bar: the terminal belongs to the explorer."""
    connection.execute("SET enable_progress_bar_print = false")


def is_lock_error(error: duckdb.Error) -> bool:
    """Whether another process (or another database of this one) has the file open."""
    text = str(error).lower()
    return any(words in text for words in ("set lock", "already attached", "resource in use"))


def run_script(connection: duckdb.DuckDBPyConnection, name: str, table: str | None = None, **paths: list[str]) -> None:
    """Run a statement file without parameters, its table and path lists filled in."""
    connection.execute(queries.render(name, table, **paths))


def schema_version(connection: duckdb.DuckDBPyConnection, catalog: str) -> int:
    """Schema version of the database in use; 0 for an empty one."""
    row = connection.execute(queries.load("schema/has_version"), {"catalog": catalog}).fetchone()
    if row is None or not row[0]:
        return 0
    found = connection.execute(queries.load("schema/version")).fetchone()
    return int(found[0]) if found and found[0] is not None else 0


def refuse_newer(version: int, where: Path) -> None:
    """Raise StoreError when a store was written by a later passk."""
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{where} was written by a newer passk",
            f"Its schema version is {version}; this passk knows up to {SCHEMA_VERSION}.",
            "Upgrade passk-explorer to open it. Nothing was changed.",
        )


DAMAGE = ("Corrupt database file", "not a valid DuckDB database file", "Could not read enough bytes")
"""What DuckDB says of a database file in which blocks are wrong or missing."""


class DamagedBase(StoreError):
    """DuckDB says that blocks of base.duckdb are not as they were written."""


DAMAGE = ("Corrupt database file", "not a valid DuckDB database file", "Could not read enough bytes")
"""What DuckDB says of a file that is damaged, or shorter than it says itself."""


def as_passk_error(error: duckdb.Error, what: str) -> StoreError | Cancelled:
    """The sentence for a DuckDB error at the edge of the store."""
    if isinstance(error, duckdb.InterruptException):
        return Cancelled(f"{what} was interrupted")
    text = str(error).strip()
    if any(words in text for words in DAMAGE):
        advice = "passk doctor --store S says what can still be read, and with --repair keeps that."
        return DamagedBase(f"{what} failed: its base.duckdb is damaged", text, advice)
    return StoreError(f"{what} failed", str(error).strip(), "passk doctor shows the versions in use.")


def retry_while_locked(attempt: Any, *, patience: float = 20.0) -> Any:
    """Call `attempt` until no lock error comes or `patience` seconds have passed: a merge by someone else is short.

    Raises:
        StoreError: the file stayed locked.
    """
    deadline = time.monotonic() + patience
    pause = 0.02
    while True:
        try:
            return attempt()
        except duckdb.Error as error:
            if not is_lock_error(error):
                raise
            if time.monotonic() > deadline:
                raise StoreError(
                    "The store is being merged by another process",
                    str(error).strip(),
                    "Try again in a moment; nothing is lost.",
                ) from error
        time.sleep(pause)
        pause = min(pause * 1.5, 0.5)
