"""Moves waiting parts into base.duckdb. Needs the file alone, so it is tried and skipped; nothing depends on it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import duckdb

import queries
from backend.store.connection import is_lock_error, open_database
from backend.store.layout import StoreLayout
from backend.store.migrations import migrate
from backend.store.parts import (
    FILES,
    Manifest,
    discard,
    manifest_from_json,
    read_manifest,
    sweep_unfinished,
    waiting_parts,
)


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge did. `skipped` when someone else has the store open."""

    merged: tuple[str, ...]
    skipped: bool


def merge(layout: StoreLayout, report: Callable[[str], None] = lambda _: None) -> MergeResult:
    """Create or migrate base.duckdb if need be, and merge what waits, one transaction for each part.

    Killed at any moment it leaves either the part and no ledger row, or the ledger row (and perhaps the part's folder,
    which everybody ignores from then on and the next merge unlinks).

    Raises:
        StoreError: the base is newer than this passk, or a part is damaged.
    """
    if not layout.writable():
        return MergeResult((), skipped=True)
    try:
        connection = open_database(layout.base)
    except duckdb.Error as error:
        if is_lock_error(error) or isinstance(error, duckdb.IOException):
            return MergeResult((), skipped=True)
        raise
    try:
        migrate(connection, "base", layout.base)
        connection.execute("SET checkpoint_threshold = '128MB'")
        merged = tuple(_merge_waiting(connection, layout, report))
    finally:
        connection.close()
    sweep_unfinished(layout)
    return MergeResult(merged, skipped=False)


def _merge_waiting(
    connection: duckdb.DuckDBPyConnection, layout: StoreLayout, report: Callable[[str], None]
) -> list[str]:
    ledger = dict(connection.execute(queries.load("merge/merged_parts")).fetchall())
    superseded = {
        part
        for name, text in ledger.items()
        for part in manifest_from_json(text, f"The ledger's {name}").supersedes
    }
    waiting = [manifest for part in waiting_parts(layout) if (manifest := read_manifest(layout, part))]
    merged: list[str] = []
    for manifest in waiting:
        if manifest.part in ledger or manifest.provisional or manifest.part in superseded:
            continue
        report(f"merging {manifest.part}")
        _merge_one(connection, layout, manifest)
        merged.append(manifest.part)
        superseded.update(manifest.supersedes)
    # Unlinked last: whoever is killed before this leaves folders that the ledger already speaks for.
    for manifest in waiting:
        if manifest.part in ledger or manifest.part in merged or manifest.part in superseded:
            discard(layout.parts / manifest.part)
    return merged


def _merge_one(connection: duckdb.DuckDBPyConnection, layout: StoreLayout, manifest: Manifest) -> None:
    folder = layout.parts / manifest.part
    connection.execute("BEGIN")
    try:
        for table in (*FILES, "texts"):
            path = folder / f"{table}.parquet"
            if path.exists():
                connection.execute(queries.load(f"merge/{table}"), {"path": str(path)})
        connection.execute(
            queries.load("merge/ledger"), {"part": manifest.part, "manifest": manifest.to_json()}
        )
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
