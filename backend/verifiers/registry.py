"""The verifiers by name, and the one that fits a plan's problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from backend.errors import UsageError, suggestion
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.protocol import Verifier

if TYPE_CHECKING:
    from backend.jobs.plan import SamplingPlan

VERIFIERS: dict[str, type[ExpressionVerifier]] = {"expression": ExpressionVerifier}


def verifier_for(plan: SamplingPlan, name: str | None = None) -> Verifier | None:
    """The verifier of that name; without a name the one that fits every problem of the plan, None when none does.

    Raises:
        UsageError: no such verifier.
    """
    if name is not None:
        if name not in VERIFIERS:
            raise UsageError(f"There is no verifier {name}", next_step=suggestion(name, list(VERIFIERS), "verifier"))
        return VERIFIERS[name]()
    verifier = ExpressionVerifier()
    fits = all({"numbers", "target"} <= problem.metadata.keys() for problem in plan.problems)
    return verifier if fits else None
