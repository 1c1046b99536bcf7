"""Brings base.duckdb to the schema version of this passk; refuses one that is newer."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import duckdb

import queries
from backend.store.connection import SCHEMA_VERSION, refuse_newer, schema_version


def steps() -> list[tuple[int, str]]:
    """Version and statement file of every migration, in order."""
    names = [
        entry.name.removesuffix(".sql")
        for entry in files("queries").joinpath("schema").iterdir()
        if entry.name[:4].isdigit()
    ]
    return [(int(name[:4]), f"schema/{name}") for name in sorted(names)]


def migrate(connection: duckdb.DuckDBPyConnection, catalog: str, where: Path) -> int:
    """Apply the missing migrations to the database in use, each in one transaction with its version row.

    Returns:
        The version before.

    Raises:
        StoreError: the database is newer than this passk.
    """
    before = schema_version(connection, catalog)
    refuse_newer(before, where)
    for version, name in steps():
        if before < version <= SCHEMA_VERSION:
            connection.execute("BEGIN")
            try:
                connection.execute(queries.load(name))
                connection.execute(queries.load("schema/record_version"), {"version": version})
                connection.execute("COMMIT")
            except duckdb.Error:
                connection.execute("ROLLBACK")
                raise
    return before
