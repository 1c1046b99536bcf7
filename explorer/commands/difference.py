"""passk difference."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.curves import add_bands, k_choice
from explorer.commands.options import add_format, add_problems, add_store, problems_of, reading
from explorer.commands.output import print_json, print_rows, say
from explorer.render.curves import crossing_in_words, wins_in_words

if TYPE_CHECKING:
    from backend.records.comparison import Difference


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk difference`."""
    add_store(parser)
    parser.add_argument("--base", metavar="R", required=True, help="the base run")
    parser.add_argument("--rl", metavar="R", required=True, help="the RL run")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument("--k", metavar="K", help="1,2,4 or all (default: powers of two, and n)")
    add_bands(parser, "problems")
    add_problems(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print RL - base, problem by problem, and where the curves cross."""
    from backend import difference

    choice, named = k_choice(arguments.k)
    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        base, rl = reader.run(arguments.base, benchmark), reader.run(arguments.rl, benchmark)
        problems = problems_of(reader, [base, rl], arguments.problems).problems
        found = difference(reader, base, rl, arguments.bands, choice, problems=problems)
    for line in in_words(found):
        say(line)
    beyond = [k for k in named if found.n is not None and k > found.n]
    if beyond:
        say(f"undefined for k = {', '.join(map(str, beyond))}: the smaller n of the two is {found.n}")
    content = as_json(found)
    if arguments.format == "json":
        print_json(content)
    else:
        print_rows(arguments.format, ("k", "delta", "low", "high"), content["points"])
    return 0


def in_words(found: Difference) -> list[str]:
    """What must be known to read the numbers."""
    what = f"{found.rl.name} - {found.base.name}"
    if found.crossing is None:
        return [f"{what}: no problem that counts has a verdict in both runs"]
    return [
        f"{what}: pass@k over {found.problems} problems that both have, k up to {found.n}",
        f"low, high: {found.method}",
        crossing_in_words(found.crossing, found.n),
        wins_in_words(found),
    ]


def as_json(found: Difference) -> dict[str, Any]:
    """The difference as the command line's contract has it."""
    crossing = found.crossing
    return {
        "benchmark": found.base.benchmark,
        "base": found.base.name,
        "rl": found.rl.name,
        "problems": found.problems,
        "n": found.n,
        "method": found.method,
        "points": [
            {"k": point.at, "delta": point.value, "low": point.low, "high": point.high} for point in found.points
        ],
        "crossing": crossing
        and {
            "k": crossing.k,
            "low": crossing.low,
            "high": crossing.high,
            "share_without": crossing.share_without,
        },
        "wins": {"rl": found.wins.rl, "base": found.wins.base, "ties": found.wins.ties},
    }
