r"""The "math" verifier: the answer and the reference mean the same, as SymPy sees them, exactly.

Parsing is math-verify's; what is equal is decided here where math-verify is wrong about it: both sides are written alike
first (table), and two numbers are equal only within a relative tolerance of 1e-6, and exactly where neither has a decimal
point (math-verify rounds to six decimals, so that it takes 1/2004! for 1/2006!).

| written | read as |
| --- | --- |
| `pi/2`, `sqrt(2)`, `exp(16)`, `-2*pi`, `2√5`, `14.0 + -1.0i` | `\pi/2`, `\sqrt{2}`, `e^{16}`, `-2\pi`, `2\sqrt{5}`, `14 - i` |
| `10\,080`, `10{,}080`, `0.50` and `.5` | 10080, 10080, 0.5 |
| `0<x<12.5` where the reference is an interval, and the other way round | (0, 12.5) |
| `A(3,4)`, a column or row vector, where the other side is a tuple | (3, 4) |
| `1010_2` | a numeral of that base: equal to the same digits of the same base, or to its value |
| `\text{Yes}`, `6:00 p.m.`, `true`, `\varnothing` | compared as words, without case, dots, spaces |
| `x = 5` for 5, `f(x) = 2x` for 2x | the right-hand side |
| `\forall x>0, ...` where only one side is quantified | different |

| what the text has | verdict |
| --- | --- |
| an answer (see `backend.answers`) that equals the reference, as text or as mathematics | correct |
| another; one that cannot be parsed and is not the same text; one of more than 1,000 characters | wrong |
| nothing that is set apart or announced, but a last sentence with a number, and the reference is a number | by its last number |
| an empty box | no_answer |
| no answer, a box that is never closed, an answer that breaks off | truncated if out of tokens, else no_answer |
| a problem without a reference answer | unverified |
| parsing or comparing failed inside SymPy, for example out of memory or too deeply nested | error |

math-verify's own timeout works by a signal, which raises in threads, so it is off: whoever runs this verifier gives it
a process and a deadline (see `pool`), and what exceeds that is `timeout`.
"""  # noqa: E501

from __future__ import annotations

import logging
import re
from fractions import Fraction
from functools import lru_cache
from typing import Any, ClassVar

from backend.answers import NO_REFERENCE, NOWHERE, find_answer, last_line, no_answer_verdict, unwrap_reference
from backend.verifiers.number import last_number, same_number, whole_number
from backend.verifiers.protocol import Task, Verdict

LONGEST = 1_000
"""Characters of an answer that is worth parsing."""
TOLERANCE = 1e-6
"""Relative difference of two numbers that are the same, where one of them is written with a decimal point."""
EXACT = 1e-20
"""The same, where none is: what evaluating to 30 digits may cost."""


class MathVerifier:
    """Judges with math-verify; see the tables of this module."""

    name = "math"
    needs: ClassVar = {"math_verify": "pip install 'passk-explorer[verify]'"}

    @property
    def version(self) -> str:
        """Version of these rules and of math-verify, which parses."""
        from importlib.metadata import version

        return f"2 (math-verify {version('math-verify')})"

    def prepare(self) -> None:
        """Load SymPy and its grammar, which takes a second or two."""
        logging.getLogger("math_verify").setLevel(logging.ERROR)
        _parsed("1")

    def judge(self, task: Task) -> Verdict:
        text, reference, finish_reason = task.text, task.reference, task.finish_reason
        if reference is None or not (wanted := unwrap_reference(reference)):
            return Verdict("unverified", detail=NO_REFERENCE)
        found = find_answer(text, finish_reason)
        if isinstance(found, str):
            if found == NOWHERE and finish_reason != "length" and (by_number := _last_line_number(text, wanted)):
                return by_number
            return no_answer_verdict(finish_reason, found)
        answer = text[slice(*found.span)]
        if len(answer) > LONGEST:
            return Verdict("wrong", answer, found.span, f"It is longer than {LONGEST} characters.")
        try:
            equal = _means(wanted, answer) or (not found.set_apart and _means_in_words(wanted, answer))
        except (Exception, RecursionError) as error:
            return Verdict("error", answer, found.span, f"Comparing failed: {type(error).__name__}.")
        if equal:
            return Verdict("correct", answer, found.span, f"It equals the reference answer (taken {found.rule}).")
        return Verdict("wrong", answer, found.span, f"It does not equal the reference answer (taken {found.rule}).")


