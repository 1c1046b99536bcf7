"""Parts: immutable folders with a manifest and Parquet tables, renamed into place when they are whole."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import queries
from backend.errors import StoreError
from backend.store.connection import open_database
from backend.store.identity import without_surrogates
from backend.store.layout import StoreLayout

# The Parquet tables of a part: the same columns as in base.duckdb (`queries/schema/`).

_TEXT, _WHOLE, _KEY, _LONG = pa.string(), pa.int32(), pa.uint64(), pa.int64()

SCHEMAS = {
    "models": pa.schema(
        {"model": _TEXT, "role": _TEXT, "from_model": _TEXT, "step": _WHOLE, "algorithm": _TEXT, "part": _TEXT}.items()
    ),
    "runs": pa.schema(
        {
            "run_key": _KEY, "run": _TEXT, "model": _TEXT, "benchmark": _TEXT, "parameters": _TEXT, "part": _TEXT,
        }.items()
    ),
    "problems": pa.schema(
        {
            "problem_key": _KEY, "benchmark": _TEXT, "id": _TEXT, "position": _WHOLE, "statement": _TEXT,
            "reference": _TEXT, "level": _TEXT, "metadata": _TEXT, "part": _TEXT,
        }.items()
    ),
    "benchmarks": pa.schema(
        {"benchmark": _TEXT, "verifier": _TEXT, "source": _TEXT, "metadata": _TEXT, "part": _TEXT}.items()
    ),
    "sources": pa.schema(
        {
            "source_key": _KEY, "path": _TEXT, "digest": _TEXT, "format": _TEXT, "run_key": _KEY, "part": _TEXT,
        }.items()
    ),
    "outcomes": pa.schema(
        {
            "run_key": _KEY, "problem_key": _KEY, "sample": _WHOLE, "verdict": _TEXT, "detail": _TEXT,
            "answer": _TEXT, "tokens": _WHOLE, "characters": _WHOLE, "finish_reason": _TEXT, "seed": _LONG,
            "logprob_sum": pa.float64(), "source_key": _KEY, "source_row": _WHOLE,
        }.items()
    ),
    "texts": pa.schema(
        {"run_key": _KEY, "problem_key": _KEY, "sample": _WHOLE, "text": pa.large_string()}.items()
    ),
    "statistics": pa.schema(
        {
            "run_key": _KEY, "problem_key": _KEY, "origin": _TEXT, "n": _LONG, "c": _LONG, "unverified": _LONG,
            "tokens_known": _LONG, "tokens_total": _LONG, "texts": _LONG,
        }.items()
    ),
    "verdicts": pa.schema(
        {
            "run_key": _KEY, "problem_key": _KEY, "sample": _WHOLE, "verifier": _TEXT, "version": _TEXT,
            "verdict": _TEXT, "detail": _TEXT, "answer": _TEXT, "used": pa.bool_(), "created": pa.timestamp("us"),
        }.items()
    ),
    "scores": pa.schema(
        {
            "run_key": _KEY, "problem_key": _KEY, "sample": _WHOLE, "scorer": _TEXT, "engine": _TEXT, "dtype": _TEXT,
            "tokens": _WHOLE, "logprob_sum": pa.float64(),
        }.items()
    ),
    "token_scores": pa.schema(
        {
            "run_key": _KEY, "problem_key": _KEY, "sample": _WHOLE, "scorer": _TEXT, "dtype": _TEXT,
            "ends": pa.list_(_WHOLE), "logprobs": pa.list_(pa.float32()), "alternatives": _TEXT,
        }.items()
    ),
    "judgements": pa.schema(
        {
            "run_key": _KEY, "problem_key": _KEY, "sample": _WHOLE, "author": _TEXT, "version": _TEXT,
            "created": pa.timestamp("us"), "judgement": _TEXT, "note": _TEXT,
        }.items()
    ),
}  # fmt: skip
SCHEMAS["counts"] = SCHEMAS["statistics"]


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array([without_surrogates(v) if isinstance(v, str) else v for v in values], kind)


def write_rows(folder: Path, table: str, rows: Iterable[Sequence[Any]]) -> None:
    """Write a small table from rows in the order of its schema; strings without surrogates."""
    schema = SCHEMAS[table]
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) or [() for _ in schema]
    arrays = [_array(column, entry.type) for entry, column in zip(schema, columns, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), folder / f"{table}.parquet", compression="zstd")


def derive_statistics(folder: Path, connection: duckdb.DuckDBPyConnection | None = None) -> None:
    """Write statistics.parquet of a part from its outcomes.parquet; opening a connection takes most of the time."""
    database = connection or open_database()
    try:
        sql = queries.render("parts/derive_statistics", outcomes=[str(folder / "outcomes.parquet")])
        database.execute(sql, {"target": str(folder / "statistics.parquet")})
    finally:
        if connection is None:
            database.close()


# Parts: immutable folders with a manifest and Parquet files, renamed into place when they are complete. A part is
# visible as soon as its folder stands in `parts/`, and from then on nobody changes it: it is merged into base.duckdb
# and unlinked, or superseded by a later part and unlinked.

PART_SCHEMA = 3
"""Version of the manifest and of the Parquet columns; parts newer than this are refused."""

TABLES = (
    "models", "runs", "problems", "benchmarks", "sources", "outcomes", "statistics", "verdicts", "scores", "judgements",
)  # fmt: skip
"""Tables of the overlay."""

ON_DISK = ("texts", "token_scores")
"""Tables that are read from the part's Parquet file until they are merged: too large for memory."""

