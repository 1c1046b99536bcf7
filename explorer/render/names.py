"""Marks of verdicts, names that fit, and how far something is."""

from __future__ import annotations

from backend.records import Run, Sample
from backend.wording import run_label

VERDICT_MARKS = {
    "correct": "✓",
    "wrong": "✗",
    "no_answer": "∅",
    "truncated": "…",
    "timeout": "⧖",
    "error": "!",
    "unverified": "?",
}
VERDICT_STYLES = {"correct": "bold green", "wrong": "red", "unverified": "dim"}


OVERRIDDEN = "†"
"""Stands at a verdict that a person has given instead of the verifier's."""


def marked_verdict(verdict: str, *, overridden: bool = False) -> str:
    return f"{VERDICT_MARKS[verdict]}{OVERRIDDEN if overridden else ' '}{verdict.replace('_', ' ')}"


def sample_verdict(sample: Sample) -> str:
    return marked_verdict(sample.verdict, overridden=sample.overridden)


def is_correct(verdict: str) -> bool | None:
    """None for an unverified sample, which is neither correct nor incorrect."""
    return None if verdict == "unverified" else verdict == "correct"


def progress_bar(done: float | None, total: float | None, width: int = 30) -> str:
    """A bar of that many cells."""
    filled = round(width * min((done or 0) / total, 1)) if total else 0
    return "█" * filled + "░" * (width - filled)


def shorten_middle(name: str, width: int) -> str:
    """A long name keeps its beginning and its end, where versions and steps stand."""
    if len(name) <= width:
        return name
    head = (width - 1) // 2
    return f"{name[:head]}…{name[len(name) - (width - 1 - head) :]}"


def pair_label(base: Run, rl: Run, width: int) -> str:
    """Two runs with an arrow between them; where room is short, what both begin with is said once."""
    first, second = run_label(base), run_label(rl)
    if len(first) + len(second) + 3 <= width:
        return f"{first} → {second}"
    shared = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0)
    if shared >= 4:
        second = f"…{second[shared:]}"
    room = max(width - 3 - len(second), (width - 3) // 2)
    first = shorten_middle(first, room)
    return f"{first} → {shorten_middle(second, max(width - 3 - len(first), 4))}"
