"""passk import."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from backend.visible_text import visible_line
from explorer.commands.options import add_store, positive
from explorer.commands.output import say

if TYPE_CHECKING:
    from backend import ImportReport, RunReport


def add_import(parser: argparse.ArgumentParser) -> None:
    """Options of `passk import`."""
    from backend.records import ROLES

    parser.add_argument("paths", metavar="PATH", nargs="+", help="result files, or folders of them")
    add_store(parser, writing=True)
    parser.add_argument("--run", metavar="NAME", help="name of the run (default: MODEL@BENCHMARK)")
    parser.add_argument("--model", metavar="M", help="name of the model")
    parser.add_argument("--role", metavar="R", help=f"one of {', '.join(ROLES)}")
    parser.add_argument("--from-model", metavar="B", help="the model that it was trained from")
    parser.add_argument("--step", metavar="N", type=int, help="training step")
    parser.add_argument("--algorithm", metavar="A", help="for example GRPO")
    parser.add_argument("--benchmark", metavar="B", help="name of the benchmark")
    parser.add_argument("--source", metavar="TEXT", help="where the results were published, kept with the run")
    parser.add_argument(
        "--n", metavar="N", type=positive, help="samples a problem, for counts files without a column n"
    )
    parser.add_argument("--format", metavar="F", help="read every file as this format instead of recognising it")
    parser.add_argument(
        "--column",
        metavar="FIELD=COLUMN",
        action="append",
        default=[],
        help="which column of a table holds what, such as verdict=is_correct; in counts files MODEL=COLUMN",
    )
    parser.add_argument(
        "--filter",
        metavar="NAME",
        help="which of several verdicts counts: the name of a filter, scorer, test suite or reward of the file "
        "(default: the first; the others are kept beside)",
    )
    parser.add_argument(
        "--correct-at",
        metavar="REWARD",
        type=float,
        help="from which reward on a sample is correct (default: 1, and then a whole number above 1 is refused)",
    )
    parser.add_argument(
        "--drop-copies",
        action="store_true",
        help="leave out responses that are exact copies of another to the same problem in the same run",
    )
    parser.add_argument("--dry-run", action="store_true", help="report, write nothing")


class _Progress:
    """A line on stderr that is rewritten in place, from the second second on and only on a terminal."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.shown = False

    def __call__(self, done: int, total: int, samples: int) -> None:
        elapsed = time.monotonic() - self.started
        if elapsed < 1 or not sys.stderr.isatty():
            return
        self.shown = True
        share = done / total if total else 1.0
        filled = round(30 * share)
        rate = samples / elapsed
        bar = "█" * filled + "░" * (30 - filled)
        print(f"\r{bar} {share:4.0%}  {samples:,} samples  {rate:,.0f}/s ", end="", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Remove the line."""
        if self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def columns(entries: list[str]) -> dict[str, str]:
    """FIELD=COLUMN pairs.

    Raises:
        UsageError: no equals sign.
    """
    from backend.errors import UsageError

    pairs = [entry.partition("=") for entry in entries]
    for entry, (field, equals, column) in zip(entries, pairs, strict=True):
        if not (field and equals and column):
            raise UsageError(f"--column {entry}: expected FIELD=COLUMN, such as verdict=is_correct")
    return {field: column for field, _, column in pairs}


def run_import(arguments: argparse.Namespace) -> int:
    """Import, and report on stderr."""
    from backend import Options, RunOptions, import_files, store_for_writing

    layout = store_for_writing(arguments.store)
    progress = _Progress()
    try:
        report = import_files(
            layout,
            [Path(path).expanduser() for path in arguments.paths],
            run_options=RunOptions(
                run=arguments.run,
                model=arguments.model,
                role=arguments.role,
                from_model=arguments.from_model,
                step=arguments.step,
                algorithm=arguments.algorithm,
                benchmark=arguments.benchmark,
                source=arguments.source,
            ),
            options=Options(
                n=arguments.n,
                columns=columns(arguments.column),
                correct_at=arguments.correct_at,
                drop_copies=arguments.drop_copies,
                filter=arguments.filter,
            ),
            wanted_format=arguments.format,
            dry_run=arguments.dry_run,
            progress=progress,
        )
    finally:
        progress.clear()
    _print_report(report, str(layout.root))
    return int(any(file.status == "unclear" for file in report.files))


def _print_report(report: ImportReport, store: str) -> None:
    for file in report.files:
        if file.status == "imported":
            say(f"{file.path}: {file.format}, {file.samples:,} samples")
        elif file.status == "unclear":
            say(f"{file.path}: {file.format}, not to be imported like this. {file.reason}")
        elif file.status == "left":
            say(f"{file.path}: left, {file.reason or 'not recognised as a result file'}")
        elif file.status == "model described":
            say(f"{file.path}: already imported; what you said of its model was added")
        else:
            say(f"{file.path}: already imported, nothing changed")
    for run in report.runs:
        say(_run_line(run))
    for note, times in sorted(report.notes.items()):
        say(f"  odd: {times:,} {visible_line(note)}")
    if report.dry_run:
        say("Dry run: nothing was written.")
    elif report.part is not None:
        say(f"Imported into {store}. Open it: passk {store}")


def _run_line(run: RunReport) -> str:
    if not run.samples:
        return f"model {visible_line(run.model)}: role {run.role or 'unknown'}"
    n = f"n = {run.n_min}" if run.n_min == run.n_max else f"n = {run.n_min} to {run.n_max} (unequal)"
    parts = [
        f"{'added to' if run.added_to_existing else 'run'} {visible_line(run.run)}: {run.problems:,} problems",
        f"{run.samples:,} samples" + (" (published counts, no paths)" if run.counts_only else ""),
        n,
        f"{run.correct:,} correct",
    ]
    if run.unverified:
        parts.append(f"{run.unverified:,} unverified, which count into neither n nor c")
    if run.role is None:
        parts.append("role unknown (import it again with --role base or --role rl to pair it with others)")
    return ", ".join(parts)
