"""passk import."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from backend.visible_text import visible_line
from explorer.commands.command import Command
from explorer.commands.inputs import reading
from explorer.commands.output import Progress, say
from explorer.options import (
    ALGORITHM,
    BENCHMARK_NAME,
    COUNT,
    FILL,
    FROM_MODEL,
    MODEL_NAME,
    NAMES_FROM,
    ON_DUPLICATE,
    REPEATS,
    ROLE,
    SKIP_BAD_ROWS,
    STEP,
    STORE_TO_WRITE,
    Option,
    file_path,
)

if TYPE_CHECKING:
    from backend import ImportReport, Options, RunOptions, RunReport


def columns(entries: list[str]) -> dict[str, str]:
    """FIELD=COLUMN pairs. Raises UsageError: no equals sign."""
    from backend.errors import UsageError

    pairs = [entry.partition("=") for entry in entries]
    for entry, (field, equals, column) in zip(entries, pairs, strict=True):
        if not (field and equals and column):
            raise UsageError(f"--column {entry}: expected FIELD=COLUMN, such as verdict=is_correct")
    return {field: column for field, _, column in pairs}


def run_options(arguments: argparse.Namespace, *, pooled: bool = False) -> RunOptions:
    """What the user said about the run."""
    from backend import NamesFrom, RunOptions

    return RunOptions(
        names=NamesFrom(arguments.model_from, arguments.step_from, arguments.benchmark_from, arguments.fill),
        pooled=pooled,
        run=arguments.run,
        model=arguments.model,
        role=arguments.role,
        from_model=arguments.from_model,
        step=arguments.step,
        algorithm=arguments.algorithm,
        benchmark=arguments.benchmark,
        source=arguments.source,
    )


def reading_options(arguments: argparse.Namespace) -> Options:
    """What the user said about how to read the files; raises like `columns`."""
    from backend import Options, read_select

    return Options(
        n=arguments.n,
        columns=columns(arguments.column),
        correct_at=arguments.correct_at,
        drop_copies=arguments.drop_copies,
        select=None if arguments.select is None else read_select(arguments.select),
        on_duplicate=arguments.on_duplicate,
        repeats=arguments.repeats,
        skip_bad_rows=arguments.skip_bad_rows,
        filter=arguments.filter,
    )


def run_import(arguments: argparse.Namespace) -> int:
    from backend import MayBeSeveral, import_files, leave_out_pandas, store_for_writing

    leave_out_pandas()
    layout = store_for_writing(arguments.store)

    def read(*, pooled: bool = False) -> ImportReport:
        with Progress("samples") as progress:
            return import_files(
                layout,
                arguments.paths,
                run_options=run_options(arguments, pooled=pooled),
                options=reading_options(arguments),
                wanted_format=arguments.format,
                dry_run=arguments.dry_run,
                progress=progress,
            )

    try:
        report = read()
    except MayBeSeveral as error:
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise
        say(f"{error.title}\n{error.detail}")
        if input("Are they one run? [y/N] ").strip().lower() not in ("y", "yes"):
            raise
        report = read(pooled=True)
    _print_report(report, str(layout.root))
    if report.part is not None and any(run.unverified for run in report.runs):
        _say_who_would_verify(report, str(layout.root))
    return int(any(file.status == "unclear" for file in report.files))


MOST_BAD_ROWS = 20
"""So many rows that were left out are listed."""


def _print_report(report: ImportReport, store: str) -> None:
    for file in report.files:
        if file.status == "imported":
            say(f"{file.path}: {file.format}, {file.samples:,} samples" + (f"; {file.reason}" if file.reason else ""))
        elif file.status == "unclear":
            say(f"{file.path}: {file.format}, not to be imported like this. {file.reason}")
        elif file.status == "left":
            say(f"{file.path}: left, {file.reason or 'not recognised as a result file'}")
        elif file.status == "model described":
            say(f"{file.path}: already imported; model details updated")
        else:
            say(f"{file.path}: already imported, nothing changed" + (f"; {file.reason}" if file.reason else ""))
    for column, taken_for in report.columns.items():
        say(f"  column {visible_line(column)}: {taken_for or 'not read'}")
    for row in report.bad_rows[:MOST_BAD_ROWS]:
        say(f"  left out: {visible_line(row)}")
    if len(report.bad_rows) > MOST_BAD_ROWS:
        say(f"  left out: {len(report.bad_rows) - MOST_BAD_ROWS:,} more rows that cannot be read")
    for run in report.runs:
        say(_run_line(run))
    for note, times in sorted(report.notes.items()):
        say(f"  note: {times:,} {visible_line(note)}")
        if "come with several reference answers" in note:
            say("  The first counts. passk reference list shows them; passk reference choose lets another count.")
    if report.dry_run:
        say("Dry run: nothing was written.")
    elif report.part is not None:
        say(f"Imported into {store}. Open it: passk {store}")


def _say_who_would_verify(report: ImportReport, store: str) -> None:
    from backend import default_verifier
    from backend.errors import UsageError

    with reading(store) as reader:
        for run in (run for run in report.runs if run.unverified):
            name = visible_line(run.run)
            try:
                fitting = default_verifier(reader, reader.run(run.run, run.benchmark))
                say(f"{name}: passk verify would take the verifier {fitting.name}, because {fitting.because}")
            except UsageError as error:
                say(f"{name}: {error.title}; {error.detail}")


def _run_line(run: RunReport) -> str:
    if run.judged and not run.samples:
        return f"{visible_line(run.run)}: {run.judged:,} verdicts for samples that were there"
    if not run.samples:
        return f"model {visible_line(run.model)}: role {run.role or 'unknown'}"
    n = f"n = {run.n_min}" if run.n_min == run.n_max else f"n = {run.n_min} to {run.n_max} (unequal)"
    parts = [
        f"{'added to' if run.added_to_existing else 'run'} {visible_line(run.run)}: {run.problems:,} problems",
        f"{run.samples:,} samples" + (" (published counts, no paths)" if run.counts_only else ""),
        n,
        f"{run.correct:,} correct",
    ]
    if run.files > 1:
        parts.insert(2, f"from {run.files:,} files")
    if run.judged:
        parts.append(f"{run.judged:,} verdicts for samples that were there")
    if run.unverified:
        parts.append(f"{run.unverified:,} unverified, which count into neither n nor c")
    if run.role is None:
        parts.append("role unknown (import it again with --role base or --role rl to pair it with others)")
    return ", ".join(parts)


READING = (
    Option("--run", "name of the run (default: MODEL@BENCHMARK)", "NAME"),
    MODEL_NAME,
    ROLE,
    FROM_MODEL,
    STEP,
    *NAMES_FROM,
    FILL,
    ALGORITHM,
    BENCHMARK_NAME,
    Option("--source", "where the results were published, kept with the run", "TEXT"),
    COUNT.but(help="samples a problem, for counts files without a column n"),
    Option("--format", "read every file as this format instead of recognising it", "F", excludes="--select"),
    Option(
        "--select",
        "a file of any shape by SQL: one SELECT over the file, called source, with columns named as in the "
        "long form (problem, statement, text, verdict, reference, model, ...), or problem, n and c",
        "MAPPING.SQL",
        file_path,
    ),
    Option(
        "--column",
        "which column of a table holds what, such as verdict=is_correct; in counts files MODEL=COLUMN",
        "FIELD=COLUMN",
        repeated=True,
    ),
    Option(
        "--filter",
        "which of several verdicts counts: the name of a filter, scorer, test suite or reward of the file "
        "(default: the first; the others are kept beside)",
        "NAME",
    ),
    Option(
        "--correct-at",
        "from which reward on a sample is correct (default: 1, and then a whole number above 1 is refused)",
        "REWARD",
        float,
    ),
    Option(
        "--drop-copies",
        "leave out responses that are exact copies of another to the same problem in the same run",
    ),
    ON_DUPLICATE,
    REPEATS,
    SKIP_BAD_ROWS,
)
"""What may be said of result files, however they come in."""

COMMANDS = {
    "import": Command(
        run_import,
        (
            Option("paths", "result files, or folders of them", "PATH", file_path, nargs="+"),
            STORE_TO_WRITE,
            *READING,
            Option("--dry-run", "report, write nothing"),
        ),
    )
}
