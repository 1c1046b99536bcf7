"""A plan of samples in words: what it spends, what it expects, when to stop."""

from __future__ import annotations

from backend.records.comparison import SETTLED, SamplePlan
from backend.wording import compact

POLICY_WORDS = {
    "doubt": "where they help most per token",
    "unsolved": "evenly over problems without a correct sample",
    "uniform": "evenly over all problems",
}


def tokens_in_words(plan: SamplePlan) -> str:
    """What a plan takes, by the mean length of each problem's samples."""
    return "tokens unknown" if plan.tokens is None else f"about {compact(plan.tokens)} tokens"


def plan_in_words(plan: SamplePlan) -> list[str]:
    """What is recommended and expected, and when to stop."""
    ahead = f"expected in {plan.ahead:,} more samples each"
    if not plan.samples and plan.settled:
        return [f"recommended: none. These problems are settled ({plan.before:.1f} changes {ahead})"]
    return [
        f"{plan.samples:,} of {plan.budget:,} samples, {POLICY_WORDS[plan.policy]}: {plan.expected_changes:.1f} "
        f"changes of set expected ({plan.unsolved:,} unsolved so far)",
        f"stop below {SETTLED:.0f} changes {ahead}: {plan.before:.1f} now, {plan.after:.1f} after this round"
        + (", the last one" if plan.settled else ""),
    ]
