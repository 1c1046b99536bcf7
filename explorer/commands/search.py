"""passk search."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from explorer.commands.options import add_store, positive, reading
from explorer.commands.output import print_json_line, say

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run
    from backend.records.samples import Findings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk search`."""
    add_store(parser)
    parser.add_argument("pattern", metavar="PATTERN", help="a text; /a regular expression/ or /one in any case/i (RE2)")
    parser.add_argument("--regex", action="store_true", help="PATTERN is a regular expression without the slashes")
    parser.add_argument("--ignore-case", action="store_true", help="in any case; PATTERN is text, or with --regex one")
    parser.add_argument("--run", metavar="R", action="append", default=[], help="only this run; may be repeated")
    parser.add_argument("--benchmark", metavar="B", help="only runs of this benchmark")
    parser.add_argument("--problem", metavar="P", help="only this problem, by its id")
    parser.add_argument("--problems", metavar="SELECTOR", help='only these problems, such as "set:base_only level=5"')
    parser.add_argument("--limit", metavar="N", type=positive, help="stop after N paths")


def run(arguments: argparse.Namespace) -> int:
    """Print the paths that match, one JSON object a line, as they are found; the counts on stderr.

    Returns:
        0 when something was found, 1 when nothing was, as grep does.
    """
    from backend import pattern, regex_pattern, search, selected_problems, text_in_any_case

    if arguments.regex:
        wanted = regex_pattern(arguments.pattern, ignore_case=arguments.ignore_case)
    elif arguments.ignore_case:
        wanted = text_in_any_case(arguments.pattern)
    else:
        wanted = pattern(arguments.pattern)
    printed = 0
    with reading(arguments.store) as reader:
        runs = _runs(arguments, reader)
        problem = reader.problem_key(runs[0].benchmark, arguments.problem) if arguments.problem else None
        problems = selected_problems(reader, runs, arguments.problems) if arguments.problems else None
        for findings in search(reader, runs, wanted, problem=problem, problems=problems):
            for hit in findings.hits:
                if printed == arguments.limit:
                    say(f"{printed} paths; --limit cut the rest.")
                    return 0
                print_json_line(
                    {
                        "run": hit.run,
                        "benchmark": hit.benchmark,
                        "problem": hit.label,
                        "index": hit.sample,
                        "verdict": hit.verdict,
                        "found": hit.found,
                        "length": hit.length,
                        "excerpt": hit.excerpt,
                    }
                )
                printed += 1
    _say_counts(findings)
    return 0 if printed else 1


def _runs(arguments: argparse.Namespace, reader: Reader) -> list[Run]:
    benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark or arguments.problem else None
    if arguments.run:
        return [reader.run(name, benchmark) for name in arguments.run]
    return [run for run in reader.runs(benchmark) if run.texts]


def _say_counts(findings: Findings) -> None:
    for run in findings.runs:
        of = f" of {run.searched:,}" if run.searched else ""
        problems = "1 problem" if len(run.problems) == 1 else f"{len(run.problems):,} problems"
        say(f"{run.run}: {run.samples:,}{of} paths, in {problems}")
