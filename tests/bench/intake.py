"""Importing jsonl, against the least that could be done: json and Arrow batches into a DuckDB table, in turns."""

from __future__ import annotations

import json
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from backend import RunOptions, StoreLayout, import_files, open_store
from tests.bench.corpus import Corpus, load_corpus

GOAL = 0.8
PER_PROBLEM = 64
"""Samples of a problem, and so of a line of the qwen-math form."""
BATCH = 8_192
FORMS = ("qwen-math", "long")
COLUMNS = ("problem", "text", "answer", "correct", "finish_reason")
MADE_UP = pa.schema(
    {"problem": pa.string(), "text": pa.string(), "answer": pa.string(), "correct": pa.bool_(),
     "finish_reason": pa.string()}.items()
)  # fmt: skip


def write_file(path: Path, form: str, samples: int, characters: int, corpus: Corpus) -> None:
    """A result file of this form."""
    random = np.random.default_rng(7)
    with open(path, "w", encoding="utf-8") as file:
        for start in range(0, samples, PER_PROBLEM):
            size = min(PER_PROBLEM, samples - start)
            statement = corpus.pieces(random, np.array([300]))[0][0].decode() + f" ({start})"
            lengths = np.clip(characters * np.exp(random.normal(-0.18, 0.6, size)), 60, 8 * characters)
            texts = [piece.decode() for piece in corpus.pieces(random, lengths.astype(np.int64))[0]]
            answers = [str(value) for value in random.integers(0, 9, size)]
            scores = [answer == "0" for answer in answers]
            number = start // PER_PROBLEM
            if form == "qwen-math":
                line: dict[str, Any] = {"idx": number, "question": statement, "gt": "0", "level": "Level 3"}
                line |= {"code": texts, "pred": answers, "score": scores, "finish_reason": ["stop"] * size}
                file.write(json.dumps(line) + "\n")
                continue
            for text, answer, score in zip(texts, answers, scores, strict=True):
                row = {"problem_id": number, "question": statement, "response": text, "extracted_answer": answer}
                file.write(json.dumps({**row, "is_correct": score, "finish_reason": "stop"}) + "\n")


def _rows(path: Path, form: str) -> Iterator[tuple[Any, ...]]:
    with open(path, encoding="utf-8") as file:
        for line in file:
            record = json.loads(line)
            if form == "qwen-math":
                question = record["question"]
                lists = (record[name] for name in ("code", "pred", "score", "finish_reason"))
                yield from ((question, *row) for row in zip(*lists, strict=True))
            else:
                names = ("question", "response", "extracted_answer", "is_correct", "finish_reason")
                yield tuple(record[name] for name in names)


def bare(path: Path, form: str, folder: Path) -> None:
    """json.loads a line, Arrow batches, INSERT into one table; texts in zstd as in a store."""
    settings: dict[str, Any] = {"storage_compatibility_version": "v1.5.0"}
    with duckdb.connect(str(folder / "bare.duckdb"), config=settings) as connection:
        connection.execute(
            "CREATE TABLE samples (problem VARCHAR, text VARCHAR USING COMPRESSION zstd, answer VARCHAR, "
            "correct BOOLEAN, finish_reason VARCHAR)"
        )
        buffer: list[tuple[Any, ...]] = []

        def insert() -> None:
            columns = [list(column) for column in zip(*buffer, strict=True)]
            batch = pa.table(dict(zip(COLUMNS, columns, strict=True)), schema=MADE_UP)
            connection.register("batch", batch)
            connection.execute("INSERT INTO samples FROM batch")
            connection.unregister("batch")
            buffer.clear()

        for row in _rows(path, form):
            buffer.append(row)
            if len(buffer) >= BATCH:
                insert()
        if buffer:
            insert()


def _import(path: Path, folder: Path, *, merging: bool) -> None:
    options = RunOptions(model="m", role="base", benchmark="b")
    layout = StoreLayout(folder / "store.passk")
    # The import merges at its end, unless somebody reads meanwhile: a reader is how to leave it out.
    with nullcontext() if merging else _reader(layout):
        import_files(layout, [path], run_options=options)


@contextmanager
def _reader(layout: StoreLayout) -> Iterator[None]:
    layout.create()
    database = open_store(layout)
    try:
        yield
    finally:
        database.close()


def _timed(work: Callable[[], None]) -> tuple[float, float]:
    before, worked = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - before, time.process_time() - worked


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def measure(cache: Path, form: str, samples: int, characters: int, repeats: int) -> dict[str, tuple[float, float]]:
    """Median seconds and processor seconds of each way."""
    path = cache / f"intake-{form}-{samples}-{characters}.jsonl"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        write_file(path, form, samples, characters, load_corpus())
    ways: dict[str, Callable[[Path], None]] = {
        "bare": lambda folder: bare(path, form, folder),
        "import": lambda folder: _import(path, folder, merging=False),
        "import + merge": lambda folder: _import(path, folder, merging=True),
    }
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(repeats):
        for way, work in ways.items():
            folder = _fresh(cache / "intake")
            times[way].append(_timed(lambda work=work, folder=folder: work(folder)))  # type: ignore[misc]
    shutil.rmtree(cache / "intake", ignore_errors=True)
    return {
        way: (statistics.median(entry[0] for entry in found), statistics.median(entry[1] for entry in found))
        for way, found in times.items()
    }


def table(cache: Path, *, samples: int = 200_000, characters: int = 1_500, repeats: int = 3) -> list[str]:
    """The figures of both forms, as lines to print."""
    lines = [
        f"Intake of jsonl, {samples:,} samples of {characters:,} characters, in turns, medians of {repeats}; the ratio "
        f"is bare to ours (goal {GOAL})",
        f"  {'form':<12}{'way':<16}{'seconds':>9}{'samples/s':>11}{'processor s':>13}{'ratio':>7}",
    ]
    for form in FORMS:
        found = measure(cache, form, samples, characters, repeats)
        for way, (seconds, worked) in found.items():
            ratio = found["bare"][0] / seconds
            verdict = "" if way == "bare" else ("  ok" if ratio >= GOAL else "  under")
            lines.append(
                f"  {form:<12}{way:<16}{seconds:>9.2f}{samples / seconds:>11,.0f}{worked:>13.2f}{ratio:>7.2f}{verdict}"
            )
    return lines
