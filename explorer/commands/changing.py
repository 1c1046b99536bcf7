"""passk run, reference and override: runs, references and verdicts are put right; undo takes it back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from backend.errors import UsageError
from explorer.commands.command import Command
from explorer.commands.inputs import benchmark_named, confirm, reading
from explorer.commands.output import Progress, print_table, say
from explorer.options import (
    ABOUT_MODEL,
    BENCHMARK,
    FORMAT,
    FROM_FILE,
    NEW_NAME,
    NEW_VERDICT,
    PROBLEM,
    REASON,
    REFERENCE,
    RUN,
    SAMPLE,
    STORE,
    YES,
    Option,
)
from explorer.render.decided import made_in_words, remove_question, rename_question

if TYPE_CHECKING:
    from backend.records.decisions import DecisionMade


def _report(done: DecisionMade) -> int:
    for line in made_in_words(done):
        say(line)
    return 0


def run_rename(arguments: argparse.Namespace) -> int:
    """Call a run by another name."""
    from backend import rename_run

    with reading(arguments.store) as reader:
        run = reader.run(arguments.of, benchmark_named(reader, arguments.benchmark))
        if not confirm(rename_question(run, arguments.name), yes=arguments.yes):
            say("Nothing was changed.")
            return 1
        return _report(rename_run(reader, run, arguments.name, arguments.reason))


def run_remove(arguments: argparse.Namespace) -> int:
    """Leave a run out everywhere."""
    from backend import remove_run

    with reading(arguments.store) as reader:
        run = reader.run(arguments.of, benchmark_named(reader, arguments.benchmark))
        if not confirm(remove_question(run), yes=arguments.yes):
            say("Nothing was changed.")
            return 1
        return _report(remove_run(reader, run, arguments.reason))


def run_set(arguments: argparse.Namespace) -> int:
    """Say what was wrong or missing of a run's model."""
    from backend import set_run

    with reading(arguments.store) as reader:
        run = reader.run(arguments.of, benchmark_named(reader, arguments.benchmark))
        done = set_run(
            reader,
            run,
            role=arguments.role,
            from_model=arguments.from_model,
            step=arguments.step,
            algorithm=arguments.algorithm,
            model_path=arguments.model_path,
            reason=arguments.reason,
        )
    return _report(done)


def list_references(arguments: argparse.Namespace) -> int:
    """Print the references of problems that have several, or of one problem."""
    from collections import Counter

    from backend import reference_versions, references_table

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark)
        found = reference_versions(reader, benchmark)
        if arguments.problem is not None:
            key = reader.problem_key(benchmark, arguments.problem)
            shown = [version for version in found if version.problem_key == key]
        else:
            times = Counter(version.problem_key for version in found)
            shown = [version for version in found if arguments.all or times[version.problem_key] > 1]
    if not shown:
        say(f"No problem of {benchmark} has several references; --all lists them all.")
    print_table(arguments.format, references_table(shown))
    return 0


def _from_file(path: Path) -> dict[str, str]:
    """Problem and reference of each line of a csv file.

    Raises:
        UsageError: it cannot be read, or a line is not like that.
    """
    import csv

    found: dict[str, str] = {}
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            for number, row in enumerate(csv.reader(file), 1):
                if number == 1 and [cell.strip().lower() for cell in row] == ["problem", "reference"]:
                    continue
                if len(row) != 2 or not row[0].strip() or not row[1].strip():
                    raise UsageError(
                        f"{path}, line {number}: expected a problem and its reference, found {len(row)} columns",
                        next_step="Two columns: problem,reference. Nothing was changed.",
                    )
                if row[0].strip() in found:
                    raise UsageError(f"{path}, line {number}: problem {row[0]} is there twice. Nothing was changed.")
                found[row[0].strip()] = row[1].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    return found


