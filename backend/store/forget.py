"""Drops what does not count from a store for good: base.duckdb is written anew without it, and renamed into place.

Killed before the rename, the store is as it was; the half-made file lies in `unfinished`, which is swept. Whoever reads
meanwhile goes on reading; only at the rename nobody else may have the store open, for a later merge into the new file
would be none into theirs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

import queries
from backend.errors import StoreError
from backend.store.connection import as_passk_error, open_database, run_script
from backend.store.database import Database
from backend.store.decisions import KIND
from backend.store.identity import author_name
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock, exclusive_lock
from backend.store.merge import merge, migrate
from backend.store.parts import Manifest, discard, new_part_name, waiting_parts
from backend.store.shared_files import share

FORGOTTEN = "forgotten"
"""Kind of what stays in the ledger of a part that was dropped: its name, and when and by whom."""

PATIENCE = 10.0
"""Seconds to wait at the end for others to close the store."""


def forget(layout: StoreLayout) -> None:
    """Write base.duckdb anew with what counts, and nothing else.

    Raises:
        StoreError: somebody else has the store open or decides something meanwhile, a job is drawing, this user may not
            write it, or there is no room. Nothing has changed then.
    """
    result = merge(layout)
    if result.failure is not None:
        raise StoreError(f"Merging {layout.root} failed", result.failure)
    if result.skipped:
        raise _in_use(layout)
    folder = layout.unfinished / new_part_name("base")
    lock = BaseLock(layout.base)
    try:
        lock.share()
        before = _state(layout.base)
        folder.mkdir(parents=True)
        # As it was written: matches stay decisions, which can be taken back.
        with closing(Database(layout, matching=False)) as database:
            if database.waiting:
                jobs = sorted({manifest.job for manifest in database.waiting if manifest.job})
                raise StoreError(
                    f"Not everything in {layout.root} is merged yet",
                    f"A job is drawing: {', '.join(jobs)}." if jobs else "Somebody has just written something.",
                    "Wait until it has ended, or cancel it (passk jobs cancel), and try again.",
                )
            known = set(waiting_parts(layout))
            building = _build(layout, database, folder)
        _wait_for_others(layout, lock)
        with exclusive_lock(layout.publish_lock):
            if _state(layout.base) != before or _decided_since(layout, known):
                raise StoreError(
                    f"Somebody has changed {layout.root} meanwhile", "Nothing was forgotten.", "Try again."
                )
            os.replace(building, layout.base)
            _sync(layout.root)
    except duckdb.Error as error:
        raise as_passk_error(error, f"Writing {layout.root} anew") from error
    except OSError as error:
        raise StoreError(f"{layout.root} cannot be written anew", str(error), "Nothing was forgotten.") from error
    finally:
        lock.release()
        discard(folder)


def _in_use(layout: StoreLayout) -> StoreError:
    return StoreError(
        f"Nothing can be forgotten in {layout.root} now",
        "That needs write rights and nobody else who has the store open.",
        "Close other explorers and commands on this store, and try again.",
    )


def _state(base: Path) -> tuple[int, int, int]:
    """By which it is seen that nothing was merged."""
    if base.with_name(f"{base.name}.wal").exists():
        raise StoreError(f"{base} has not been closed in order", next_step="Open the store once, and try again.")
    found = os.stat(base)
    return found.st_ino, found.st_size, found.st_mtime_ns


def _wait_for_others(layout: StoreLayout, lock: BaseLock) -> None:
    deadline = time.monotonic() + PATIENCE
    while not lock.try_alone():
        if time.monotonic() > deadline:
            raise _in_use(layout)
        time.sleep(0.1)


def _decided_since(layout: StoreLayout, known: set[str]) -> bool:
    """Whether anybody has decided something that the new file does not know: what is dropped may count again."""
    return any(f"-{KIND}-" in part for part in waiting_parts(layout, known))


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _build(layout: StoreLayout, database: Database, folder: Path) -> Path:
    """The new file, whole and on the disk."""
    building = folder / layout.base.name
    with closing(open_database(building)) as connection, closing(database.cursor()) as cursor:
        migrate(connection, "base", building)
        connection.execute("SET checkpoint_threshold = '128MB'")
        for table in queries.tables():
            with _rows(cursor, folder, table) as path:
                connection.execute(queries.render("merge/rows", table), {"path": str(path)})
        tallies = folder / "tallies.parquet"
        run_script(connection, "merge/outcomes_to_tally")
        connection.execute(queries.load("parts/derive_tallies"), {"target": str(tallies)})
        connection.execute(queries.render("merge/rows", "statistics"), {"path": str(tallies)})
        deciding = {part for (part,) in connection.execute(queries.load("merge/deciding_parts")).fetchall()}
        for manifest in _ledger(database, deciding):
            connection.execute(queries.load("merge/ledger"), {"part": manifest.part, "manifest": manifest.to_json()})
    share(building, layout.root)
    _sync(building)
    return building


OWN_FORM = {"decisions": "forget/decisions", "judgements": "forget/judgements", "statistics": "forget/counts"}
"""Tables of which not all that counts is needed any more, or of which rows are made anew."""


@contextmanager
def _rows(cursor: duckdb.DuckDBPyConnection, folder: Path, table: str) -> Iterator[Path]:
    """What is kept of a table, as a file that goes when it has been read."""
    path = folder / f"{table}.parquet"
    name = OWN_FORM.get(table)
    statement = queries.load(name) if name else queries.render("forget/rows", table)
    cursor.execute(statement, {"target": str(path)})
    try:
        yield path
    finally:
        path.unlink()


def _ledger(database: Database, deciding: set[str]) -> Iterator[Manifest]:
    """The manifests of all merged parts without what is dropped; of parts of which nothing is left, that they were."""
    now = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    counted = database.decided.counted(database.merged)
    for part, manifest in sorted(database.merged.items()):
        kept = counted.get(part)
        emptied = kept is not None and bool(manifest.runs) and not kept.runs
        if kept is None or emptied or (manifest.kind == KIND and part not in deciding):
            gone = (f"forgotten on {now} by {author_name()}",)
            yield Manifest(part, FORGOTTEN, manifest.created, (), notes=gone, author=manifest.author)
        else:
            yield kept
