r"""The "number" verifier: the answer, taken as a whole, has the value of the reference's number. Values are exact fractions.

The answer is what `backend.answers` finds: a box, a tag or an announcement. It must be a number as a whole, so `\sqrt{2}`,
`144\pi`, `5x`, `(2,3)`, `2 or 3`, `\pm 3` and `5:30` are none, whatever number they hold. Without any of these the last
number of the text is taken, if the text did not run out of tokens.

| how a number is written | what it is |
| --- | --- |
| `1,234,567`, `1{,}234`, `1\,234`, `1 234` | 1234567 and 1234: groups of three after the first one to three digits |
| `1,5`, `12,34` | 1.5 and 12.34: no group of three, so a decimal comma |
| `-5`, `−5`, `- 5`, `007` | minus five, seven |
| `$5`, `5 km`, `10\text{ cm}^2`, `90^\circ`, `x = 5.`, `\text{about } 5`, `5 \pmod{7}` | 5, 10, 90: units and names do not count |
| `50%`, `50\%` | fifty per cent. Equal to `0.5`; and to `50`, where only one side says per cent |
| `3/4`, `\frac{3}{4}`, `\dfrac34`, `3\frac{1}{2}` | three quarters; three and a half. A division by zero is no number |
| `1.5e3`, `1.5 \times 10^{3}` | 1500 |
| `4+5`, `8-5`, `4\cdot 5`, `2^{10}`, `5!`, `\binom{5}{2}`, `2+4=6` | what they come to; of an equation the right-hand side |
| more than 1,000 digits, or an exponent beyond 1,000 | no number |

| what the text has | verdict |
| --- | --- |
| a number that equals the reference's | correct |
| another number; an answer that is not a number as a whole | wrong |
| an answer or a text without a digit, an empty box | no_answer |
| a box that is never closed; no box and no announced answer, and it ran out of tokens | truncated, if out of tokens |
| a problem without a reference answer | unverified |
| a reference answer without a number | error |
"""  # noqa: E501

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from math import comb, factorial

from backend.answers import NO_REFERENCE, NOWHERE, FoundAnswer, Span, find_answer, no_answer_verdict, unwrap_reference
from backend.verifiers.protocol import Task, Verdict

MAX_DIGITS = 1_000
MAX_EXPONENT = 1_000
MAX_FACTORIAL = 300
MAX_DEPTH = 30
LONGEST = 4_000
"""Characters of an answer that may be one number."""
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

