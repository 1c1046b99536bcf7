"""Which problems of two runs are one, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import way_out
from backend.wording import listed, with_noun

if TYPE_CHECKING:
    from backend.records.matching import Matching


def matched_in_words(found: Matching) -> list[str]:
    """How many problems are one and by what, how many are not, and what would match them."""
    ways = [f"{times:,} by {by}" for by, times in found.matched.items()]
    total = sum(found.matched.values())
    left = f"not matched: {found.only_first:,} of {found.first.name}, {found.only_second:,} of {found.second.name}"
    lines = [f"{with_noun(total, 'problem')} matched{f': {listed(ways)}' if ways else ''}; {left}"]
    advice = way_out(found)
    return [*lines, advice] if advice else lines
