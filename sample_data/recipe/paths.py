"""Reads reasoning paths: which plan was tried first, and whether the arithmetic of the last try is true."""

from __future__ import annotations

import re

_FIRST = re.compile(r"Try ([a-z]+):")
_STEP = re.compile(r"([0-9]+) ([-+*/]) ([0-9]+) = ([0-9]+)")


def first_plan(text: str) -> str | None:
    """The plan of the first try, or None."""
    match = _FIRST.match(text)
    return match.group(1) if match else None


def true_step(a: int, op: str, b: int, result: int) -> bool:
    """Whether one step is true arithmetic."""
    if op == "/":
        return b != 0 and a == b * result
    return result == {"+": a + b, "-": a - b, "*": a * b}[op]


def sound(text: str) -> bool:
    """Whether the last try has steps and all of them are true arithmetic."""
    last = text.rpartition("Try ")[2].partition("\n")[0]
    steps = _STEP.findall(last)
    return bool(steps) and all(true_step(int(a), op, int(b), int(c)) for a, op, b, c in steps)
