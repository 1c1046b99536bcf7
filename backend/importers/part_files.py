"""Writes samples as the Parquet files of a part: sorted chunks, in a second thread, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from backend.importers.protocol import Block
from backend.store.identity import without_surrogates
from backend.store.parts import SCHEMAS

CHUNK_CHARACTERS = 32_000_000
"""Characters of text that are gathered before they are sorted and written."""
CHUNK_ROWS = 250_000
ROW_GROUP_CHARACTERS = 2_000_000
"""Characters of text in one row group: reading one text unpacks at most so much."""

LISTS = {
    "verdict": "verdicts", "detail": "details", "answer": "answers", "tokens": "tokens",
    "finish_reason": "finish_reasons", "seed": "seeds", "logprob_sum": "logprob_sums",
}  # fmt: skip
"""Column of the outcomes -> list of a block."""

_OUTCOMES, _TEXTS, _VERDICTS = SCHEMAS["outcomes"], SCHEMAS["texts"], SCHEMAS["verdicts"]


@dataclass(slots=True)
class _Piece:
    """A block, and the keys that its samples go under."""

    run_key: int
    problem_key: int
    source_key: int
    samples: Sequence[int]
    block: Block


@dataclass
class _Chunk:
    """Blocks that are sorted and written together; their columns are made in the thread that writes them."""

    pieces: list[_Piece] = field(default_factory=list)
    rows: int = 0
    characters: int = 0

    def keys(self, name: str) -> np.ndarray:
        """A key of every sample."""
        return np.repeat(
            np.array([getattr(piece, name) for piece in self.pieces], dtype=np.uint64),
            [len(piece.samples) for piece in self.pieces],
        )

    def values(self, name: str) -> list[Any]:
        """A list of the blocks, end to end; None where a block lacks it."""
        lists = [getattr(piece.block, name) for piece in self.pieces]
        if not any(lists):
            return [None] * self.rows
        sizes = [len(piece.samples) for piece in self.pieces]
        return list(chain.from_iterable(found or repeat(None, size) for found, size in zip(lists, sizes, strict=True)))


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
        chunk = self._chunk
        chunk.pieces.append(_Piece(run_key, problem_key, source_key, samples, block))
        chunk.rows += len(samples)
        chunk.characters += sum(map(len, filter(None, block.texts or ())))
        self.rows += len(samples)
        if chunk.characters >= CHUNK_CHARACTERS or chunk.rows >= CHUNK_ROWS:
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
        size = chunk.rows
        keys = {name: chunk.keys(name) for name in ("run_key", "problem_key", "source_key")}
        samples = np.fromiter(chain.from_iterable(piece.samples for piece in chunk.pieces), np.int64, size)
        order = np.lexsort((samples, keys["problem_key"], keys["run_key"]))
        text, texts = self._strings(chunk.values("texts"), pa.large_string())
        arrays: dict[str, pa.Array] = {name: pa.array(key) for name, key in keys.items()}
        arrays["sample"] = pa.array(samples, _OUTCOMES.field("sample").type)
        arrays["characters"] = pa.array([None if t is None else len(t) for t in texts], pa.int32())
        arrays["source_row"] = pa.array([row or None for row in chunk.values("rows")], pa.int32())
        for column, listed in LISTS.items():
            values, kind = chunk.values(listed), _OUTCOMES.field(column).type
            arrays[column] = self._strings(values, kind)[0] if pa.types.is_string(kind) else pa.array(values, kind)
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
        self._write_beside(chunk)

    def _write_beside(self, chunk: _Chunk) -> None:
        rows = [
            (piece.run_key, piece.problem_key, sample, entry.verifier, entry.version, verdict, None, answer, False,
             self._now)
            for piece in chunk.pieces
            for entry in piece.block.beside or ()
            for sample, verdict, answer in zip(
                piece.samples, entry.verdicts, entry.answers or repeat(None, len(piece.samples)), strict=True
            )
            if verdict is not None
        ]  # fmt: skip
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
        if self._chunk.rows:
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
