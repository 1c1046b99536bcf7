"""passk sets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_csv, print_json, print_table, say

if TYPE_CHECKING:
    from backend.records import SolveSets
    from backend.records.comparison import ProblemUncertainty, SetUncertainty

COLUMNS = ("problem", "set", "base_c", "base_n", "rl_c", "rl_n", "level", "statement")
DOUBT_COLUMNS = ("doubt_base", "doubt_rl", "doubt_set")
RANGE_COLUMNS = ("doubt_base_range", "doubt_rl_range")


def add_sets(parser: argparse.ArgumentParser) -> None:
    """Options of `passk sets`."""
    add_store(parser)
    parser.add_argument("--base", metavar="R", required=True, help="the base run")
    parser.add_argument("--rl", metavar="R", required=True, help="the RL run")
    parser.add_argument("--benchmark", metavar="B", help="look for the runs in this benchmark")
    parser.add_argument(
        "--min-correct", metavar="T", type=positive, default=1, help="correct samples that count as solved (default 1)"
    )
    parser.add_argument(
        "--doubt", action="store_true", help="how sure each membership is: what a fresh run of the same n would say"
    )
    parser.add_argument(
        "--more", metavar="M", type=positive, help="with --doubt: what M further samples of each problem would say"
    )
    add_problems(parser)
    add_format(parser)


def run_sets(arguments: argparse.Namespace) -> int:
    """Print the solve sets of the pair."""
    from backend import set_uncertainty, solve_sets

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        pair = [reader.run(name, benchmark) for name in (arguments.base, arguments.rl)]
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, arguments.min_correct, problems=meant.problems)
        wanted = arguments.doubt or arguments.more is not None
        doubt = set_uncertainty(reader, sets, arguments.more) if wanted else None
    for line in in_words(sets) + (doubt_in_words(sets, doubt) if doubt else []):
        say(line)
    columns = (*COLUMNS, *DOUBT_COLUMNS) if doubt else COLUMNS
    if arguments.more is not None:
        columns = (*columns, *RANGE_COLUMNS)
    rows = _rows(sets, doubt)
    if arguments.format == "json":
        print_json(as_json(sets, doubt))
    elif arguments.format == "csv":
        print_csv(columns, rows)
    else:
        print_table(columns, rows)
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


def doubt_in_words(sets: SolveSets, doubt: SetUncertainty) -> list[str]:
    """What is expected of samples that nobody has drawn, and the pair's support."""
    from backend import PAIR_SETS, support
    from explorer.render import uncertainty as doubt_words

    names = {entry: name.replace("_", "-") for entry, name in PAIR_SETS.items()}
    said = [
        doubt_words.intervals_in_words(doubt, names),
        doubt_words.uncertainty_in_words(doubt),
        doubt_words.support_in_words(support(sets)),
    ]
    ends = "ranges of doubt: the expected chance at the ends of the success rate's 95 % credible interval"
    return said if doubt.more is None else [*said, ends]


def as_json(sets: SolveSets, doubt: SetUncertainty | None = None) -> dict[str, Any]:
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
    if doubt is not None:
        result |= _expectations(sets, doubt)
    result["problems"] = [
        {
            "problem": problem.label,
            "set": PAIR_SETS[problem.solved],
            "base": {"n": problem.tallies[0].n, "c": problem.tallies[0].c},
            "rl": {"n": problem.tallies[1].n, "c": problem.tallies[1].c},
            **(_of_problem(doubt.problems[problem.key]) if doubt else {}),
        }
        for problem in sets.problems
    ]
    return result


def _expectations(sets: SolveSets, doubt: SetUncertainty) -> dict[str, Any]:
    """What is expected of all problems together."""
    from dataclasses import asdict

    from backend import PAIR_SETS, support

    return {
        "expected": {PAIR_SETS[entry]: list(ends) for entry, ends in doubt.expected.items()},
        "expected_mean": {PAIR_SETS[entry]: mean for entry, mean in doubt.means.items()},
        "expected_of": "a fresh run of the same n" if doubt.more is None else f"{doubt.more} further samples",
        "more": doubt.more,
        "interval": "expected: 95 % prediction interval; rate: posterior mean and 95 % credible interval",
        "in_doubt": doubt.uncertain,
        "expected_changes": doubt.expected_changes,
        "support": asdict(support(sets)),
    }


def _of_problem(doubt: ProblemUncertainty) -> dict[str, Any]:
    """Doubt and success rates of one problem; how far a forecast may be off where further samples are thought of."""
    roles = ("base", "rl")
    return {
        "doubt": {**dict(zip(roles, doubt.runs, strict=True)), "set": doubt.set},
        "doubt_range": {role: list(ends) for role, ends in zip(roles, doubt.ranges, strict=True)},
        "rate": {
            role: {"mean": rate.mean, "low": rate.low, "high": rate.high}
            for role, rate in zip(roles, doubt.rates, strict=True)
        },
    }


def _rows(sets: SolveSets, doubt: SetUncertainty | None) -> list[dict[str, Any]]:
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
            **(_doubt_cells(doubt.problems[problem.key]) if doubt else {}),
        }
        for problem in sets.problems
    ]


def _doubt_cells(doubt: ProblemUncertainty) -> dict[str, Any]:
    """The cells of one problem; the ranges are at the ends of the rates' 95 % credible intervals."""
    ranges = [f"{low:.3f}–{high:.3f}" for low, high in doubt.ranges]
    return dict(zip((*DOUBT_COLUMNS, *RANGE_COLUMNS), (*doubt.runs, doubt.set, *ranges), strict=True))
