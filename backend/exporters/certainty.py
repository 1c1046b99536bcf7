"""How sure a comparison is: the interval of each problem's success rate, and the doubt about each membership."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.doubt import set_doubt
from backend.records import SolveSets
from backend.records.doubt import DOUBTFUL
from backend.store.reads import Reader

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Certainty:
    """Of one comparison."""

    intervals: tuple[Mapping[int, Interval], ...]
    """For each run, by problem key: the 95 % credible interval of the success rate."""
    doubt: Mapping[int, float]
    """By problem key: the chance that fresh runs of the same n would put the problem into another set."""
    run_doubt: tuple[Mapping[int, float], ...]
    """For each run the chance that a fresh one would solve what it does not, or the other way around."""
    ranges: Mapping[tuple[bool, ...], Interval]
    """Of each set: the 95 % range of its count over fresh runs of the same n."""
    of_problems: str = ""
    """What interval and doubt of a problem are, in words."""
    of_sets: str = ""
    """What the range of a count is, in words."""


def certainty_of(reader: Reader, sets: SolveSets) -> Certainty:
    """What the samples say, with all problems that the runs share as the prior."""
    if not sets.problems:
        return Certainty(tuple({} for _ in sets.runs), {}, tuple({} for _ in sets.runs), {})
    found = set_doubt(reader, sets)
    places = range(len(sets.runs))
    problems = found.problems
    return Certainty(
        intervals=tuple(
            {key: (problem.rates[place].low, problem.rates[place].high) for key, problem in problems.items()}
            for place in places
        ),
        doubt={key: problem.set for key, problem in problems.items()},
        run_doubt=tuple({key: problem.runs[place] for key, problem in problems.items()} for place in places),
        ranges=found.expected,
        of_problems="Intervals: 95 % credible, of the success rate c/n in per cent, under a prior fitted to all "
        "problems. Doubt: expected chance, in per cent, that fresh runs of the same n put the problem into another "
        "set.",
        of_sets="Range of a count: 95 % of fresh runs of the same n are expected in it; "
        f"{found.in_doubt:,} of {len(sets.problems):,} memberships are in doubt ({100 * DOUBTFUL:.0f} % or more).",
    )
