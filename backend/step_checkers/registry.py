"""The step checkers by name, those of other packages among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from backend.errors import UsageError, suggestion
from backend.plug_ins import make_plug_in, plug_in_names
from backend.step_checkers.arithmetic import ArithmeticChecker
from backend.step_checkers.protocol import StepChecker

GROUP = "passk.step_checkers"
BUILT_IN: Mapping[str, Callable[[], StepChecker]] = {"arithmetic": ArithmeticChecker}
"""Plug-ins cannot take these names: a judgement's author and version must mean one set of rules."""


def step_checker_names() -> list[str]:
    """Every step checker that can be named."""
    return plug_in_names(GROUP, BUILT_IN)


def load_step_checker(name: str) -> StepChecker:
    """The step checker of that name.

    Raises:
        UsageError: there is none, or a plug-in cannot be loaded.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if name not in step_checker_names():
        known = suggestion(name, step_checker_names(), "step checker")
        raise UsageError(f"There is no step checker {name}", next_step=known)
    found: StepChecker = make_plug_in(GROUP, name, "step checker")
    return found
