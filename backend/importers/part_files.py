"""Writes samples into a part: sorted chunks, in a second thread, with bounded memory."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.importers.duplicates import content_key
from backend.importers.protocol import Block
from backend.store.part_writer import ROW_GROUP, PartWriter, arrow_schema

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

_OUTCOMES, _TEXTS = arrow_schema("outcomes"), arrow_schema("texts")


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


class SampleFiles:
    """The outcomes, texts and further verdicts of one part."""

    def __init__(self, part: PartWriter) -> None:
        self._part = part
        self._chunk = _Chunk()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="part-files")
        self._pending: Future[None] | None = None
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

    def _write(self, chunk: _Chunk) -> None:
        size = chunk.rows
        keys = {name: chunk.keys(name) for name in ("run_key", "problem_key", "source_key")}
        samples = np.fromiter(chain.from_iterable(piece.samples for piece in chunk.pieces), np.int64, size)
        order = np.lexsort((samples, keys["problem_key"], keys["run_key"]))
        texts = chunk.values("texts")
        text = self._part.array(texts, pa.large_string())
        arrays: dict[str, pa.Array] = {name: pa.array(key) for name, key in keys.items()}
        arrays["sample"] = pa.array(samples, _OUTCOMES.field("sample").type)
        arrays["characters"] = pa.array([None if t is None else len(t) for t in texts], pa.int32())
        arrays["source_row"] = pa.array([row or None for row in chunk.values("rows")], pa.int32())
        for column, listed in LISTS.items():
            arrays[column] = self._part.array(chunk.values(listed), _OUTCOMES.field(column).type)
        outcomes = pa.table({name: arrays[name] for name in _OUTCOMES.names}, schema=_OUTCOMES).take(order)
        self._part.write_arrow("outcomes", outcomes, ROW_GROUP)
        if text.null_count < size:
            table = pa.table(
                {**{name: arrays[name] for name in ("run_key", "problem_key", "sample")}, "text": text},
                schema=_TEXTS,
            ).take(order)
            if text.null_count:
                table = table.filter(pc.is_valid(table["text"]))
            mean = max(chunk.characters // max(size, 1), 1)
            self._part.write_arrow("texts", table, min(max(ROW_GROUP_CHARACTERS // mean, 256), ROW_GROUP))
        self._write_beside(chunk)

    def _write_beside(self, chunk: _Chunk) -> None:
        identities = [
            (piece.run_key, piece.problem_key, sample, content_key(identity))
            for piece in chunk.pieces
            for sample, identity in zip(piece.samples, piece.block.identities or (), strict=False)
            if identity is not None
        ]
        if identities:
            self._part.write("identities", sorted(identities))
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
        if rows:
            rows.sort(key=lambda row: row[:3])
            self._part.write("verdicts", rows)

    def finish(self) -> None:
        """Write what is left and end the thread."""
        if self._chunk.rows:
            self._hand_over()
        self.close()

    def close(self) -> None:
        """End the thread, whatever was written; safe to call again.

        Raises:
            OSError: the last chunk could not be written, for example because the disk is full.
        """
        try:
            if self._pending is not None:
                self._pending.result()
        finally:
            self._pending = None
            self._pool.shutdown()
