"""How a part is written: its tables into a private folder, which is renamed into `parts/` when it is whole.

Every import, benchmark, job, verification and judgement comes into the store this way and no other.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

import queries
from backend.errors import StoreError
from backend.store.connection import open_database
from backend.store.identity import author_name, run_key, without_surrogates
from backend.store.layout import StoreLayout
from backend.store.parts import (
    FILES,
    Manifest,
    PartFile,
    PartRun,
    PartSource,
    as_json,
    digest_of,
    discard,
    new_part_name,
    part_files,
    waiting_manifests,
)
from backend.store.shared_files import share

if TYPE_CHECKING:
    import duckdb

ARROW_TYPES = {
    "VARCHAR": pa.string(), "INTEGER": pa.int32(), "BIGINT": pa.int64(), "UBIGINT": pa.uint64(),
    "DOUBLE": pa.float64(), "BOOLEAN": pa.bool_(), "TIMESTAMP": pa.timestamp("us"),
    "INTEGER[]": pa.list_(pa.int32()), "FLOAT[]": pa.list_(pa.float32()),
}  # fmt: skip

FILE_OPTIONS: dict[str, dict[str, Any]] = {
    # Read once more, by the merge: lz4 takes a tenth off an import. No dictionary: texts hardly repeat.
    "texts": {"compression": "lz4", "use_dictionary": False}
}
"""How a file is written, where not simply with zstd."""

WRITTEN_LAST = ("models", "runs", "statistics")
"""Files that `publish` makes of what it is told and of the outcomes."""

ROW_GROUP = 122_880
ROW_GROUPS = {"texts": 4_096, "token_scores": 2_048}
"""Rows in one row group of a compacted file: reading one text unpacks so many."""


@cache
def arrow_schema(name: str) -> pa.Schema:
    """The columns of a part's file of that name: those of its table in base.duckdb."""
    columns = queries.tables()[FILES[name]].items()
    # A chunk of texts may be larger than 2 GB.
    return pa.schema([(key, pa.large_string() if key == "text" else ARROW_TYPES[kind]) for key, kind in columns])


def _sync(path: Path, root: Path | None = None) -> None:
    """Bring a file or folder to the disk; with `root`, shared as this folder is."""
    handle = os.open(path, os.O_RDONLY)
    try:
        if root is not None:
            share(handle, root)
        os.fsync(handle)
    finally:
        os.close(handle)


