"""Moves waiting parts into base.duckdb, brought to this schema first. Needs the file alone, so it may be skipped."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec

import queries
from backend.errors import StoreError
from backend.store.connection import (
    DamagedBase,
    as_passk_error,
    is_lock_error,
    open_database,
    refuse_newer,
    run_script,
    schema_version,
)
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock, exclusive_lock
from backend.store.parts import (
    FILES,
    DamagedPart,
    Manifest,
    digest_of,
    discard,
    manifest_from_json,
    new_part_name,
    part_files,
    read_manifests,
    sweep_unfinished,
    waiting_parts,
)
from backend.store.shared_files import share

MEMORY = "400MB"
"""What DuckDB may take while it merges, beside what this process has taken before."""

# Brings base.duckdb to the schema version of this passk; refuses one that is newer.


@dataclass(frozen=True, slots=True)
class Migration:
    """What makes a database of this version from one of the version before."""

    version: int
    sql: str


def migrations() -> list[Migration]:
    """Every migration of this passk, in order."""
    return [Migration(version, queries.load(name)) for version, name in enumerate(queries.migrations(), 1)]


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


# Moves waiting parts into base.duckdb. Needs the file alone, so it is tried and skipped; nothing depends on it.


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge did. `skipped` when someone else has the store open, or when it failed."""

    merged: tuple[str, ...]
    skipped: bool
    failure: str | None = None
    """Why it failed, because the disk is full or a part is damaged; what was not merged stays in its part as before."""


class _Busy(Exception):
    """Someone else has base.duckdb open, or this user may not write it."""


def merge(layout: StoreLayout, report: Callable[[str], None] = lambda _: None) -> MergeResult:
    """Create or migrate base.duckdb if need be, and merge what waits, one transaction for each part.

    Killed at any moment it leaves either the part and no ledger row, or the ledger row (and perhaps the part's folder,
    which everybody ignores from then on and the next merge unlinks).

    Raises:
        StoreError: the base or a part is newer than this passk, or a manifest in the ledger is damaged.
    """
    if not layout.exists() or not layout.writable():
        return MergeResult((), skipped=True)
    merged: list[str] = []
    try:
        with _open_alone(layout) as connection:
            migrate(connection, "base", layout.base)
            connection.execute("SET checkpoint_threshold = '128MB'")
            # Each thread holds blocks of its own: with two of them a gigabyte of jsonl took three times the memory.
            connection.execute("SET threads = 1")
            damaged = _merge_waiting(connection, layout, report, merged)
    except _Busy:
        return MergeResult((), skipped=True)
    except (duckdb.Error, OSError, DamagedBase) as error:
        return MergeResult(tuple(merged), skipped=True, failure=str(error).strip())
    sweep_unfinished(layout)
    return MergeResult(tuple(merged), skipped=False, failure="\n".join(map(str, damaged)) or None)


def rebuild_tallies(layout: StoreLayout) -> None:
    """Merge what waits, and count all merged samples anew. Published counts stay as they are.

    Raises:
        StoreError: someone else has the store open, this user may not write it, or DuckDB failed.
    """
    result = merge(layout)
    try:
        if result.failure is not None:
            raise StoreError(f"Merging {layout.root} failed", result.failure)
        if result.skipped:
            raise _Busy
        with _open_alone(layout) as connection, TemporaryDirectory(prefix="passk-") as folder:
            target = str(Path(folder) / "statistics.parquet")
            run_script(connection, "merge/outcomes_to_tally")
            connection.execute(queries.load("parts/derive_tallies"), {"target": target})
            connection.execute("BEGIN")
            connection.execute(queries.load("merge/forget_tallies"))
            connection.execute(queries.render("merge/rows", "statistics"), {"path": target})
            connection.execute("COMMIT")
    except _Busy:
        raise StoreError(
            f"The tallies of {layout.root} cannot be rebuilt now",
            "That needs write rights and nobody else who has the store open.",
            "Close other explorers and commands on this store, and try again.",
        ) from None
    except duckdb.Error as error:
        raise as_passk_error(error, f"Rebuilding the tallies of {layout.root}") from error


@contextmanager
def _open_alone(layout: StoreLayout) -> Iterator[duckdb.DuckDBPyConnection]:
    """base.duckdb, made if there is none, open for writing with nobody else in it.

    Raises:
        _Busy: someone else has it open, or this user may not write it.
        duckdb.Error, OSError: it cannot be made or read.
    """
    if not layout.base.exists():
        try:
            _create_base(layout)
        except PermissionError:
            raise _Busy from None
    if not os.access(layout.base, os.W_OK) or not os.access(layout.root, os.W_OK):
        raise _Busy
    lock = BaseLock(layout.base)
    try:
        if not lock.try_alone():
            raise _Busy
        try:
            connection = open_database(layout.base, memory_limit=MEMORY)
        except duckdb.Error as error:
            if is_lock_error(error):
                raise _Busy from None
            raise
        try:
            yield connection
        finally:
            connection.close()
    finally:
        lock.release()


def _create_base(layout: StoreLayout) -> None:
    """Make base.duckdb elsewhere and put it into its place whole: a half-made one could never be opened again."""
    folder = layout.unfinished / new_part_name("base")
    folder.mkdir(parents=True)
    try:
        building = folder / layout.base.name
        connection = open_database(building)
        try:
            migrate(connection, "base", building)
        finally:
            connection.close()
        share(building, layout.root)
        try:
            # A link never replaces a file: whoever comes second leaves the first one's in place.
            os.link(building, layout.base)
        except FileExistsError:
            pass
        except OSError:
            # A file system without links.
            with exclusive_lock(layout.publish_lock):
                if not layout.base.exists():
                    os.rename(building, layout.base)
    finally:
        discard(folder)


