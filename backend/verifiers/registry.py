"""The verifiers by name, those of other packages among them, and the one that fits a plan's problems."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from backend.answers import bare
from backend.errors import UsageError, suggestion
from backend.plug_ins import make_plug_in, plug_in_names
from backend.verifiers.expression import ExpressionVerifier
from backend.verifiers.literal import ChoiceVerifier, ExactVerifier, reference_letter
from backend.verifiers.mathematics import MathVerifier
from backend.verifiers.number import NumberVerifier, last_number
from backend.verifiers.protocol import Verifier

if TYPE_CHECKING:
    from backend.jobs.plan import SamplingPlan

GROUP = "passk.verifiers"

BUILT_IN: Mapping[str, Callable[[], Verifier]] = {
    "math": MathVerifier,
    "exact": ExactVerifier,
    "number": NumberVerifier,
    "choice": ChoiceVerifier,
    "expression": ExpressionVerifier,
}
"""Plug-ins cannot take these names: a verdict's verifier and version must mean one set of rules."""

NEEDS = {"math": ("math_verify", "math-verify", "verify")}
"""Verifier -> module, package and extra that it needs beyond the core."""

Known = tuple[str | None, Mapping[str, Any]]
"""Reference answer and metadata of a problem."""


def verifier_names() -> list[str]:
    """Every verifier that can be named, whether or not what it needs is installed."""
    return plug_in_names(GROUP, BUILT_IN)


def require_verifier(name: str) -> None:
    """Raise UsageError when there is no verifier of that name."""
    if name not in verifier_names():
        raise UsageError(f"There is no verifier {name}", next_step=suggestion(name, verifier_names(), "verifier"))


def load_verifier(name: str) -> Verifier:
    """The verifier of that name, ready to be used.

    Raises:
        UsageError: no such verifier, or what it needs is missing; says what to install.
    """
    require_verifier(name)
    if name in NEEDS:
        module, package, extra = NEEDS[name]
        if find_spec(module) is None:
            raise UsageError(
                f"The verifier {name} needs the package {package}: pip install 'passk-explorer[{extra}]'",
                next_step="Or choose another with --verifier.",
            )
    if name in BUILT_IN:
        return BUILT_IN[name]()
    found: Verifier = make_plug_in(GROUP, name, "verifier")
    return found


def verifier_for(plan: SamplingPlan, name: str | None = None) -> Verifier | None:
    """The verifier of that name, else the plan's own, else the one that fits its problems; None when none does.

    Raises:
        UsageError: no such verifier, or what it needs is missing.
    """
    wanted = name or plan.verifier or fitting((problem.reference, problem.metadata) for problem in plan.problems)
    return None if wanted is None else load_verifier(wanted)


def fitting(problems: Iterable[Known]) -> str | None:
    """Name of the verifier that fits these problems; None where nothing can be verified.

    Numbers and a target in every problem: `expression`. Else by the reference answers there are: `choice` where all are
    letters, `number` where all are nothing but a number, else `math`.
    """
    known = list(problems)
    if known and all(isinstance(metadata.get("numbers"), list) and "target" in metadata for _, metadata in known):
        return "expression"
    references = [plain for reference, _ in known if reference is not None and (plain := bare(reference))]
    if not references:
        return None
    if all(plain[:1].isalpha() and len(plain) == 1 and reference_letter(plain) for plain in references):
        return "choice"
    if all((number := last_number(plain)) and number.span == (0, len(plain)) for plain in references):
        return "number"
    return "math"
