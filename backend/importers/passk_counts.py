"""Counts that passk exported: a solve-set table, or the published counts of an exported datasets folder, as Parquet.

The samples of such a folder are in the long form, which has its own importer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error, refuse_parquet_bomb

COUNTED = {"run", "model", "benchmark", "problem", "n", "c"}


class PasskCounts:
    name = "passk-counts"
    title = "solve sets or counts that passk exported (Parquet)"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """By the file's own metadata."""
        return _origin(source) is not None

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        origin = _origin(source) or {}
        facts = {entry["run"]: _facts(entry) for entry in origin.get("runs", ()) if isinstance(entry.get("run"), str)}
        row = 0
        try:
            file = pq.ParquetFile(source.path)
            refuse_parquet_bomb(source, file.metadata)
            for batch in file.iter_batches(batch_size=1_024):
                for record in batch.to_pylist():
                    row += 1
                    for prefix in _prefixes(record):
                        yield _counts(source, row, record, prefix, facts)
        except (pa.ArrowException, OSError) as error:
            raise input_error(source, None, f"not readable as Parquet: {error}") from error


def _origin(source: SourceFile) -> dict[str, Any] | None:
    """What the file's metadata says, if it is one of these tables."""
    if not source.is_parquet:
        return None
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.ParquetFile(source.path).schema_arrow
        origin = json.loads((schema.metadata or {}).get(b"passk", b"null"))
    except (pa.ArrowException, OSError, ValueError, RecursionError):
        return None
    if not isinstance(origin, dict):
        return None
    names = set(schema.names)
    return origin if names >= COUNTED or names >= {"base_run", "base_c"} or names >= {"run1_run", "run1_c"} else None


def _prefixes(record: Mapping[str, Any]) -> list[str]:
    """What the columns of each run begin with; nothing for a table of one run a row."""
    return [name.removesuffix("_run") + "_" for name in record if name.endswith("_run")] or [""]


def _facts(entry: Mapping[str, Any]) -> RunFacts:
    parameters = entry.get("parameters") or {}
    return RunFacts(
        run=entry["run"],
        model=entry.get("model"),
        role=entry.get("role"),
        from_model=entry.get("from_model"),
        step=entry.get("step"),
        algorithm=entry.get("algorithm"),
        benchmark=entry.get("benchmark"),
        parameters=tuple(sorted(parameters.items())),
    )


def _counts(
    source: SourceFile, row: int, record: Mapping[str, Any], prefix: str, facts: Mapping[str, RunFacts]
) -> Counts:
    run, n, c = record[f"{prefix}run"], record.get(f"{prefix}n"), record.get(f"{prefix}c")
    if not isinstance(n, int) or not isinstance(c, int) or not 0 <= c <= n:
        raise input_error(source, row, f"{c} correct of {n} samples", where="row")
    if run not in facts:
        raise input_error(source, row, f"the file's metadata does not describe the run {run}", where="row")
    metadata, position = record.get("metadata"), record.get("position")
    problem = ProblemFacts(
        id=str(record["problem"]),
        position=position if isinstance(position, int) else row - 1,
        statement=record.get("statement"),
        reference=record.get("reference"),
        level=record.get("level"),
        metadata=json.loads(metadata) if isinstance(metadata, str) else {},
    )
    return Counts(facts[run], problem, n, c, row)


importer = PasskCounts()
