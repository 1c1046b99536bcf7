"""Which problems of two runs are one, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend import way_out
from backend.wording import listed, with_noun

if TYPE_CHECKING:
    from backend.records.matching import Matching, MatchPlan


def matched_in_words(found: Matching) -> list[str]:
    """How many problems are one and by what, how many are not, and what would match them."""
    ways = [f"{times:,} by {by}" for by, times in found.matched.items()]
    total = sum(found.matched.values())
    left = f"not matched: {found.only_first:,} of {found.first.name}, {found.only_second:,} of {found.second.name}"
    lines = [f"{with_noun(total, 'problem')} matched{f': {listed(ways)}' if ways else ''}; {left}"]
    advice = way_out(found)
    return [*lines, advice] if advice else lines


MOST_REASONS = 4


def match_plan_in_words(plan: MatchPlan) -> list[str]:
    """What would be written, what is left with why, and how it is taken back."""
    lines = [plan.words]
    if plan.different_references:
        lines.append(
            f"{with_noun(plan.different_references, 'pair')} with two reference answers: the first that came counts"
        )
    reasons = list(dict.fromkeys(row.why for row in plan.rows if row.why))
    lines += [f"left: {reason}" for reason in reasons[:MOST_REASONS]]
    if len(reasons) > MOST_REASONS:
        lines.append(f"left for {len(reasons) - MOST_REASONS:,} more reasons: passk match --dry-run lists them")
    if plan.pairs:
        lines.append("enter writes this as a decision over the problems; U here or passk undo takes it back")
    else:
        lines.append("Nothing more is matched by that.")
    return lines
