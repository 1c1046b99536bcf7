"""Uncertainty in words: what a replication would change, with the kind of every interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from backend.records.comparison import UNCERTAIN, ProblemUncertainty, SetUncertainty, Support
from backend.wording import chance_in_words, percent, with_noun


def replication_in_words(more: int | None) -> str:
    """What the expectations are for: a replication, or further samples."""
    return (
        "a replication (a fresh run of the same n)"
        if more is None
        else f"{more:,} further samples of each problem and run"
    )


def intervals_in_words(uncertainty: SetUncertainty, names: Mapping[tuple[bool, ...], str]) -> str:
    """The size of each set in a replication."""
    ranges = ", ".join(f"{names[entry]} {low}–{high}" for entry, (low, high) in uncertainty.expected.items())
    kind = "95 % prediction intervals" if uncertainty.calibrated else f"expected ({NOT_CALIBRATED})"
    return f"with {replication_in_words(uncertainty.more)}, {kind}: {ranges}"


NOT_CALIBRATED = "beyond 3 n ranges could not be checked, so they have no percentage"


def prior_in_words(uncertainty: SetUncertainty, words: Sequence[str], n: int | None) -> str:
    """That there is a prior, and what it does; empty for other comparisons than of a pair."""
    if uncertainty.prior is None or n is None:
        return ""
    first, second = (chance_in_words(chance) for chance in uncertainty.prior)
    return (
        f"rates and P(change) lean on a prior fitted to all problems: at n = {n:,}, {words[0]} c = 2 against "
        f"{words[1]} c = 0 changes set with {first} %, 0 against 2 with {second} %"
    )


def uncertainty_in_words(uncertainty: SetUncertainty) -> str:
    """How many memberships are in uncertainty, and how many are expected to change."""
    return (
        f"{uncertainty.uncertain:,} of {len(uncertainty.problems):,} problems uncertain (P(change) "
        f"≥ {100 * UNCERTAIN:.0f} %), {uncertainty.expected_changes:.1f} expected to change set with "
        f"{replication_in_words(uncertainty.more)}"
    )


def support_in_words(support: Support) -> str:
    """Problems that RL has kept, lost and gained."""
    return (
        f"solved: {support.preserved:,} kept, {support.shrunk:,} lost, {support.expanded:,} gained "
        f"({percent(support.retention)} % of base's kept, {percent(support.discovery)} % of RL's new)"
    )


def uncertainty_on_screen(
    uncertainty: SetUncertainty, supported: Support | None, prior: str = "", *, short: bool
) -> str:
    """How many problems would change set, in a line of 80 columns; with room, also what that means, and support."""
    changes = f"{uncertainty.expected_changes:.{0 if uncertainty.expected_changes >= 10 else 1}f}"
    line = f"about {changes} of {with_noun(len(uncertainty.problems), 'problem')} would change set in a replication"
    if short:
        return f"{line} (fitted prior)"
    line += f"; {uncertainty.uncertain:,} uncertain (P(change) ≥ {100 * UNCERTAIN:.0f} %)"
    meaning = "replication: a fresh run of the same n; ranges and P(change) are predicted for it, ranges at 95 %"
    more = [prior, support_in_words(supported) if supported else ""]
    return "\n".join([line, meaning, *(line for line in more if line)])


def problem_uncertainty_in_words(
    uncertainty: ProblemUncertainty, words: Sequence[str], min_correct: int, *, short: bool
) -> str:
    """Two lines: success rates with the kind of their interval, and what a replication is expected to change.

    Args:
        uncertainty: of one problem, in a replication.
        words: what the runs are called.
        min_correct: correct samples from which a run solves it.
        short: fewer words, and no n, which the tallies show.
    """
    rates = ", ".join(
        f"{word} {chance_in_words(rate.mean)} % ({chance_in_words(rate.low)}–{chance_in_words(rate.high)}"
        + (")" if short else f", n = {rate.n:,})")
        for word, rate in zip(words, uncertainty.rates, strict=True)
    )
    chances = [
        f"P({word} {'fails' if rate.c >= min_correct else 'solves'}) {chance_in_words(chance)} %"
        for word, rate, chance in zip(words, uncertainty.rates, uncertainty.runs, strict=True)
    ]
    if len(words) > 1:
        chances.append(f"P(set changes) {chance_in_words(uncertainty.set)} %")
    kind = "rate (95 % credible)" if short else "success rate, posterior mean (95 % credible interval)"
    return f"{kind}: {rates}\nin a replication: {', '.join(chances)}"
