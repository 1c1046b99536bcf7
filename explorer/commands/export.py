"""passk export."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from backend.records import VERDICTS
from backend.records.exports import PURPOSES, ExportRequest
from explorer.commands.command import Command
from explorer.commands.inputs import benchmark_named, benchmark_of, pair_of, reading, runs_named
from explorer.commands.output import Progress, say, stop_as_ctrl_c_does
from explorer.options import (
    AUDIT_FIRST,
    AUDIT_SECOND,
    BANDS,
    BASE,
    BENCHMARK,
    FALSE_POSITIVES,
    FILE,
    JUDGED,
    LIMIT,
    MIN_CORRECT,
    PROBLEMS,
    RL,
    RUNS,
    SAMPLE,
    STORE,
    Option,
    error_rates,
)  # fmt: skip
from explorer.render.exports import written_in_words

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run

MEMORY = "150MB"
"""What DuckDB may keep in memory: an export reads everything once, so that keeping it would help nobody."""


def run_names(reader: Reader, what: str, arguments: argparse.Namespace) -> tuple[str, ...]:
    """The runs that are meant, base first: those named, else all of the benchmark.

    Raises:
        UsageError: one does not exist, or it is not clear which are meant.
    """
    from backend import default_pairs

    named = runs_named(reader, [arguments.base, arguments.rl, *arguments.run], arguments.benchmark)
    if what in ("sets", "difference", "audit") and not arguments.run:
        runs: Sequence[Run] = pair_of(reader, arguments)
    elif named:
        runs = named
    elif what == "datasets":
        runs = reader.runs(benchmark_named(reader, arguments.benchmark))
    else:
        runs = reader.runs(benchmark_of(reader, arguments.benchmark))
        if what in ("efficiency", "temperature"):
            # Those are seen against a base run, which comes first.
            runs = list({run.key: run for run in (*(pair[0] for pair in default_pairs(runs)), *runs)}.values())
    return tuple(run.name for run in runs)


def request_of(reader: Reader, what: str, path: Path, arguments: argparse.Namespace) -> ExportRequest:
    """The request that the options make; raises UsageError."""
    from backend import form_of

    given = {name: value for name in REQUEST if (value := getattr(arguments, name, None)) is not None}
    given |= {"false_positives": rates} if (rates := error_rates(given.get("false_positives"))) is not None else {}
    form = form_of(what, path, getattr(arguments, "form", None) == "verl")
    return ExportRequest(what, form, run_names(reader, what, arguments), **given)


def write_file(what: str, arguments: argparse.Namespace) -> int:
    """Write the file and say what is in it."""
    from backend.errors import UsageError

    to: list[str] = arguments.to
    if len(to) > 1 and (what, to[0], len(to)) != ("datasets", "datasets", 2):
        raise UsageError(f"--to {' '.join(to)}: one file, or: datasets DIR")
    return _write(what, Path(to[-1]), arguments)


def write_data_set(arguments: argparse.Namespace) -> int:
    """Write a data set's folder, which `--to datasets DIR` asks for too."""
    from backend.errors import UsageError

    if arguments.to[0] != "datasets":
        raise UsageError("What is to be exported?", next_step="passk export sets|curves|paths|problems ... --to FILE")
    return write_file("datasets", arguments)


def _write(what: str, path: Path, arguments: argparse.Namespace) -> int:
    from backend import export, push_dataset

    stop_as_ctrl_c_does()
    with reading(arguments.store, memory_limit=MEMORY) as reader:
        request = request_of(reader, what, path, arguments)
        with Progress("rows") as progress:
            made = export(reader, request, path, force=arguments.force, tell=progress)
    for line in written_in_words(made):
        say(line)
    if getattr(arguments, "push", None):
        say(f"Pushed to {push_dataset(path, arguments.push)}")
    return 0


FORCE = Option("--force", "overwrite what is there")
EVERY = (
    STORE, FILE, FORCE, BENCHMARK.but(help="all runs of this benchmark, or where to look for the runs"), BASE, RL,
    RUNS.but(help="a run; repeatable"), PROBLEMS,
)  # fmt: skip
WITH_BANDS = BANDS.but(choices=("problems", "samples", "off"), default="problems")
OWN: dict[str, tuple[Option, ...]] = {
    "sets": (MIN_CORRECT, FALSE_POSITIVES, JUDGED),
    "audit": (MIN_CORRECT, AUDIT_FIRST.but(default=None), AUDIT_SECOND),
    "curves": (WITH_BANDS,),
    "difference": (BANDS.but(default="problems"),),
    "cover": (WITH_BANDS,),
    "perplexity": (Option("--verdict", "only such samples", choices=("right", "not-right")),),
    "paths": (
        Option("--verdict", "only samples with this verdict", choices=VERDICTS),
        Option("--find", "only samples that `passk search PATTERN` finds", "PATTERN"),
        SAMPLE.but(help="only the sample of this index"),
        LIMIT.but(help="at most N samples a run and problem"),
    ),
    "problems": (
        Option("--as", "the columns that verl trains from, in a .parquet", choices=("verl",), dest="form"),
        JUDGED,
    ),
    "datasets": (Option("--push", "upload the folder to the Hugging Face hub, private", "NAME"), JUDGED),
}
"""What is exported -> the options that only it has."""
REQUEST = (
    "problems", "min_correct", "false_positives", "first", "second", "bands", "verdict", "sample", "limit", "find",
    "judged",
)  # fmt: skip
"""Options that are fields of a request."""

COMMANDS = {
    "export": Command(
        write_data_set,
        (*EVERY, *OWN["datasets"]),
        actions={
            what: Command(partial(write_file, what), (*EVERY, *OWN.get(what, ())), purpose)
            for what, purpose in PURPOSES.items()
        },
        epilogue="passk export --to datasets DIR is passk export datasets --to DIR.",
    )
}
