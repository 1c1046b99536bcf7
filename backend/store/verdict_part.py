"""A part of verdicts on samples that are stored already, with what they change in the statistics."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from backend.records import Run
from backend.store.identity import without_surrogates
from backend.store.layout import StoreLayout
from backend.store.part_tables import SCHEMAS, write_rows
from backend.store.parts import Manifest, PartRun, discard, new_part_name, publish, write_workspace

if TYPE_CHECKING:
    import pyarrow.parquet as pq

ROWS = 50_000
"""Rows that are kept in memory before they are written."""


def counted(verdict: str) -> tuple[int, int, int]:
    """What one sample of this verdict adds to n, c and unverified."""
    return int(verdict != "unverified"), int(verdict == "correct"), int(verdict == "unverified")


class VerdictPart:
    """Verdicts on samples of one run, streamed to disk; visible once published."""

    def __init__(self, layout: StoreLayout, run: Run) -> None:
        """Raises StoreError when the store cannot be written."""
        self._layout = layout
        self._run = run
        self._name = new_part_name("verdicts")
        self._folder = write_workspace(layout, self._name)
        self._created = datetime.now(UTC).replace(tzinfo=None)
        self._rows: list[tuple[Any, ...]] = []
        self._changes: dict[int, list[int]] = {}
        self._writer: pq.ParquetWriter | None = None

    def add(self, problem: int, sample: int, before: str, given: tuple[Any, ...], *, used: bool) -> None:
        """One verdict.

        Args:
            before: the verdict that counts so far.
            given: verifier, version, verdict, detail, answer.
            used: whether it counts from now on.
        """
        self._rows.append((self._run.key, problem, sample, *given, used, self._created))
        if used:
            change = self._changes.setdefault(problem, [0, 0, 0])
            for place, (old, new) in enumerate(zip(counted(before), counted(given[2]), strict=True)):
                change[place] += new - old
        if len(self._rows) >= ROWS:
            self._write()

    def _write(self) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = SCHEMAS["verdicts"]
        self._rows.sort(key=lambda row: row[:3])
        columns = [
            [without_surrogates(value) if isinstance(value, str) else value for value in column]
            for column in zip(*self._rows, strict=True)
        ]
        arrays = [pa.array(column, entry.type) for column, entry in zip(columns, schema, strict=True)]
        if self._writer is None:
            self._writer = pq.ParquetWriter(self._folder / "verdicts.parquet", schema, compression="zstd")
        self._writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
        self._rows = []

    def publish(self) -> str:
        """Make it visible; its name."""
        if self._rows:
            self._write()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        changed = [
            (self._run.key, problem, "samples", *change, 0, 0, 0)
            for problem, change in sorted(self._changes.items())
            if any(change)
        ]
        if changed:
            write_rows(self._folder, "statistics", changed)
        run, model = self._run, self._run.model
        publish(
            self._layout,
            self._folder,
            Manifest(
                part=self._name,
                kind="verdicts",
                created=datetime.now(UTC).isoformat(timespec="seconds"),
                runs=(
                    PartRun(
                        run=run.name,
                        model=model.name,
                        role=model.role,
                        from_model=model.from_model,
                        step=model.step,
                        algorithm=model.algorithm,
                        benchmark=run.benchmark,
                        parameters=run.parameters,
                        samples=0,
                        next_sample=0,
                    ),
                ),
            ),
        )
        return self._name

    def discard(self) -> None:
        """Drop it."""
        if self._writer is not None:
            with suppress(Exception):  # what is thrown away need not be whole
                self._writer.close()
        discard(self._folder)
