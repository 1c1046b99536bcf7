"""Brings base.duckdb to the schema version of this passk; refuses one that is newer."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import duckdb

import queries
from backend.store.connection import refuse_newer, schema_version


@dataclass(frozen=True, slots=True)
class Migration:
    """What makes a database of this version from one of the version before."""

    version: int
    sql: str


def migrations() -> list[Migration]:
    """Every migration of this passk, in order."""
    names = [
        entry.name.removesuffix(".sql")
        for entry in files("queries").joinpath("schema").iterdir()
        if entry.name[:4].isdigit()
    ]
    return [Migration(int(name[:4]), queries.load(f"schema/{name}")) for name in sorted(names)]


def migrate(
    connection: duckdb.DuckDBPyConnection,
    catalog: str,
    where: Path,
    known: Sequence[Migration] | None = None,
) -> int:
    """Apply the missing migrations to the database in use, each in one transaction with its version row.

    Args:
        connection: open for writing, with the database in use.
        catalog: DuckDB's name of that database.
        where: its file, for the error.
        known: the migrations, in order; this passk's own when omitted.

    Returns:
        The version before.

    Raises:
        StoreError: the database is newer than this passk.
    """
    before = schema_version(connection, catalog)
    refuse_newer(before, where)
    for migration in migrations() if known is None else known:
        if before < migration.version:
            connection.execute("BEGIN")
            try:
                connection.execute(migration.sql)
                connection.execute(queries.load("schema/record_version"), {"version": migration.version})
                connection.execute("COMMIT")
            except duckdb.Error:
                with suppress(duckdb.Error):  # a failed COMMIT has rolled back by itself
                    connection.execute("ROLLBACK")
                raise
    return before
