"""passk judge and judgements: what people and step checkers say of the reasoning."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from backend.errors import UsageError
from explorer.commands.options import add_store, reading
from explorer.commands.output import print_json, print_json_line, print_table, say

if TYPE_CHECKING:
    from backend import Reader
    from backend.records import Run
    from backend.records.reading import CotCurve, Judged, ValidSets


def add_judgements(parser: argparse.ArgumentParser) -> None:
    """Options of `passk judgements`."""
    parser.add_argument(
        "what",
        choices=("list", "queue", "curves", "sets"),
        help="list: every judgement, as jsonl; queue: right paths of the hardest problems; curves: CoT-pass@k; "
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
    from backend import all_judgements

    for entry in all_judgements(reader, runs):
        said = entry.judgement
        print_json_line(
            {
                "run": entry.run,
                "benchmark": entry.benchmark,
                "problem": entry.label,
                "index": entry.sample,
                "verdict": entry.verdict,
                "author": said.author,
                "version": said.version,
                "created": said.created.isoformat(),
                "judgement": said.judgement,
                "note": said.note,
            }
        )


def _queue(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import author_name, judging_queue

    queue = judging_queue(reader, runs, author_name(), problems=problems)
    for path in queue:
        print_json_line(
            {
                "run": path.run,
                "problem": path.label,
                "index": path.sample,
                "n": path.n,
                "c": path.c,
                "settled": path.settled,
                "mine": path.mine,
            }
        )
    settled, mine = (sum(getattr(path, field) is not None for path in queue) for field in ("settled", "mine"))
    say(f"{len(queue):,} right paths of problems with 0 < c/n < 5 %: {settled:,} judged, {mine:,} by {author_name()}")


def _curves(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import cot_curves, curves

    plain = {curve.run.key: curve for curve in curves(reader, runs, problems=problems)}
    found = cot_curves(reader, runs, problems=problems)
    rows = [
        {
            "run": curve.run.name,
            "k": point.k,
            "pass_at_k": plain[curve.run.key].at(point.k),
            "cot_low": point.low,
            "cot_high": point.high,
        }
        for curve in found
        for point in curve.points
    ]
    if arguments.format == "json":
        print_json(
            [
                {"run": curve.run.name, **_as_json(curve.judged), "points": [row for row in rows if _is_of(row, curve)]}
                for curve in found
            ]
        )
    else:
        print_table(("run", "k", "pass_at_k", "cot_low", "cot_high"), rows)
    for curve in found:
        say(f"{curve.run.name}: {_in_words(curve.judged)}")
    say("cot_low counts right paths that are not settled as invalid, cot_high as valid.")


def _is_of(row: Mapping[str, object], curve: CotCurve) -> bool:
    return row["run"] == curve.run.name


def _sets(arguments: argparse.Namespace, reader: Reader, runs: list[Run], problems: frozenset[int] | None) -> None:
    from backend import valid_sets

    found = valid_sets(reader, runs, problems=problems)
    rows = [
        {
            "set": name,
            "problems": found.sets.counts[entry],
            "if_open_valid": found.counts_if_open_valid[entry],
        }
        for entry, name in _names(found).items()
    ]
    if arguments.format == "json":
        of_runs = [{"run": run.name, **_as_json(one)} for run, one in zip(found.sets.runs, found.judged, strict=True)]
        open_problems = [problem.label for problem in found.sets.problems if problem.key in found.open_problems]
        print_json({"sets": rows, "judged": of_runs, "open_problems": open_problems})
    else:
        print_table(("set", "problems", "if_open_valid"), rows)
    for run, judged in zip(found.sets.runs, found.judged, strict=True):
        say(f"{run.name}: {_in_words(judged)}")
    say(f"{len(found.open_problems):,} of {len(found.sets.problems):,} problems hang on paths that are not settled.")


def _names(found: ValidSets) -> dict[tuple[bool, ...], str]:
    from backend import PAIR_SETS

    def name(entry: tuple[bool, ...]) -> str:
        return PAIR_SETS.get(entry) or "".join("+" if solved else "-" for solved in entry)

    return {entry: name(entry) for entry in found.sets.counts}


def _as_json(judged: Judged) -> dict[str, int]:
    return {
        "right": judged.right,
        "judged": judged.judged,
        "valid": judged.valid,
        "invalid": judged.invalid,
        "unsure": judged.unsure,
    }


def _in_words(judged: Judged) -> str:
    return (
        f"{judged.judged:,} of {judged.right:,} right paths judged: {judged.valid:,} valid, "
        f"{judged.invalid:,} invalid, {judged.unsure:,} unsure"
    )


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
    many.add_argument("--all", action="store_true", help="also paths whose answer is not right")


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
    which = "paths" if arguments.all else "right paths"
    counts = ", ".join(f"{found.get(kind, 0):,} {kind}" for kind in ("valid", "invalid", "unsure"))
    say(f"{run.name}: {sum(found.values()):,} {which} judged by {arguments.checker}: {counts}")
    return 0
