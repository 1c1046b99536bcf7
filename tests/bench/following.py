"""What following costs: nothing coming, rows coming one by one, and many files at once; beside DuckDB reading the same.

The follower is `passk watch` as a process of its own. Its processor seconds are those that the system counts of it; a
row's latency is from the end of its writing until another process that has the store open sees it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from backend import StoreLayout, open_store

IDLE_GOAL, LATENCY_GOAL, FRESH_GOAL = 0.02, 2.0, 5.0
"""Of a core; seconds, the 95th percentile; processor seconds for the fresh files."""
FILES, ROWS = 200, 10
"""Fresh files, and rows of each."""
TICKS = os.sysconf("SC_CLK_TCK")
COUNT = "SELECT count(*) FROM outcomes"


def _row(number: int) -> str:
    said = {"problem": f"p{number % 10}", "statement": f"What is {number % 10} times seven?"}
    return json.dumps({**said, "text": f"Try {number}. " + "So it goes on. " * 20, "verdict": number % 3 == 0}) + "\n"


def _write(path: Path, first: int, rows: int) -> None:
    with open(path, "a", encoding="utf-8") as file:
        file.writelines(_row(number) for number in range(first, first + rows))


def _spent(process: subprocess.Popen[bytes]) -> float:
    """Processor seconds of a process that runs."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


@contextmanager
def _following(folder: Path, store: Path) -> Iterator[subprocess.Popen[bytes]]:
    words = ["watch", str(folder), "--store", str(store), "--model", "m", "--benchmark", "b"]
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "explorer.commands.main", *words], stdout=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


class _Reader:
    """Another process's view of the store, looked at as often as an explorer that is told."""

    def __init__(self, store: Path) -> None:
        self.database = open_store(StoreLayout(store), merging=False)
        self.cursor = self.database.cursor()

    def samples(self) -> int:
        self.database.refresh()
        return int(self.cursor.execute(COUNT).fetchall()[0][0])

    def close(self) -> None:
        self.cursor.close()
        self.database.close()


def _wait(what: Callable[[], bool], seconds: float = 120) -> float:
    """Seconds until something holds."""
    began = time.monotonic()
    while not what():
        if time.monotonic() - began > seconds:
            raise TimeoutError(f"waited {seconds:g} s in vain")
        time.sleep(0.02)
    return time.monotonic() - began


def idle_and_latency(folder: Path, *, idle: float, rows: int) -> tuple[float, list[float]]:
    """Share of a core while nothing comes to a folder of many files, and the seconds until each new row is seen."""
    results, store = folder / "results", folder / "s.passk"
    results.mkdir()
    for number in range(FILES):
        _write(results / f"{number}.jsonl", number * ROWS, ROWS)
    with _following(results, store) as process:
        _wait(StoreLayout(store).exists)
        with closing(_Reader(store)) as reader:
            _wait(lambda: reader.samples() == FILES * ROWS)
            time.sleep(3)
            before = _spent(process)
            time.sleep(idle)
            share = (_spent(process) - before) / idle
            waited = []
            for number in range(rows):
                _write(results / "late.jsonl", FILES * ROWS + number, 1)
                waited.append(_wait(lambda: reader.samples() > FILES * ROWS + number))  # noqa: B023 - called at once
                # At another moment of the follower's round each time.
                time.sleep(0.1 + 0.37 * (number % 5))
    return share, waited


def fresh(folder: Path) -> tuple[float, float]:
    """Seconds by the clock and of the processor from the start until many fresh files are there."""
    results, store = folder / "results", folder / "s.passk"
    results.mkdir()
    for number in range(FILES):
        _write(results / f"{number}.jsonl", number * ROWS, ROWS)
    began = time.monotonic()
    with _following(results, store) as process:
        _wait(StoreLayout(store).exists)
        with closing(_Reader(store)) as reader:
            _wait(lambda: reader.samples() == FILES * ROWS)
        return time.monotonic() - began, _spent(process)


def bare(folder: Path) -> tuple[float, float]:
    """The same for a process in which DuckDB reads the files and writes a table."""
    sql = "CREATE TABLE t AS SELECT * FROM read_json($files, format = 'newline_delimited')"
    program = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); "
        f"c.execute({sql!r}, {{'files': sys.argv[2] + '/*.jsonl'}}); c.close()"
    )
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    words = [sys.executable, "-c", program, str(folder / "bare.duckdb"), str(folder / "results")]
    subprocess.run(words, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return time.monotonic() - began, spent


def table(*, idle: float = 20.0, rows: int = 30, repeats: int = 3) -> list[str]:
    """The figures of following, as lines to print."""

    def judged(value: float, goal: float) -> str:
        return "ok" if value < goal else "over"

    at_once, plain = [], []
    for _ in range(repeats):
        folder = Path(tempfile.mkdtemp(prefix="passk-following-"))
        at_once.append(fresh(folder))
        plain.append(bare(folder))
        shutil.rmtree(folder)
    folder = Path(tempfile.mkdtemp(prefix="passk-following-"))
    share, waited = idle_and_latency(folder, idle=idle, rows=rows)
    shutil.rmtree(folder)
    clock, spent = (statistics.median(values) for values in zip(*at_once, strict=True))
    bare_clock, bare_spent = (statistics.median(values) for values in zip(*plain, strict=True))
    waited.sort()
    half, most = statistics.median(waited), waited[int(0.95 * (len(waited) - 1))]
    return [
        f"Following a folder of {FILES} files, DuckDB {duckdb.__version__}",
        f"  nothing comes, {idle:g} s: {share:.2%} of a core  {judged(share, IDLE_GOAL)} (goal {IDLE_GOAL:.0%})",
        f"  a row until a reader sees it, {rows} rows: p50 {half:.2f} s, p95 {most:.2f} s  "
        f"{judged(most, LATENCY_GOAL)} (goal {LATENCY_GOAL:g} s)",
        f"  {FILES} fresh files of {ROWS} rows, from the start of the process: {spent:.2f} s of processor, "
        f"{clock:.2f} s by the clock  {judged(spent, FRESH_GOAL)} (goal {FRESH_GOAL:g} s)",
        f"  DuckDB's read_json of the same into a table, a process too: {bare_spent:.2f} s, {bare_clock:.2f} s; "
        f"ratio {spent / bare_spent:.1f}, {clock / bare_clock:.1f}",
    ]
