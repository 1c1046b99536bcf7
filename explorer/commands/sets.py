"""passk sets."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from backend.wording import set_name, short_names, with_noun
from explorer.commands.command import Command
from explorer.commands.inputs import pair_of, problems_of, reading
from explorer.commands.output import print_table, say
from explorer.options import FALSE_POSITIVES, FORMAT, MIN_CORRECT, PAIR, POSITIVE, PROBLEMS, STORE, Option, error_rates

if TYPE_CHECKING:
    from backend import SetsShown
    from backend.records import SolveSets
    from backend.records.comparison import SetUncertainty


def run_sets(arguments: argparse.Namespace) -> int:
    from backend import (
        SetsShown,
        evidence_notes,
        false_positive_notes,
        false_positives,
        overridden,
        set_evidence,
        set_uncertainty,
        sets_table,
        solve_sets,
    )

    with reading(arguments.store) as reader:
        pair = pair_of(reader, arguments)
        meant = problems_of(reader, pair, arguments.problems)
        sets = solve_sets(reader, pair, arguments.min_correct, problems=meant.problems)
        wanted = arguments.doubt or arguments.more is not None
        doubt = set_uncertainty(reader, sets, arguments.more) if wanted else None
        evidence = set_evidence(reader, sets) if arguments.evidence or arguments.format == "json" else None
        by_hand = overridden(reader, [run.key for run in pair])
        supposed = error_rates(arguments.false_positives)
        false = None if supposed is None else false_positives(reader, sets, supposed)
    shown = SetsShown(sets, doubt, evidence, overridden=by_hand, false_positives=false)
    say(counts_in_words(shown))
    print_table(arguments.format, sets_table(shown))
    for line in evidence_notes(shown) if arguments.evidence else []:
        say(line)
    for line in false_positive_notes(shown):
        say(line)
    for line in uncertainty_lines(sets, doubt) if doubt else []:
        say(line)
    return 0


def counts_in_words(shown: SetsShown) -> str:
    counts = ", ".join(f"{shown.name(entry)} {count}" for entry, count in shown.sets.counts.items())
    return f"{shown.sets.benchmark}, {with_noun(len(shown.sets.problems), 'problem')} compared: {counts}"


def uncertainty_lines(sets: SolveSets, uncertainty: SetUncertainty) -> list[str]:
    """What is expected of samples that nobody has drawn, and the pair's support."""
    from backend import support
    from explorer.render.uncertainty import intervals_in_words, prior_in_words, support_in_words, uncertainty_in_words

    words = short_names(sets.runs)
    names = {entry: set_name(entry, words) for entry in sets.counts}
    said = [
        *([prior] if (prior := prior_in_words(uncertainty, words, sets.common_n)) else []),
        intervals_in_words(uncertainty, names), uncertainty_in_words(uncertainty), support_in_words(support(sets)),
    ]  # fmt: skip
    ends = "P(change) 95 %: the chance at the ends of the success rate's 95 % credible interval"
    return said if uncertainty.more is None else [*said, ends]


EVIDENCE = Option("--evidence", "which problems differ beyond chance: Fisher's test by problem, bounds of the rates")
DOUBT = Option("--doubt", "how sure each membership is: P(change) in a replication, a fresh run of the same n")
MORE = Option("--more", "what M further samples a problem would say; implies --doubt", "M", POSITIVE)

COMMANDS = {
    "sets": Command(run_sets, (STORE, *PAIR, MIN_CORRECT, EVIDENCE, FALSE_POSITIVES, DOUBT, MORE, PROBLEMS, FORMAT))
}
