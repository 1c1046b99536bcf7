"""A filter in words: above the figures it holds for, and while it is written."""

from __future__ import annotations

from backend import FILTERS
from backend.errors import UsageError
from backend.records.selection import Meant

FORMS = "  ".join(kind.form for kind in FILTERS if kind.form != "all")
"""What can be written; shown until something is."""


def filter_line(selector: str, meant: Meant | UsageError) -> str:
    """What every figure beside it leaves out: "only 47 of 200 problems: level 5, c < 3 in both runs  [level=5 c<3]".

    Where the filter means nothing, every figure is of all problems, and the line says so and why.
    """
    if isinstance(meant, UsageError):
        return f"not filtered, all problems are shown: {feedback(meant)}"
    words = meant.words or "every problem"
    return f"only {meant.count:,} of {meant.total:,} problems: {words}  [{selector}]"


def feedback(answer: Meant | UsageError) -> str:
    """What has been typed so far means, or what is wrong with it."""
    if isinstance(answer, UsageError):
        return "  ".join(part for part in (answer.title, answer.detail, answer.next_step) if part)
    return f"{answer.count:,} of {answer.total:,} problems: {answer.words or FORMS}"
