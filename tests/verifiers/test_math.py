"""The verifier `math` with the real math-verify."""

from __future__ import annotations

import signal
from concurrent.futures import ThreadPoolExecutor

import pytest

from backend.verifiers.mathematics import MathVerifier
from backend.verifiers.pool import VerifierPool, open_verifiers
from backend.verifiers.protocol import Task, Verdict
from backend.verifiers.registry import load_verifier

pytest.importorskip("math_verify", reason="math-verify is not installed: pip install 'passk-explorer[verify]'")


def judge(text: str, reference: str | None, finish_reason: str | None = "stop") -> Verdict:
    judged = MathVerifier().judge(Task(text, finish_reason, reference=reference))
    assert judged.answer is None or (judged.span and text[slice(*judged.span)] == judged.answer)
    return judged


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        (r"0.5", r"\frac{1}{2}"),
        (r"\dfrac12", r"\frac{1}{2}"),
        (r"1 + x^2", "x^2+1"),
        (r"2^{1/2}", r"\sqrt{2}"),
        (r"2, 1", r"\{1,2\}"),
        (r"(1, 2)", "(1,2)"),
        (r"1234", "1,234"),
        (r"0.5", r"50\%"),
        (r"10\text{ cm}", "10"),
        (r"5", "x=5"),
        (r"\text{Evelyn}", "Evelyn"),
        (r"\begin{pmatrix} 1 \\ 2 \end{pmatrix}", r"\begin{pmatrix}1\\2\end{pmatrix}"),
        (r"5", r"Thus \boxed{5}."),
        (r"72", "So.\n#### 72"),
    ],
)
def test_equal(said: str, reference: str) -> None:
    assert judge(rf"so \boxed{{{said}}}.", reference).verdict == "correct"


@pytest.mark.parametrize(
    ("said", "reference"),
    [
        (r"\frac13", r"\frac{1}{2}"),
        ("x^2-1", "x^2+1"),
        ("(2, 1)", "(1,2)"),
        ("", "5"),
        ("Bob", "Evelyn"),
        ("9" * 1_500, "9"),
    ],
)
def test_different(said: str, reference: str) -> None:
    assert judge(rf"\boxed{{{said}}}", reference).verdict == ("wrong" if said else "no_answer")


def test_the_table() -> None:
    assert judge("The final answer is: $\\frac{1}{2}$.", "0.5").verdict == "correct"
    assert judge("thinking of 5", "5").verdict == "no_answer", "no stray number is an answer"
    assert judge("So there are 5 of them.", "5").verdict == "correct", "but the number of a last sentence"
    assert judge(r"\boxed{\frac{1}{2006!}}", r"\frac{1}{2004!}").verdict == "wrong"
    assert judge(r"\boxed{0<x\le 12.5}", "(0,12.5]").verdict == "correct"
    assert judge(r"\boxed{0<x\le 12.5}", "(0,12.5)").verdict == "wrong"
    assert judge(r"\boxed{1010_2}", "1010_2").verdict == "correct"
    assert judge(r"\boxed{1010_3}", "1010_2").verdict == "wrong"
    assert judge("thinking of 5", "5", "length").verdict == "truncated"
    assert judge(r"\boxed{5", "5", "length").verdict == "truncated"
    assert judge(r"\boxed{5}", None).verdict == "unverified"


@pytest.mark.parametrize(
    "said", [r"\frac{", "}{", "\\" * 50, "$$$", r"\begin{matrix}", "\x1b[31m", "\ud800", "__import__('os')"]
)
def test_no_text_makes_it_raise(said: str) -> None:
    assert judge(rf"\boxed{{{said}}}", "5").verdict != "correct"
    assert judge(f"The answer is {said}\n", "5").verdict != "correct"


def test_it_touches_no_signal_and_works_in_a_thread() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(judge, r"\boxed{0.5}", r"\frac12").result().verdict == "correct"
    assert signal.getsignal(signal.SIGALRM) is before


def test_its_version_names_that_of_math_verify() -> None:
    from importlib.metadata import version

    assert load_verifier("math").version == f"2 (math-verify {version('math-verify')})"


def test_in_processes_of_its_own_a_hostile_answer_costs_one_sample() -> None:
    hostile = r"\boxed{\sum_{i=1}^{10^{7}} \frac{1}{i^2}}"  # ten million fractions, added one by one
    texts = [r"\boxed{0.5}", hostile, r"\boxed{\frac24}", r"\boxed{9^{9^{9^{9}}}}", r"\boxed{0.4}"]
    verifier = load_verifier("math")
    verifier.deadline = 4.0  # type: ignore[attr-defined]
    with open_verifiers(verifier, processes=1) as judges:
        assert isinstance(judges, VerifierPool)
        for number, text in enumerate(texts):
            judges.submit(number, Task(text, "stop", reference=r"\frac12"))
        verdicts = {number: judgement.verdict for number, judgement in judges.finish()}
    assert verdicts[1] == "timeout"
    assert [verdicts[number] for number in (0, 2, 4)] == ["correct", "correct", "wrong"]
    assert verdicts[3] in ("timeout", "error", "wrong")
