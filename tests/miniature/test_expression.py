"""The expression verifier: every kind of answer, a second opinion, and all stored samples."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.verifiers.expression import ExpressionVerifier, NotAnExpression, evaluate
from backend.verifiers.protocol import Task

SAMPLES = sorted((Path(__file__).resolve().parent.parent.parent / "sample_data" / "samples").glob("*.parquet"))
VERIFIER = ExpressionVerifier()
STATEMENT = "Numbers: 3 5 7 2. Target: 24."


def judge(text, finish_reason="stop", statement=STATEMENT, metadata=None):
    return VERIFIER.judge(Task(text, finish_reason, statement, metadata=metadata or {}))


def box(inside):
    return f"Answer: \\boxed{{{inside}}}"


# A second opinion, made another way: no grammar, only text. Innermost brackets are replaced by their
# value, within them first products from the left, then sums, until one number is left.

_INNERMOST = re.compile(r"\(([^()]*)\)")
_PRODUCT = re.compile(r"(?<![0-9])(-?[0-9]+) ([*/]) (-?[0-9]+)")
_SUM = re.compile(r"^(-?[0-9]+) ([+-]) (-?[0-9]+)")


def _flat(text):
    while match := _PRODUCT.search(text):
        a, op, b = int(match[1]), match[2], int(match[3])
        if op == "/" and (b == 0 or a % b):
            return None
        text = text[: match.start()] + str(a * b if op == "*" else a // b) + text[match.end() :]
    while match := _SUM.match(text):
        a, op, b = int(match[1]), match[2], int(match[3])
        text = str(a + b if op == "+" else a - b) + text[match.end() :]
    return text if re.fullmatch(r"-?[0-9]+", text) else None


def second_opinion(text, numbers, target):
    """The verdict by rewriting; None where the text is not in the shape the miniature's models write."""
    opened = text.split("\\boxed{")
    if len(opened) == 1 or "}" not in opened[-1]:
        return "unboxed"
    inside = opened[-1].split("}")[0].strip()
    if not inside:
        return "unboxed"
    if Counter(map(int, re.findall(r"[0-9]+", inside))) != Counter(numbers):
        return "wrong"
    if not re.fullmatch(r"[0-9+*/() -]+", inside) or re.search(r"[0-9)] +[0-9(]|[-+*/(] +[-+*/)]", inside):
        return "wrong"
    while match := _INNERMOST.search(inside):
        value = _flat(match[1].strip())
        if value is None:
            return "wrong"
        inside = inside[: match.start()] + value + inside[match.end() :]
    return "correct" if _flat(inside) == str(target) else "wrong"


@pytest.mark.parametrize(
    ("text", "finish_reason", "verdict", "answer", "detail"),
    [
        (box(" ( ( 7 * 3 ) + 5 ) - 2 "), "stop", "correct", "( ( 7 * 3 ) + 5 ) - 2", "value is 24"),
        (box("7*3+5-2"), "stop", "correct", "7*3+5-2", "every number used once"),
        (box("((((7*3))))+(5)-2"), "stop", "correct", "((((7*3))))+(5)-2", "24"),
        (box("2 - 7 + 5 * 3"), "stop", "wrong", "2 - 7 + 5 * 3", "Its value is 10, not 24"),
        (box("7 * 3 + 5"), "stop", "wrong", "7 * 3 + 5", "2 not used"),
        (box("7 * 3 + 5 - 2 - 2 + 2"), "stop", "wrong", "7 * 3 + 5 - 2 - 2 + 2", "used too often"),
        (box("8 * 3"), "stop", "wrong", "8 * 3", "8 not given"),
        (box("24"), "stop", "wrong", "24", "24 not given"),
        (box("7 / ( 3 - 3 ) + 5 - 2"), "stop", "wrong", "7 / ( 3 - 3 ) + 5 - 2", "division by zero"),
        (box("7 / 3 + 5 - 2"), "stop", "wrong", "7 / 3 + 5 - 2", "7 / 3 is not exact"),
        (box("-7 + 3 + 5 - 2"), "stop", "wrong", "-7 + 3 + 5 - 2", "unexpected -"),
        (box("7 ** 3 + 5 - 2"), "stop", "wrong", "7 ** 3 + 5 - 2", "unexpected *"),
        (box("7 * 3 + 5 - 2 = 24"), "stop", "wrong", "7 * 3 + 5 - 2 = 24", "unexpected '='"),
        (box("__import__('os')"), "stop", "wrong", "__import__('os')", "unexpected '_'"),
        (box("7 * 3 + 5 -"), "stop", "wrong", "7 * 3 + 5 -", "ends too early"),
        (box("7 * ( 3 + 5 - 2"), "stop", "wrong", "7 * ( 3 + 5 - 2", "not closed"),
        (box("7 * 3 ) + 5 - 2"), "stop", "wrong", "7 * 3 ) + 5 - 2", "unexpected )"),
        (box("( )"), "stop", "wrong", "( )", "unexpected )"),
        (box("7 3"), "stop", "wrong", "7 3", "unexpected 3"),
        (box("\u0663 + \u0665"), "stop", "wrong", "\u0663 + \u0665", "unexpected"),
        (
            box("(" * 60 + "7" + ")" * 60),
            "stop",
            "wrong",
            "(" * 60 + "7" + ")" * 60,
            "brackets within brackets",
        ),
        (box("(" * 900), "stop", "wrong", "(" * 900, "brackets within brackets"),
        (box("7" * 30), "stop", "wrong", "7" * 30, "more than 9 digits"),
        (box("999999999 * 999999999"), "stop", "wrong", "999999999 * 999999999", "too large"),
        (box("1+" * 900 + "1"), "stop", "wrong", "1+" * 900 + "1", "longer than 1000"),
        (box(""), "stop", "no_answer", None, "empty"),
        (box("   "), "length", "no_answer", None, "empty"),
        ("I stop here.", "stop", "no_answer", None, "no box"),
        ("I stop here.", None, "no_answer", None, "no box"),
        ("Try sums: 3 +", "length", "truncated", None, "no box"),
        ("Answer: \\boxed{ 7 * 3", "stop", "no_answer", None, "not closed"),
        ("Answer: \\boxed{ 7 * 3", "length", "truncated", None, "not closed"),
        (box("7*3+5-2") + " " + box("1"), "stop", "wrong", "1", "1 not given"),
        (box("1") + " " + box("7*3+5-2"), "stop", "correct", "7*3+5-2", "24"),
        (box("7*3+5-2") + " \\boxed{ 7", "length", "truncated", None, "not closed"),
        (box("7*3+5-2") + " \\boxed{ 7", "stop", "no_answer", None, "not closed"),
        (box("\\text{7}"), "stop", "wrong", "\\text{7}", "unexpected"),
    ],
)
def test_verdicts(text, finish_reason, verdict, answer, detail):
    judged = judge(text, finish_reason)
    assert (judged.verdict, judged.answer) == (verdict, answer)
    assert detail in judged.detail
    if judged.span:
        assert text[slice(*judged.span)] == answer


