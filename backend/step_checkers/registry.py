"""The step checkers by name, those of other packages among them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from backend.errors import UsageError, suggestion
from backend.step_checkers.arithmetic import ArithmeticChecker
from backend.step_checkers.protocol import StepChecker

GROUP = "passk.step_checkers"
BUILT_IN: Mapping[str, Callable[[], StepChecker]] = {"arithmetic": ArithmeticChecker}
"""Plug-ins cannot take these names: a judgement's author and version must mean one set of rules."""


@cache
def _plug_ins() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in BUILT_IN}


def step_checker_names() -> list[str]:
    """Every step checker that can be named."""
    return [*BUILT_IN, *sorted(_plug_ins())]


def load_step_checker(name: str) -> StepChecker:
    """The step checker of that name.

    Raises:
        UsageError: there is none, or a plug-in cannot be loaded.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    if name not in _plug_ins():
        known = suggestion(name, step_checker_names(), "step checker")
        raise UsageError(f"There is no step checker {name}", next_step=known)
    entry = _plug_ins()[name]
    try:
        found: StepChecker = entry.load()()
    except Exception as error:
        raise UsageError(
            f"The step checker plug-in {name} cannot be loaded",
            f"{type(error).__name__}: {error}",
            f"Install what it needs, upgrade it or remove it ({entry.value}).",
        ) from error
    return found
