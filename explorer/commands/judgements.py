"""passk judge and judgements: what people and step checkers say of the reasoning."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from backend import STEP_CHECKERS
from backend.errors import UsageError
from backend.records.reading import JUDGEMENTS
from explorer.commands.command import Command, Mode
from explorer.commands.inputs import benchmark_named, reading, run_of, runs_named
from explorer.commands.output import Progress, print_lines, print_table, say
from explorer.options import BASE, BENCHMARK, PROBLEM, PROBLEMS, RL, RUN, RUNS, SAMPLE, STORE, TABLE_OR_JSON, Option

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run


def print_judged(print_one: Callable[..., None], arguments: argparse.Namespace) -> int:
    """Print something of what was judged in some runs."""
    from backend import selected_problems

    with reading(arguments.store) as reader:
        of_pair = [getattr(arguments, "base", None), getattr(arguments, "rl", None)]
        runs = runs_named(reader, [*of_pair, *arguments.run], arguments.benchmark) or [
            run for run in reader.runs(benchmark_named(reader, arguments.benchmark)) if run.texts
        ]
        selector = getattr(arguments, "problems", "")
        problems = selected_problems(reader, runs, selector) if selector else None
        print_one(arguments, reader, runs, problems)
    return 0


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
        run = run_of(reader, arguments)
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

    with reading(arguments.store) as reader, Progress("paths") as progress:
        run = run_of(reader, arguments)
        problems = selected_problems(reader, [run], arguments.problems) if arguments.problems else None
        found = check_steps(
            reader, run, arguments.checker, only_right=not arguments.all, problems=problems, progress=progress.count
        )
    which = "paths" if arguments.all else "correct paths"
    counts = ", ".join(f"{found.get(kind, 0):,} {kind}" for kind in ("valid", "invalid", "unsure"))
    say(f"{run.name}: {sum(found.values()):,} {which} judged by {arguments.checker}: {counts}")
    return 0


OF_RUNS = (STORE, RUNS, BENCHMARK, PROBLEMS)
OF_PAIR = (BASE.but(help="the base run, before those of --run"), RL.but(help="the RL run, after the base run"))

CHECKER = Option("--checker", f"its name: {', '.join(STEP_CHECKERS.names())}", "C")
ONE_PROBLEM = PROBLEM.but(required=False)
ONE_PATH = (
    SAMPLE,
    Option("--judgement", "what its reasoning is", choices=JUDGEMENTS),
    Option("--note", "a note, with or without a judgement", "TEXT"),
)

COMMANDS = {
    "judgements": Command(
        None,
        actions={
            "list": Command(partial(print_judged, _list), (STORE, RUNS, BENCHMARK), "every judgement, as jsonl"),
            "queue": Command(partial(print_judged, _queue), OF_RUNS, "correct paths of the hardest problems, as jsonl"),
            "curves": Command(partial(print_judged, _curves), (*OF_RUNS, *OF_PAIR, TABLE_OR_JSON), "CoT-pass@k"),
            "sets": Command(
                partial(print_judged, _sets), (*OF_RUNS, *OF_PAIR, TABLE_OR_JSON), "solve sets by valid paths"
            ),
        },
    ),
    "judge": Command(
        run_judge,
        (STORE, RUN, BENCHMARK),
        modes=(
            Mode("--checker C", (CHECKER,), (PROBLEMS, Option("--all", "also paths whose answer is not correct"))),
            Mode("--problem P", (ONE_PROBLEM,), ONE_PATH),
        ),
    ),
}
