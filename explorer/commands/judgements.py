"""passk judge and judgements: what people and step checkers say of the reasoning."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from backend.errors import UsageError
from explorer.commands.options import add_store, reading
from explorer.commands.output import print_lines, print_table, say

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run


def add_judgements(parser: argparse.ArgumentParser) -> None:
    """Options of `passk judgements`."""
    parser.add_argument(
        "what",
        choices=("list", "queue", "curves", "sets"),
        help="list: every judgement, as jsonl; queue: correct paths of the hardest problems; curves: CoT-pass@k; "
        "sets: solve sets by valid paths",
    )
    add_store(parser)
    parser.add_argument("--run", metavar="R", action="append", default=[], help="only this run; may be repeated")
    parser.add_argument("--base", metavar="R", help="sets: the base run")
    parser.add_argument("--rl", metavar="R", help="sets: the RL run")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument("--problems", metavar="SELECTOR", help="only these problems")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="curves, sets; default: table")


def run_judgements(arguments: argparse.Namespace) -> int:
    """Print what was judged."""
    from backend import selected_problems

    with reading(arguments.store) as reader:
        runs = _runs(arguments, reader)
        problems = selected_problems(reader, runs, arguments.problems) if arguments.problems else None
        {"list": _list, "queue": _queue, "curves": _curves, "sets": _sets}[arguments.what](
            arguments, reader, runs, problems
        )
    return 0


def _runs(arguments: argparse.Namespace, reader: Reader) -> list[Run]:
    benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
    named = [name for name in (arguments.base, arguments.rl, *arguments.run) if name]
    if named:
        return [reader.run(name, benchmark) for name in named]
    return [run for run in reader.runs(benchmark) if run.texts]


def _list(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import all_judgements, judgements_table

    print_lines(judgements_table(all_judgements(reader, runs)))


def _queue(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import author_name, judging_queue, queue_table

    queue = judging_queue(reader, runs, author_name(), problems=problems)
    print_lines(queue_table(queue))
    settled, mine = (sum(getattr(path, field) is not None for path in queue) for field in ("settled", "mine"))
    say(f"{len(queue):,} correct paths of problems with 0 < c/n < 5 %: {settled:,} judged, {mine:,} by {author_name()}")


def _curves(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import cot_curves, cot_table, curves

    found = cot_curves(reader, runs, problems=problems)
    print_table(arguments.format, cot_table(found, curves(reader, runs, problems=problems)))


def _sets(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import valid_sets, valid_sets_table

    print_table(arguments.format, valid_sets_table(valid_sets(reader, runs, problems=problems)))


def add_judge(parser: argparse.ArgumentParser) -> None:
    """Options of `passk judge`."""
    from backend import STEP_CHECKERS
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
    many.add_argument("--checker", metavar="C", help=f"its name: {', '.join(STEP_CHECKERS.names())}")
    many.add_argument("--problems", metavar="SELECTOR", help='only these problems, such as "set:base_only"')
    many.add_argument("--all", action="store_true", help="also paths whose answer is not correct")


def run_judge(arguments: argparse.Namespace) -> int:
    """Write what a person or a step checker says; earlier judgements stay beside it."""
    if arguments.checker:
        return _judge_check(arguments)
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


def _judge_check(arguments: argparse.Namespace) -> int:
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
    which = "paths" if arguments.all else "correct paths"
    counts = ", ".join(f"{found.get(kind, 0):,} {kind}" for kind in ("valid", "invalid", "unsure"))
    say(f"{run.name}: {sum(found.values()):,} {which} judged by {arguments.checker}: {counts}")
    return 0
