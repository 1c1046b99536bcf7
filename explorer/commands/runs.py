"""passk runs."""

from __future__ import annotations

import argparse
import json

from explorer.commands.options import add_format, add_store, reading
from explorer.commands.output import print_rows, say

COLUMNS = (
    "run", "model", "role", "from_model", "step", "algorithm", "benchmark", "problems", "samples", "correct",
    "unverified", "solvable", "n_min", "n_max", "paths", "parameters",
)  # fmt: skip
SHORT = ("run", "model", "role", "step", "benchmark", "problems", "samples", "correct", "n_min", "n_max")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk runs`."""
    add_store(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print every run of the store."""
    with reading(arguments.store) as reader:
        rows = [
            {
                "run": run.name,
                "model": run.model.name,
                "role": run.model.role,
                "from_model": run.model.from_model,
                "step": run.model.step,
                "algorithm": run.model.algorithm,
                "benchmark": run.benchmark,
                "problems": run.problems,
                "samples": run.samples,
                "correct": run.correct,
                "unverified": run.unverified,
                "solvable": run.solvable,
                "n_min": run.n_min,
                "n_max": run.n_max,
                "paths": run.texts,
                "parameters": dict(run.parameters),
            }
            for run in reader.runs()
        ]
    if arguments.format == "csv":
        rows = [{**row, "parameters": json.dumps(row["parameters"], ensure_ascii=False)} for row in rows]
    if not rows:
        say("The store is empty. Import results: passk import FILE --store STORE")
    print_rows(arguments.format, SHORT if arguments.format == "table" else COLUMNS, rows)
    return 0
