"""The tables of the verifiers that run everywhere: exact, number, choice, and where an answer stands."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.answers import FoundAnswer, find_answer, unwrap_reference
from backend.verifiers.literal import ChoiceVerifier, ExactVerifier
from backend.verifiers.number import NumberVerifier
from backend.verifiers.protocol import Task, Verdict, Verifier

CHEAP: list[Verifier] = [ExactVerifier(), NumberVerifier(), ChoiceVerifier()]


def judge(verifier: Verifier, text: str, reference: str | None, finish_reason: str | None = "stop") -> Verdict:
    judged = verifier.judge(Task(text, finish_reason, reference=reference))
    if judged.span is not None and judged.answer is not None:
        assert text[slice(*judged.span)].upper() == judged.answer.upper(), "the span is the answer's place"
    assert judged.detail
    return judged


# Where the answer stands


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"so \boxed{5}.", "5"),
        (r"\boxed{1}, no: \boxed{2}. The answer is 3", "2"),
        (r"\boxed{ \frac{1}{2} }", r"\frac{1}{2}"),
        (r"\boxed{\boxed{7}}", "7"),
        ("The answer is 5. It is so.", "5"),
        ("The answer is 3.5.", "3.5"),
        ("answer: 1\nThe final answer is $x + 1$.", "x + 1"),
        ("**Answer:** 42", "42"),
        ("**Answer: 42**", "42"),
        ("Final Answer:\n\n\\[ 42 \\]", "42"),
        ("so\n#### 72", "72"),
        ("#### 1. First step\n#### 72\n", "72"),
        ("the answer = \\(a\\)", "a"),
        ("<think>\\boxed{7}?</think>\n<answer> 66 </answer>", "66"),
        ("<answer>the value \\boxed{5}</answer>", "5"),
        ("<think>\\boxed{7}</think> The answer is 8.", "8"),
        ("<think>The answer is \\boxed{7}</think> So I am done", "7"),
        ("The answer is:\n$$\n12\n$$", "12"),
        ("**Final Answer**\n\\textbf{(A)}", "(A)"),
        ("\\boxed 5 and", "5"),
        ("\\fbox{6}", "6"),
        ("so \\boxed{6}. Please write \\boxed{...}", "6"),
        ("#### 42\n\nQuestion: 3 + 4?\n#### 7", "42"),
        ("\\boxed{1}\nHuman: next\nAssistant: \\boxed{2}", "1"),
        ("Question: 3 + 4?\nIt is \\boxed{7}", "7"),
        ("The answer is 5. Some say the answer is not unique.", "5"),
        ("所以答案是5。", "5"),
    ],
)
def test_an_answer_is_found(text: str, answer: str) -> None:
    found = find_answer(text, "stop")
    assert isinstance(found, FoundAnswer), found
    assert text[slice(*found.span)] == answer


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just thoughts",
        r"\boxed{",
        r"\boxed{1} and \boxed{2",
        r"\boxed{}",
        r"\boxed{  }",
        "#### 1. First step\n",
        "The answer is",
        "answers: none",
    ],
)
def test_no_answer_is_found(text: str) -> None:
    assert isinstance(find_answer(text, "stop"), str)


def test_an_announced_answer_that_may_be_cut_off_is_none() -> None:
    assert isinstance(find_answer("The answer is 12", "length"), str)
    assert isinstance(find_answer("The answer is 12\nthat", "length"), FoundAnswer)
    assert isinstance(find_answer("The answer is 12", "stop"), FoundAnswer)


@pytest.mark.parametrize(
    ("reference", "plain"),
    [
        ("72", "72"),
        ("It is so.\n#### 72", "72"),
        (r"Thus \boxed{\frac12}.", r"\frac12"),
        ("$x$", "x"),
        (" a b ", "a b"),
    ],
)
def test_a_reference_is_bared(reference: str, plain: str) -> None:
    assert unwrap_reference(reference) == plain


# All of them

RIGHT = {"exact": "5", "number": "5", "choice": "B"}


@pytest.mark.parametrize("verifier", CHEAP, ids=lambda verifier: verifier.name)
def test_what_holds_for_every_one(verifier: Verifier) -> None:
    right = RIGHT[verifier.name]
    assert judge(verifier, rf"\boxed{{{right}}}", right).verdict == "correct"
    assert judge(verifier, f"The answer is {right}.", right).verdict == "correct"
    assert judge(verifier, f"thoughts\n{right}", right).verdict == "correct", "the end of the text, if nothing better"
    assert judge(verifier, f"thoughts\n{right}", right, "length").verdict == "truncated"
    assert judge(verifier, r"\boxed{", right, "length").verdict == "truncated"
    assert judge(verifier, r"\boxed{", right).verdict == "no_answer"
    assert judge(verifier, r"\boxed{}", right, "length").verdict == "no_answer"
    assert judge(verifier, "", right).verdict == "no_answer"
    assert judge(verifier, rf"\boxed{{{right}}}", None).verdict == "unverified"
    assert judge(verifier, rf"\boxed{{{right}}}", " ").verdict == "unverified"
    assert judge(verifier, r"\boxed{C}" if right == "B" else r"\boxed{6}", right).verdict == "wrong"
    assert judge(verifier, rf"\boxed{{{right}}} and more", right, "length").verdict == "correct", "a box is whole"


@pytest.mark.parametrize("verifier", CHEAP, ids=lambda verifier: verifier.name)
@given(data=st.data())
def test_no_text_makes_it_raise(verifier: Verifier, data: st.DataObject) -> None:
    pieces = st.sampled_from(
        [
            r"\boxed{",
            "}",
            "{",
            "answer is ",
            "answer:",
            "####",
            "$",
            "**",
            r"\(",
            ".",
            "\n",
            " ",
            "5",
            "1,000",
            "/",
            "%",
            r"\frac",
            "e9",
            "-",
            "(B)",
            "C.",
            "\x1b[31m",
            "\ud800",
            "٣",
            "²",
            "\u202e",
            "\x00",
            "10^{",
            "I ",
            "a",
        ]
    )
    text = "".join(data.draw(st.lists(st.one_of(pieces, st.text(max_size=3)), max_size=30)))
    reference = "".join(data.draw(st.lists(pieces, max_size=4)))
    finish_reason: Any = data.draw(st.sampled_from(["stop", "length", None]))
    judge(verifier, text, reference, finish_reason)


@pytest.mark.parametrize("verifier", CHEAP, ids=lambda verifier: verifier.name)
@pytest.mark.parametrize(
    "hostile",
    [
        "9" * 300000,
        "1 " * 150000,
        "1," * 150000,
        "123 " * 75000,
        "$" * 300000,
        "#" * 300000,
        "{" * 300000,
        r"\boxed{" * 40000,
        "answer is " * 30000,
        "answer: " + "**" * 100000,
        "- " * 150000,
        "\\frac{1}{" * 30000,
        "\n" * 300000,
        "1/" * 150000,
        "\\boxed{" + "$" * 300000 + "}",
        "1e" * 150000,
        "(" * 300000,
        "####9" * 60000,
    ],
    ids=lambda text: text[:12],
)
def test_a_hostile_text_takes_no_time(verifier: Verifier, hostile: str) -> None:
    started = time.process_time()
    judge(verifier, hostile, "5" if verifier.name != "choice" else "B")
    assert time.process_time() - started < 2


# Numbers


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        ("1,234,567", "1234567"),
        ("1{,}234", "1234"),
        (r"1\,234", "1234"),
        ("1 234", "1234"),
        ("1,5", "1.5"),
        ("-5", "-5"),
        ("− 5", "-5"),
        ("+5", "5"),
        ("8-5", "3"),
        ("= -5", "-5"),
        ("$5", "5"),
        (r"5\text{ km}", "5"),
        ("x = 5.", "5"),
        ("007", "7"),
        ("5.0", "5"),
        (".5", "1/2"),
        ("50%", "0.5"),
        (r"50\%", "50"),
        ("50", "50%"),
        ("0.5", r"50\%"),
        ("3/4", "0.75"),
        (r"\frac{3}{4}", "0.75"),
        (r"\dfrac34", "3/4"),
        (r"-\frac{1}{2}", "-0.5"),
        ("1.5e3", "1500"),
        (r"1.5 \times 10^{3}", "1500"),
        ("2 × 10^-1", "0.2"),
        ("3 + 4 = 7", "7"),
        ("0.1", "0.10"),
        ("72", "So it is.\n#### 72"),
    ],
)
def test_equal_numbers(said: str, reference: str) -> None:
    assert judge(NumberVerifier(), rf"\boxed{{{said}}}", reference).verdict == "correct"


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        ("5", "-5"),
        ("0.3333333333333333", "1/3"),
        ("0.30000000000000004", "0.3"),
        ("50%", "5"),
        ("1,5", "5"),
        ("8-5", "5"),
        ("x - 5", "5"),
        (r"\sqrt{2}", "2"),
        (r"144\pi", "144"),
        ("5x", "5"),
        ("(2,3)", "3"),
        ("3x + 4y + 14 = 0", "0"),
        ("3 or 4", "4"),
        ("7:30", "30"),
        ("50%", "0.5%"),
        ("0.5", "50"),
        ("50", "0.5"),
        ("0.5%", "50"),
        ("12,34", "1234"),
        ("9007199254740993", "9007199254740992"),
    ],
)
def test_different_numbers(said: str, reference: str) -> None:
    assert judge(NumberVerifier(), rf"\boxed{{{said}}}", reference).verdict == "wrong"


def test_no_number() -> None:
    number = NumberVerifier()
    assert judge(number, r"\boxed{x}", "5").verdict == "no_answer"
    assert judge(number, r"\boxed{1/0}", "5").verdict != "error"
    assert judge(number, "9" * 2_000, "5").verdict == "no_answer"
    assert judge(number, "1e99999999", "5").verdict == "no_answer"
    assert judge(number, r"\boxed{5}", "five").verdict == "error"
    assert judge(number, r"\boxed{²}", "5").verdict == "no_answer"


# Choices


@pytest.mark.parametrize(
    "text",
    [
        "(C)",
        r"\boxed{C}",
        r"\boxed{\text{(C)}}",
        r"\boxed{c}",
        "The answer is C because",
        "The answer is (c).",
        "x\nC. foo",
        "**Answer:** C",
        "answer: option C",
        "The correct answer is choice C.",
        "blah\n**C**",
        "$C$",
        "Answer: [C]",
    ],
)
def test_the_right_choice(text: str) -> None:
    for reference in ("C", "(C)", "2", "C. foo"):
        assert judge(ChoiceVerifier(), text, reference).verdict == "correct"
    assert judge(ChoiceVerifier(), text, "D").verdict == "wrong"


@pytest.mark.parametrize(
    "text", ["The answer is a triangle", "Answer: I think so", r"\boxed{Cat}", "Cats", "it is C of course"]
)
def test_no_choice(text: str) -> None:
    assert judge(ChoiceVerifier(), text, "A").verdict == "no_answer"


def test_a_reference_that_is_no_choice() -> None:
    assert judge(ChoiceVerifier(), r"\boxed{C}", "K").verdict == "error"


# Exactly


def test_exactly() -> None:
    exact = ExactVerifier()
    assert judge(exact, "thoughts\nParis", "Paris").verdict == "correct"
    assert judge(exact, "The answer is  New\tYork.", "New York").verdict == "correct"
    assert judge(exact, r"\boxed{Cafe" + "\u0301}", "Caf\u00e9").verdict == "correct"
    assert judge(exact, "paris", "Paris").verdict == "wrong"
    assert judge(exact, "Paris, of course", "Paris").verdict == "wrong"
