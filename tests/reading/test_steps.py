"""Steps: together they are the text, and they end where a reader would say so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reading.search_tree import CUTS, LONGEST, WORDS, step_end, word_end


def steps(text: str, by: str = "step") -> list[str]:
    found, at = [], 0
    while at < len(text):
        end = CUTS[by](text, at)
        assert end > at, "a step is never empty"
        found.append(text[at:end])
        at = end
    return found


@given(st.text(alphabet=st.sampled_from("ab 1.\n:!?。)*\t\u2028x"), max_size=400), st.sampled_from(sorted(CUTS)))
def test_steps_are_the_text(text: str, by: str) -> None:
    assert "".join(steps(text, by)) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Try sums: 3 + 8 = 11, 11 + 3 = 14. 14 is 14.\nAnswer: \\boxed{14}",
            ["Try sums: ", "3 + 8 = 11, 11 + 3 = 14. ", "14 is 14.\n", "Answer: ", "\\boxed{14}"],
        ),
        ("Pi is 3.14. So v1.2 it is", ["Pi is 3.14. ", "So v1.2 it is"]),
        ("1. First do this.\n2. Then that!", ["1. First do this.\n", "2. Then that!"]),
        ("A line\n\n\nand another  \n", ["A line\n\n\n", "and another  \n"]),
        ('He said "no." Then left.', ['He said "no." ', "Then left."]),
        ("数を求める。次に足す。", ["数を求める。", "次に足す。"]),
        ("\n\n  begins late", ["\n\n  begins late"]),
    ],
)
def test_where_steps_end(text: str, expected: list[str]) -> None:
    assert steps(text) == expected


def test_a_long_sentence_goes_by_words() -> None:
    text = " ".join(f"word{number}" for number in range(200)) + "."
    found = steps(text)
    assert len(found) > 10
    assert all(len(step.split()) <= WORDS for step in found[:-1])
    assert all(step.endswith(" ") for step in found[:-1]), "no word is cut"


def test_half_a_million_characters_without_a_space_are_cut() -> None:
    found = steps("x" * 500_000)
    assert max(map(len, found)) <= LONGEST
    assert word_end("x" * 500_000, 0) == 500_000


def test_the_end_of_a_step_needs_no_look_at_the_rest() -> None:
    beginning = "So it is. "
    assert step_end(beginning + "x" * 500_000, 0) == len(beginning)
