"""Whether what a store holds can be read, and what to do where it cannot: what `passk doctor --store` does.

Opening a store looks at the sizes of its parts alone. Here every value is read, and compared with what was written
where a manifest keeps that; it takes as long as the store is large. `repair_store` deletes nothing: what is damaged
goes into the folder `damaged/` of the store, and what can still be read of base.duckdb into a new one.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb

import queries
from backend.errors import StoreError
from backend.store.connection import open_database, run_script, schema_version
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock
from backend.store.merge import damage_of, first_line, migrate, migrations, rebuild_tallies
from backend.store.parts import (
    SCHEMA_VERSION,
    ArrivingPart,
    DamagedPart,
    NewerPart,
    Stray,
    discard,
    manifest_from_json,
    new_part_name,
    read_manifest,
    waiting_parts,
)
from backend.store.shared_files import share
from backend.wording import with_noun

RANGES = (122_880, 2_048)
"""Rows that are read at once from a damaged table; where that fails, fewer. DuckDB never reads less than 2,048."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one part, or of base.duckdb."""

    what: str
    status: str
    """ok, still arriving, damaged, copy, or newer."""
    note: str = ""
    part: str = ""
    """Its folder's name, where it is one of `parts/`."""

    @property
    def good(self) -> bool:
        return self.status in ("ok", "still arriving")


# Parts


def _check_part(layout: StoreLayout, part: str, merged: bool) -> Finding | None:
    what = f"parts/{part}"
    if merged:
        return Finding(what, "ok", "merged already; the next merge removes it", part)
    try:
        manifest = read_manifest(layout, part)
        if manifest is None:
            return None
        damage: Stray | None = damage_of(layout, manifest)
        if damage is None:
            samples = sum(run.samples for run in manifest.runs)
            return Finding(what, "ok", with_noun(samples, "sample") if samples else manifest.kind, part)
    except NewerPart as error:
        return Finding(what, "newer", error.detail, part)
    except Stray as stray:
        damage = stray
    status = {ArrivingPart: "still arriving", DamagedPart: "damaged"}.get(type(damage), "copy")
    return Finding(what, status, damage.detail, part)


# base.duckdb


@dataclass(frozen=True, slots=True)
class _Base:
    findings: list[Finding]
    merged: frozenset[str] = frozenset()


def _check_base(layout: StoreLayout, report: Callable[[int, int], None]) -> _Base:
    what = layout.base.name
    if not layout.base.exists():
        return _Base([Finding(what, "ok", "not there: nothing has been merged")])
    lock = None
    with suppress(OSError):  # one that this user may not read gives its own error below
        lock = BaseLock(layout.base)
        lock.share()
    try:
        with closing(_attached(layout.base)) as connection:
            found = {row[0] for row in connection.execute(queries.load("checks/base_tables")).fetchall()}
            there = [table for table in queries.tables() if table in found]
            version = _version(connection)
        if version is not None and version > SCHEMA_VERSION:
            return _Base([Finding(what, "newer", f"schema {version}; this passk knows up to {SCHEMA_VERSION}")])
        findings: list[Finding] = []
        merged = _ledger(layout.base, findings)
        connection = _attached(layout.base)
        try:
            for done, table in enumerate(there):
                report(done, len(there))
                try:
                    connection.execute(queries.render("checks/base_values", table)).fetchone()
                except duckdb.Error as error:
                    findings.append(Finding(f"{what}: {table}", "damaged", first_line(error)))
                    # DuckDB may close a database in which it has found damage.
                    connection.close()
                    connection = _attached(layout.base)
        finally:
            connection.close()
        note = f"{with_noun(len(merged), 'part')} merged, schema {version}"
        return _Base(findings or [Finding(what, "ok", note)], merged)
    except duckdb.Error as error:
        return _Base([Finding(what, "damaged", first_line(error))])
    finally:
        if lock is not None:
            lock.release()


def _attached(base: Path) -> duckdb.DuckDBPyConnection:
    """A connection that has the base attached, read-only. Raises duckdb.Error."""
    connection = open_database()
    try:
        run_script(connection, "overlay/attach", base=[str(base)])
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: duckdb.DuckDBPyConnection) -> int | None:
    """Schema version of the attached base; None where that cannot be read."""
    try:
        connection.execute("USE base")
        return schema_version(connection, "base")
    except duckdb.Error:
        return None


def _ledger(base: Path, findings: list[Finding]) -> frozenset[str]:
    """The merged parts."""
    what = f"{base.name}: ledger"
    try:
        with closing(_attached(base)) as connection:
            rows = connection.execute(queries.load("overlay/ledger")).fetchall()
    except duckdb.Error as error:
        findings.append(Finding(what, "damaged", first_line(error)))
        return frozenset()
    for part, text in rows:
        try:
            manifest_from_json(text, part)
        except StoreError as error:
            findings.append(Finding(what, "damaged", f"{part}: {error.detail}"))
    return frozenset(part for part, _ in rows)


