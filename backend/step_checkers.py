"""Step checkers: rules that read a whole path and say whether its steps are right; also those of plug-ins."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, Protocol

from backend.plug_ins import PlugIns
from backend.verifiers.protocol import Task

# What every step checker takes and gives.

Validity = Literal["valid", "invalid", "unsure"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a checker says of one path; `unsure` where it found nothing that it can check."""

    judgement: Validity
    note: str
    """One sentence: what is wrong, and in which step; or how many steps were checked."""


class StepChecker(Protocol):
    """Checks the reasoning of texts, whatever their answer is worth.

    The version changes whenever a judgement may change. Entry-point group: `passk.step_checkers`.
    """

    @property
    def name(self) -> str:
        """Short name, which stands as the author of its judgements."""

    @property
    def version(self) -> str:
        """Version of the rules."""

    def check(self, task: Task) -> Checked:
        """Judge the reasoning of one text; never raises because of what the text says."""


# Checks every equation between numbers in a path: `36 + 10 = 52` is a wrong step, whatever the answer is worth.
#
# | in the text | judged |
# | --- | --- |
# | 4 * 9 = 36, (2 + 3) × 4 = 20, 2 \times 3 = 6, 7 / 2 = 3.5, 10 / 3 = 3.33, 3 + 4 = 2 + 5 | a correct step |
# | 36 + 10 = 52, 7 / 2 = 3, 5 / 0 = 0 | a wrong step |
# | x + 3 = 7, 2x + 3 = 7x, 3 = 3, 3 + 4 = y, 5% + 1 = 7% | not checked: not an equation between numbers |
#
# A path with a wrong step is invalid, one with correct steps only is valid, one without an equation unsure. A decimal
# result may be rounded. Numbers are exact fractions; nothing of a text is ever evaluated as code.

_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d{1,30})?|\d{1,30}(?:\.\d{1,30})?"
_OPERATOR = r"\+|-|−|\*|×|·|/|÷|\\times|\\cdot|\\div"
# Bounds everywhere: a path that is nothing but brackets or spaces takes linear time too.
_OPERAND = rf"(?:\(\s{{0,2}}){{0,8}}-?(?:{_NUMBER})(?:\s{{0,2}}\)){{0,8}}"
_SUM = rf"{_OPERAND}(?:\s{{0,3}}(?:{_OPERATOR})\s{{0,3}}{_OPERAND}){{0,30}}"
_EQUATION = re.compile(rf"(?P<left>{_SUM})\s{{0,3}}=\s{{0,3}}(?P<right>{_SUM})")
_TOKEN = re.compile(rf"({_NUMBER})|({_OPERATOR}|[()])")
_SAME = {"−": "-", "×": "*", "·": "*", "÷": "/", "\\times": "*", "\\cdot": "*", "\\div": "/"}

# What makes the numbers beside it part of something larger: at once a name, a power, another digit; an operator also
# behind a space.
_BEFORE = re.compile(r"(?:[\w^}\])%.,\\]|[+\-−*×·/÷=<>] {0,3})\Z")
_AFTER = re.compile(r"[\w^{\[(%]|\.\d|,\d|[ \t]{0,3}[+\-−*×·/÷\\=]")


class _NotNumbers(ValueError):
    """Not an expression of numbers."""


class ArithmeticChecker:
    """Checks arithmetic steps; see the table of this module."""

    name = "arithmetic"
    version = "1"

    def check(self, task: Task) -> Checked:
        """Judge one path by its equations."""
        right = 0
        for place, (equation, value) in enumerate(_equations(task.text), start=1):
            if value is not None:
                return Checked("invalid", f"Step {place}: {equation}, but the left side is {value}.")
            right = place
        if not right:
            return Checked("unsure", "No equation between numbers to check.")
        return Checked("valid", f"{right} {'equation' if right == 1 else 'equations'} checked, all right.")


def _equations(text: str) -> Iterator[tuple[str, str | None]]:
    """Every equation between numbers, and what its left side is where it is wrong; None where it is right."""
    for match in _EQUATION.finditer(text):
        if _BEFORE.search(text[max(match.start() - 4, 0) : match.start()]) or _AFTER.match(text, match.end()):
            continue
        left, right = match["left"], match["right"]
        if _is_number(left):
            continue
        shown = " ".join(match[0].split())
        try:
            value, stated = _value(left), _value(right)
        except ZeroDivisionError:
            yield shown, "divided by 0"
            continue
        except _NotNumbers:
            continue
        rounded = _is_number(right) and abs(value - stated) <= Fraction(1, 2 * 10 ** _places(right))
        yield shown, None if value == stated or (_places(right) and rounded) else _shown(value)


def _is_number(text: str) -> bool:
    return re.fullmatch(rf"\s*-?(?:{_NUMBER})\s*", text) is not None


def _places(text: str) -> int:
    return len(text.rpartition(".")[2].rstrip()) if "." in text else 0


def _shown(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{value} = {float(value):.6g}"


def _value(text: str) -> Fraction:
    """Value of sums and products of numbers with brackets.

    Raises:
        _NotNumbers: brackets that do not match.
        ZeroDivisionError: divided by 0.
    """
    tokens = [number or _SAME.get(sign, sign) for number, sign in _TOKEN.findall(text)]
    value, place = _sum(tokens, 0)
    if place != len(tokens):
        raise _NotNumbers
    return value


def _sum(tokens: list[str], place: int) -> tuple[Fraction, int]:
    value, place = _product(tokens, place)
    while place < len(tokens) and tokens[place] in "+-":
        right, after = _product(tokens, place + 1)
        value, place = (value + right if tokens[place] == "+" else value - right), after
    return value, place


def _product(tokens: list[str], place: int) -> tuple[Fraction, int]:
    value, place = _atom(tokens, place)
    while place < len(tokens) and tokens[place] in "*/":
        right, after = _atom(tokens, place + 1)
        value, place = (value * right if tokens[place] == "*" else value / right), after
    return value, place


def _atom(tokens: list[str], place: int) -> tuple[Fraction, int]:
    token = tokens[place] if place < len(tokens) else ""
    if token == "-":
        value, place = _atom(tokens, place + 1)
        return -value, place
    if token == "(":
        value, place = _sum(tokens, place + 1)
        if place >= len(tokens) or tokens[place] != ")":
            raise _NotNumbers
        return value, place + 1
    if not token[:1].isdigit():
        raise _NotNumbers
    return Fraction(token.replace(",", "")), place + 1


STEP_CHECKERS: PlugIns[StepChecker] = PlugIns(
    "passk.step_checkers", "step checker", {"arithmetic": "backend.step_checkers:ArithmeticChecker"}
)

LANGUAGE_MODEL = "llm"
"""The step checker that is a language model: a job with an engine (`backend/jobs/judging.py`), and so no plug-in."""
