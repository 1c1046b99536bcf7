"""The verifiers by name, those of other packages among them, and the one that fits a plan's problems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from backend.answers import unwrap_reference
from backend.errors import UsageError
from backend.plug_ins import PlugIns, missing_modules
from backend.verifiers.literal import reference_letter
from backend.verifiers.number import last_number
from backend.verifiers.protocol import Verifier

if TYPE_CHECKING:
    from backend.jobs.plan import SamplingPlan

VERIFIERS: PlugIns[Verifier] = PlugIns(
    "passk.verifiers",
    "verifier",
    {
        "math": "backend.verifiers.mathematics:MathVerifier",
        "exact": "backend.verifiers.literal:ExactVerifier",
        "number": "backend.verifiers.number:NumberVerifier",
        "choice": "backend.verifiers.literal:ChoiceVerifier",
        "expression": "backend.verifiers.expression:ExpressionVerifier",
    },
)

Known = tuple[str | None, Mapping[str, Any]]
"""Reference answer and metadata of a problem."""


def load_verifier(name: str) -> Verifier:
    """The verifier of that name, ready to be used.

    Raises:
        UsageError: no such verifier, or what it needs is missing; says what to install.
    """
    verifier = VERIFIERS.load(name)
    for module, install in missing_modules(verifier).items():
        package = module.replace("_", "-")
        raise UsageError(
            f"The verifier {name} needs the package {package}: {install}",
            next_step="Or choose another with --verifier.",
        )
    return verifier


class Fitting(NamedTuple):
    """The verifier that fits some problems."""

    name: str
    because: str
    """What was seen that made it the one, as a clause."""


def verifier_for(plan: SamplingPlan, name: str | None = None) -> Verifier | None:
    """The verifier of that name, else the plan's own, else the one that fits its problems; None when none does.

    Raises:
        UsageError: no such verifier, or what it needs is missing.
    """
    fitting = None if name or plan.verifier else fitting_verifier(plan.known)
    wanted = name or plan.verifier or (fitting and fitting.name)
    return None if wanted is None else load_verifier(wanted)


def fitting_verifier(problems: Iterable[Known]) -> Fitting | None:
    """The verifier that fits these problems; None where nothing can be verified.

    Numbers and a target in every problem: `expression`. Else by the reference answers there are: `choice` where all are
    letters, else `math`; where that is not installed and all are nothing but a number, `number`.
    """
    known = list(problems)
    if known and all(isinstance(metadata.get("numbers"), list) and "target" in metadata for _, metadata in known):
        return Fitting("expression", "each problem has numbers and a target")
    references = [plain for reference, _ in known if reference is not None and (plain := unwrap_reference(reference))]
    if not references:
        return None
    if all(plain[:1].isalpha() and len(plain) == 1 and reference_letter(plain) for plain in references):
        return Fitting("choice", "each reference answer is one letter")
    if not missing_modules(VERIFIERS.load("math")):
        return Fitting("math", "math-verify is installed here")
    if all((number := last_number(plain)) and number.span == (0, len(plain)) for plain in references):
        return Fitting("number", "each reference answer is a number, and math-verify is not installed here")
    return Fitting("math", "not every reference answer is a number")
