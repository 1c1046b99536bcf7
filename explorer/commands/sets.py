"""passk sets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_csv, print_json, print_table, say

if TYPE_CHECKING:
    from backend.records import SolveSets

COLUMNS = ("problem", "set", "base_c", "base_n", "rl_c", "rl_n", "level", "statement")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `passk sets`."""
    add_store(parser)
    parser.add_argument("--base", metavar="R", required=True, help="the base run")
    parser.add_argument("--rl", metavar="R", required=True, help="the RL run")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument(
        "--min-correct", metavar="T", type=positive, default=1, help="correct samples that count as solved (default 1)"
    )
    add_problems(parser)
    add_format(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the solve sets of the pair."""
    from backend import solve_sets

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        pair = [reader.run(name, benchmark) for name in (arguments.base, arguments.rl)]
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, arguments.min_correct, problems=meant.problems)
    for line in in_words(sets):
        say(line)
    if arguments.format == "json":
        print_json(as_json(sets))
    elif arguments.format == "csv":
        print_csv(COLUMNS, _rows(sets))
    else:
        print_table(COLUMNS, _rows(sets))
    return 0


def in_words(sets: SolveSets) -> list[str]:
    """The counts and what must be known to read them."""
    from backend import PAIR_SETS

    counts = ", ".join(f"{PAIR_SETS[entry].replace('_', '-')} {count}" for entry, count in sets.counts.items())
    lines = [f"{sets.benchmark}, {len(sets.problems)} problems compared: {counts}"]
    for role, run, size in zip(("base", "RL"), sets.runs, sets.n_ranges, strict=True):
        n = (
            "no problem compared"
            if size is None
            else f"n = {size[0]}"
            if size[0] == size[1]
            else f"n = {size[0]}-{size[1]}"
        )
        lines.append(f"{role}: {run.name}, {n}")
    if sets.expected_at_common_n is not None:
        expected = ", ".join(
            f"{PAIR_SETS[entry].replace('_', '-')} {count:.1f}" for entry, count in sets.expected_at_common_n.items()
        )
        lines.append(
            f"n differs, and more samples solve more. Expected at the common number of draws, n = {sets.common_n}: "
            f"{expected}"
        )
    missing = sets.not_compared
    for role, labels in zip(("base", "RL"), missing.missing, strict=True):
        if labels:
            lines.append(f"not compared: {len(labels)} problems that the {role} run does not have")
    if missing.without_verdict:
        lines.append(f"not compared: {len(missing.without_verdict)} problems without a verdict")
    return lines


def as_json(sets: SolveSets) -> dict[str, Any]:
    """The solve sets of a pair as the command line's contract has them."""
    from backend import PAIR_SETS

    base, rl = (
        {
            "run": run.name,
            "n_min": size[0] if size else None,
            "n_max": size[1] if size else None,
        }
        for run, size in zip(sets.runs, sets.n_ranges, strict=True)
    )
    result: dict[str, Any] = {
        "benchmark": sets.benchmark,
        "base": base,
        "rl": rl,
        "min_correct": sets.min_correct,
        "counts": {PAIR_SETS[entry]: count for entry, count in sets.counts.items()},
        "not_compared": {
            "only_in_base": list(sets.not_compared.missing[1]),
            "only_in_rl": list(sets.not_compared.missing[0]),
            "without_verdict": list(sets.not_compared.without_verdict),
        },
    }
    if sets.expected_at_common_n is not None:
        result["expected_at_common_n"] = {
            "n": sets.common_n,
            **{PAIR_SETS[entry]: count for entry, count in sets.expected_at_common_n.items()},
        }
    result["problems"] = [
        {
            "problem": problem.label,
            "set": PAIR_SETS[problem.solved],
            "base": {"n": problem.tallies[0].n, "c": problem.tallies[0].c},
            "rl": {"n": problem.tallies[1].n, "c": problem.tallies[1].c},
        }
        for problem in sets.problems
    ]
    return result


def _rows(sets: SolveSets) -> list[dict[str, Any]]:
    from backend import PAIR_SETS

    return [
        {
            "problem": problem.label,
            "set": PAIR_SETS[problem.solved],
            "base_c": problem.tallies[0].c,
            "base_n": problem.tallies[0].n,
            "rl_c": problem.tallies[1].c,
            "rl_n": problem.tallies[1].n,
            "level": problem.level,
            "statement": problem.excerpt,
        }
        for problem in sets.problems
    ]