def test_the_task_comes_from_metadata_or_statement_and_its_absence_is_an_error():
    text = box("3 + 8 + 3")
    facts = {"numbers": [3, 8, 3], "target": 14}
    assert judge(text, metadata=facts).verdict == "correct"
    assert judge(text, statement="Numbers: 3 3 8. Target: 14.").verdict == "correct"
    assert judge(text, statement="What is 3 + 8?").verdict == "error"


@given(st.text(max_size=300))
def test_no_text_raises(text):
    judge(text)
    judge(box(text))


@given(st.text(alphabet="0123456789+-*/() ", max_size=60))
def test_a_value_is_what_python_gives_for_exact_arithmetic(text):
    try:
        value, numbers = evaluate(text)
    except NotAnExpression:
        return
    # Python's own reading of the same characters; the alphabet holds nothing that could do harm.
    assert re.fullmatch(r"[0-9+\-*/() ]+", text)
    plain = re.sub(r"\b0+(?=[0-9])", "", text).replace("/", "//")
    assert value == eval(plain)
    assert numbers == list(map(int, re.findall(r"[0-9]+", text)))


@st.composite
def expressions(draw, depth=3):
    if depth == 0 or draw(st.booleans()):
        return str(draw(st.integers(0, 12)))
    op = draw(st.sampled_from("+-*/"))
    return f"( {draw(expressions(depth=depth - 1))} {op} {draw(expressions(depth=depth - 1))} )"


@settings(max_examples=300)
@given(expressions(), st.integers(-5, 40))
def test_agrees_with_the_second_opinion(text, target):
    numbers = list(map(int, re.findall(r"[0-9]+", text)))
    judged = judge(box(f" {text} "), metadata={"numbers": numbers, "target": target})
    assert judged.verdict == second_opinion(box(f" {text} "), numbers, target)


def test_is_fast():
    text, facts = "Try sums: 1.\n" * 3 + box(" ( ( 7 * 3 ) + 5 ) - 2 "), {"numbers": [3, 5, 7, 2], "target": 24}
    task = Task(text, "stop", metadata=facts)
    start = time.process_time()
    for _ in range(3000):
        VERIFIER.judge(task)
    assert 3000 / (time.process_time() - start) > 10_000


@pytest.mark.skipif(not SAMPLES, reason="sample_data/samples is not here")
@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_every_stored_verdict_agrees_with_the_second_opinion(path):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    columns = ["text", "metadata", "verdict", "answer", "finish_reason"]
    rows = {tuple(row.values()) for row in parquet.read_table(path, columns=columns).to_pylist()}
    assert rows
    facts = {metadata: json.loads(metadata) for _, metadata, *_ in rows}
    for text, metadata, verdict, answer, finish_reason in rows:
        task = facts[metadata]
        judged = judge(text, finish_reason, metadata=task)
        assert (judged.verdict, judged.answer) == (verdict, answer)
        expected = second_opinion(text, task["numbers"], task["target"])
        if expected == "unboxed":
            assert verdict == ("truncated" if finish_reason == "length" and answer is None else "no_answer")
        else:
            assert verdict == expected, text