def _merge_waiting(
    connection: duckdb.DuckDBPyConnection,
    layout: StoreLayout,
    report: Callable[[str], None],
    merged: list[str],
) -> list[DamagedPart]:
    """Append to `merged` as parts are merged; returns why parts that seemed whole are not, which stay."""
    ledger = dict(connection.execute(queries.load("merge/merged_parts")).fetchall())
    names = waiting_parts(layout)
    waiting, strays = read_manifests(layout, names)
    # Once merged they could not be superseded any more.
    held = {part for stray in strays if stray.manifest is not None for part in stray.manifest.supersedes}
    damaged: list[DamagedPart] = []
    superseded = {part for manifest in waiting for part in manifest.supersedes}
    for name, text in ledger.items():
        superseded.update(manifest_from_json(text, f"The ledger's {name}").supersedes)
    unfinished = [entry for entry in waiting if entry.provisional and entry.part not in superseded]
    drawing = {run.run for entry in unfinished for run in entry.runs}
    if waiting:
        _require_readable_ends(connection, layout)
    for manifest in waiting:
        if manifest.part in ledger or manifest.provisional or manifest.part in superseded or manifest.part in held:
            continue
        if manifest.kind == "verdicts" and drawing.intersection(run.run for run in manifest.runs):
            # They may be of samples that a job has not gathered yet; tallies are rebuilt from what is merged.
            continue
        report(f"merging {manifest.part}")
        try:
            _merge_one(connection, layout, manifest)
        except DamagedPart as error:
            damaged.append(error)
            continue
        except duckdb.Error:
            # Where it is not the part, it is the disk or the base: the next would fail as well.
            if (damage := damage_of(layout, manifest)) is None:
                raise
            damaged.append(damage)
            continue
        merged.append(manifest.part)
    # Unlinked last: whoever is killed before this leaves folders that the ledger already speaks for.
    for part in names:
        if part in ledger or part in merged or part in superseded:
            discard(layout.parts / part)
    return damaged


def _require_readable_ends(connection: duckdb.DuckDBPyConnection, layout: StoreLayout) -> None:
    """Raise DamagedBase where rows would come behind damaged ones, in one block with which they would be lost."""
    try:
        for table in queries.tables():
            end = connection.execute(queries.render("merge/end", table)).fetchone()
            connection.execute(queries.render("merge/rows_from", table), {"first": end[0] if end else 0}).fetchone()
    except duckdb.Error as error:
        raise as_passk_error(error, f"Merging {layout.root}") from error


def _merge_one(connection: duckdb.DuckDBPyConnection, layout: StoreLayout, manifest: Manifest) -> None:
    """Merge a part. Raises DamagedPart: it is not as it was written; DuckDB would not notice every changed byte."""
    files = part_files(layout, manifest)
    for name, file in manifest.files.items():
        if name not in files or digest_of(files[name]) != file.digest:
            raise DamagedPart(manifest.part, f"{name}.parquet is not what was written", manifest)
    connection.execute("BEGIN")
    try:
        for name, path in files.items():
            rows = connection.execute(queries.render("merge/rows", FILES[name]), {"path": str(path)}).fetchone()
            if name in manifest.files and rows != (manifest.files[name].rows,):
                wanted = manifest.files[name].rows
                raise DamagedPart(manifest.part, f"{name}.parquet has not the {wanted:,} rows it should have", manifest)
        said = msgspec.structs.replace(manifest, files={})  # they are unlinked
        connection.execute(queries.load("merge/ledger"), {"part": manifest.part, "manifest": said.to_json()})
        connection.execute("COMMIT")
    except BaseException:
        with suppress(duckdb.Error):  # a failed COMMIT has rolled back by itself
            connection.execute("ROLLBACK")
        raise


# Whether a part is whole.


def damage_of(layout: StoreLayout, manifest: Manifest, *, whole: bool = True) -> DamagedPart | None:
    """Why a part cannot be used; None where it can, or has been unlinked meanwhile.

    Args:
        whole: also compare every byte with what was written, where the manifest keeps that.
    """
    try:
        files = part_files(layout, manifest)
    except DamagedPart as error:
        return error
    with closing(open_database()) as connection:
        migrate(connection, "memory", layout.base)
        for name, path in files.items():
            written = manifest.files.get(name)
            why = _unreadable(connection, name, path, None if written is None else written.rows)
            if why is None and whole and written is not None and digest_of(path) != written.digest:
                why = "is not what was written"
            if why is not None and path.exists():
                return DamagedPart(manifest.part, f"{path.name} {why}", manifest)
    return None


def _unreadable(connection: duckdb.DuckDBPyConnection, name: str, path: Path, rows: int | None) -> str | None:
    """Why the rows of a file, of which there should be so many, cannot be taken into its table."""
    try:
        connection.execute(queries.render("checks/columns", FILES[name]), {"path": str(path)})
        found = connection.execute(queries.render("checks/every_value", texts=[str(path)])).fetchone()
    except duckdb.Error as error:
        return f"cannot be read: {first_line(error)}"
    if rows is None or found is None or found[0] == rows:
        return None
    return f"has {found[0]:,} rows and should have {rows:,}"


def first_line(error: Exception) -> str:
    """What went wrong, without what DuckDB adds below it."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
