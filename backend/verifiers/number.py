r"""The "number" verifier: the last number of the answer, compared exactly with the last number of the reference.

The answer is what `extraction` finds, else the whole text. Numbers are compared as fractions, never as floats:

    number = [sign] (digits [. digits] | . digits) [e exponent | \times 10^{exponent}] [%]
           | [sign] number / number | [sign] \frac{number}{number}

| how a number is written | what it is |
| --- | --- |
| `1,234,567`, `1{,}234`, `1\,234`, `1 234` | 1234567 and 1234: groups of three after the first one to three digits |
| `1,5`, `12,34` | two numbers, of which the last counts: a comma is no decimal point |
| `-5`, `−5`, `- 5` | minus five, but in `8-5` and `x - 5` the minus is an operation and the last number 5 |
| `$5`, `5 km`, `x = 5.` | 5: what stands around a number does not count |
| `50%`, `50\%` | fifty per cent. Equal to `0.5`; and to `50`, where only one side says per cent |
| `3/4`, `\frac{3}{4}`, `\dfrac34` | three quarters; a division by zero is no number |
| `1.5e3`, `1.5 \times 10^{3}` | 1500 |
| more than 1,000 digits, or an exponent beyond 1,000 | no number |

| what the text has | verdict |
| --- | --- |
| a number that equals the reference's | correct |
| another number | wrong |
| an answer or a text without a number, an empty box | no_answer |
| a box that is never closed; no box and no announced answer, and it ran out of tokens | truncated, if out of tokens |
| a problem without a reference answer | unverified |
| a reference answer without a number | error |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from backend.answers import NO_REFERENCE, NOWHERE, Span, find_answer, no_answer_verdict, unwrap_reference
from backend.verifiers.protocol import Task, Verdict

MAX_DIGITS = 1_000
MAX_EXPONENT = 1_000
_TAIL = 20_000
"""Characters at the end of a text that are searched for its last number."""

_GROUP = r"(?:,|\{,\}|\\,|\\!|[ \u00a0\u2009\u202f])"
_PLAIN = rf"(?:[0-9]{{1,3}}(?:{_GROUP}[0-9]{{3}})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+"
_FRACTION = r"\\[dtc]?frac\s?(?:\{\s?([0-9.,]+)\s?\}\s?\{\s?([0-9.,]+)\s?\}|([0-9])\s?([0-9]))"
_OPERAND = r"[0-9A-Za-z)}\]]"
_NUMBER = re.compile(
    rf"(?P<sign>(?<!{_OPERAND})[-+\u2212](?!\s)|(?<!{_OPERAND})(?<!{_OPERAND}\s)[-+\u2212]\s)?"
    rf"(?:{_FRACTION}"
    rf"|(?P<top>{_PLAIN})"
    rf"(?:\s?/\s?(?P<bottom>{_PLAIN})|[eE](?P<e>[-+]?[0-9]+)"
    rf"|\s?(?:\\times|\\cdot|×|\*)\s?10\s?(?:\^|\*\*)\s?\{{?\s?(?P<power>[-+]?[0-9]+)\s?\}}?)?)"
    r"(?P<percent>\s?\\?%)?"
)
_NOT_DIGITS = re.compile(r"[^0-9.]")


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    value: Fraction
    percent: bool
    """Whether it said so; `value` is what stands before the sign."""
    span: Span


def last_number(text: str) -> Number | None:
    """The last number of a text; None where there is none."""
    offset = max(len(text) - _TAIL, 0)
    found = None
    for match in _NUMBER.finditer(text, offset):
        value = _value(match)
        if value is not None:
            found = Number(value, match["percent"] is not None, match.span())
    return found


def _value(match: re.Match[str]) -> Fraction | None:
    """The value of a match; None where it is none, or too large to be meant."""
    top, bottom = (
        match["top"] or match[2] or match[4],
        match["bottom"] or match[3] or match[5],
    )
    exponent = match["e"] or match["power"] or "0"
    if max(len(top), len(bottom or "")) > MAX_DIGITS or len(exponent) > 5 or abs(int(exponent)) > MAX_EXPONENT:
        return None
    try:
        value = Fraction(_NOT_DIGITS.sub("", top)) * Fraction(10) ** int(exponent)
        if bottom is not None:
            value /= Fraction(_NOT_DIGITS.sub("", bottom))
    except (ValueError, ZeroDivisionError):
        return None
    return -value if match["sign"] and match["sign"].strip() != "+" else value


def same_number(one: Number, other: Number) -> bool:
    """Whether two numbers are equal; where only one says per cent, 50 % is both 50 and 0.5."""
    if one.value == other.value:
        return True
    if one.percent == other.percent:
        return False
    share, whole = (one, other) if one.percent else (other, one)
    return share.value / 100 == whole.value


class NumberVerifier:
    """Judges by the value of a number; see the tables of this module."""

    name = "number"
    version = "1"
    cheap = True

    def judge(self, task: Task) -> Verdict:
        """Judges one text."""
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not reference.strip():
            return Verdict("unverified", detail=NO_REFERENCE)
        wanted = last_number(unwrap_reference(reference))
        if wanted is None:
            return Verdict("error", detail="The reference answer holds no number.")
        found = find_answer(text, finish_reason)
        if found == NOWHERE and finish_reason != "length":
            found = 0, len(text)
        if isinstance(found, str):
            return no_answer_verdict(finish_reason, found)
        start, end = found
        number = last_number(text[start:end])
        if number is None:
            return Verdict("no_answer", detail="The answer holds no number.")
        span = start + number.span[0], start + number.span[1]
        answer = text[slice(*span)]
        if same_number(number, wanted):
            return Verdict("correct", answer, span, "It has the value of the reference answer.")
        return Verdict("wrong", answer, span, "It has another value than the reference answer.")
