"""A plan of samples in words: what it spends, what it expects, when to stop."""

from __future__ import annotations

from backend.records.comparison import SETTLED, SamplePlan
from backend.wording import compact

POLICY_WORDS = {
    "doubt": "where most memberships are expected to change for their tokens",
    "unsolved": "alike where no sample is right yet",
    "uniform": "alike everywhere",
}


def tokens_in_words(plan: SamplePlan) -> str:
    """What a plan takes, by the mean length of each problem's samples."""
    return "tokens unknown" if plan.tokens is None else f"some {compact(plan.tokens)} tokens"


def plan_in_words(plan: SamplePlan) -> list[str]:
    """What is spent on what, what that is expected to find, and the stopping rule."""
    spent = f"{plan.samples:,} of {plan.budget:,} samples, {POLICY_WORDS[plan.policy]}"
    found = f"expected to change {plan.expected_changes:.1f} memberships, of {plan.unsolved:,} without a right sample"
    rule = f"fewer than {SETTLED:.0f} expected to change within the next {plan.ahead:,} samples of each"
    return [
        f"{spent}: {found}",
        f"stop when {rule}: {plan.before:.1f} now, {plan.after:.1f} after this round"
        + (", so this is the last round" if plan.settled and plan.samples else ", so stop" if plan.settled else ""),
    ]
