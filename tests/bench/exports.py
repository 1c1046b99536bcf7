"""What exports cost on a large store: rows a second, and the most memory that the process ever held."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from backend import Reader, open_store
from backend.store.layout import StoreLayout
from tests.bench.build_store import Built

MEMORY_GOAL = 500
"""MB, for a million samples."""

PROGRAM = """
import json, resource, sys, time
from explorer.commands.main import main
started, before = time.perf_counter(), time.process_time()
status = main(sys.argv[1:])
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([status, time.perf_counter() - started, time.process_time() - before, usage.ru_maxrss / 1024]))
"""


def _measured(*arguments: str) -> tuple[float, float, float]:
    """Seconds, seconds of CPU, and MB of one export in a process of its own."""
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "export", *arguments], capture_output=True, encoding="utf-8", check=False
    )
    if result.returncode:
        raise SystemExit(result.stderr)
    status, seconds, cpu, memory = json.loads(result.stdout.splitlines()[-1])
    if status:
        raise SystemExit(result.stderr)
    return seconds, cpu, memory


def table(built: Built) -> list[str]:
    """A row for each export of the whole store, or of its first pair."""
    layout = StoreLayout(Path(built.root))
    database = open_store(layout)
    with Reader(database) as reader:
        runs = [run.name for run in reader.runs() if run.benchmark == "Bench1"][:2]
    database.close()
    every = [f"--benchmark={name}" for name in ("Bench1", "Bench2")]
    pair = ["--base", runs[0], "--rl", runs[1]]
    lines = [
        f"exports of {built.samples:,} samples, {built.runs} runs (goal: at most {MEMORY_GOAL} MB)", "",
        "| export | seconds | CPU s | MB written | most MB of memory |", "| --- | ---: | ---: | ---: | ---: |",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in (
            ("datasets", []),
            ("paths.parquet", every[:1]),
            ("paths.jsonl", every[:1]),
            ("sets.parquet", pair),
            ("sets.html", pair),
            ("curves.csv", pair),
        ):
            path = Path(folder) / name
            what = path.stem
            place = ["--to", "datasets", str(path)] if what == "datasets" else [what, "--to", str(path)]
            seconds, cpu, memory = _measured(*place, *arguments, "--store", built.root)
            files = [each for each in ([path] if path.is_file() else path.rglob("*")) if each.is_file()]
            size = sum(each.stat().st_size for each in files) / 1e6
            lines.append(f"| {name} | {seconds:.1f} | {cpu:.1f} | {size:,.1f} | {memory:.0f} |")
            for each in files:
                each.unlink()
    return lines
