"""Numbers as people read them. What is unknown is a dash, never a zero."""

from __future__ import annotations

UNKNOWN = "–"


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal and without its sign: 0.614 is 61.4."""
    return UNKNOWN if share is None else f"{100 * share:.1f}"


def count(number: float | None) -> str:
    """A whole number with thousands separators."""
    return UNKNOWN if number is None else f"{number:,.0f}"


def compact(number: float | None) -> str:
    """A count in at most five characters: 999, 12.3k, 1.2M."""
    if number is None:
        return UNKNOWN
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if number >= limit:
            scaled = number / (1e3 if unit == "k" else limit)
            return f"{scaled:.1f}{unit}" if scaled < 100 else f"{scaled:.0f}{unit}"
    return f"{number:.0f}"


def span(low: int | None, high: int | None) -> str:
    """A range of n: 128, or 50–128."""
    if low is None or high is None:
        return UNKNOWN
    return str(low) if low == high else f"{low}–{high}"


def shown_of(shown: int, total: int, what: str) -> str:
    """Truth about truncation: "500 problems", or "200 of 1,024 problems"."""
    return f"{total:,} {what}" if shown == total else f"{shown:,} of {total:,} {what}"


def with_noun(number: int, noun: str) -> str:
    """1 problem, 2 problems."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