FILES = (*TABLES, "counts")
"""What a part may bring, each as `<name>.parquet`: a file for each table, and published counts, which join the
statistics; and those of `ON_DISK`."""

LARGE = 250_000
"""Parts with more outcomes than this are read from their Parquet file and not taken into memory."""


@dataclass(frozen=True, slots=True)
class PartRun:
    """What one part holds of one run."""

    run: str
    model: str
    role: str | None
    from_model: str | None
    step: int | None
    algorithm: str | None
    benchmark: str
    parameters: Mapping[str, Any]
    samples: int
    """Samples of this run in this part; 0 for published counts."""
    next_sample: int
    """One more than the highest sample index in this part, over all problems."""


@dataclass(frozen=True, slots=True)
class PartSource:
    """A file that went into a part."""

    path: str
    digest: str
    format: str
    runs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """manifest.json of a part."""

    part: str
    kind: str
    """import, benchmark, samples, verdicts, scores or judgements."""
    created: str
    """UTC, ISO 8601."""
    runs: tuple[PartRun, ...]
    sources: tuple[PartSource, ...] = ()
    outcomes: int = 0
    """Rows of outcomes.parquet."""
    supersedes: tuple[str, ...] = ()
    """Parts whose rows this part holds again, sorted; they count no more."""
    provisional: bool = False
    """A part of a job that is not finished; never merged, since its job will supersede it."""
    job: str = ""
    """Name of the job that drew it."""
    schema: int = PART_SCHEMA
    notes: tuple[str, ...] = field(default=())

    def to_json(self) -> str:
        """As it stands in manifest.json and in the ledger."""
        return without_surrogates(json.dumps(asdict(self), ensure_ascii=False, indent=1))


def manifest_from_json(text: str, where: str) -> Manifest:
    """Read a manifest.

    Raises:
        StoreError: not a manifest, or one of a newer schema.
    """
    try:
        data = json.loads(text)
        if data["schema"] > PART_SCHEMA:
            raise StoreError(
                f"{where} was written by a newer passk",
                f"It has part schema {data['schema']}; this passk reads up to {PART_SCHEMA}.",
                "Upgrade passk-explorer to open this store.",
            )
        data["runs"] = tuple(PartRun(**run) for run in data["runs"])
        data["sources"] = tuple(PartSource(**{**source, "runs": tuple(source["runs"])}) for source in data["sources"])
        data["supersedes"] = tuple(data["supersedes"])
        data["notes"] = tuple(data["notes"])
        return Manifest(**data)
    except (ValueError, KeyError, TypeError) as error:
        raise StoreError(
            f"{where} is damaged",
            f"Its manifest cannot be read: {error}",
            "Move that folder out of the store and import its sources again.",
        ) from error


def new_part_name(kind: str) -> str:
    """A name that sorts by time and is used by nobody else."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    return f"{stamp}-{kind}-{secrets.token_hex(4)}"


def waiting_parts(layout: StoreLayout, known: Iterable[str] = ()) -> list[str]:
    """Names of the parts in `parts/` that are not in `known`, sorted by time."""
    skip = set(known)
    try:
        with os.scandir(layout.parts) as entries:
            return sorted(entry.name for entry in entries if entry.name not in skip and entry.is_dir())
    except FileNotFoundError:
        return []


def read_manifest(layout: StoreLayout, part: str) -> Manifest | None:
    """The manifest of a waiting part; None when the part has just been unlinked.

    Raises:
        StoreError: damaged or too new.
    """
    try:
        text = (layout.parts / part / "manifest.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return manifest_from_json(text, f"The part {part}")


def write_workspace(layout: StoreLayout, part: str) -> Path:
    """A private folder in which a part is written; removed by `discard` or renamed by `publish`.

    Raises:
        StoreError: the store cannot be written.
    """
    layout.create()
    folder = layout.unfinished / part
    try:
        folder.mkdir()
    except OSError as error:
        raise StoreError(
            f"The store {layout.root} cannot be written",
            f"{error.strerror}: {folder}",
            "Ask its owner for write rights, or import into a store of your own with --store.",
        ) from error
    return folder


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def publish(layout: StoreLayout, folder: Path, manifest: Manifest) -> None:
    """Write the manifest and rename the folder into `parts/`: the one moment at which a part becomes visible."""
    (folder / "manifest.json").write_text(manifest.to_json(), encoding="utf-8")
    for path in folder.iterdir():
        _sync(path)
    _sync(folder)
    os.rename(folder, layout.parts / manifest.part)
    # From here on everybody sees it: an error now must not make the caller write the same rows again.
    with suppress(OSError):
        _sync(layout.parts)


def discard(folder: Path) -> None:
    """Remove what was written of a part that is not to be."""
    shutil.rmtree(folder, ignore_errors=True)


def sweep_unfinished(layout: StoreLayout, older_than: float = 86_400.0) -> None:
    """Remove what killed writers left behind, once it is a day old and so surely nobody's any more."""
    limit = time.time() - older_than
    try:
        with os.scandir(layout.unfinished) as entries:
            stale = [entry.path for entry in entries if entry.stat().st_mtime < limit]
    except OSError:
        return
    for path in stale:
        discard(Path(path))