class PartWriter:
    """One part while it is written; leaving its `with` block without `publish` leaves nothing of it."""

    def __init__(
        self,
        layout: StoreLayout,
        kind: str,
        *,
        name: str | None = None,
        connection: duckdb.DuckDBPyConnection | None = None,
    ) -> None:
        """Make the private folder, and the store if there is none.

        Args:
            kind: see `Manifest.kind`.
            name: of the part, which must sort by time; a new one when omitted.
            connection: to use instead of one for each file, which takes longer to open than most files to write.

        Raises:
            StoreError: the store cannot be written.
        """
        self.part = name or new_part_name(kind)
        self.folder = layout.unfinished / self.part
        self._layout = layout
        self._kind = kind
        self._connection = connection
        self._files: dict[str, pq.ParquetWriter] = {}
        self.repaired = 0
        """Strings that UTF-8 cannot hold: their lone surrogates became U+FFFD."""
        self.verdicts_given: list[str] = []
        """See `Manifest.verdicts_given`."""
        self._outcomes = 0
        self._is_published = False
        self._made_store = not layout.exists()
        layout.create()
        try:
            # Until it is published nobody else has business here.
            self.folder.mkdir(0o700)
        except OSError as error:
            raise StoreError(
                f"The store {layout.root} cannot be written",
                f"{error.strerror}: {self.folder}",
                "Ask its owner for write rights, or import into a store of your own with --store.",
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.discard()

    @contextmanager
    def _database(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if self._connection is not None:
            yield self._connection
            return
        with closing(open_database()) as connection:
            yield connection

    def array(self, values: Sequence[Any], kind: pa.DataType) -> pa.Array:
        """The values as a column that can be written."""
        try:
            return pa.array(values, kind)
        except UnicodeEncodeError:
            clean = [without_surrogates(value) if isinstance(value, str) else value for value in values]
            self.repaired += sum(before != after for before, after in zip(values, clean, strict=True))
            return pa.array(clean, kind)

    def write(self, name: str, rows: Iterable[Sequence[Any]]) -> None:
        """Append rows to a file; values in the order of its columns, without `part`, which is added."""
        schema = arrow_schema(name)
        columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [() for _ in schema]
        if schema.names[-1] == "part":
            columns = [*columns[: len(schema) - 1], [self.part] * len(columns[0])]
        arrays = [self.array(column, entry.type) for entry, column in zip(schema, columns, strict=True)]
        self.write_arrow(name, pa.Table.from_arrays(arrays, schema=schema))

    def write_arrow(self, name: str, data: pa.Table, row_group_size: int | None = None) -> None:
        """Append a table of the file's schema."""
        if name not in self._files:
            options = FILE_OPTIONS.get(name, {"compression": "zstd"})
            self._files[name] = pq.ParquetWriter(self._path(name), arrow_schema(name), **options)
        self._files[name].write_table(data, row_group_size=row_group_size)
        self._outcomes += data.num_rows if name == "outcomes" else 0

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.parquet"

    def close(self, name: str) -> None:
        """End a file, which can be read from then on."""
        if name in self._files:
            self._files.pop(name).close()

    def derive_tallies(self) -> None:
        """Count the outcomes that have been written; `publish` does it where it has not been done before."""
        self.close("outcomes")
        with self._database() as connection:
            connection.execute(queries.render("parts/outcomes_to_tally", outcomes=[str(self._path("outcomes"))]))
            connection.execute(queries.load("parts/derive_tallies"), {"target": str(self._path("statistics"))})

    def compact(self, parts: Sequence[Manifest]) -> None:
        """Write the rows of several parts, those of samples sorted; `publish` writes the rest."""
        of_samples = queries.query("parts/compact").tables
        files = [part_files(self._layout, manifest) for manifest in parts]
        with self._database() as connection:
            for name in FILES:
                there = [str(found[name]) for found in files if name in found]
                target = {"target": str(self._path(name))}
                if not there or name in WRITTEN_LAST:
                    continue
                if name in of_samples:
                    sql = queries.render("parts/compact", name, paths=there)
                    connection.execute(sql, {**target, "row_group": ROW_GROUPS.get(name, ROW_GROUP)})
                elif name == "sources":
                    connection.execute(queries.render("parts/compact_sources", sources=there), target)
                elif name == "problems":
                    connection.execute(queries.render("parts/compact_problems", problems=there), target)
                else:
                    connection.execute(queries.render("parts/compact_others", counts=there), target)
        self._outcomes = sum(manifest.outcomes for manifest in parts)

    def publish(
        self,
        *,
        runs: Collection[PartRun] = (),
        sources: Sequence[PartSource] = (),
        supersedes: Sequence[str] = (),
        provisional: bool = False,
        job: str = "",
        notes: Sequence[str] = (),
    ) -> Manifest:
        """Write what is said of runs and models, and the manifest (whose fields these are), and make the part visible.

        Raises:
            OSError: it cannot be written.
        """
        if runs:
            models = {run.model: (run.model, run.role, run.from_model, run.step, run.algorithm) for run in runs}
            self.write("models", models.values())
            said = [(run_key(run.run), run.run, run.model, run.benchmark, as_json(run.parameters)) for run in runs]
            self.write("runs", said)
        if self._outcomes and not self._path("statistics").exists():
            self.derive_tallies()
        for name in tuple(self._files):
            self.close(name)
        manifest = Manifest(
            part=self.part,
            kind=self._kind,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            runs=tuple(runs),
            sources=tuple(sources),
            outcomes=self._outcomes,
            supersedes=tuple(supersedes),
            provisional=provisional,
            job=job,
            notes=tuple(notes),
            verdicts_given=tuple(self.verdicts_given),
            author=author_name(),
            files={
                path.stem: PartFile(pq.read_metadata(path).num_rows, path.stat().st_size, digest_of(path))
                for path in sorted(self.folder.glob("*.parquet"))
            },
        )
        (self.folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
        for path in (*self.folder.iterdir(), self.folder):
            _sync(path, self._layout.root)
        # The one moment at which a part becomes visible.
        os.rename(self.folder, self._layout.parts / self.part)
        self._is_published = True
        # From here on everybody sees it: an error now must not make the caller write the same rows again.
        with suppress(OSError):
            _sync(self._layout.parts)
        return manifest

    def discard(self) -> None:
        """Remove what has been written, and the store if this part made it; nothing once it is published."""
        if self._is_published:
            return
        for file in self._files.values():
            # What is thrown away need not be whole: closing fails too where the disk is full.
            with suppress(Exception):
                file.close()
        discard(self.folder)
        if self._made_store:
            self._layout.remove_if_empty()


def compact_parts(
    layout: StoreLayout,
    kind: str,
    job: str,
    *,
    run: str | None = None,
    parts: Collection[str] | None = None,
    connection: duckdb.DuckDBPyConnection | None = None,
) -> None:
    """Make one sorted part of a job's provisional parts, which supersedes them; nothing where there are none.

    Args:
        job: name of the job; parts of its attempts that were killed count too.
        run: only parts of this run.
        parts: only these, into a part that is provisional again; all of them, into the final one, when omitted.
        connection: see `PartWriter`.
    """
    manifests = waiting_manifests(layout)
    gone = {part for manifest in manifests for part in manifest.supersedes}
    ours = [
        manifest
        for manifest in manifests
        if manifest.provisional
        and (manifest.kind, manifest.job) == (kind, job)
        and manifest.part not in gone
        and (parts is None or manifest.part in parts)
        and (run is None or [entry.run for entry in manifest.runs] == [run])
    ]
    if not ours:
        return
    supersede(layout, kind, ours, provisional=parts is not None, job=job, connection=connection)


def supersede(
    layout: StoreLayout,
    kind: str,
    parts: Sequence[Manifest],
    *,
    provisional: bool = False,
    job: str = "",
    connection: duckdb.DuckDBPyConnection | None = None,
) -> Manifest:
    """One part with all that these hold, which supersedes them. Nobody may merge one of them meanwhile."""
    with PartWriter(layout, kind, connection=connection) as part:
        part.compact(parts)
        part.verdicts_given += [given for manifest in parts for given in manifest.verdicts_given]
        # Those that an earlier compaction has superseded too: their folders may outlive the part that said so.
        supersedes = [name for manifest in parts for name in (*manifest.supersedes, manifest.part)]
        return part.publish(
            runs=_joined_runs(parts),
            sources=_joined_sources(parts),
            supersedes=supersedes,
            provisional=provisional,
            job=job,
        )


def _joined_sources(parts: Sequence[Manifest]) -> list[PartSource]:
    """The files of several parts; the stretches of a file as one."""
    joined: dict[tuple[str, str], PartSource] = {}
    others = []
    for source in (source for manifest in parts for source in manifest.sources):
        stretch = source.stretch
        if stretch is None:
            others.append(source)
            continue
        before = joined.get((source.path, stretch.key))
        if before is not None and before.stretch is not None:
            first, last = sorted((before, source), key=lambda one: one.stretch.end if one.stretch else 0)
            assert first.stretch is not None and last.stretch is not None
            stretch = msgspec.structs.replace(
                last.stretch,
                start=min(first.stretch.start, last.stretch.start),
                offsets={**last.stretch.offsets, **first.stretch.offsets},
            )
            runs = tuple(dict.fromkeys((*first.runs, *last.runs)))
            source = msgspec.structs.replace(last, runs=runs, stretch=stretch)
        joined[source.path, stretch.key] = source
    return [*others, *joined.values()]


def _joined_runs(parts: Sequence[Manifest]) -> list[PartRun]:
    """The runs of several parts, each once; what one leaves open another may know."""
    runs: dict[str, PartRun] = {}
    for entry in (entry for manifest in parts for entry in manifest.runs):
        before = runs.get(entry.run, msgspec.structs.replace(entry, samples=0, copies=0))
        runs[entry.run] = msgspec.structs.replace(
            before,
            role=before.role or entry.role,
            from_model=before.from_model or entry.from_model,
            step=before.step if before.step is not None else entry.step,
            algorithm=before.algorithm or entry.algorithm,
            parameters={**before.parameters, **entry.parameters},
            samples=before.samples + entry.samples,
            copies=before.copies + entry.copies,
            next_sample=max(before.next_sample, entry.next_sample),
        )
    return list(runs.values())
