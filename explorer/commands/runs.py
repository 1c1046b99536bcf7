"""passk runs and benchmark: what a store holds."""

from __future__ import annotations

import argparse

from explorer.commands.options import add_format, add_store, positive, reading
from explorer.commands.output import print_rows, print_table, say


def add_runs(parser: argparse.ArgumentParser) -> None:
    """Options of `passk runs`."""
    add_store(parser)
    add_format(parser)


def run_runs(arguments: argparse.Namespace) -> int:
    """Print every run of the store."""
    from backend import runs_table

    with reading(arguments.store) as reader:
        runs = reader.runs()
    if not runs:
        say("The store is empty. Import results: passk import FILE --store STORE")
    print_table(arguments.format, runs_table(runs))
    return 0


BENCHMARK_COLUMNS = ("benchmark", "problems", "statements", "answers", "runs", "verifier", "source", "metadata")
BENCHMARK_SHORT = ("benchmark", "problems", "statements", "answers", "runs", "verifier", "source")


def add_benchmark(parser: argparse.ArgumentParser) -> None:
    """Options of `passk benchmark add` and `passk benchmark list`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    add = actions.add_parser("add", help="read problems into a store, to sample from")
    add.add_argument("name", metavar="NAME", help="name of the benchmark")
    add.add_argument(
        "source", metavar="SOURCE", help="json, jsonl, csv or parquet file, folder, or a name on the Hugging Face hub"
    )
    add.add_argument("--question", metavar="COL", help="column of the problem's statement (default: by its name)")
    add.add_argument("--answer", metavar="COL", help="column of the reference answer (default: by its name)")
    add.add_argument("--level", metavar="COL", help="column of the level (default: level or difficulty)")
    add.add_argument("--id", metavar="COL", help="column of the problem's id (default: the row's number, from 0)")
    add.add_argument("--verifier", metavar="V", help="what judges the samples (default: what fits the answers)")
    add.add_argument("--split", metavar="S", help="default: the only one, else test")
    add.add_argument("--config", metavar="C", help="configuration of a dataset on the hub")
    add.add_argument("--limit", metavar="N", type=positive, help="only the first N rows")
    add_store(add, writing=True)
    listing = actions.add_parser("list", help="list the benchmarks of a store")
    add_store(listing)
    add_format(listing)


def run_benchmark(arguments: argparse.Namespace) -> int:
    """Add a benchmark, or list them."""
    return _benchmark_add(arguments) if arguments.action == "add" else _benchmark_list(arguments)


def _benchmark_add(arguments: argparse.Namespace) -> int:
    from backend import BenchmarkColumns, add_benchmark, store_for_writing

    report = add_benchmark(
        store_for_writing(arguments.store),
        arguments.name,
        arguments.source,
        columns=BenchmarkColumns(arguments.question, arguments.answer, arguments.level, arguments.id),
        verifier=arguments.verifier,
        split=arguments.split,
        config=arguments.config,
        limit=arguments.limit,
    )
    for note, times in report.notes.items():
        say(f"note: {times:,} {note}")
    if not report.changed:
        say(f"{report.benchmark} has all {report.problems:,} problems already; nothing was changed.")
        return 0
    columns = report.columns
    held = report.problems - report.added
    answers = f"answer from {columns.answer}" if columns.answer else "no column of answers"
    say(
        f"{report.benchmark}: {report.added:,} problems added"
        + (f", {held:,} there already" if held else "")
        + (f", split {report.split}" if report.split else "")
        + f"; question from {columns.question}, {answers}; "
        + (f"verified by {report.verifier}" if report.verifier else "unverified: there is nothing to verify with")
    )
    return 0


def _benchmark_list(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from backend import known_benchmarks

    with reading(arguments.store) as reader:
        rows = [asdict(benchmark) for benchmark in known_benchmarks(reader)]
    if not rows:
        say("The store has no benchmark. Add one: passk benchmark add NAME SOURCE --store STORE")
    print_rows(arguments.format, BENCHMARK_SHORT if arguments.format == "table" else BENCHMARK_COLUMNS, rows)
    return 0
