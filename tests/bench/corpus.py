"""Real reasoning, as one long piece of text from which samples of any length are cut."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[2]
ENOUGH = 24_000_000
"""Characters of real text; more would not make the samples more different from each other."""


def _sample_data() -> Iterator[str]:
    for path in sorted((ROOT / "sample_data" / "samples").glob("*.parquet")):
        file = pq.ParquetFile(path)
        if "text" in file.schema_arrow.names:
            for batch in file.iter_batches(columns=["text"]):
                yield from (text for text in batch.column("text").to_pylist() if text)


def _shared_data() -> Iterator[str]:
    data = ROOT.parent / "shared" / "data"
    for path in sorted(data.glob("reasoning_gym_llama3b/*.json")):
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for category in found["categories"]:
            for dataset in category["datasets"]:
                for result in dataset["results"]:
                    yield from (c["full_model_response"] for c in result.get("completions", ()))
    for path in sorted(data.glob("qwen25math_cot100/*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield from json.loads(line)["code"]


def _generated() -> Iterator[str]:
    """Sentences, for where there is nothing real: they compress better than real ones."""
    random = np.random.default_rng(0)
    subjects = ("Let $x$", "The number", "This sum", "Each term", "The remainder", "Our expression", "A divisor")
    verbs = ("equals", "divides", "is at most", "can be written as", "grows like", "differs from")
    objects = ("the product of the roots", "$2^{%d}$", "$%d$ modulo $7$", "the square of $%d$", "an integer below $%d$")
    for _ in range(40_000):
        parts = (subjects, verbs, objects)
        words = [choices[int(random.integers(len(choices)))] for choices in parts]
        sentence = " ".join(words)
        yield sentence.replace("%d", str(int(random.integers(2, 10_000)))) + ".\n"


@dataclass(frozen=True)
class Corpus:
    """Text in UTF-8 and the places at which words begin, so that no piece is cut within a character."""

    origin: str
    data: bytes
    starts: npt.NDArray[np.int64]
    """Where words begin, in bytes."""
    before: npt.NDArray[np.int64]
    """Characters before each of those places."""

    def pieces(
        self, random: np.random.Generator, lengths: npt.NDArray[np.int64]
    ) -> tuple[list[bytes], npt.NDArray[np.int64]]:
        """Pieces of about these lengths in bytes from random places, and their lengths in characters."""
        first = random.integers(0, len(self.starts), len(lengths))
        room = len(self.data) - lengths - 1
        begin = np.minimum(self.starts[first], np.maximum(room, 0))
        first = np.searchsorted(self.starts, begin)
        last = np.searchsorted(self.starts, self.starts[first] + lengths)
        last = np.minimum(np.maximum(last, first + 1), len(self.starts) - 1)
        data = self.data
        cut = [data[a:b] for a, b in zip(self.starts[first].tolist(), self.starts[last].tolist(), strict=True)]
        return cut, self.before[last] - self.before[first]


def load_corpus() -> Corpus:
    """The sample data's texts, else those in ../shared/data, else generated ones."""
    origin = ""
    pieces: list[str] = []
    for origin, source in (("sample_data", _sample_data), ("shared data", _shared_data), ("generated", _generated)):  # noqa: B007
        pieces = []
        size = 0
        for text in source():
            pieces.append(text.replace("\0", ""))
            size += len(text)
            if size > ENOUGH:
                break
        if size > 400_000:
            break
    data = "\n\n".join(pieces).encode("utf-8", "replace")
    raw = np.frombuffer(data, dtype=np.uint8)
    starts = np.flatnonzero((raw[:-1] == 32) | (raw[:-1] == 10)) + 1
    starts = starts[(raw[starts] & 0xC0) != 0x80]
    before = np.concatenate(([0], np.cumsum((raw & 0xC0) != 0x80)))[starts]
    return Corpus(origin, data, starts.astype(np.int64), before.astype(np.int64))