def _last_line_number(text: str, wanted: str) -> Verdict | None:
    """The verdict by the last number of the last line, where that is a sentence and the reference a plain number."""
    value, line = whole_number(wanted), last_line(text)
    if value is None or line is None or text.rstrip()[-1] not in ".!。":
        return None
    number = last_number(text[slice(*line)])
    if number is None:
        return None
    span = line[0] + number.span[0], line[0] + number.span[1]
    answer = text[slice(*span)]
    if same_number(number, value):
        return Verdict("correct", answer, span, "It equals the reference answer (the last number of the last line).")
    return Verdict("wrong", answer, span, "It does not equal the reference answer (the last number of the last line).")


def _means(wanted: str, answer: str) -> bool:
    if _as_words(wanted) == _as_words(answer):
        return True
    if bool(_QUANTIFIED.search(wanted)) != bool(_QUANTIFIED.search(answer)):
        return False
    if not (_PAIR.fullmatch(wanted) or _PAIR.fullmatch(answer)):
        value, number = whole_number(wanted), whole_number(answer)
        if value is not None and number is not None:
            return same_number(value, number) or ("." in wanted + answer and _close(value.value, number.value))
    one, other = _written_alike(wanted, answer)
    based = _of_base(one), _of_base(other)
    if any(based):
        return _equal_numerals(one, other)
    return one == other or _equal(one, other)


def _close(one: Fraction, other: Fraction) -> bool:
    return abs(one - other) <= Fraction(TOLERANCE) * max(abs(one), abs(other))


def _means_in_words(wanted: str, answer: str) -> bool:
    """Whether the beginning of a sentence is the reference: `12 apples per day`, `3 (mod 2024)`."""
    value, number = whole_number(wanted), whole_number(answer, in_words=True)
    if value is not None and number is not None:
        return same_number(number, value)
    first = re.match(r"\$[^$]+\$|\\\(.+?\\\)|\S+(?=[,;]?\s)", answer)
    return first is not None and len(first[0]) < len(answer) and _means(wanted, unwrap_reference(first[0].rstrip(",;")))


# Written alike

_PAIR = re.compile(r"\s*[-+]?[0-9]+,\s?[0-9]{1,2}\s*")
"""1,5 may be one number with a decimal comma or two numbers: math-verify compares it as two."""
_QUANTIFIED = re.compile(r"\\forall|\\exists|∀|∃")
_TEXT = re.compile(r"\\(?:text|mathrm|textbf|mathbf|textit|mbox|operatorname)\s?\{([^{}]*)\}")
_PUNCTUATION = re.compile(r"[\s.~$]|\\[ ,;!]")
_NAMED = re.compile(r"(?<![\\A-Za-z])(pi|sqrt|exp|sin|cos|tan|cot|sec|csc|log|ln|theta|infty|alpha|beta)(?![A-Za-z])")
_ROOT = re.compile(r"√\s?(?:\{([^{}]*)\}|\(([^()]*)\)|([0-9A-Za-z]+))")
_CALL = re.compile(r"\\(sqrt|exp)\s?\(((?:[^()]|\([^()]*\))*)\)")
_CHAIN = re.compile(
    r"(.+?)(<=|<|\\leq?(?![a-z])|\\lt(?![a-z])|≤)\s*[A-Za-z]\s*(<=|<|\\leq?(?![a-z])|\\lt(?![a-z])|≤)(.+)"
)
_INTERVAL = re.compile(r"(?:\\left)?\s*[(\[].+,.+[)\]]")
_POINT = re.compile(r"[A-Z]\s?(?:=\s?)?(?=(?:\\left)?\()")
_VECTOR = re.compile(r"\\begin\{[bp]matrix\}(.*?)\\end\{[bp]matrix\}", re.DOTALL)
_NUMERAL = re.compile(r"(?:\\text\{)?([0-9A-Z]+)\}?_\{?(?:\\text\{)?([0-9]{1,2})\}?\}?")


def _as_words(text: str) -> str:
    plain = _TEXT.sub(r"\1", text).replace("\\varnothing", "\\emptyset").replace("∅", "\\emptyset")
    plain = _PUNCTUATION.sub("", plain)
    # Only words lose their case: x and X may be two variables.
    return plain.casefold() if re.fullmatch(r"[A-Za-z]{2,}|[0-9:]+[AaPp][Mm]", plain) else plain


