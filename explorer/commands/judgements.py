"""passk judge and judgements: what people and step checkers say of the reasoning."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from backend import LANGUAGE_MODEL, STEP_CHECKERS
from backend.errors import UsageError
from backend.records.reading import JUDGEMENTS
from explorer.commands.command import Command, Mode
from explorer.commands.inputs import benchmark_named, reading, run_of, runs_named
from explorer.commands.output import Progress, print_exactly, print_lines, print_table, say
from explorer.commands.sampling import begin
from explorer.options import (
    BASE,
    BENCHMARK,
    CHAT,
    ENGINE,
    ENGINE_OPTION,
    FORMAT,
    JUDGE,
    JUDGE_TEMPLATE,
    JUDGING_MODEL,
    MAX_TOKENS,
    PROBLEM,
    PROBLEMS,
    RETRY,
    RL,
    RULE,
    RUN,
    RUNS,
    SAMPLE,
    STORE,
    TEMPERATURE,
    TOP_P,
    VOTES,
    WHERE,
    WITHDRAW,
    Option,
)  # fmt: skip
from explorer.render.decided import judgement_in_words

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
    from backend import correction, cot_curves, cot_table, curves

    found = cot_curves(reader, runs, problems=problems)
    corrected = correction(reader, runs, judge=arguments.judge, problems=problems)
    print_table(arguments.format, cot_table(found, curves(reader, runs, problems=problems), corrected))


def _sets(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import correction, valid_sets, valid_sets_table

    corrected = correction(reader, runs, lambda n: (), judge=arguments.judge, problems=problems)
    print_table(arguments.format, valid_sets_table(valid_sets(reader, runs, problems=problems), corrected))


def _judges(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import compare_judges, judges_table

    print_table(arguments.format, judges_table(compare_judges(reader, runs, problems)))


def _prompt(arguments: argparse.Namespace) -> int:
    """The prompt of a judge of the store, or the one that judges are asked with by default."""
    from backend import default_judge_prompt, known_judges

    if arguments.judge is None:
        print_exactly(default_judge_prompt().removesuffix("\n"))
        return 0
    with reading(arguments.store) as reader:
        judges = {f"{each.author} {each.version}": each for each in known_judges(reader)}
    found = {each.judge.template for name, each in judges.items() if arguments.judge in name}
    if len(found) != 1:
        named = ", ".join(judges) or "no language model has judged in this store"
        raise UsageError(
            f"{len(found)} prompts are of {arguments.judge}" if found else f"There is no judge {arguments.judge}",
            next_step=f"Judges: {named}.",
        )
    print_exactly(found.pop().removesuffix("\n"))
    return 0


def run_judge(arguments: argparse.Namespace) -> int:
    """Write what a person or a step checker says, or start a job of a language model; what was said stays beside it."""
    if arguments.checker == LANGUAGE_MODEL:
        return _judge_by_model(arguments)
    if arguments.model is not None:
        raise UsageError(
            f"The step checker {arguments.checker} needs no model", next_step="With --checker llm a model judges."
        )
    if len(arguments.run) > 1:
        raise UsageError("One run at a time", next_step="Only a language model (--checker llm) judges several at once.")
    arguments.run = arguments.run[0]
    if arguments.checker:
        return _judge_check(arguments)
    said = arguments.judgement or arguments.note or arguments.withdraw
    if arguments.problem is None or arguments.sample is None or not said:
        raise UsageError(
            "What is to be judged?",
            next_step="One path: --problem P --sample I --judgement valid. By a step checker: --checker arithmetic.",
        )
    from backend import JudgementBook, NewJudgement, author_name, judge
    from backend.records.reading import WITHDRAWN

    with reading(arguments.store) as reader:
        run = run_of(reader, arguments)
        key = reader.problem_key(run.benchmark, arguments.problem)
        path = reader.path(run, key, arguments.sample)
        book = JudgementBook(reader.database.layout, author_name(), own_key=reader.database.own_key)
        judgement = WITHDRAWN if arguments.withdraw else arguments.judgement
        made = judge(reader, book, NewJudgement(run.key, key, arguments.sample, judgement, arguments.note))
    for line in judgement_in_words(made, path):
        say(line)
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


def _judge_by_model(arguments: argparse.Namespace) -> int:
    from backend import JudgeWish, engine_option, plan_judging, prepare_judging, read_configuration, selected_problems
    from backend import read_judge_prompt as read_prompt
    from explorer.render.judging import judging_in_words

    if arguments.model is None:
        raise UsageError("Which model judges?", next_step="Name it: --model PATH, or what the server calls it.")
    given = {name: getattr(arguments, name) for name in ("votes", "temperature", "top_p", "max_tokens")}
    with reading(arguments.store) as reader:
        layout = reader.database.layout
        runs = tuple(runs_named(reader, arguments.run, arguments.benchmark))
        wish = JudgeWish(
            runs,
            arguments.model,
            problems=selected_problems(reader, runs, arguments.problems) if arguments.problems else None,
            only_correct=not arguments.all,
            template=None if arguments.template is None else read_prompt(arguments.template),
            chat=arguments.chat,
            rule=arguments.rule,
            retry=arguments.retry,
            **{name: value for name, value in given.items() if value is not None},
        )
        request = plan_judging(
            reader,
            wish,
            configuration=read_configuration(),
            engine=arguments.engine,
            options=dict(engine_option(entry) for entry in arguments.option),
        )
    for line in judging_in_words(request):
        say(line)
    if arguments.estimate:
        return 0
    job = prepare_judging(layout, request) if request.plan.samples else None
    if job is None:
        say("There is nothing to start: all of it is judged, or a job is at it.")
        return 0
    say(f"Job {job.name}")
    return begin(job, arguments, "paths")


OF_RUNS = (STORE, RUNS, BENCHMARK, PROBLEMS)
OF_PAIR = (BASE.but(help="the base run, before those of --run"), RL.but(help="the RL run, after the base run"))

CHECKER = Option(
    "--checker", f"its name: {', '.join(STEP_CHECKERS.names())}; or {LANGUAGE_MODEL} for a language model", "C"
)
ALL = Option("--all", "also paths whose answer is not correct")
ESTIMATE = Option("--estimate", "only say what it would take", excludes="--wait")
ONE_PROBLEM = PROBLEM.but(required=False)
ONE_PATH = (
    SAMPLE,
    Option("--judgement", "what its reasoning is", choices=JUDGEMENTS),
    Option("--note", "a note, with or without a judgement", "TEXT"),
    WITHDRAW,
)

BY_MODEL = (
    VOTES,
    RULE,
    RETRY,
    CHAT,
    JUDGE_TEMPLATE,
    TEMPERATURE.but(help="of the judge (default: 0.6)"),
    TOP_P.but(help="of the judge (default: 0.95)"),
    MAX_TOKENS.but(help="of an answer (default: 2048)"),
    ENGINE,
    ENGINE_OPTION,
    ESTIMATE,
    *WHERE,
)

COMMANDS = {
    "judgements": Command(
        None,
        actions={
            "list": Command(partial(print_judged, _list), (STORE, RUNS, BENCHMARK), "every judgement, as jsonl"),
            "queue": Command(partial(print_judged, _queue), OF_RUNS, "correct paths of the hardest problems, as jsonl"),
            "prompt": Command(
                _prompt,
                (STORE, JUDGE.but(help="the prompt of this judge of the store, by a part of its name")),
                "the template of the prompt that language models judge by",
            ),
            "judges": Command(
                partial(print_judged, _judges),
                (*OF_RUNS, *OF_PAIR, FORMAT),
                "step checkers and language models beside people and each other: agreement, precision, recall, kappa",
            ),
            "curves": Command(
                partial(print_judged, _curves),
                (*OF_RUNS, *OF_PAIR, JUDGE, FORMAT),
                "CoT-pass@k, as judged and corrected for the errors of a judge",
            ),
            "sets": Command(
                partial(print_judged, _sets),
                (*OF_RUNS, *OF_PAIR, JUDGE, FORMAT),
                "solve sets by valid paths, as judged and corrected",
            ),
        },
    ),
    "judge": Command(
        run_judge,
        (STORE, replace(RUN, repeated=True, help="the run; repeatable with --checker llm"), BENCHMARK),
        modes=(
            Mode("--checker llm --model M", (CHECKER, JUDGING_MODEL), (PROBLEMS, ALL, *BY_MODEL)),
            Mode("--checker C", (CHECKER,), (PROBLEMS, ALL)),
            Mode("--problem P", (ONE_PROBLEM,), ONE_PATH),
        ),
    ),
}
