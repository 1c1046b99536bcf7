"""Histogram bins, quantiles and maj@k against counting by hand."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import combinations
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.estimators.histograms import BINS, accuracy_bins, in_bins, quantiles, round_width
from backend.estimators.pass_at_k import majority_at_k, majority_score

counts = st.integers(1, 3000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


def array(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


# Accuracy histogram


@given(st.lists(counts, min_size=1, max_size=40))
def test_every_problem_is_in_its_bin(problems: list[tuple[int, int]]) -> None:
    """Exactly 0, then (low, high]: in fractions, not in floats."""
    expected = [0] * 11
    for n, c in problems:
        share = Fraction(c, n)
        bins = [share == 0] + [Fraction(low, 10) < share <= Fraction(low + 1, 10) for low in range(10)]
        expected[bins.index(True)] += 1
    found = accuracy_bins(array([n for n, _ in problems]), array([c for _, c in problems]))
    assert found.tolist() == expected


def test_where_floats_go_wrong() -> None:
    # 3/10 is 0.30000000000000004 when it is 0.1 * 3.
    assert BINS[int(accuracy_bins(array([10]), array([3])).argmax())] == "(0.2, 0.3]"
    assert BINS[int(accuracy_bins(array([1000]), array([301])).argmax())] == "(0.3, 0.4]"
    assert accuracy_bins(array([]), array([])).tolist() == [0] * 11


# Lengths


@given(st.lists(st.integers(0, 500), min_size=1, max_size=80), st.lists(st.integers(1, 100), min_size=1, max_size=5))
def test_quantiles_of_counted_values(samples: list[int], percents: list[int]) -> None:
    counted = sorted(Counter(samples).items())
    found = quantiles(array([v for v, _ in counted]), array([t for _, t in counted]), [p / 100 for p in percents])
    ordered = sorted(samples)
    for percent, value in zip(percents, found, strict=True):
        # np.ceil(share * n) and not a fraction: shares are floats such as 0.1.
        assert value == ordered[ceil(percent / 100 * len(samples)) - 1]


@given(st.integers(0, 10**6), st.integers(1, 40))
def test_bins_have_a_round_width_and_hold_everything(largest: int, most: int) -> None:
    width = round_width(largest, most)
    assert str(width).rstrip("0") in ("1", "2", "5")
    assert largest // width < most
    values = array(sorted({0, largest // 2, largest}))
    found = in_bins(values, np.ones_like(values), width, largest // width + 1)
    assert found.sum() == len(values)
    assert found[-1] >= 1


# maj@k

answers = st.lists(st.tuples(st.integers(1, 4), st.booleans()), max_size=4)
"""Votes of each answer and whether it is right."""


def split(given_answers: list[tuple[int, bool]]) -> tuple[np.ndarray, np.ndarray]:
    ordered = sorted(given_answers, key=lambda entry: -entry[0])
    return array([votes for votes, _ in ordered]), array([votes * right for votes, right in ordered])


def by_hand(votes: list[int], correct: list[int], n: int, k: int) -> Fraction:
    """Every subset of k samples, one by one; equal first places share."""
    labels = [label for label, times in enumerate(votes) for _ in range(times)]
    labels += [-1] * (n - len(labels))
    scores = []
    for subset in combinations(labels, k):
        counted = Counter(label for label in subset if label >= 0)
        top = max(counted.values(), default=0)
        first = [label for label, times in counted.items() if times == top]
        rights = [Fraction(correct[label], votes[label]) for label in first]
        scores.append(sum(rights, Fraction(0)) / len(rights) if rights else Fraction(0))
    return sum(scores, Fraction(0)) / len(scores)


@given(answers, st.integers(0, 3))
def test_one_sample_and_all_samples_are_exact(given_answers: list[tuple[int, bool]], silent: int) -> None:
    votes, correct = split(given_answers)
    n = int(votes.sum()) + silent
    if not n:
        return
    ks = sorted({1, n})
    values, errors = majority_at_k(votes, correct, n, ks, (0,))
    assert np.isnan(errors).all()
    for k, value in zip(ks, values, strict=True):
        assert value == pytest.approx(float(by_hand(votes.tolist(), correct.tolist(), n, k)), abs=1e-12)


@settings(deadline=None, max_examples=40)
@given(answers, st.integers(0, 3), st.integers(0, 2**32))
def test_random_subsets_come_near_to_all_subsets(given_answers: list[tuple[int, bool]], silent: int, seed: int) -> None:
    votes, correct = split(given_answers)
    n = int(votes.sum()) + silent
    ks = list(range(1, n + 1))
    if n < 3:
        return
    values, errors = majority_at_k(votes, correct, n, ks, (seed,), draws=2000)
    for k, value, error in zip(ks, values, errors, strict=True):
        exact = float(by_hand(votes.tolist(), correct.tolist(), n, k))
        # Six standard errors of a share at its widest.
        assert abs(value - exact) < 6 * 0.5 / 2000**0.5
        assert np.isnan(error) or 0 <= error <= 0.25 / 1999


def test_the_same_seed_gives_the_same_numbers() -> None:
    votes, correct = array([5, 4, 3, 2]), array([0, 4, 0, 2])
    first, errors = majority_at_k(votes, correct, 16, [1, 2, 4, 8, 16], (7, 3))
    again, _ = majority_at_k(votes, correct, 16, [1, 2, 4, 8, 16], (7, 3))
    other, _ = majority_at_k(votes, correct, 16, [1, 2, 4, 8, 16], (7, 4))
    assert first.tolist() == again.tolist() != other.tolist()
    assert np.isnan(errors).tolist() == [True, False, False, False, True]


def test_equal_votes_share_and_nobody_is_wrong() -> None:
    assert majority_score(array([3, 3, 2]), array([3, 0, 2])) == 0.5
    assert majority_score(array([]), array([])) == 0
    # A verifier that judged the same words differently: right with that share.
    assert majority_score(array([4]), array([1])) == 0.25
    values, errors = majority_at_k(array([6]), array([6]), 6, [1, 2, 6], (0,))
    assert values.tolist() == [1, 1, 1]
    assert np.isnan(errors).all(), "all agree: nothing is random"