def _written_alike(wanted: str, answer: str) -> tuple[str, str]:
    one, other = _plain(wanted), _plain(answer)
    pair = [one, other]
    for index, (side, beside) in enumerate(((one, other), (other, one))):
        if _INTERVAL.fullmatch(beside):
            chain = _CHAIN.fullmatch(side)
            if chain is not None and "<" not in chain[4]:
                ends = ["(" if mark in ("<", "\\lt") else "[" for mark in (chain[2], chain[3])]
                pair[index] = f"{ends[0]}{chain[1].strip()},{chain[4].strip()}{')' if ends[1] == '(' else ']'}"
            pair[index] = _POINT.sub("", pair[index], count=1)
            if (vector := _VECTOR.fullmatch(side)) is not None:
                entries = [entry.strip() for entry in re.split(r"\\\\|&", vector[1]) if entry.strip()]
                flat = "&" not in vector[1] or "\\\\" not in vector[1].rstrip("\\ \n")
                pair[index] = f"({','.join(entries)})" if flat and len(entries) > 1 else pair[index]
    return pair[0], pair[1]


def _plain(text: str) -> str:
    """The text in LaTeX's own spelling, as far as it was written another way."""
    text = text.replace("−", "-").replace("π", "\\pi").replace("∞", "\\infty").replace("\\varnothing", "\\emptyset")
    text = text.replace("×", "\\times ").replace("·", "\\cdot ").replace("≤", "\\le ").replace("≥", "\\ge ")
    text = re.sub(r"(?<=[0-9])(?:\\[,!;]|\{,\})(?=[0-9]{3}(?![0-9]))", "", text)
    text = _ROOT.sub(lambda match: f"\\sqrt{{{match[1] or match[2] or match[3]}}}", text)
    text = _NAMED.sub(r"\\\1", text)
    text = _CALL.sub(lambda match: ("\\sqrt{%s}" if match[1] == "sqrt" else "e^{%s}") % match[2], text)
    text = re.sub(r"\*\*", "^", text)
    text = re.sub(r"(?<!\^)\*", "\\\\cdot ", text)
    text = re.sub(r"\+\s*-", "- ", text)
    text = re.sub(r"(?<![0-9.])([0-9]+)\.0+(?![0-9])", r"\1", text)
    text = re.sub(r"(?<![0-9A-Za-z])1(?=i(?![A-Za-z]))", "", text)
    return text.strip()


def _of_base(text: str) -> bool:
    return _NUMERAL.fullmatch(text) is not None


def _equal_numerals(one: str, other: str) -> bool:
    """Whether two numerals, of which at least one names its base, are the same; without a base the digits count."""
    first, second = _NUMERAL.fullmatch(one), _NUMERAL.fullmatch(other)
    if first is not None and second is not None:
        return _value_of(first) is not None and _value_of(first) == _value_of(second)
    numeral, plain = (first, other) if first is not None else (second, one)
    # A reference of base 8 answered without its base: the same digits are meant.
    return numeral is not None and numeral[1].lstrip("0") == re.sub(r"[\s,]", "", plain).lstrip("0")


def _value_of(numeral: re.Match[str]) -> int | None:
    try:
        return int(numeral[1], int(numeral[2]))
    except ValueError:
        return None


# Equal


def _parsed(answer: str) -> list[Any]:
    from math_verify import ExprExtractionConfig, LatexExtractionConfig, parse

    # In a box of its own, so that all of it is the answer and math-verify need not search.
    config = [LatexExtractionConfig(boxed_match_priority=0), ExprExtractionConfig()]
    parsed: list[Any] = parse(f"\\boxed{{{answer}}}", config, parsing_timeout=None, raise_on_error=True)
    return parsed


@lru_cache(maxsize=4096)
def _parsed_reference(reference: str) -> list[Any]:
    return _parsed(reference)


def _equal(reference: str, answer: str) -> bool:
    from math_verify import verify

    wanted, given = _parsed_reference(reference), _parsed(answer)
    # Without raise_on_error: of several readings of an answer one may fail to compare and another succeed.
    if not verify(wanted, given, timeout_seconds=None):
        return False
    return not _differ_as_numbers(wanted, given)


def _differ_as_numbers(wanted: list[Any], given: list[Any]) -> bool:
    """Whether both are numbers whose relative difference shows that rounding made them equal."""
    from sympy import Expr, Float

    one, other = (
        next((value for value in side if isinstance(value, Expr) and value.is_number), None) for side in (wanted, given)
    )
    if one is None or other is None or one == other:
        return False
    # Factorials and powers are evaluated to 30 digits, not expanded.
    first, second = one.evalf(30), other.evalf(30)
    size = max(abs(first), abs(second))
    decimal = one.has(Float) or other.has(Float)
    return bool(size) and bool(abs(first - second) / size > (TOLERANCE if decimal else EXACT))