# What stands around a number and does not count, in the order in which it is taken off.
_SEVERAL = re.compile(r"\b(?:or|and|to|between|through)\b|\\pm|±|\\mp|\\ldots|\\dots|\.\.\.", re.IGNORECASE)
_AROUND = (
    (re.compile(r"\\(?:left|right|displaystyle|quad|qquad)\b|\\[;:!]|~"), " "),
    (re.compile(r"\\pmod\s?(?:\{[^{}]*\}|\S)|\(\s?(?:\\?mod)\b[^()]*\)|\\?\bmod\b.*"), " "),
    (re.compile(r"\\(?:text|mathrm|mbox|textrm|operatorname)\s?\{\s?([-+0-9.,\s]*[0-9])\s?\}"), r"\1"),
    (re.compile(r"\\(?:text|mathrm|mbox|textrm|operatorname)\s?\{[^{}]*\}(?:\^\{?[-0-9]\}?)?"), " "),
    (re.compile(r"\^\{?\s?\\?circ(?:\s?\})?|°|\\degree\b|\\\$|\$|€|£"), ""),
)
_EQUALS = re.compile(r"=|\\approx|≈|\\simeq")
_NAME = re.compile(r"[A-Za-z](?:_\{?\w{1,3}\}?)?(?:\([A-Za-z0-9]\))?")
_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{2,}(?:[-/'’][A-Za-z]+)*(?:\^\{?[-0-9]\}?)?(?![A-Za-z({])")
_UNIT = re.compile(r"(?<=[0-9}!])\s+[A-Za-z](?:/[A-Za-z])?(?:\^\{?[-0-9]\}?)?\s*$")

_TOKEN = re.compile(
    rf"\s*(?:(?P<number>(?:{_PLAIN})(?:[eE][-+]?[0-9]{{1,4}})?)|(?P<frac>\\[dtc]?frac)|(?P<binom>\\[dt]?binom)"
    r"|(?P<times>\\times|\\cdot|\\ast|×|·|\*\*|\*)|(?P<over>\\div|÷|/)|(?P<sign>[-+\u2212])"
    r"|(?P<power>\^)|(?P<fact>!)|(?P<open>[({\[])|(?P<close>[)}\]]))"
)


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written."""

    value: Fraction
    percent: bool
    """Whether it said so; `value` is what stands before the sign."""
    span: Span


@lru_cache(maxsize=16_384)
def whole_number(answer: str, *, in_words: bool = False) -> Number | None:
    """The number that an answer is as a whole; None where it is none.

    Args:
        in_words: whether the answer is the rest of a sentence, which may go on: of `12 apples per 3 days` the first.
    """
    if len(answer) > LONGEST or _SEVERAL.search(answer):
        return None
    rest = answer
    for what, instead in _AROUND:
        rest = what.sub(instead, rest)
    *before, rest = _EQUALS.split(rest)
    percent = re.search(r"\\?%|\bpercent\b|\bper cent\b", rest) is not None
    rest = re.sub(r"\\?%", " ", rest)
    if in_words:
        # What follows the first number and a word is no part of it.
        match = re.match(r"[^0-9\\]*?(-?\s?\\?[^A-Za-z]*[0-9][^A-Za-z]*)(?=\s[A-Za-z]{2,}|,\s|$)", rest)
        rest = match[1].rstrip(" ,;:(") if match else rest
    rest = _UNIT.sub("", _WORDS.sub(" ", rest)).lstrip(" ,;:").rstrip(" .,;:")
    sides = (_WORDS.sub(" ", side).strip() for side in before)
    if any(side and not _NAME.fullmatch(side) and _Exact(side).value() is None for side in sides):
        return None  # an equation, not a number
    if re.fullmatch(r"[-+\u2212]?\s?[0-9]+,[0-9]{1,2}", rest):
        rest = rest.replace(",", ".")
    value = _Exact(rest).value()
    return None if value is None else Number(value, percent, (0, len(answer)))


class _Exact:
    """Arithmetic on exact numbers as people write it, LaTeX included; anything else is no number."""

    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        text = text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                self._tokens = []
                break
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        self._at = 0
        self._depth = 0

    def value(self) -> Fraction | None:
        if not self._tokens:
            return None
        try:
            found = self._sum()
        except (ValueError, ZeroDivisionError, OverflowError, IndexError):
            return None
        return found if self._at == len(self._tokens) else None

    def _kind(self) -> str:
        return self._tokens[self._at][0] if self._at < len(self._tokens) else ""

    def _take(self, kind: str) -> str | None:
        if self._kind() != kind:
            return None
        self._at += 1
        return self._tokens[self._at - 1][1]

    def _sum(self) -> Fraction:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError
        total = self._product()
        while (sign := self._take("sign")) is not None:
            total += self._product() * (1 if sign == "+" else -1)
        self._depth -= 1
        return _bounded(total)

    def _product(self) -> Fraction:
        sign = self._take("sign")
        if sign is not None:
            return self._product() * (1 if sign == "+" else -1)
        whole = self._kind() == "number"
        found = self._raised()
        while True:
            if (times := self._take("times")) is not None:
                found = _power(found, self._signed()) if times == "**" else found * self._signed()
            elif self._take("over") is not None:
                found /= self._signed()
            elif self._kind() == "frac" and whole and found.denominator == 1:
                found += self._raised()  # a mixed number
            elif self._kind() == "open" and self._tokens[self._at][1] == "(":
                found *= self._raised()
            else:
                return _bounded(found)
            whole = False

    def _signed(self) -> Fraction:
        sign = self._take("sign")
        return self._signed() * (1 if sign == "+" else -1) if sign is not None else self._raised()

    def _raised(self) -> Fraction:
        found = self._single()
        while True:
            if self._take("fact") is not None:
                if found.denominator != 1 or not 0 <= found <= MAX_FACTORIAL:
                    raise ValueError
                found = Fraction(factorial(int(found)))
            elif self._take("power") is not None:
                found = _power(found, self._signed())
            else:
                return found

    def _single(self) -> Fraction:
        if (number := self._take("number")) is not None:
            mantissa, _, exponent = number.lower().partition("e")
            if len(mantissa) > MAX_DIGITS or abs(int(exponent or 0)) > MAX_EXPONENT:
                raise ValueError
            return Fraction(_NOT_DIGITS.sub("", mantissa)) * Fraction(10) ** int(exponent or 0)
        if self._take("frac") is not None:
            return self._argument() / self._argument()
        if self._take("binom") is not None:
            n, k = self._argument(), self._argument()
            if n.denominator != 1 or k.denominator != 1 or not 0 <= k <= n <= MAX_EXPONENT:
                raise ValueError
            return Fraction(comb(int(n), int(k)))
        if (opening := self._take("open")) is not None:
            found = self._sum()
            if self._take("close") != {"(": ")", "{": "}", "[": "]"}[opening]:
                raise ValueError
            return found
        raise ValueError

    def _argument(self) -> Fraction:
        r"""What stands after `\frac`: a group, or one digit of the number that follows, as LaTeX takes it."""
        kind, text = self._tokens[self._at]
        if kind == "number" and len(text) > 1 and text.isdigit():
            self._tokens[self._at] = kind, text[1:]
            return Fraction(text[0])
        return self._single()


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if exponent.denominator != 1 or abs(exponent) > MAX_EXPONENT:
        raise ValueError
    size = max(base.numerator.bit_length(), base.denominator.bit_length())
    if size * abs(exponent) > 4 * MAX_DIGITS:
        raise ValueError
    return base ** int(exponent)


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > 16 * MAX_DIGITS:
        raise ValueError
    return value


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
    version = "2"
    cheap = True

    def judge(self, task: Task) -> Verdict:
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not reference.strip():
            return Verdict("unverified", detail=NO_REFERENCE)
        plain = unwrap_reference(reference)
        wanted = whole_number(plain) or last_number(plain)
        if wanted is None:
            return Verdict("error", detail="The reference answer holds no number.")
        found = find_answer(text, finish_reason)
        if isinstance(found, FoundAnswer):
            return self._of_answer(text, found, wanted)
        if found != NOWHERE or finish_reason == "length":
            return no_answer_verdict(finish_reason, found)
        number = last_number(text)
        if number is None:
            return Verdict("no_answer", detail="The text holds no number.")
        answer = text[slice(*number.span)]
        return _compared(number, wanted, answer, number.span, "the last number of the text")

    @staticmethod
    def _of_answer(text: str, found: FoundAnswer, wanted: Number) -> Verdict:
        answer = text[slice(*found.span)]
        number = whole_number(answer) or (None if found.set_apart else whole_number(answer, in_words=True))
        if number is not None:
            return _compared(number, wanted, answer, found.span, f"taken {found.rule}")
        if not any(character.isdecimal() for character in answer):
            return Verdict("no_answer", detail="The answer holds no number.")
        return Verdict("wrong", answer, found.span, f"The answer {found.rule} is not a number as a whole.")


def _compared(number: Number, wanted: Number, answer: str, span: Span, how: str) -> Verdict:
    if same_number(number, wanted):
        return Verdict("correct", answer, span, f"It has the value of the reference answer ({how}).")
    return Verdict("wrong", answer, span, f"It has another value than the reference answer ({how}).")
