"""Benchmark of reading: the tree of 2 x 1,024 samples of 1,000 tokens, two paths of 32k tokens side by side.

python -m tests.bench.reading prints seconds of the processor, and what DuckDB alone needs for the same texts; then the
installed command in a terminal, from the key to the frame that shows the answer.
"""

from __future__ import annotations

import json
import random
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import numpy as np

from backend import Reader, TreeView, compare_paths, import_files, neighbours, open_store, search_tree
from backend.records.reading import TREE_CUTS
from backend.store.layout import StoreLayout
from explorer.render.compare import align_paths
from explorer.render.reading_view import readable
from tests.bench.explore import ENTER, ESCAPE, RIGHT, command
from tests.bench.terminal import Seen, Terminal

SAMPLES = 1_024
SHORT, LONG = 4_000, 128_000
"""Characters of a path of 1,000 and of one of 32,000 tokens."""
REPEATS = 7
BUDGETS = {"open": 0.5, "expand": 0.05}
"""Seconds."""

WORDS = re.findall(
    r"\S+",
    """we have that the number of $x^2$ so then let $x$ be equal to sum product which gives \\frac{1}{2} and because if
    must for all integer prime value $$ a_1 \\le b $$ root divide both sides""",
)


def sentence(source: random.Random) -> str:
    return " ".join(source.choice(WORDS) for _ in range(source.randrange(8, 25))).capitalize() + ". "


Ways = dict[int, tuple[str, "Ways"]]


def path(source: random.Random, ways: Ways, characters: int) -> str:
    """Some steps along ways that others take too, the frequent ones more often; then on its own."""
    text = ""
    for _ in range(source.randrange(1, 12)):
        way = min(int(source.expovariate(0.7)), 7)
        step, ways = ways.setdefault(way, (sentence(source), {}))
        text += step
    while len(text) < characters:
        text += sentence(source) + ("\n\n" if source.random() < 0.15 else "")
    return text


def build(folder: Path, samples: int) -> StoreLayout:
    """One problem, a base and an RL run; the last sample of each is long."""
    layout = StoreLayout(folder / "reading.passk")
    ways: Ways = {}
    for role in ("base", "rl"):
        source = random.Random(role)
        file = folder / f"{role}.jsonl"
        with open(file, "w", encoding="utf-8") as out:
            for number in range(samples):
                row = {
                    "problem_id": "p",
                    "question": "q",
                    "model": role,
                    "role": role,
                    "benchmark": "b",
                    "tokens": 1_000,
                }
                text = path(source, ways, SHORT if number < samples - 1 else LONG)
                out.write(json.dumps(row | {"completion": text, "is_correct": source.random() < 0.2}) + "\n")
        import_files(layout, [file])
    return layout


def timed(what: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median seconds of the processor."""
    times = []
    for _ in range(repeats):
        started = process_time()
        what()
        times.append(process_time() - started)
    return float(np.median(times))


def headless(layout: StoreLayout) -> list[str]:
    """What the backend and the rendering take."""
    database = open_store(layout)
    try:
        with Reader(database) as reader:
            runs, key = reader.runs(), reader.problem_key("b", "p")

            def bare() -> None:
                for run in runs:
                    reader.rows("reads/paths", run_key=run.key, problem_key=key, verdict=None, limit=None)

            duck = timed(bare)
            lines = [f"  {'DuckDB alone, all texts of the problem':<52}{1000 * duck:>8.1f} ms"]
            for by in TREE_CUTS:
                opened = timed(lambda by=by: TreeView(search_tree(reader, key, runs, by)).at_first().rows())  # type: ignore[misc]
                lines.append(judged(f"tree by {by}s, open", opened, BUDGETS["open"], opened / duck))
                view, slowest = TreeView(search_tree(reader, key, runs, by)).at_first(), 0.0
                branch = view.tree.root
                while (branch := view.tree.most_taken(branch)) is not None:
                    started = process_time()
                    view, _ = view.opening(branch)
                    view.rows()
                    slowest = max(slowest, process_time() - started)
                lines.append(judged(f"tree by {by}s, slowest expansion on the way down", slowest, BUDGETS["expand"]))
            last = max(sample.index for sample in reader.samples(runs[0].key, key).items)
            left, right = (reader.path(run, key, last) for run in runs)
            near = timed(lambda: neighbours(reader, left, runs))
            lines.append(judged("nearest of all other paths", near, None, near / duck))
            apart = timed(lambda: align_paths(compare_paths(left, right)))
            lines.append(judged("two unlike paths of 32k tokens side by side", apart, 0.1))
            edited = (left.text or "").replace("prime value", "odd value")
            changed = type(left)(left.run, key, "p", left.sample, edited, None)
            alike = timed(lambda: align_paths(compare_paths(left, changed)))
            lines.append(judged("a path of 32k tokens and an edited one", alike, 0.1))
            lines.append(judged("reading view of 32k tokens", timed(lambda: readable(left.text or "")), 0.1))
    finally:
        database.close()
    return lines


def judged(what: str, seconds: float, budget: float | None, ratio: float | None = None) -> str:
    """A line: milliseconds, the ratio to DuckDB alone, the budget."""
    verdict = "" if budget is None else f"  budget {1000 * budget:.0f} {'ok' if seconds <= budget else 'over'}"
    times = "" if ratio is None else f"  x {ratio:.1f}"
    return f"  {what:<52}{1000 * seconds:>8.1f} ms{times}{verdict}"


def in_terminal(layout: StoreLayout, columns: int, lines: int) -> list[str]:
    """From the key to the frame, in the installed command."""
    seen: dict[str, list[Seen]] = {"open": [], "expand": []}
    terminal = Terminal([command(), str(layout.root)], columns, lines)
    try:
        terminal.wait(lambda: "› benchmarks" in terminal.text and "problems" in terminal.text, "Home")
        terminal.press(ENTER, lambda: "pass@k at k" in terminal.text, "Curves")
        terminal.press(ENTER, lambda: "in benchmark order" in terminal.text or "› " in terminal.rows[0], "Sets")
        terminal.press(ENTER, lambda: "problem p" in terminal.rows[0] and "samples" in terminal.text, "Problem")
        for _ in range(REPEATS):
            seen["open"].append(terminal.press(b"t", lambda: "▸" in terminal.text and "c =" in terminal.text, "tree"))
            seen["expand"].append(terminal.press(RIGHT, lambda: "▾" in terminal.text, "expansion"))
            terminal.press(ESCAPE, lambda: "search tree" not in terminal.text, "Problem again")
    finally:
        terminal.close()
    found = []
    for step, times in seen.items():
        alone = 1000 * float(np.median([entry.alone for entry in times]))
        wall = 1000 * float(np.median([entry.seconds for entry in times]))
        sent = int(np.median([entry.bytes for entry in times]))
        verdict = "ok" if alone <= 1000 * BUDGETS[step] else "over"
        found.append(
            f"  {step:<10}{wall:>8.0f} ms, alone {alone:>5.0f} ms, {sent:>6,} bytes"
            f"  budget {1000 * BUDGETS[step]:.0f} {verdict}"
        )
    return found


def main() -> int:
    """Builds the store and prints the tables."""
    with tempfile.TemporaryDirectory() as folder:
        layout = build(Path(folder), SAMPLES)
        print(f"Reading, 2 x {SAMPLES:,} samples: seconds of the processor, medians of {REPEATS}", flush=True)
        print("\n".join(headless(layout)), flush=True)
        for columns, lines in ((80, 24), (120, 40)):
            print(f"The tree in a terminal of {columns}x{lines}", flush=True)
            print("\n".join(in_terminal(layout, columns, lines)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
