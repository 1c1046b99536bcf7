"""passk perplexity."""

from __future__ import annotations

import argparse
from typing import Any

from explorer.commands.options import add_format, add_problems, add_store, problems_of, reading
from explorer.commands.output import print_rows, say

COLUMNS = (
    "responses", "under", "n", "stored", "problems", "q05", "q25", "median", "q75", "q95", "within_own_q95",
    "unfitting",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk perplexity`."""
    from backend.records.reading import CHOICES

    add_store(parser)
    parser.add_argument("--run", metavar="R", action="append", default=[], help="a run; repeatable (default: all)")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    add_problems(parser)
    choices = [choice.replace(" ", "-") for choice in CHOICES]
    parser.add_argument("--verdict", choices=choices, default="all", help="only such samples (default: all)")
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the perplexity of every group of responses under every model that scored it."""
    from backend import perplexities

    with reading(arguments.store) as reader:
        named = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        chosen = [reader.run(name, named) for name in arguments.run]
        benchmark = chosen[0].benchmark if chosen else reader.benchmark(arguments.benchmark)
        runs = chosen or list(reader.runs(benchmark))
        meant = problems_of(reader, runs, arguments.problems)
        choice = arguments.verdict.replace("-", " ")
        found = perplexities(reader, benchmark, runs, problems=meant.problems, choice=choice)
    scored = [group for group in found.groups if group.n or group.unfitting]
    rows: list[dict[str, Any]] = [
        {
            "responses": group.run.name if group.run else "references",
            "under": group.scorer,
            "n": group.n,
            "stored": group.responses,
            "problems": group.problems,
            **dict(zip(("q05", "q25", "median", "q75", "q95"), group.quantiles or (None,) * 5, strict=True)),
            "within_own_q95": group.within_own,
            "unfitting": group.unfitting,
        }
        for group in scored
    ]
    print_rows(arguments.format, COLUMNS, rows)
    if not rows:
        say(f"Nothing of {benchmark} is scored yet: passk score --run R --under MODEL")
    if any(not group.exact for group in scored):
        say("Some were not scored in float32: their perplexities are not exact.")
    return 0