def run_reference_set(arguments: argparse.Namespace) -> int:
    """Let another reference count, and verify anew."""
    from backend import set_references

    if arguments.file is not None:
        if arguments.of is not None or arguments.reference is not None:
            raise UsageError("Either PROBLEM and REFERENCE, or --from FILE")
        wanted = _from_file(arguments.file)
    elif arguments.of is None or arguments.reference is None:
        raise UsageError(
            "Which reference?", next_step="passk reference set BENCHMARK PROBLEM REFERENCE, or --from FILE"
        )
    else:
        wanted = {arguments.of: arguments.reference}
    with reading(arguments.store) as reader, Progress("samples") as progress:
        done = set_references(
            reader,
            reader.benchmark(arguments.of_benchmark),
            wanted,
            reason=arguments.reason,
            verifying=not arguments.no_verify,
            progress=progress,
        )
    return _report(done)


def run_reference_choose(arguments: argparse.Namespace) -> int:
    """Let a reference count that is there already, and verify anew."""
    from backend import choose_reference

    if arguments.newest == (arguments.reference is not None) or (arguments.of is None and not arguments.newest):
        raise UsageError(
            "Which reference?", next_step="passk reference choose BENCHMARK PROBLEM REFERENCE, or BENCHMARK --newest"
        )
    with reading(arguments.store) as reader, Progress("samples") as progress:
        done = choose_reference(
            reader,
            reader.benchmark(arguments.of_benchmark),
            arguments.of,
            arguments.reference,
            reason=arguments.reason,
            verifying=not arguments.no_verify,
            progress=progress,
        )
    return _report(done)


def run_override(arguments: argparse.Namespace) -> int:
    """A person's verdict instead of the verifier's, or that withdrawn."""
    from backend import override

    with reading(arguments.store) as reader:
        run = reader.run(arguments.run, benchmark_named(reader, arguments.benchmark))
        path = reader.path(run, reader.problem_key(run.benchmark, arguments.problem), arguments.sample)
        verdict = None if arguments.verdict == "withdraw" else arguments.verdict
        return _report(override(reader, path, verdict, arguments.reason))


OF = Option("of", "the run", "RUN")
OF_BENCHMARK = Option("of_benchmark", "the benchmark", "BENCHMARK")
OF_PROBLEM = Option("of", "the problem's id", "PROBLEM", nargs="?")
NO_VERIFY = Option("--no-verify", "leave the verdicts as they are; passk verify --again judges later")

COMMANDS = {
    "run": Command(
        None,
        actions={
            "rename": Command(
                run_rename,
                (OF, NEW_NAME, STORE, BENCHMARK, REASON, YES),
                "call a run by another name; the old one still means it",
            ),
            "remove": Command(
                run_remove, (OF, STORE, BENCHMARK, REASON, YES), "leave a run out everywhere; undo brings it back"
            ),
            "set": Command(
                run_set,
                (
                    OF,
                    STORE,
                    BENCHMARK,
                    *ABOUT_MODEL,
                    REASON,
                ),
                "say what was wrong or missing of a run's model",
            ),
        },
    ),
    "reference": Command(
        None,
        actions={
            "set": Command(
                run_reference_set,
                (
                    OF_BENCHMARK,
                    OF_PROBLEM,
                    REFERENCE,
                    FROM_FILE,
                    STORE,
                    NO_VERIFY,
                    REASON,
                ),
                "let another reference count, and verify its problem's samples anew",
            ),
            "choose": Command(
                run_reference_choose,
                (
                    OF_BENCHMARK,
                    OF_PROBLEM,
                    REFERENCE,
                    Option("--newest", "of each problem (or of PROBLEM) the newest that there is"),
                    STORE,
                    NO_VERIFY,
                    REASON,
                ),
                "let one of several references count, and verify anew",
            ),
            "list": Command(
                list_references,
                (
                    STORE,
                    BENCHMARK,
                    PROBLEM.but(help="only this problem", required=False),
                    Option("--all", "also problems with one reference"),
                    FORMAT,
                ),
                "the references of problems that have several, and which count",
            ),
        },
    ),
    "override": Command(
        run_override,
        (
            SAMPLE.but(spelling="sample", help="index of the sample", metavar="SAMPLE"),
            NEW_VERDICT,
            STORE,
            RUN,
            PROBLEM,
            BENCHMARK,
            REASON,
        ),
    ),
}
