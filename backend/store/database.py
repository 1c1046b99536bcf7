"""One process's view of a store: the merged base, read-only, with the waiting parts laid over it, in memory.

Readers never wait and never block a writer: whoever adds something renames a part into place, and `refresh` finds it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb

import queries
from backend.errors import StoreAway, StoreError, StoreReplaced
from backend.store.connection import (
    as_passk_error,
    disable_progress_bar,
    open_database,
    refuse_newer,
    retry_while_locked,
    run_script,
    schema_version,
)
from backend.store.decisions import KIND, Decided, Decision, decide
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.locks import BaseLock
from backend.store.merge import merge, migrate
from backend.store.parts import (
    FILES,
    LARGE,
    ON_DISK,
    SCHEMA_VERSION,
    ArrivingPart,
    DamagedPart,
    Manifest,
    Stray,
    manifest_from_json,
    part_files,
    read_manifests,
    waiting_parts,
)

CacheKey = tuple[str, tuple[tuple[str, Any], ...]]
"""A query and its parameters."""


ONLY_GROW = ("outcomes", "texts", "verdicts", "scores", "token_scores")
"""Tables with a row or more for each sample: read where they lie in an older base, which no migration changes."""

ALWAYS_WHOLE = ("problems", "outcomes", "statistics")
"""Tables that are also asked for as they were written; of the others `whole` is made when something is matched."""

UNIONS = {
    "stored": ("overlay/stored", "overlay/stored_with_files"),
    "whole": ("overlay/whole", "overlay/whole_with_files"),
}
"""The views of all rows of a table in one schema: without files of large parts, and with them."""

CHAIN = 64
"""So often matches are followed, each time twice as far: matches in a circle, which only a forged part makes, end."""

NAMES_ITS_COUNTS = 7
"""From this schema version on a part's tallies say which part they came with."""


