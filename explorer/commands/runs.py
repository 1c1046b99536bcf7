"""passk runs and benchmark: what a store holds."""

from __future__ import annotations

import argparse

from explorer.commands.command import Command
from explorer.commands.inputs import reading
from explorer.commands.output import print_rows, print_table, say
from explorer.options import FORMAT, POSITIVE, STORE, STORE_TO_WRITE, VERIFIER, Option


def run_runs(arguments: argparse.Namespace) -> int:
    from backend import runs_table

    with reading(arguments.store) as reader:
        runs = reader.runs()
    if not runs:
        say("The store is empty. Import results: passk import FILE --store STORE")
    print_table(arguments.format, runs_table(runs))
    return 0


BENCHMARK_COLUMNS = ("benchmark", "problems", "statements", "answers", "runs", "verifier", "source", "metadata")
BENCHMARK_SHORT = ("benchmark", "problems", "statements", "answers", "runs", "verifier", "source")


def add_problems(arguments: argparse.Namespace) -> int:
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


def list_benchmarks(arguments: argparse.Namespace) -> int:
    from dataclasses import asdict

    from backend import known_benchmarks

    with reading(arguments.store) as reader:
        rows = [asdict(benchmark) for benchmark in known_benchmarks(reader)]
    if not rows:
        say("The store has no benchmark. Add one: passk benchmark add NAME SOURCE --store STORE")
    print_rows(arguments.format, BENCHMARK_SHORT if arguments.format == "table" else BENCHMARK_COLUMNS, rows)
    return 0


COMMANDS = {
    "runs": Command(run_runs, (STORE, FORMAT)),
    "benchmark": Command(
        None,
        actions={
            "add": Command(
                add_problems,
                (
                    Option("name", "name of the benchmark", "NAME"),
                    Option("source", "json, jsonl, csv or parquet file, folder, or a name on the Hugging Face hub",
                           "SOURCE"),
                    Option("--question", "column of the problem's statement (default: by its name)", "COL"),
                    Option("--answer", "column of the reference answer (default: by its name)", "COL"),
                    Option("--level", "column of the level (default: level or difficulty)", "COL"),
                    Option("--id", "column of the problem's id (default: the row's number, from 0)", "COL"),
                    VERIFIER.but(help="what verifies the samples (default: what fits the answers)"),
                    Option("--split", "default: the only one, else test", "S"),
                    Option("--config", "configuration of a dataset on the hub", "C"),
                    Option("--limit", "only the first N rows", "N", POSITIVE),
                    STORE_TO_WRITE,
                ),
                "read problems into a store, to sample from",
            ),
            "list": Command(list_benchmarks, (STORE, FORMAT), "list the benchmarks of a store"),
        },
    ),
}  # fmt: skip
