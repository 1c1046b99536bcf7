"""Parquet files with columns of their own: what they hold, and their rows in batches, with errors in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from backend.importers.protocol import SourceFile, bad

if TYPE_CHECKING:
    import pyarrow as pa


@contextmanager
def parquet_errors(source: SourceFile) -> Iterator[None]:
    """What pyarrow raises for a damaged file becomes an InputError."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        # MemoryError: a length in a damaged file; ValueError: text that is not UTF-8, dates beyond the calendar.
        said = str(error).strip().splitlines()
        raise bad(
            source, source.row, f"not readable as Parquet: {said[0] if said else type(error).__name__}"
        ) from error


def schema(source: SourceFile) -> pa.Schema | None:
    """Names and types of the columns; None when it is no Parquet file, or one that is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not source.is_parquet:
        return None
    try:
        return pq.read_schema(source.local)
    except (pa.ArrowException, OSError, ValueError, MemoryError):
        return None


def batches(source: SourceFile, columns: Sequence[str], size: int = 1_024) -> Iterator[tuple[int, list[list[Any]]]]:
    """The number of the first row, from 1, and the values of these columns, batch by batch.

    Raises:
        InputError: the file is damaged.
    """
    import pyarrow.parquet as pq

    whole = source.path.stat().st_size
    row = 1
    with parquet_errors(source):
        file = pq.ParquetFile(source.local)
        present = file.schema_arrow.names
        if double := next((column for column in columns if present.count(column) > 1), None):
            raise bad(source, None, f"more than one column {double}")
        total = max(file.metadata.num_rows, 1)
        iterator = file.iter_batches(batch_size=size, columns=list(columns))
    while True:
        with parquet_errors(source):
            batch = next(iterator, None)
            if batch is None:
                return
            values = [batch.column(column).to_pylist() for column in columns]
        yield row, values
        row += batch.num_rows
        source.row = row
        source.bytes_read = whole * (row - 1) // total
