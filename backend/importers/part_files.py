"""Writes samples as the Parquet files of a part: sorted chunks, in a second thread, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.importers.protocol import Block
from backend.store.identity import without_surrogates
from backend.store.part_tables import SCHEMAS

CHUNK_CHARACTERS = 32_000_000
"""Characters of text that are gathered before they are sorted and written."""
CHUNK_ROWS = 250_000
ROW_GROUP_CHARACTERS = 2_000_000
"""Characters of text in one row group: reading one text unpacks at most so much."""

_OUTCOMES, _TEXTS, _VERDICTS = SCHEMAS["outcomes"], SCHEMAS["texts"], SCHEMAS["verdicts"]


@dataclass
class _Chunk:
    columns: dict[str, list[Any]] = field(
        default_factory=lambda: {name: [] for name in _OUTCOMES.names if name != "characters"}
    )
    texts: list[str | None] = field(default_factory=list)
    beside: list[tuple[Any, ...]] = field(default_factory=list)
    """Rows of verdicts."""
    characters: int = 0


class PartFiles:
    """outcomes.parquet and texts.parquet of one part, in its folder."""

    def __init__(self, folder: Path, repaired: Callable[[int], None]) -> None:
        """`repaired` is told how many strings held surrogates that UTF-8 cannot hold."""
        self._folder = folder
        self._repaired = repaired
        self._chunk = _Chunk()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="part-files")
        self._pending: Future[None] | None = None
        self._outcomes: pq.ParquetWriter | None = None
        self._texts: pq.ParquetWriter | None = None
        self._verdicts: pq.ParquetWriter | None = None
        self._now = datetime.now(UTC).replace(tzinfo=None)
        self.rows = 0

    def add(self, run_key: int, problem_key: int, samples: Sequence[int], block: Block, source_key: int) -> None:
        """Take in the samples of a block under these indices."""
        size = len(samples)
        columns = self._chunk.columns
        columns["run_key"] += [run_key] * size
        columns["problem_key"] += [problem_key] * size
        columns["sample"] += samples
        columns["verdict"] += block.verdicts
        unknown = [None] * size
        columns["detail"] += block.details or unknown
        columns["answer"] += block.answers or unknown
        columns["tokens"] += block.tokens or unknown
        columns["finish_reason"] += block.finish_reasons or unknown
        columns["seed"] += block.seeds or unknown
        columns["logprob_sum"] += block.logprob_sums or unknown
        columns["source_key"] += [source_key] * size
        columns["source_row"] += [row or None for row in block.rows]
        for entry in block.beside or ():
            answers = entry.answers or unknown
            self._chunk.beside += [
                (
                    run_key,
                    problem_key,
                    sample,
                    entry.verifier,
                    entry.version,
                    verdict,
                    None,
                    answer,
                    False,
                    self._now,
                )
                for sample, verdict, answer in zip(samples, entry.verdicts, answers, strict=True)
                if verdict is not None
            ]
        self._chunk.texts += block.texts or unknown
        self._chunk.characters += sum(map(len, filter(None, block.texts or ())))
        self.rows += size
        if self._chunk.characters >= CHUNK_CHARACTERS or len(self._chunk.texts) >= CHUNK_ROWS:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._pending is not None:
            self._pending.result()
        chunk, self._chunk = self._chunk, _Chunk()
        self._pending = self._pool.submit(self._write, chunk)

    def _strings(self, values: list[str | None], kind: pa.DataType) -> tuple[pa.Array, list[str | None]]:
        try:
            return pa.array(values, kind), values
        except UnicodeEncodeError:
            clean = [None if value is None else without_surrogates(value) for value in values]
            # Lone surrogates: UTF-8 cannot hold them.
            self._repaired(sum(a != b for a, b in zip(values, clean, strict=True)))
            return pa.array(clean, kind), clean

    def _write(self, chunk: _Chunk) -> None:
        size = len(chunk.texts)
        columns = chunk.columns
        keys = {name: np.array(columns[name], dtype=np.uint64) for name in ("run_key", "problem_key", "source_key")}
        order = np.lexsort((np.array(columns["sample"]), keys["problem_key"], keys["run_key"]))
        text, texts = self._strings(chunk.texts, pa.large_string())
        arrays: dict[str, pa.Array] = {name: pa.array(key) for name, key in keys.items()}
        arrays["characters"] = pa.array([None if t is None else len(t) for t in texts], pa.int32())
        for entry in _OUTCOMES:
            if entry.name in arrays:
                continue
            values = columns[entry.name]
            arrays[entry.name] = (
                self._strings(values, entry.type)[0] if pa.types.is_string(entry.type) else pa.array(values, entry.type)
            )
        outcomes = pa.table({name: arrays[name] for name in _OUTCOMES.names}, schema=_OUTCOMES).take(order)
        if self._outcomes is None:
            self._outcomes = pq.ParquetWriter(self._folder / "outcomes.parquet", _OUTCOMES, compression="zstd")
        self._outcomes.write_table(outcomes, row_group_size=122_880)
        if text.null_count < size:
            table = pa.table(
                {**{name: arrays[name] for name in ("run_key", "problem_key", "sample")}, "text": text},
                schema=_TEXTS,
            ).take(order)
            if text.null_count:
                table = table.filter(pc.is_valid(table["text"]))
            if self._texts is None:
                # Read once more, by the merge: lz4 takes a tenth off an import. No dictionary: texts hardly repeat.
                self._texts = pq.ParquetWriter(
                    self._folder / "texts.parquet", _TEXTS, compression="lz4", use_dictionary=False
                )
            mean = max(chunk.characters // max(size, 1), 1)
            group = min(max(ROW_GROUP_CHARACTERS // mean, 256), 122_880)
            self._texts.write_table(table, row_group_size=group)
        self._write_beside(chunk.beside)

    def _write_beside(self, rows: list[tuple[Any, ...]]) -> None:
        if not rows:
            return
        rows.sort(key=lambda row: row[:3])
        arrays = []
        for values, entry in zip(zip(*rows, strict=True), _VERDICTS, strict=True):
            text = pa.types.is_string(entry.type)
            arrays.append(self._strings(list(values), entry.type)[0] if text else pa.array(values, entry.type))
        if self._verdicts is None:
            self._verdicts = pq.ParquetWriter(self._folder / "verdicts.parquet", _VERDICTS, compression="zstd")
        self._verdicts.write_table(pa.Table.from_arrays(arrays, schema=_VERDICTS))

    def finish(self) -> None:
        """Write what is left and close the files."""
        if self._chunk.texts:
            self._hand_over()
        self.close()

    def close(self) -> None:
        """Close the files, whatever was written; safe to call again.

        Raises:
            OSError: the last chunk could not be written, for example because the disk is full.
        """
        try:
            if self._pending is not None:
                self._pending.result()
        finally:
            self._pending = None
            self._pool.shutdown()
            for writer in (self._outcomes, self._texts, self._verdicts):
                if writer is not None:
                    writer.close()
