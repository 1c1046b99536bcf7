"""Doubt in words: what is expected of samples that nobody has drawn, with the kind of every interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.records.doubt import DOUBTFUL, ProblemDoubt, Rate, SetDoubt, Support
from explorer.render.numbers import percent

FAR = 3
"""From more than so many times n on, a forecast says how little n tells."""


def otherwise_in_words(more: int | None) -> str:
    """What the expectations are of."""
    return "a fresh run of the same n" if more is None else f"{more:,} further samples of each problem and run"


def ranges_in_words(doubt: SetDoubt, names: Mapping[tuple[bool, ...], str]) -> str:
    """The counts that are expected otherwise."""
    ranges = ", ".join(f"{names[entry]} {low}–{high}" for entry, (low, high) in doubt.expected.items())
    return f"expected of {otherwise_in_words(doubt.more)}, 95 % prediction intervals: {ranges}"


def doubt_in_words(doubt: SetDoubt) -> str:
    """How many memberships are in doubt, and how many are expected to change."""
    return (
        f"{doubt.in_doubt:,} of {len(doubt.problems):,} memberships in doubt (chance of another set "
        f"{100 * DOUBTFUL:.0f} % or more), {doubt.moving:.1f} expected to change with {otherwise_in_words(doubt.more)}"
    )


def support_in_words(support: Support) -> str:
    """What RL has kept, lost and won, by problem."""
    return (
        f"support: {support.preserved:,} preserved, {support.shrunk:,} shrunk, {support.expanded:,} expanded; "
        f"{percent(support.retention)} % of the base run's retained, {percent(support.discovery)} % of the RL run's "
        "discovered"
    )


def rate_in_words(rate: Rate) -> str:
    """A success rate with its interval and its n."""
    return (
        f"success rate {percent(rate.mean)} % (95 % credible {percent(rate.low)}–{percent(rate.high)} %, "
        f"c/n = {rate.c}/{rate.n})"
    )


def chance_in_words(chance: float) -> str:
    """A chance as a percentage that is never rounded to certainty."""
    if 0 < chance < 0.0005 or 0.9995 < chance < 1:
        return "under 0.1 %" if chance < 0.5 else "over 99.9 %"
    return f"{percent(chance)} %"


def problem_doubt_in_words(doubt: ProblemDoubt, words: Sequence[str], min_correct: int, more: int | None) -> list[str]:
    """For each run its success rate and what is expected of it; for several, the chance of another set.

    Args:
        doubt: of one problem.
        words: what the runs are called.
        min_correct: right samples from which on a run solves it.
        more: what the doubt is of; see `SetDoubt.more`.
    """
    lines = []
    for word, rate, chance, ends in zip(words, doubt.rates, doubt.runs, doubt.ranges, strict=True):
        solved = rate.c >= min_correct
        what = "unsolved" if solved else "solved"
        asked = f"a fresh run of {rate.n:,}" if more is None else f"{more:,} further samples"
        line = f"{word}: {rate_in_words(rate)}; expected {what} in {chance_in_words(chance)} of cases by {asked}"
        if more is not None and more > FAR * rate.n:
            line += f", anything from {chance_in_words(ends[0])} to {chance_in_words(ends[1])} (95 % credible)"
        lines.append(line)
    if len(doubt.rates) > 1:
        asked = "fresh runs of the same n" if more is None else f"{more:,} further samples of each run"
        lines.append(f"expected in another set in {chance_in_words(doubt.set)} of cases by {asked}")
    return lines
