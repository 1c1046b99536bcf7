r"""The "expression" verifier: Countdown answers, parsed by a grammar of its own and never run as code.

The answer is what stands in the last ``\boxed{...}`` of the text:

    sum     = product { ("+" | "-") product }
    product = atom { ("*" | "/") atom }
    atom    = number | "(" sum ")"

| what the text has | verdict |
| --- | --- |
| an expression with exactly the given numbers and the target's value | correct |
| another value; a number unused, doubled or not given; division by zero or not exact | wrong |
| a box that is no expression: other characters, a sign before a number, empty or open brackets | wrong |
| an expression beyond the limits: length, depth, size of a number or of a result | wrong |
| several boxes | the last one counts, whatever the others hold |
| an empty box | no_answer |
| no box, or a last box that is never closed | truncated if it ran out of tokens, else no_answer |

Intermediate results may be negative or large (within the limit); only the end has to be the target.
A problem without numbers or target is "error".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from backend.verifiers.protocol import Task, Verdict

BOX = "\\boxed{"
MAX_LENGTH = 1000  # characters in the box
MAX_DEPTH = 50  # brackets within brackets
MAX_DIGITS = 9  # of one number
MAX_RESULT = 10**12  # absolute value of any result

_TOKEN = re.compile(r"\s*(?:([0-9]+)|([-+*/()]))")
_STATEMENT = re.compile(r"Numbers:((?:\s+[0-9]+)+)\.\s+Target:\s+(-?[0-9]+)\.", re.ASCII)


class NotAnExpression(ValueError):
    """Why a text has no value under the grammar; the message is shown to people."""


class _Parser:
    """Parses and evaluates in one pass; notes every number it reads."""

    __slots__ = ("depth", "numbers", "place", "tokens")

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise NotAnExpression(f"longer than {MAX_LENGTH} characters")
        self.tokens: list[int | str] = []
        at, end = 0, len(text.rstrip())
        while at < end:
            match = _TOKEN.match(text, at)
            if match is None:
                raise NotAnExpression(f"unexpected {text[at:].lstrip()[:1]!r}")
            digits, symbol = match.groups()
            if digits is not None and len(digits) > MAX_DIGITS:
                raise NotAnExpression(f"a number of more than {MAX_DIGITS} digits")
            self.tokens.append(int(digits) if digits is not None else symbol)
            at = match.end()
        self.tokens.append("")
        self.place = self.depth = 0
        self.numbers: list[int] = []

    def whole(self) -> int:
        """The value of all tokens."""
        value = self.sum()
        if self.tokens[self.place] != "":
            raise NotAnExpression(f"unexpected {self.tokens[self.place]!s}")
        return value

    def sum(self) -> int:
        """A sum of products."""
        value = self.product()
        while (op := self.tokens[self.place]) in ("+", "-"):
            self.place += 1
            right = self.product()
            value = value + right if op == "+" else value - right
            if abs(value) > MAX_RESULT:
                raise NotAnExpression("a result is too large")
        return value

    def product(self) -> int:
        """A product of atoms; divisions are exact."""
        value = self.atom()
        while (op := self.tokens[self.place]) in ("*", "/"):
            self.place += 1
            right = self.atom()
            if op == "*":
                value *= right
                if abs(value) > MAX_RESULT:
                    raise NotAnExpression("a result is too large")
                continue
            if right == 0:
                raise NotAnExpression("division by zero")
            if value % right:
                raise NotAnExpression(f"{value} / {right} is not exact")
            value //= right
        return value

    def atom(self) -> int:
        """A number or a bracket."""
        token = self.tokens[self.place]
        if isinstance(token, int):
            self.place += 1
            self.numbers.append(token)
            return token
        if token != "(":
            raise NotAnExpression(f"unexpected {token}" if token else "it ends too early")
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise NotAnExpression(f"more than {MAX_DEPTH} brackets within brackets")
        self.place += 1
        value = self.sum()
        if self.tokens[self.place] != ")":
            raise NotAnExpression("a bracket is not closed")
        self.place += 1
        self.depth -= 1
        return value


def evaluate(text: str) -> tuple[int, list[int]]:
    """Value and numbers (in order) of an expression; raises NotAnExpression."""
    parser = _Parser(text)
    return parser.whole(), parser.numbers


def last_box(text: str) -> tuple[int, int] | str | None:
    """The span inside the last box, None without a box, or "open" when the last one is never closed."""
    opening = text.rfind(BOX)
    if opening < 0:
        return None
    start, depth = opening + len(BOX), 1
    for match in re.finditer(r"[{}]", text[start:]):
        depth += 1 if match.group() == "{" else -1
        if depth == 0:
            return start, start + match.start()
    return "open"


def task_of(statement: str, metadata: Mapping[str, Any] | None) -> tuple[list[int], int] | None:
    """Sorted numbers and target, from the metadata if it has both, else from the statement."""
    if metadata and "numbers" in metadata and "target" in metadata:
        return sorted(metadata["numbers"]), int(metadata["target"])
    match = _STATEMENT.search(statement)
    if match is None:
        return None
    return sorted(map(int, match.group(1).split())), int(match.group(2))


class ExpressionVerifier:
    """Judges Countdown answers; see the table of this module."""

    name = "expression"
    version = "1"
    cheap = True

    def judge(self, task: Task) -> Verdict:
        """Judges one text; the reference is ignored, for any right expression is right."""
        asked = task_of(task.statement, task.metadata)
        if asked is None:
            return Verdict("error", detail="The problem names no numbers and target.")
        box = last_box(task.text)
        if box is None or isinstance(box, str):
            what = "The last box is not closed." if box else "There is no box."
            return Verdict("truncated" if task.finish_reason == "length" else "no_answer", detail=what)
        inside = task.text[box[0] : box[1]]
        answer = inside.strip()
        if not answer:
            return Verdict("no_answer", detail="The box is empty.")
        start = box[0] + len(inside) - len(inside.lstrip())
        span = start, start + len(answer)
        try:
            value, numbers = evaluate(answer)
        except NotAnExpression as error:
            return Verdict("wrong", answer, span, f"Not a valid expression: {error}.")
        if sorted(numbers) != asked[0]:
            return Verdict("wrong", answer, span, _numbers_detail(numbers, asked[0]))
        if value != asked[1]:
            return Verdict("wrong", answer, span, f"Its value is {value}, not {asked[1]}.")
        return Verdict("correct", answer, span, f"Its value is {value}, with every number used once.")


def _numbers_detail(used: list[int], given: list[int]) -> str:
    """Says which numbers are missing or too many."""
    missing, extra = list(given), []
    for number in used:
        if number in missing:
            missing.remove(number)
        else:
            extra.append(number)
    parts = []
    if missing:
        parts.append(f"{', '.join(map(str, missing))} not used")
    if extra:
        parts.append(f"{', '.join(map(str, sorted(extra)))} not given or used too often")
    return f"Wrong numbers: {'; '.join(parts)}."
