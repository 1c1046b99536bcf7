"""Alignment: the stretches are the texts, what is the same is the same, and what a reader sees differ is found."""

from __future__ import annotations

import random
import re
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.reading import alignment
from backend.reading.alignment import align, common_beginning

WORD = re.compile(r"\\[A-Za-z]+|\w+|[^\w\s]")
texts = st.lists(
    st.sampled_from(["a", "b", "ab", " ", "  ", "\n", "7", "+", "\\frac", "{", "推論", "."]), max_size=40
).map("".join)


def holds(left: str, right: str) -> None:
    stretches = align(left, right)
    assert "".join(left[slice(*part.left)] for part in stretches) == left
    assert "".join(right[slice(*part.right)] for part in stretches) == right
    for part in stretches:
        words, others = WORD.findall(left[slice(*part.left)]), WORD.findall(right[slice(*part.right)])
        assert (words == others) == part.same
    kinds = [part.same for part in stretches]
    assert all(a != b for a, b in pairwise(kinds)), "same and different take turns"


@given(texts, texts)
def test_the_stretches_are_both_texts(left: str, right: str) -> None:
    holds(left, right)


@given(texts, texts)
def test_large_texts_are_divided_at_anchors(left: str, right: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alignment, "MOST_PAIRS", 4)
        patch.setattr(alignment, "ANCHORS", (2, 3))
        holds(left, right)


@given(texts, texts)
def test_common_beginning(left: str, right: str) -> None:
    length = common_beginning(left, right)
    assert left[:length] == right[:length]
    assert length in (len(left), len(right)) or left[length] != right[length]


def differences(left: str, right: str) -> list[tuple[str, str]]:
    parts = [part for part in align(left, right) if not part.same]
    return [(left[slice(*part.left)].strip(), right[slice(*part.right)].strip()) for part in parts]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("the same words here", "the other words here", [("same", "other")]),
        ("a b\nc", "a  b c", []),
        ("", "x y", [("", "x y")]),
        ("", "", []),
        (" \n", "", []),
        ("so x = 5.\nStop.", "so x = 7.\nAgain.\nStop.", [("5", "7.\nAgain")]),
        (r"\frac{1}{2}", r"\frac{1}{3}", [("2", "3")]),
        ("abc", "abcd", [("abc", "abcd")]),
        ("one, two", "three, four", [("one, two", "three, four")]),
    ],
)
def test_differences_that_a_reader_sees(left: str, right: str, expected: list[tuple[str, str]]) -> None:
    assert differences(left, right) == expected


def words(seed: int, count: int, vocabulary: int) -> list[str]:
    source = random.Random(seed)
    return [f"w{source.randrange(vocabulary)}" for _ in range(count)]


@pytest.mark.parametrize("vocabulary", [10, 3_000, 10**6])
def test_half_a_million_characters(vocabulary: int) -> None:
    """Edited in two hundred places, whatever the vocabulary: all are found, in bounded time."""
    left = words(1, 500_000 // (len(str(vocabulary)) + 1), vocabulary)
    right = list(left)
    for place in range(1_000, len(left), len(left) // 200):
        right[place] = f"changed{place}"
    texts = " ".join(left), " ".join(right)
    started = process_time()
    stretches = align(*texts)
    assert process_time() - started < 5
    assert all(part.searched for part in stretches)
    changed = [texts[1][slice(*part.right)] for part in stretches if not part.same]
    assert sum(text.count("changed") for text in changed) == sum(word.startswith("changed") for word in right)
    assert sum(map(len, changed)) < len(texts[1]) / 20


def test_two_long_texts_that_have_nothing_in_common_say_so() -> None:
    left, right = " ".join(words(1, 30_000, 3_000)), " ".join(words(2, 30_000, 3_000))
    started = process_time()
    stretches = align(left, right)
    assert process_time() - started < 5
    assert [part.searched for part in stretches if not part.same] == [False]


def test_a_text_without_a_break_against_another() -> None:
    holds("x" * 500_000, "x" * 499_999 + "y")
    holds("推論です" * 125_000, "推論です" * 125_000 + "か")
