"""passk sets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backend.wording import set_name, short_names, with_noun
from explorer.commands.options import add_format, add_problems, add_store, positive, problems_of, reading
from explorer.commands.output import print_table, say

if TYPE_CHECKING:
    from backend import SetsShown
    from backend.records import SolveSets
    from backend.records.comparison import SetUncertainty


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
    from backend import SetsShown, set_uncertainty, sets_table, solve_sets

    with reading(arguments.store) as reader:
        benchmark = reader.benchmark(arguments.benchmark) if arguments.benchmark else None
        pair = [reader.run(name, benchmark) for name in (arguments.base, arguments.rl)]
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, arguments.min_correct, problems=meant.problems)
        wanted = arguments.doubt or arguments.more is not None
        doubt = set_uncertainty(reader, sets, arguments.more) if wanted else None
    shown = SetsShown(sets, doubt)
    say(counts_in_words(shown))
    print_table(arguments.format, sets_table(shown))
    for line in uncertainty_lines(sets, doubt) if doubt else []:
        say(line)
    return 0


def counts_in_words(shown: SetsShown) -> str:
    """How many problems each set has."""
    counts = ", ".join(f"{shown.name(entry)} {count}" for entry, count in shown.sets.counts.items())
    return f"{shown.sets.benchmark}, {with_noun(len(shown.sets.problems), 'problem')} compared: {counts}"


def uncertainty_lines(sets: SolveSets, uncertainty: SetUncertainty) -> list[str]:
    """What is expected of samples that nobody has drawn, and the pair's support."""
    from backend import support
    from explorer.render.uncertainty import intervals_in_words, support_in_words, uncertainty_in_words

    words = short_names(sets.runs)
    names = {entry: set_name(entry, words) for entry in sets.counts}
    said = [
        intervals_in_words(uncertainty, names), uncertainty_in_words(uncertainty), support_in_words(support(sets)),
    ]  # fmt: skip
    ends = "P(change) 95 %: the chance at the ends of the success rate's 95 % credible interval"
    return said if uncertainty.more is None else [*said, ends]
