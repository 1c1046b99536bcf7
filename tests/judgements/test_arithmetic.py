"""The arithmetic checker judges every equation between numbers, exactly, and nothing else."""

from __future__ import annotations

import operator
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.step_checkers import ArithmeticChecker, Checked
from backend.verifiers.protocol import Task


def check(text: str) -> Checked:
    return ArithmeticChecker().check(Task(text))


@pytest.mark.parametrize(
    "text",
    [
        "4 * 9 = 36",
        "Try products: 4 * 9 = 36, 36 + 10 = 46. 46 is not 52.",
        "(2 + 3) × 4 = 20",
        "$2 \\times 3 = 6$.",
        "7 / 2 = 3.5",
        "10 / 3 = 3.33",
        "3 + 4 = 2 + 5",
        "1,000 + 1 = 1,001",
        "-3 + 4 = 1",
        "Then 2 + 2 = 4\nSo 4 - 1 = 3",
        "2 - (3 - 4) = 3",
    ],
)
def test_right_steps(text: str) -> None:
    assert check(text).judgement == "valid", check(text)


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("Try: 36 + 10 = 52.", "Step 1: 36 + 10 = 52, but the left side is 46."),
        ("1 + 1 = 2, 2 + 2 = 5", "Step 2: 2 + 2 = 5, but the left side is 4."),
        ("7 / 2 = 3", "Step 1: 7 / 2 = 3, but the left side is 7/2 = 3.5."),
        ("5 / 0 = 0", "Step 1: 5 / 0 = 0, but the left side is divided by 0."),
        ("10 / 3 = 3.34", "Step 1: 10 / 3 = 3.34, but the left side is 10/3 = 3.33333."),
    ],
)
def test_wrong_steps(text: str, note: str) -> None:
    assert check(text) == Checked("invalid", note)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no number",
        "x + 3 = 7",
        "x + 3 + 5 = 7",
        "2x + 3 = 7x",
        "3 + 4 = 9y",
        "3 = 3",
        "4 = 5",
        "x^2 + 1 = 7",
        "a - 2 + 3 = 7",
        "1 + 1 = 2 = x",
        "3 + 4 = 7^2",
        "2 + 3) = 7",
        "f(2) + 3 = 7",
        "x_1 + 1 = 7",
        "5% + 1 = 7%",
    ],
)
def test_what_is_no_equation_between_numbers_is_not_judged(text: str) -> None:
    assert check(text).judgement == "unsure", check(text)


OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@given(st.integers(0, 999), st.sampled_from(sorted(OPERATORS)), st.integers(0, 999), st.integers(-3, 3))
def test_any_equation(left: int, sign: str, right: int, off: int) -> None:
    value = OPERATORS[sign](left, right)
    text = f"Try this: {left} {sign} {right} = {value + off}, and so on."
    assert check(text).judgement == ("valid" if off == 0 else "invalid")


@given(st.lists(st.tuples(st.sampled_from("+-*"), st.integers(1, 99)), min_size=1, max_size=6), st.integers(1, 99))
def test_precedence_is_python_s(steps: list[tuple[str, int]], first: int) -> None:
    expression = str(first) + "".join(f" {sign} {number}" for sign, number in steps)
    value = Fraction(eval(expression))
    assert check(f"{expression} = {value}").judgement == "valid"
    assert check(f"{expression} = {value + 1}").judgement == "invalid"


@given(st.text(alphabet="0123456789+-*/=() .,x$\n", max_size=200))
def test_no_text_makes_it_fail(text: str) -> None:
    assert check(text).judgement in ("valid", "invalid", "unsure")


def test_a_long_path_takes_linear_time() -> None:
    assert check("1 + 1 = 2, " * 50_000).judgement == "valid"
    assert check("1 + " * 100_000).judgement == "unsure"
    assert check("(" * 100_000 + "1").judgement == "unsure"
    assert check("9" * 200_000 + " = 1").judgement == "unsure"
