"""Search against the bare DuckDB query: python -m tests.bench.search [--samples N] [--cache DIR].

Both count the paths of the two runs of one benchmark whose text matches; ours also says where, shows what stands around
it, looks up verdicts and hands hits on as they come, as many as the screen lists. The ratio is of the times of whole
scans, median of the rounds, in turns; the time to the first hits is ours.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from backend import Pattern, Reader, open_store, pattern, search
from backend.records import Run
from backend.store.layout import StoreLayout
from explorer.screens.search import MOST_HITS
from tests.bench.build_store import Plan, build_store

PATTERNS = ("Lagrange multiplier", "perpendicular", "= 12", r"/\b1[0-9]{2} \+/", r"/(?s)Wait.*?wait/i")
BARE = {
    False: "SELECT problem_key, sample FROM texts WHERE run_key = $run_key AND contains(text, $pattern)",
    True: "SELECT problem_key, sample FROM texts WHERE run_key = $run_key AND regexp_matches(text, $pattern)",
}


def bare(reader: Reader, runs: list[Run], wanted: Pattern) -> tuple[float, int]:
    """Seconds and paths of the query that only says which."""
    start, found = time.perf_counter(), 0
    cursor = reader.database.cursor()
    for run in runs:
        parameters = {"run_key": run.key, "pattern": wanted.sql}
        found += len(cursor.execute(BARE[wanted.regex], parameters).fetchall())
    cursor.close()
    return time.perf_counter() - start, found


def ours(reader: Reader, runs: list[Run], wanted: Pattern) -> tuple[float, float | None, int]:
    """Seconds of the whole search, seconds to the first hits (None without any), paths."""
    start, first, found = time.perf_counter(), None, 0
    for findings in search(reader, runs, wanted, most=MOST_HITS):
        if findings.hits and first is None:
            first = time.perf_counter() - start
        found = sum(run.samples for run in findings.runs)
    return time.perf_counter() - start, first, found


def table(root: Path, rounds: int) -> list[str]:
    """One line a pattern."""
    database = open_store(StoreLayout(root))
    lines = []
    with Reader(database) as reader:
        runs = list(reader.runs(reader.runs()[0].benchmark))[:2]
        samples = sum(run.texts for run in runs)
        lines += [f"{samples:,} samples of {runs[0].benchmark}, 2 runs; seconds, median of {rounds} rounds", ""]
        lines += [f"{'pattern':24} {'paths':>8} {'bare':>7} {'ours':>7} {'ratio':>6} {'first hits':>10}"]
        for written in PATTERNS:
            wanted = pattern(written)
            bare(reader, runs, wanted)  # warm
            pairs = [(bare(reader, runs, wanted), ours(reader, runs, wanted)) for _ in range(rounds)]
            raw = statistics.median(first[0] for first, _ in pairs)
            whole = statistics.median(second[0] for _, second in pairs)
            firsts = [second[1] for _, second in pairs if second[1] is not None]
            assert {first[1] for first, _ in pairs} == {second[2] for _, second in pairs}
            first = f"{statistics.median(firsts):.3f}" if firsts else "-"
            found = pairs[0][0][1]
            lines.append(f"{written:24} {found:8,} {raw:7.3f} {whole:7.3f} {whole / raw:6.2f} {first:>10}")
    database.close()
    return lines


def main() -> int:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.search", description=__doc__)
    parser.add_argument("--samples", type=int, default=1_000_000, help="size of the store (default: 1,000,000)")
    parser.add_argument("--characters", type=int, default=1_500, help="mean length of a text (default: 1,500)")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "passk-bench", help="its folder")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    built = build_store(
        Plan(arguments.samples, arguments.characters), arguments.cache, lambda text: print(text, file=sys.stderr)
    )
    print("\n".join(table(Path(built.root), arguments.rounds)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
