"""Rows as csv, jsonl or Parquet, a batch at a time."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.exporters.escaping import for_csv, json_line, json_text
from backend.records.table import Column

Row = Sequence[Any]

PROVENANCE = "export"
"""Last column of csv and jsonl: in the first row it says where the rows come from, then it is empty.

A comment line before the rows would break readers; a column breaks none, and stays when files are joined. Parquet has
it in the file's metadata, under the key `passk`.
"""


def type_of(column: Column) -> str:
    """As Arrow and `datasets` call it; a list or object (json) is JSON text but in jsonl."""
    match column.kind:
        case "whole" | "count" | "compact":
            return "int64"
        case "number" | "decimal" | "percent" | "chance" | "points":
            return "float64"
    return "string"


class _Lines:
    """A text form with the provenance in its last column."""

    def __init__(self, path: Path, columns: Sequence[Column], provenance: Mapping[str, Any]) -> None:
        self.columns = tuple(columns)
        self.provenance: dict[str, Any] | None = dict(provenance)
        """Until a row has told it."""
        self.file = open(path, "wb", buffering=1 << 18)  # noqa: SIM115 - `close` closes it

    def close(self) -> None:
        self.file.close()


class JsonLines(_Lines):
    """One JSON object a line."""

    def write(self, rows: Sequence[Row]) -> None:
        names = [*(column.key for column in self.columns), PROVENANCE]
        for row in rows:
            self.file.write(json_line(dict(zip(names, (*row, self.provenance), strict=True))) + b"\n")
            self.provenance = None


class Csv(_Lines):
    """Comma-separated, with a header; unknown values are empty."""

    def __init__(self, path: Path, columns: Sequence[Column], provenance: Mapping[str, Any]) -> None:
        super().__init__(path, columns, provenance)
        self._write([[*(column.key for column in self.columns), PROVENANCE]])

    def _write(self, rows: Sequence[Row]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.file.write(text.getvalue().encode())

    def write(self, rows: Sequence[Row]) -> None:
        kinds = [column.kind for column in self.columns]
        lines = []
        for row in rows:
            lines.append([*map(_csv_cell, row, kinds), _csv_cell(self.provenance, "json")])
            self.provenance = None
        self._write(lines)


def _csv_cell(value: Any, kind: str) -> Any:
    if value is None:
        return ""
    if kind == "json":
        return json_text(value)
    return for_csv(value) if isinstance(value, str) else value


class Parquet:
    """Parquet with zstd; the provenance stands in the file's metadata. Every batch is a row group."""

    def __init__(
        self,
        path: Path,
        columns: Sequence[Column],
        provenance: Mapping[str, Any],
        metadata: Mapping[bytes, bytes] | None = None,
    ) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        types = {"string": pa.string(), "int64": pa.int64(), "float64": pa.float64()}
        self.columns = tuple(columns)
        self.schema = pa.schema(
            [(column.key, types[type_of(column)]) for column in columns],
            metadata={b"passk": json_line(provenance), **(metadata or {})},
        )
        long = [column.key for column in columns if column.key != "text"]
        self.writer = pq.ParquetWriter(path, self.schema, compression="zstd", use_dictionary=long)

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow as pa

        arrays = []
        for place, (column, entry) in enumerate(zip(self.columns, self.schema, strict=True)):
            values = [row[place] for row in rows]
            if column.kind == "json":
                values = [None if value is None else json_text(value) for value in values]
            arrays.append(pa.array(values, entry.type))
        self.writer.write_table(pa.Table.from_arrays(arrays, schema=self.schema), row_group_size=max(len(rows), 1))

    def close(self) -> None:
        self.writer.close()


WRITERS: Mapping[str, type[Csv] | type[JsonLines] | type[Parquet]] = {
    "csv": Csv,
    "jsonl": JsonLines,
    "parquet": Parquet,
}
"""Form -> writer."""
