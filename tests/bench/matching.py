"""Matching the problems of two runs of 10,000 problems each, against a bare join in DuckDB of the same columns."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb

from backend import (
    Reader,
    RunOptions,
    StoreLayout,
    import_files,
    match,
    matching_of,
    open_store,
    plan_match,
    solve_sets,
)

PROBLEMS = 10_000
BUDGET = 0.5
"""Seconds for the matching itself."""
WORDS = ("apples", "boxes", "trains", "miles", "hours", "bottles", "friends", "marbles", "pages", "coins")


def build(folder: Path, problems: int) -> StoreLayout:
    """A base run asked plainly and an RL run whose every prompt has a template of its own."""
    layout = StoreLayout(folder / "matching.passk")
    for model, words in (("base", "{}"), ("rl", "Problem sheet {1}: {0} Mark {2}.")):
        path = folder / f"{model}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            for i in range(problems):
                asked = f"{i * 7919 % 10007} {WORDS[i % 10]} and {i * 31 % 997} {WORDS[i * 7 % 10]}: how many in all?"
                line = {
                    "id": f"q{i}",
                    "statement": words.format(asked, i * 17 % 9973, i * 3 % 7919),
                    "response": "none",
                    "correct": i % 3 == 0,
                    "reference": str(i),
                }
                file.write(json.dumps(line) + "\n")
        import_files(layout, [path], run_options=RunOptions(model=model, role=model, benchmark="b"))
    return layout


def best(times: int, work: Callable[[], Any]) -> float:
    """Seconds of the fastest of several."""
    found = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        found.append(time.perf_counter() - start)
    return min(found)


def bare_join(layout: StoreLayout, times: int) -> float:
    """The same pairs by one statement over the same columns in memory, and nothing else."""
    with closing(duckdb.connect()) as connection:
        connection.execute(f"ATTACH '{layout.base}' AS base (READ_ONLY)")
        connection.execute("CREATE TABLE problems AS FROM base.problems")
        connection.execute("CREATE TABLE counts AS SELECT run_key, problem_key FROM base.statistics")
        sql = """
            SELECT one.problem_key, other.problem_key
            FROM (FROM counts JOIN problems USING (problem_key)) AS one
            JOIN (FROM counts JOIN problems USING (problem_key)) AS other USING (id)
            WHERE one.run_key < other.run_key
        """
        return best(times, lambda: connection.execute(sql).fetchall())


def table(folder: Path, problems: int = PROBLEMS, times: int = 5) -> list[str]:
    """Rows of a Markdown table: what was done, seconds, times the bare join."""
    layout = build(folder, problems)
    with closing(open_store(layout)) as database, Reader(database) as reader:
        pair = reader.run("base@b"), reader.run("rl@b")
        raw = bare_join(layout, times)
        rows = [("bare join in DuckDB", raw)]
        rows.append(("list, without what looks alike", best(times, lambda: matching_of(reader, *pair, likeness=False))))
        rows.append(("match by id, found", best(times, lambda: plan_match(reader, *pair, "id"))))
        rows.append(("match by a pattern, found", best(times, lambda: plan_match(reader, *pair, r"(\d+ \w+ and \d+)"))))
        rows.append(("sets before", best(times, lambda: solve_sets(reader, pair))))
        rows.append(("what looks alike, all of both", best(1, lambda: matching_of(reader, *pair))))
        rows.append(("match by id, written and read", best(1, lambda: match(reader, *pair, "id"))))
        rows.append(("sets of the matched runs", best(times, lambda: solve_sets(reader, pair))))
        rows.append(("list of the matched runs", best(times, lambda: matching_of(reader, *pair))))
    opened = best(times, lambda: open_store(layout, merging=False).close())
    rows.append(("open the matched store", opened))
    lines = [f"| 2 x {problems:,} problems | s | x bare join |", "| --- | ---: | ---: |"]
    return lines + [f"| {what} | {seconds:.3f} | {seconds / raw:.1f} |" for what, seconds in rows]


def main() -> int:
    """Print the table; 1 where finding the matches takes longer than its budget."""
    folder = Path(tempfile.mkdtemp(prefix="passk-matching-"))
    try:
        lines = table(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n".join(lines))
    found = next(float(line.split("|")[2]) for line in lines if "match by id, found" in line)
    return int(found > BUDGET)


if __name__ == "__main__":
    sys.exit(main())
