"""Tests on counts and bounds of rates, against exact numbers."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import numpy as np
import pytest

from backend.estimators.evidence import (
    discordance,
    fisher_greater,
    holm,
    rate_bounds,
)


def one(n: int, c: int) -> tuple[np.ndarray, np.ndarray]:
    return np.array([n]), np.array([c])


@pytest.mark.parametrize(
    ("n1", "c1", "n2", "c2"), [(128, 0, 128, 23), (128, 0, 128, 126), (1024, 3, 64, 1), (5, 5, 3, 0), (4, 1, 4, 3)]
)
def test_fisher_in_exact_numbers(n1: int, c1: int, n2: int, c2: int) -> None:
    right = c1 + c2
    exact = sum(
        Fraction(comb(n2, x) * comb(n1, right - x), comb(n1 + n2, right)) for x in range(c2, min(right, n2) + 1)
    )
    assert fisher_greater(one(n1, c1), one(n2, c2))[0] == pytest.approx(float(exact), rel=1e-9)


def test_the_three_rl_only_problems_of_math500() -> None:
    base, rl = (np.full(3, 128), np.zeros(3, int)), (np.full(3, 128), np.array([126, 23, 1]))
    assert fisher_greater(base, rl) == pytest.approx([1.45e-72, 4.03e-8, 0.5], rel=0.01)
    assert fisher_greater(rl, base).tolist() == [1.0, 1.0, 1.0]
    assert discordance(19, 3) == pytest.approx(0.000855, abs=1e-6)
    assert discordance(0, 0) == discordance(3, 3) == 1.0


def test_holm_adjusts_by_what_is_left() -> None:
    assert holm(np.array([0.04, 0.01, 0.03])) == pytest.approx([0.06, 0.03, 0.06])
    assert holm(np.array([])).tolist() == []


def test_bounds_of_what_was_never_solved() -> None:
    low, high = rate_bounds(np.array([128, 128, 128]), np.array([0, 128, 64]))
    assert high[0] == pytest.approx(1 - 0.05 ** (1 / 128)) and low[0] == 0
    assert low[1] == pytest.approx(0.05 ** (1 / 128)) and high[1] == 1
    assert low[2] < 0.5 < high[2]
