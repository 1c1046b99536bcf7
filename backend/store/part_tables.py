"""The Parquet tables of a part: the same columns as in base.duckdb (`queries/schema/`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

import queries
from backend.store.connection import open_database
from backend.store.identity import without_surrogates

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
