"""passk judge."""

from __future__ import annotations

import argparse
import sys

from backend.errors import UsageError
from explorer.commands.options import add_store, reading
from explorer.commands.output import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk judge`."""
    from backend import step_checker_names
    from backend.records.reading import JUDGEMENTS

    add_store(parser)
    parser.add_argument("--run", metavar="R", required=True, help="the run")
    parser.add_argument("--benchmark", metavar="B", help="look for the run in this benchmark")
    one = parser.add_argument_group("one path, by a person")
    one.add_argument("--problem", metavar="P", help="the problem's id")
    one.add_argument("--sample", metavar="I", type=int, help="index of the sample")
    one.add_argument("--judgement", choices=JUDGEMENTS, help="what its reasoning is")
    one.add_argument("--note", metavar="TEXT", help="a note, with or without a judgement")
    many = parser.add_argument_group("many paths, by a step checker")
    many.add_argument("--checker", metavar="C", help=f"its name: {', '.join(step_checker_names())}")
    many.add_argument("--problems", metavar="SELECTOR", help='only these problems, such as "set:base_only"')
    many.add_argument("--all", action="store_true", help="also paths whose answer is not right")


def run(arguments: argparse.Namespace) -> int:
    """Write what a person or a step checker says; earlier judgements stay beside it."""
    if arguments.checker:
        return _check(arguments)
    if arguments.problem is None or arguments.sample is None or (arguments.judgement is None and not arguments.note):
        raise UsageError(
            "What is to be judged?",
            next_step="One path: --problem P --sample I --judgement valid. By a step checker: --checker arithmetic.",
        )
    from backend import JudgementBook, NewJudgement, author_name

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        run = reader.run(arguments.run, benchmark)
        key = reader.problem_key(run.benchmark, arguments.problem)
        # Whether there is such a sample.
        reader.path(run, key, arguments.sample)
        book = JudgementBook(reader.database.layout, author_name())
        book.say([NewJudgement(run.key, key, arguments.sample, arguments.judgement, arguments.note)])
    what = arguments.judgement or "a note"
    say(f"{author_name()}: {what} on sample {arguments.sample} of problem {arguments.problem} in {run.name}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    from backend import check_steps, selected_problems

    live = sys.stderr.isatty()

    def progress(done: int) -> None:
        if live:
            print(f"\r{done:,} paths checked", end="", file=sys.stderr, flush=True)

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        run = reader.run(arguments.run, benchmark)
        problems = selected_problems(reader, [run], arguments.problems) if arguments.problems else None
        found = check_steps(
            reader, run, arguments.checker, only_right=not arguments.all, problems=problems, progress=progress
        )
    if live:
        print(file=sys.stderr)
    which = "paths" if arguments.all else "right paths"
    counts = ", ".join(f"{found.get(kind, 0):,} {kind}" for kind in ("valid", "invalid", "unsure"))
    say(f"{run.name}: {sum(found.values()):,} {which} judged by {arguments.checker}: {counts}")
    return 0
