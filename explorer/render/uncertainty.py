"""Doubt in words: what is expected of samples that nobody has drawn, with the kind of every interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.records.comparison import UNCERTAIN, ProblemUncertainty, SetUncertainty, Support
from backend.wording import chance_in_words, percent


def replication_in_words(more: int | None) -> str:
    """What the expectations are of."""
    return "a fresh run of the same n" if more is None else f"{more:,} further samples of each problem and run"


def intervals_in_words(uncertainty: SetUncertainty, names: Mapping[tuple[bool, ...], str]) -> str:
    """The counts that are expected otherwise."""
    ranges = ", ".join(f"{names[entry]} {low}–{high}" for entry, (low, high) in uncertainty.expected.items())
    return f"expected of {replication_in_words(uncertainty.more)}, 95 % prediction intervals: {ranges}"


def uncertainty_in_words(uncertainty: SetUncertainty) -> str:
    """How many memberships are in uncertainty, and how many are expected to change."""
    return (
        f"{uncertainty.uncertain:,} of {len(uncertainty.problems):,} memberships in doubt (chance of another set "
        f"{100 * UNCERTAIN:.0f} % or more), {uncertainty.expected_changes:.1f} expected to change with "
        f"{replication_in_words(uncertainty.more)}"
    )


def support_in_words(support: Support) -> str:
    """What RL has kept, lost and won, by problem."""
    return (
        f"support: {support.preserved:,} preserved, {support.shrunk:,} shrunk, {support.expanded:,} expanded; "
        f"{percent(support.retention)} % of the base run's retained, {percent(support.discovery)} % of the RL run's "
        "discovered"
    )


def uncertainty_on_screen(uncertainty: SetUncertainty, supported: Support | None, *, short: bool) -> str:
    """How many memberships are uncertain, in a line of 80 columns; with room, what that means, and support."""
    counted = f"{uncertainty.uncertain:,} of {len(uncertainty.problems):,}"
    line = (
        f"{counted} in doubt ({100 * UNCERTAIN:.0f} % or more); "
        f"{uncertainty.expected_changes:.1f} expected to move in a fresh run"
    )
    if short:
        return line
    meaning = (
        "doubt: chance of another set in a fresh run of the same n; ranges: 95 % prediction intervals of such runs"
    )
    return "\n".join([line, meaning, *([support_in_words(supported)] if supported else [])])


def problem_uncertainty_in_words(
    uncertainty: ProblemUncertainty, words: Sequence[str], min_correct: int, *, short: bool
) -> str:
    """Two lines: success rates with the kind of their interval, and what is expected in fresh runs of the same n.

    Args:
        uncertainty: of one problem, thought of fresh runs.
        words: what the runs are called.
        min_correct: right samples from which on a run solves it.
        short: fewer words, and without the n that stand beside.
    """
    rates = ", ".join(
        f"{word} {chance_in_words(rate.mean)} % ({chance_in_words(rate.low)}–{chance_in_words(rate.high)}"
        + (")" if short else f", n = {rate.n:,})")
        for word, rate in zip(words, uncertainty.rates, strict=True)
    )
    chances = [
        f"{word} {'unsolved' if rate.c >= min_correct else 'solved'} {chance_in_words(chance)}"
        for word, rate, chance in zip(words, uncertainty.rates, uncertainty.runs, strict=True)
    ]
    if len(words) > 1:
        chances.append(f"another set {chance_in_words(uncertainty.set)}")
    kind = "rate (95 % credible)" if short else "success rate, posterior mean (and 95 % credible interval)"
    return f"{kind}: {rates}\nfresh run, expected %: {', '.join(chances)}"
