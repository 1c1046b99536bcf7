"""passk curves."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from explorer.commands.options import add_format, add_problems, add_store, problems_of, reading
from explorer.commands.output import print_csv, print_json, print_table, say

if TYPE_CHECKING:
    from backend.records import Curve

KChoice = Callable[[int], Sequence[int]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk curves`."""
    add_store(parser)
    parser.add_argument("--benchmark", metavar="B", help="only runs of this benchmark")
    parser.add_argument("--run", metavar="R", action="append", help="only this run; may be repeated")
    parser.add_argument("--k", metavar="K", help="1,2,4 or all (default: powers of two, and n)")
    add_problems(parser)
    add_format(parser)


def k_choice(text: str | None) -> tuple[KChoice, list[int]]:
    """What --k asks for: k's as a function of a run's smallest n, and those that were named one by one."""
    from backend import every_k, powers_and_end
    from backend.errors import UsageError

    if text is None:
        return powers_and_end, []
    if text == "all":
        return every_k, []
    try:
        named = sorted({int(word) for word in text.split(",")})
    except ValueError:
        named = [0]
    if named[0] < 1:
        raise UsageError(f"--k {text}: expected numbers of 1 or more, such as 1,2,4, or all")
    return (lambda _: named), named


def run(arguments: argparse.Namespace) -> int:
    """Print pass@k of the chosen runs."""
    from backend import curves

    choice, named = k_choice(arguments.k)
    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        if arguments.run:
            runs = [reader.run(name, benchmark) for name in arguments.run]
        else:
            runs = list(reader.runs(benchmark))
        found = curves(reader, runs, choice, problems=problems_of(reader, runs, arguments.problems).problems)
    for curve in found:
        for line in why_it_ends(curve, named):
            say(line)
    if arguments.format == "json":
        print_json([as_json(curve) for curve in found])
        return 0
    rows = [
        {"run": curve.run.name, "benchmark": curve.run.benchmark, "problems": curve.problems, "n": curve.run.n_min,
         "k": point.k, "pass_at_k": point.pass_at_k}
        for curve in found
        for point in curve.points
    ]  # fmt: skip
    if arguments.format == "csv":
        print_csv(("run", "benchmark", "problems", "n", "k", "pass_at_k"), rows)
    else:
        _print_wide(found)
    return 0


def why_it_ends(curve: Curve, wanted: Sequence[int]) -> list[str]:
    """In words, what this curve cannot show."""
    run = curve.run
    lines = []
    if run.n_min is None:
        return [f"{run.name}: no sample has a verdict, so pass@k is unknown."]
    beyond = [k for k in wanted if k > run.n_min]
    if beyond:
        lines.append(
            f"{run.name}: pass@k is undefined for k = {', '.join(map(str, beyond))}: "
            f"the smallest n is {run.n_min} (n = {run.n_min} to {run.n_max}, {curve.problems} problems)."
        )
    if curve.problems_below_n_max:
        lines.append(
            f"{run.name}: n is {run.n_min} to {run.n_max}; the curve ends at k = {run.n_min} because "
            f"{curve.problems_below_n_max} of {curve.problems} problems have fewer than {run.n_max} samples."
        )
    if run.without_verdict:
        lines.append(f"{run.name}: {run.without_verdict} problems without a verdict are left out.")
    return lines


def as_json(curve: Curve) -> dict[str, Any]:
    """One curve as the command line's contract has it."""
    run = curve.run
    return {
        "run": run.name,
        "model": run.model.name,
        "role": run.model.role,
        "benchmark": run.benchmark,
        "problems": curve.problems,
        "n_min": run.n_min,
        "n_max": run.n_max,
        "points": [{"k": point.k, "pass_at_k": point.pass_at_k} for point in curve.points],
    }


def _print_wide(found: Sequence[Curve]) -> None:
    """A row a run, a column a k; beyond a run's smallest n, a dash."""
    ks = sorted({point.k for curve in found for point in curve.points})
    rows = []
    for curve in found:
        values = {point.k: f"{100 * point.pass_at_k:.1f}" for point in curve.points}
        rows.append(
            {
                "run": curve.run.name,
                "problems": curve.problems,
                "n": curve.run.n_min,
                **{f"@{k}": values.get(k) for k in ks},
            }
        )
    if rows:
        say("pass@k in %")
        print_table(list(rows[0]), rows)
