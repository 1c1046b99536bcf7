"""Solve sets: combinations add up, and chances at fewer draws against enumeration of every draw."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, product
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.estimators.solve_sets import (
    all_combinations,
    chance_solved_in,
    combination,
    count_combinations,
    expected_counts,
)


@given(
    st.integers(1, 5).flatmap(
        lambda runs: st.tuples(
            st.just(runs), st.lists(st.lists(st.integers(0, 9), min_size=runs, max_size=runs)), st.integers(1, 10)
        )
    )
)
def test_every_problem_is_in_exactly_one_set(case: tuple[int, list[list[int]], int]) -> None:
    runs, problems, min_correct = case
    counted = count_combinations((combination(correct, min_correct) for correct in problems), runs)
    assert sum(counted.values()) == len(problems)
    assert list(counted) == all_combinations(runs)
    for run in range(runs):
        solved = sum(count for entry, count in counted.items() if entry[run])
        assert solved == sum(correct[run] >= min_correct for correct in problems)


def test_combinations_run_from_solved_by_all_to_solved_by_none() -> None:
    assert all_combinations(2) == [(True, True), (True, False), (False, True), (False, False)]
    assert len(set(all_combinations(4))) == 16


def enumerated(draws: int, n: int, c: int, min_correct: int) -> Fraction:
    """Share of all draws without replacement that hold enough of the c correct samples."""
    enough = sum(sum(sample < c for sample in drawn) >= min_correct for drawn in combinations(range(n), draws))
    return Fraction(enough, comb(n, draws))


@pytest.mark.parametrize("n", range(1, 9))
def test_chance_at_fewer_draws(n: int) -> None:
    for draws, c, min_correct in product(range(n + 1), range(n + 1), range(1, n + 2)):
        assert chance_solved_in(draws, n, c, min_correct) == enumerated(draws, n, c, min_correct)


def test_with_one_correct_sample_wanted_the_chance_is_pass_at_k() -> None:
    for k in (1, 10, 128):
        assert chance_solved_in(k, 128, 5, 1) == 1 - Fraction(comb(123, k), comb(128, k))


def test_more_draws_than_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="9 draws from 8"):
        chance_solved_in(9, 8, 1, 1)


PAIR = st.integers(3, 6).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(PAIR, PAIR), min_size=1, max_size=6), st.integers(1, 3), st.integers(1, 2))
def test_expected_counts(problems: list[tuple[tuple[int, int], tuple[int, int]]], draws: int, min_correct: int) -> None:
    expected = expected_counts(problems, draws, min_correct)
    assert abs(sum(expected.values()) - len(problems)) < 1e-9
    for entry, value in expected.items():
        exact = Fraction(0)
        for pair in problems:
            share = Fraction(1)
            for (n, c), solved in zip(pair, entry, strict=True):
                chance = enumerated(draws, n, c, min_correct)
                share *= chance if solved else 1 - chance
            exact += share
        assert abs(Fraction(value) - exact) < Fraction(1, 10**12)


def test_expected_counts_at_the_full_number_of_draws_are_the_counts() -> None:
    problems = [((4, 0), (4, 2)), ((4, 1), (4, 1)), ((4, 4), (4, 0))]
    expected = expected_counts(problems, 4, 1)
    assert expected == {(True, True): 1, (True, False): 1, (False, True): 1, (False, False): 0}


def test_no_problem_has_no_expected_count() -> None:
    assert sum(expected_counts([], 4, 1).values()) == 0
