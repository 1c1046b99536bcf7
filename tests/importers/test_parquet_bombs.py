"""Parquet files whose few bytes stand for a great deal are refused, in little memory; what only repeats is read."""

from __future__ import annotations

import resource
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support import Passk, passk_command

LONG = 8 << 20


def one_text_in_every_row(rows: int, length: int) -> pa.Table:
    text = pa.DictionaryArray.from_arrays(pa.array([0] * rows, pa.int32()), pa.array(["x" * length]))
    return pa.table(
        {
            "problem": pa.array([f"p{row % 50}" for row in range(rows)]),
            "response": text,
            "correct": pa.array([row % 2 == 0 for row in range(rows)]),
        }
    )


def a_long_list(path: Path) -> None:
    """As run lengths: some bytes a million."""
    ones = pa.repeat(pa.scalar(1, pa.int32()), 60_000_000)
    column = pa.ListArray.from_arrays(pa.array([0, len(ones)], pa.int32()), ones)
    table = pa.table({"problem": ["p"], "response": column, "correct": [True]})
    pq.write_table(table, path, compression="zstd")


@pytest.mark.parametrize("kind", ["a long text", "zeros", "a list"])
def test_parquet_bombs_are_refused_in_little_memory(run_passk: Passk, kind: str) -> None:
    path = run_passk.folder / "a.parquet"
    if kind == "a long text":
        pq.write_table(one_text_in_every_row(4_000, LONG), path, compression="zstd")
    elif kind == "zeros":
        table = pa.table({"problem": ["p"], "response": ["\0" * (400 << 20)], "correct": [True]})
        pq.write_table(table, path, compression="zstd")
    else:
        a_long_list(path)
    assert path.stat().st_size < 1 << 20
    words = [*passk_command(), "import", "a.parquet", "--model", "m", "--benchmark", "b", "--store", "s.passk"]

    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))

    done = subprocess.run(
        words, cwd=run_passk.folder, env=run_passk.environment, capture_output=True, encoding="utf-8", timeout=100,
        preexec_fn=little,
    )  # fmt: skip
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert "200 times its size" in done.stderr
    assert not (run_passk.folder / "s.passk").exists()


def test_what_only_repeats_is_read(run_passk: Passk) -> None:
    """A model's name, a prompt and an empty answer in every row: far less than a byte each."""
    rows = 20_000
    table = pa.table(
        {
            "model": ["some/model-7b"] * rows,
            "benchmark": ["b"] * rows,
            "problem": [f"What is {row // 400}? " * 20 for row in range(rows)],
            "response": ["no"] * rows,
            "correct": [row % 3 == 0 for row in range(rows)],
        }
    )
    pq.write_table(table, run_passk.folder / "a.parquet", compression="zstd")
    run_passk("import", "a.parquet", "--store", "s.passk")
    (run,) = run_passk("runs", "--store", "s.passk", "--format", "json").json
    assert (run["samples"], run["problems"], run["correct"]) == (rows, 50, sum(row % 3 == 0 for row in range(rows)))
