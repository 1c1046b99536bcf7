"""pass@k against exact integers, and where the curves of two runs cross."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.estimators.pass_at_k import crossing, leads, pass_at_k, pass_at_k_table, powers_and_end


def exact(n: int, c: int, k: int) -> Fraction:
    """1 - C(n - c, k) / C(n, k), in integers."""
    return 1 - Fraction(comb(n - c, k), comb(n, k))


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def of_one(n: int, c: int, k: int) -> float:
    return float(pass_at_k(counts(n), counts(c), counts(k))[0])


@pytest.mark.parametrize("n", range(1, 41))
def test_every_case_up_to_n_40(n: int) -> None:
    for k in range(1, n + 1):
        table = pass_at_k_table(n, k)
        for c in range(n + 1):
            assert abs(Fraction(float(table[c])) - exact(n, c, k)) < Fraction(1, 10**15)
            assert abs(Fraction(of_one(n, c, k)) - exact(n, c, k)) < Fraction(1, 10**15)


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_any_case_up_to_n_4096(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 4096), "n")
    c = data.draw(st.integers(0, n), "c")
    k = data.draw(st.integers(1, n), "k")
    assert abs(Fraction(of_one(n, c, k)) - exact(n, c, k)) < Fraction(1, 10**12)
    assert abs(Fraction(float(pass_at_k_table(n, k)[c])) - exact(n, c, k)) < Fraction(1, 10**12)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1))
def test_mean_over_problems_of_any_n(problems: list[tuple[int, int]]) -> None:
    n, c = (counts(*column) for column in zip(*problems, strict=True))
    smallest = int(n.min())
    ks = np.arange(1, smallest + 1)
    values = pass_at_k(n, c, ks)
    for k, value in zip(ks.tolist(), values.tolist(), strict=True):
        mean = sum(exact(size, correct, k) for size, correct in problems) / len(problems)
        assert abs(Fraction(value) - mean) < Fraction(1, 10**12)
    assert (np.diff(values) >= -1e-15).all(), "more draws never solve less"


def test_weights_stand_for_equal_problems() -> None:
    n, c = counts(10, 10, 20), counts(3, 0, 5)
    ks = np.arange(1, 11)
    repeated = pass_at_k(np.repeat(n, [4, 2, 1]), np.repeat(c, [4, 2, 1]), ks)
    assert np.allclose(pass_at_k(n, c, ks, counts(4, 2, 1)), repeated, rtol=0, atol=1e-15)


@pytest.mark.parametrize("n", [1, 7, 128, 1024, 4096])
def test_no_correct_sample_is_exactly_zero_and_all_correct_exactly_one(n: int) -> None:
    for k in {1, n // 2 or 1, n}:
        assert of_one(n, 0, k) == 0.0
        assert of_one(n, n, k) == 1.0
        assert pass_at_k_table(n, k)[0] == 0.0
        assert pass_at_k_table(n, k)[n] == 1.0


def test_at_k_n_it_is_whether_the_problem_is_solvable() -> None:
    assert pass_at_k_table(128, 128).tolist() == [0.0] + [1.0] * 128


def test_beyond_the_smallest_n_it_is_undefined() -> None:
    values = pass_at_k(counts(4, 8), counts(1, 1), counts(0, 1, 4, 5, 8, 100))
    assert np.isnan(values).tolist() == [True, False, False, True, True, True]


@pytest.mark.parametrize(("n", "k"), [(4, 5), (4, 0), (4, -1), (0, 1)])
def test_an_undefined_table_is_refused(n: int, k: int) -> None:
    with pytest.raises(ValueError, match="undefined"):
        pass_at_k_table(n, k)


def test_no_problem_has_no_value() -> None:
    assert np.isnan(pass_at_k(counts(), counts(), counts(1, 2))).all()


def test_a_cached_table_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="read-only"):
        pass_at_k_table(5, 2)[0] = 1


@pytest.mark.parametrize(
    ("limit", "ks"),
    [(0, []), (1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (50, [1, 2, 4, 8, 16, 32, 50]), (8, [1, 2, 4, 8])],
)
def test_the_ks_of_a_figure(limit: int, ks: list[int]) -> None:
    assert powers_and_end(limit) == ks


def crosses(first: list[float], second: list[float]) -> int | None:
    return crossing(np.arange(1, len(first) + 1), np.array(first), np.array(second))


def test_crossing_is_the_first_k_where_the_order_has_changed() -> None:
    assert crosses([0.1, 0.3, 0.5], [0.2, 0.3, 0.4]) == 3
    assert crosses([0.1, 0.3, 0.5], [0.2, 0.25, 0.4]) == 2
    assert crosses([0.2, 0.3], [0.1, 0.4]) == 2


def test_curves_that_do_not_cross() -> None:
    assert crosses([0.1, 0.2], [0.3, 0.4]) is None
    assert crosses([0.1, 0.4], [0.3, 0.4]) is None, "meeting is not crossing"
    assert crosses([0.1, 0.2], [0.1, 0.2]) is None
    assert crosses([0.1, 0.2], [0.1, 0.4]) is None, "parting is not crossing"


def test_curves_cross_only_where_both_are_defined() -> None:
    assert crosses([0.1, 0.3, float("nan")], [0.2, 0.25, 0.1]) == 2
    assert crosses([0.1, 0.2, float("nan")], [0.2, 0.25, 0.1]) is None


def test_who_is_ahead_where() -> None:
    def stretches(first: list[float], second: list[float]) -> list[tuple[int, int, int]]:
        return leads(np.arange(1, len(first) + 1), np.array(first), np.array(second))

    assert stretches([0, 0, 0], [0, 0, 0]) == []
    assert stretches([0.1, 0.2, 0.3], [0.1, 0.3, 0.4]) == [(2, 3, 1)]
    assert stretches([0.1, 0.5, 0.5, 0.5], [0.2, 0.5, 0.4, 0.6]) == [(1, 2, 1), (3, 3, -1), (4, 4, 1)]
    assert stretches([1.0, 1.0], [1.0 - 1e-15, 1.0]) == [], "rounding is no lead"