def check_store(layout: StoreLayout, report: Callable[[int, int], None] = lambda *_: None) -> list[Finding]:
    """Read everything, base.duckdb first; `report` is told how many tables, then parts, of how many are done."""
    base = _check_base(layout, report)
    findings = list(base.findings)
    parts = waiting_parts(layout)
    for done, part in enumerate(parts):
        report(done, len(parts))
        if (found := _check_part(layout, part, part in base.merged)) is not None:
            findings.append(found)
    return findings


# Repair


def repair_store(layout: StoreLayout, report: Callable[[int, int], None] = lambda *_: None) -> list[str]:
    """Set aside what is damaged, keep what can be read of it, and count the tallies anew; says what was done.

    Raises:
        StoreError: it takes write rights, and nobody else who has the store open, to repair base.duckdb.
    """
    findings = check_store(layout, report)
    aside = layout.root / "damaged"
    done = []
    # First what others may need meanwhile: it can be moved at any time.
    for found in findings:
        if found.part and found.status in ("damaged", "copy"):
            to = _move_aside(layout, layout.parts / found.part, aside)
            done.append(f"{found.what} is now {to.relative_to(layout.root)}: {found.note}")
    if any(found.status == "damaged" and not found.part for found in findings):
        done += _repair_base(layout, aside)
        rebuild_tallies(layout)
        done.append("The tallies (n and c) were derived anew from the samples.")
    return done


def _move_aside(layout: StoreLayout, path: Path, aside: Path) -> Path:
    if not aside.is_dir():
        aside.mkdir()
        share(aside, layout.root)
    to = aside / path.name
    for number in range(2, 10_000):
        if not os.path.lexists(to):
            break
        to = aside / f"{path.name}.{number}"
    os.rename(path, to)
    return to


def _repair_base(layout: StoreLayout, aside: Path) -> list[str]:
    """Put what can be read of base.duckdb into a new one, which takes its place."""
    lock = BaseLock(layout.base)
    try:
        if not os.access(layout.root, os.W_OK) or not lock.try_alone():
            raise StoreError(
                f"{layout.base} cannot be repaired now",
                "That needs write rights and nobody else who has the store open.",
                "Close other explorers and commands on this store, and try again.",
            )
        folder = layout.unfinished / new_part_name("base")
        folder.mkdir(parents=True)
        try:
            building = folder / "salvaged.duckdb"
            said = list(_salvage(layout.base, building))
            share(building, layout.root)
            if not aside.is_dir():
                aside.mkdir()
                share(aside, layout.root)
            keep = aside / f"{folder.name}.duckdb"
            try:
                os.link(layout.base, keep)
            except OSError:  # a file system without links
                shutil.copyfile(layout.base, keep)
            log = layout.base.with_name(f"{layout.base.name}.wal")
            if log.exists():
                # It belongs to the old one, and would be played into the new one.
                os.rename(log, keep.with_name(f"{keep.name}.wal"))
            os.replace(building, layout.base)
        finally:
            discard(folder)
    finally:
        lock.release()
    return [f"The old base.duckdb is now {keep.relative_to(layout.root)}.", *said]


def _salvage(base: Path, building: Path) -> Iterator[str]:
    """Make a database with all that can be read of another; says what was lost."""
    try:
        with closing(_attached(base)) as connection:
            version = _version(connection)
            there = {row[0] for row in connection.execute(queries.load("checks/base_tables")).fetchall()}
    except duckdb.Error as error:
        with closing(open_database(building)) as new:
            migrate(new, "salvaged", building)
        yield f"Nothing of it can be read ({first_line(error)}): import again what was merged into it."
        return
    with closing(open_database(building)) as new:
        known = migrations()
        migrate(new, "salvaged", building, known if version is None else known[:version])
    for table in ("ledger", *(name for name in queries.tables() if name in there)):
        rows, lost = _keep_rows(base, building, table)
        if lost:
            yield f"{table}: {rows:,} rows kept, {lost:,} cannot be read."


def _keep_rows(base: Path, building: Path, table: str) -> tuple[int, int]:
    """Copy the rows of a table; returns how many, and how many cannot be read."""

    def copied(first: int, last: int) -> int | None:
        # Opened each time: DuckDB closes a database in which it has found damage.
        try:
            with closing(open_database(building)) as connection:
                run_script(connection, "overlay/attach", base=[str(base)])
                if table == "ledger":
                    done = connection.execute(queries.load("checks/keep_ledger"))
                else:
                    parameters = {"first": first, "last": last}
                    done = connection.execute(queries.render("checks/keep_rows", table), parameters)
                row = done.fetchone()
                return int(row[0]) if row else 0
        except duckdb.Error:
            return None

    def kept(first: int, last: int, sizes: tuple[int, ...]) -> int:
        found = copied(first, last)
        if found is not None or not sizes or table == "ledger":
            return found or 0
        size = sizes[0]
        return sum(kept(start, min(start + size - 1, last), sizes[1:]) for start in range(first, last + 1, size))

    try:
        with closing(_attached(base)) as connection:
            query = "checks/ledger_size" if table == "ledger" else "checks/base_size"
            found = connection.execute(queries.render(query, None if table == "ledger" else table)).fetchone()
    except duckdb.Error:
        return 0, 0
    rows, end = found or (0, 0)
    done = kept(0, end - 1, RANGES) if rows else 0
    return done, rows - done