class Database:
    """The in-memory DuckDB of this process. Cursors may be used by one thread each; `refresh` by any one at a time."""

    def __init__(self, layout: StoreLayout, *, memory_limit: str = "2GB", matching: bool = True) -> None:
        """Attach the base and lay the parts over it.

        Args:
            matching: whether matched problems are read as one. Who writes samples asks for them as they were written.

        Raises:
            StoreError: no store, a newer schema, a damaged base, or a base that stays locked.
        """
        self.layout = layout
        self._refreshing = threading.Lock()
        self._lock: BaseLock | None = None
        self._without_base = False
        self._opened: tuple[object, object] = (None, None)
        """Which folder and base these are."""
        self.reads_older = False
        """Whether the base has an older schema, which only a merge can change."""
        self._connection = open_database(memory_limit=memory_limit)
        self._merged: dict[str, Manifest] = {}
        self._waiting: dict[str, Manifest] = {}
        self._superseded: set[str] = set()
        self._files: dict[str, dict[str, Path]] = {}
        """The Parquet files of waiting parts that are read where they lie."""
        self._damaged: dict[str, tuple[object, DamagedPart]] = {}
        """Parts that seemed whole and could not be read, and how their files were then."""
        self.strays: list[Stray] = []
        """Why folders in `parts/` do not count."""
        self.decided = Decided()
        """What was decided about all of that."""
        self._laid_over = False
        self._matching = matching
        self._large: dict[str, list[str]] = {}
        """Files of the visible parts that are too large for memory, by table."""
        self._matched = False
        """Whether any problem is matched with another."""
        self.query_cache: dict[CacheKey, list[tuple[Any, ...]]] = {}
        """Rows of small queries that everybody asks again and again; another dictionary whenever the store changes."""
        try:
            self._attach()
            self._make_views()
            self._read_ledger()
            if not self._take_new_parts():
                self._lay_over(self._connection, [], {}, decisions=True)
        except duckdb.Error as error:
            self.close()
            raise as_passk_error(error, f"Opening {layout.root}") from error
        except BaseException:
            self.close()
            raise

    def _attach(self) -> None:
        connection = self._connection
        self._without_base = not self.layout.base.exists()
        self._opened = (_identity(self.layout.root), _identity(self.layout.base))
        if self._without_base:
            # A store of parts alone, in a folder that this user cannot write.
            run_script(connection, "overlay/attach_empty")
            connection.execute("USE base")
            migrate(connection, "base", self.layout.base)
            connection.execute("USE memory")
            return
        # A file that this user may not read gives its own error below.
        with suppress(OSError):
            self._lock = BaseLock(self.layout.base)
            self._lock.share()
            # It may have been written anew while this waited.
            self._opened = (self._opened[0], _identity(self.layout.base))
        retry_while_locked(lambda: run_script(connection, "overlay/attach", base=[str(self.layout.base)]))
        connection.execute("USE base")
        version = schema_version(connection, "base")
        connection.execute("USE memory")
        refuse_newer(version, self.layout.base)
        self.reads_older = version < SCHEMA_VERSION
        if self.reads_older:
            self._read_older(version)

    def _read_older(self, version: int) -> None:
        """See an older base as one of this schema, where it cannot be migrated: no write rights, or others reading."""
        connection = self._connection
        try:
            if version == 0:  # made, and nothing written into it yet
                run_script(connection, "overlay/detach")
                run_script(connection, "overlay/attach_empty")
            else:
                run_script(connection, "overlay/attach_older", base=[str(self.layout.base)])
            there = {row[0] for row in connection.execute(queries.load("overlay/older_tables")).fetchall()}
            for table in there.intersection(queries.tables()):
                run_script(connection, "overlay/older_view" if table in ONLY_GROW else "overlay/older_table", table)
            connection.execute("USE base")
            migrate(connection, "base", self.layout.base)
            connection.execute("USE memory")
        except duckdb.Error as error:
            raise StoreError(
                f"{self.layout.root} has an older schema, and it cannot be migrated now",
                f"Its schema version is {version}, this passk's is {SCHEMA_VERSION}; migrating needs write rights and "
                f"nobody else reading. Reading it as it is failed: {str(error).strip()}",
                "Ask its owner to open it once with this passk, or copy the folder and open the copy.",
            ) from error

    def _make_views(self) -> None:
        run_script(self._connection, "overlay/schemas")
        for table in queries.tables():
            run_script(self._connection, "overlay/table", table)
            run_script(self._connection, "overlay/stored", table)
            run_script(self._connection, "overlay/counted", table)
        for table in ALWAYS_WHOLE:
            run_script(self._connection, "overlay/whole", table)
        run_script(self._connection, "overlay/taken_back")
        run_script(self._connection, "overlay/views")

    def _read_ledger(self) -> None:
        for part, text in self._connection.execute(queries.load("overlay/ledger")).fetchall():
            self._merged[part] = manifest_from_json(text, f"The ledger's {part}")
            self._superseded.update(self._merged[part].supersedes)

    def _take_new_base(self) -> None:
        """Read on from a base.duckdb that has appeared since a store of parts alone was opened; once in its life.

        Whoever reads in these milliseconds may be told that something does not exist, or count a part twice.
        """
        run_script(self._connection, "overlay/detach")
        self._attach()
        self._read_ledger()
        self._lay_over(self._connection, [], {}, decisions=True)
        self.query_cache = {}

    @property
    def manifests(self) -> dict[str, Manifest]:
        """Every visible part, merged or waiting, by name."""
        return {
            part: manifest
            for part, manifest in {**self._merged, **self._waiting}.items()
            if part not in self._superseded
        }

    @property
    def known_manifests(self) -> dict[str, Manifest]:
        """The visible parts and those that are still arriving, by name: their sample indices are given, too."""
        arriving = {s.part: s.manifest for s in self.strays if isinstance(s, ArrivingPart) and s.manifest is not None}
        return {**arriving, **self.manifests}

    @property
    def merged(self) -> dict[str, Manifest]:
        """Every part in the ledger of the base, by name."""
        return dict(self._merged)

    @property
    def counted_manifests(self) -> dict[str, Manifest]:
        """The visible parts without what was taken back, by name."""
        return self.decided.counted(self.manifests)

    @property
    def waiting(self) -> list[Manifest]:
        """Every visible part that is not merged, sorted by time; none of them is merged while this is open."""
        return [manifest for part, manifest in sorted(self._waiting.items()) if part not in self._superseded]

    def refresh(self) -> bool:
        """Take in the parts that have come since; called about once a second.

        Returns:
            Whether anything changed.

        Raises:
            StoreAway, StoreReplaced: the store is not there any more; what was read stays as it is.
            StoreError: a new part was written by a newer passk, or DuckDB failed.
        """
        with self._refreshing:
            self._require_same_store()
            try:
                return self._take_new_parts()
            except duckdb.Error as error:
                raise as_passk_error(error, f"Reading new parts of {self.layout.root}") from error

    def _require_same_store(self) -> None:
        root, base = (_identity(path) for path in (self.layout.root, self.layout.base))
        if root is None or (base is None and not self._without_base):
            raise StoreAway(
                f"The store {self.layout.root} is not there any more",
                "It was moved, renamed, removed or unmounted. What has been read is still shown.",
                "When it is there again, this goes on.",
            )
        # A store that was moved away and back is the same one; without a base its folder says so.
        found, opened = (root, self._opened[0]) if self._without_base else (base, self._opened[1])
        if found != opened:
            raise StoreReplaced(
                f"Another store lies at {self.layout.root} now",
                next_step=f"Open it anew: passk {self.layout.root}",
            )

    def _take_new_parts(self) -> bool:
        if self._without_base and self.layout.base.exists():
            self._take_new_base()
        names = waiting_parts(self.layout, known=self._merged)
        gone = set(self._waiting).difference(names)
        new, strays = read_manifests(self.layout, [part for part in names if part not in self._waiting])
        damage = {manifest.part: self._known_damage(manifest) for manifest in new}
        try:
            while True:
                strays += [found for found in damage.values() if found is not None]
                new = [manifest for manifest in new if damage.get(manifest.part) is None]
                if not new and not gone:
                    return False
                try:
                    self._take(new, gone)
                    return True
                except (duckdb.Error, DamagedPart):
                    damage = {manifest.part: self._damage_of(manifest) for manifest in new}
                    if not any(damage.values()):
                        raise
        finally:
            # What is superseded may be unlinked at any moment.
            self.strays = [stray for stray in strays if stray.part not in self._superseded]

    def _known_damage(self, manifest: Manifest) -> DamagedPart | None:
        """Why a part could not be read at an earlier look, if it is still as it was."""
        found = self._damaged.get(manifest.part)
        return found[1] if found is not None and found[0] == self._state(manifest) else None

    def _damage_of(self, manifest: Manifest) -> DamagedPart | None:
        from backend.store.merge import damage_of

        state, damage = self._state(manifest), damage_of(self.layout, manifest, whole=False)
        if damage is not None:
            self._damaged[manifest.part] = (state, damage)
        return damage

    def _state(self, manifest: Manifest) -> object:
        """Another one when a file of a part has been written again."""
        with suppress(OSError, DamagedPart):
            found = {name: path.stat() for name, path in part_files(self.layout, manifest).items()}
            return {name: (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in found.items()}
        return None

    def _take(self, new: list[Manifest], gone: set[str]) -> None:
        """Take new parts in, and leave out those that are gone; changes nothing where that fails."""
        superseded = self._superseded.union(part for manifest in new for part in manifest.supersedes)
        waiting = {part: manifest for part, manifest in self._waiting.items() if part not in gone}
        waiting.update((manifest.part, manifest) for manifest in new)
        files = {part: self._files[part] for part in waiting if part in self._files}
        cursor = self._connection.cursor()
        try:
            # One transaction: a reader sees the job's parts or the part that supersedes them, never both or neither.
            cursor.execute("BEGIN")
            for manifest in new:
                if manifest.part not in superseded:
                    files[manifest.part] = self._load(cursor, manifest)
            for part in gone.union(superseded.difference(self._superseded).intersection(waiting)):
                for table in queries.tables():
                    cursor.execute(queries.render("overlay/drop", table), {"part": part})
            told = any(manifest.kind in (KIND, "verdicts") for manifest in new)
            visible = [m for part, m in waiting.items() if part not in superseded]
            self._lay_over(cursor, visible, files, decisions=told or bool(gone) or not self._laid_over)
            cursor.execute("COMMIT")
        finally:
            cursor.close()
        self._waiting, self._superseded, self._files = waiting, superseded, files
        # After the commit: what is read from before it goes into the old dictionary, which nobody looks into any more.
        self.query_cache = {}

    def _load(self, cursor: duckdb.DuckDBPyConnection, manifest: Manifest) -> dict[str, Path]:
        """Take the small tables of a part into memory; returns the files of the large ones, which stay where they are.

        Raises:
            DamagedPart: other rows came than the manifest says.
        """
        on_disk = {}
        for name, path in part_files(self.layout, manifest).items():
            if _stays_on_disk(manifest, name):
                on_disk[name] = path
                continue
            parameters = {"path": str(path), "part": manifest.part}
            rows = cursor.execute(queries.render("overlay/load", FILES[name]), parameters).fetchone()
            if name in manifest.files and rows != (manifest.files[name].rows,):
                raise DamagedPart(manifest.part, f"{path.name} has not the rows that it should have", manifest)
        return on_disk

    def _lay_over(
        self,
        cursor: duckdb.DuckDBPyConnection,
        visible: list[Manifest],
        files: Mapping[str, Mapping[str, Path]],
        *,
        decisions: bool,
    ) -> None:
        """Make the views of what is visible; `decisions` where something may have been decided or verified anew."""
        for table in ("outcomes", *ON_DISK):
            found = (files.get(manifest.part, {}).get(table) for manifest in visible)
            self._large[table] = [str(path) for path in found if path is not None]
            if not self._matched:
                self._unite(cursor, "stored", table)
            if self._matched or table in ALWAYS_WHOLE:
                self._unite(cursor, "whole", table)
        if decisions:
            self._hide(cursor, {**self._merged, **{manifest.part: manifest for manifest in visible}})
        # Joining costs as much as reading outcomes once more: only where there is something to join.
        used = cursor.execute(queries.load("overlay/has_used_verdicts")).fetchone()
        joined = bool(used and used[0])
        run_script(cursor, "overlay/verified_outcomes" if joined else "overlay/outcomes")
        if decisions and joined:
            cursor.execute(queries.load("overlay/correct_tallies"))
        self._laid_over = True

    def _hide(self, cursor: duckdb.DuckDBPyConnection, manifests: dict[str, Manifest]) -> None:
        """Read the decisions, and lay views over what they leave out; costs nothing where they leave nothing out."""
        decided = decide(Decision(*row) for row in cursor.execute(queries.load("overlay/decided")).fetchall())
        run_script(cursor, "overlay/clear")
        for part in decided.taken_back:
            cursor.execute(queries.load("overlay/hide_part"), {"part": part})
        self._match(cursor, decided)
        for key, removed in decided.removed.items():
            cursor.execute(queries.load("overlay/hide_run"), {"run_key": key, "before": removed.sample})
        for part, manifest in manifests.items():
            for run in manifest.runs:
                removal = decided.removed.get(run_key(run.run))
                if part in decided.taken_back or (removal is not None and part < removal.part):
                    said = part if manifest.schema >= NAMES_ITS_COUNTS else None
                    parameters = {"part": said, "run_key": run_key(run.run)}
                    cursor.execute(queries.load("overlay/hide_counts"), parameters)
                    for given in manifest.verdicts_given if part in decided.taken_back else ():
                        hidden = {"run_key": run_key(run.run), "given": given}
                        cursor.execute(queries.load("overlay/hide_verdicts"), hidden)
        for table in queries.tables():
            run_script(cursor, "overlay/counted", table)
        if decided.hides:
            cursor.execute(queries.load("overlay/hide_samples"))
            for form in ("overlay/counted_facts", "overlay/counted_samples"):
                for table in queries.query(form).tables:
                    run_script(cursor, form, table)
            run_script(cursor, "overlay/counted_verdicts")
            run_script(cursor, "overlay/counted_others")
        if decided.hides or decided.overrides:
            run_script(cursor, "overlay/counted_statistics")
        self.decided = decided

    def _unite(self, cursor: duckdb.DuckDBPyConnection, schema: str, table: str) -> None:
        """See the rows of base, of the parts in memory, and of the files of large parts as one table."""
        in_memory, with_files = UNIONS[schema]
        if self._large.get(table):
            run_script(cursor, with_files, table, paths=self._large[table])
        else:
            run_script(cursor, in_memory, table)

    def _match(self, cursor: duckdb.DuckDBPyConnection, decided: Decided) -> None:
        """Lay matches over every table that names problems; costs nothing in a store without them."""
        matched = self._matching and any(row.kind == "match" for row in decided.counting)
        if matched:
            cursor.execute(queries.load("overlay/match"))
            for _ in range(CHAIN):
                changed = cursor.execute(queries.load("overlay/match_further")).fetchone()
                if not changed or not changed[0]:
                    break
        if matched or self._matched:
            for form in ("overlay/stored_matched", "overlay/stored_matched_texts"):
                for table in queries.query(form).tables:
                    self._unite(cursor, "whole" if matched else "stored", table)
                    if matched:
                        run_script(cursor, form, table)
        self._matched = matched

    def own_keys(self, run: int) -> Mapping[int, tuple[int, ...]]:
        """Under which keys a run's matched problems are written, by the one they are read under, if that is another.

        More than one where a run has come to have samples under several since they were matched; the one with most
        samples stands first.
        """
        if not self._matched:
            return {}
        cache, place = self.query_cache, ("matching/own_keys", (("run_key", run),))
        found = cache.get(place)
        if found is None:
            cursor = self.cursor()
            try:
                found = cursor.execute(queries.load("matching/own_keys"), {"run_key": run}).fetchall()
            finally:
                cursor.close()
            cache[place] = found
        return {key: tuple(own) for key, own in found}

    def own_key(self, run: int, problem: int, sample: int) -> int:
        """The key under which a sample is written, whatever its problem is matched with now.

        Whoever writes rows about a sample uses it: so they stay with it when a match is taken back.

        Args:
            run: key of the run.
            problem: key under which the problem is read.
            sample: the index.
        """
        own = self.own_keys(run).get(problem, (problem,))
        if len(own) == 1:
            return own[0]
        cursor = self.cursor()
        try:
            parameters = {"run_key": run, "keys": list(own), "sample": sample}
            found = cursor.execute(queries.load("matching/own_key"), parameters).fetchone()
        finally:
            cursor.close()
        return own[0] if found is None else int(found[0])

    def matches(self) -> Mapping[int, int]:
        """Under which key each matched problem is read, by its own."""
        if not self._matched:
            return {}
        cursor = self.cursor()
        try:
            return dict(cursor.execute(queries.load("matching/matches")).fetchall())
        finally:
            cursor.close()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor for one thread; the caller closes it."""
        cursor = self._connection.cursor()
        disable_progress_bar(cursor)
        return cursor

    def close(self) -> None:
        """Let go of base.duckdb. Threads that still use a cursor must have ended."""
        self._connection.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None


def _identity(path: Path) -> tuple[int, int] | None:
    """Which file or folder this is, whatever it is called; None where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _stays_on_disk(manifest: Manifest, name: str) -> bool:
    return name in ON_DISK or (name == "outcomes" and manifest.outcomes > LARGE)


def open_store(
    layout: StoreLayout, *, merging: bool = True, memory_limit: str = "2GB", matching: bool = True
) -> Database:
    """Open a store for reading; merge first what waits, if nobody else has it open and this user may.

    Raises:
        StoreError: see `Database`.
    """
    # A merge opens the base once more: only where there is something to do.
    if merging and (not layout.base.exists() or waiting_parts(layout)):
        merge(layout)
    database = Database(layout, memory_limit=memory_limit, matching=matching)
    if not merging or not database.reads_older:
        return database
    # Nobody may read while it is migrated, this process neither.
    database.close()
    merge(layout)
    return Database(layout, memory_limit=memory_limit, matching=matching)
