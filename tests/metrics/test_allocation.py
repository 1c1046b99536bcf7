"""Sharing a budget out: it adds up, nothing else finds more for it, and the rule that stops it holds."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.estimators.allocation import allocate_by_change, allocate_evenly, change_chances, evaluate_allocation
from backend.estimators.mixtures import rates

GRID = rates(24, 1e-3)


def some_chances(units: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    chances = random.random((units, len(GRID))) * (1 - GRID) ** random.integers(1, 60, units)[:, None]
    return chances / chances.sum(axis=1, keepdims=True)


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 40), st.integers(1, 5_000), st.integers(0, 10**6))
def test_adds_sum_to_the_budget(units: int, budget: int, seed: int) -> None:
    costs = np.random.default_rng(seed).uniform(10, 1_000, units)
    found = allocate_by_change(GRID, some_chances(units, seed), costs, budget, ahead=256, enough=0.0)
    assert found.adds.sum() == budget
    assert (found.adds >= 0).all()
    assert ((found.changes > 0) == (found.adds > 0)).all()
    assert found.after <= found.before


def test_nothing_else_finds_more() -> None:
    """Against every way of giving 9 samples to 3 units."""
    chances = some_chances(3, 7)
    found = allocate_by_change(GRID, chances, np.ones(3), 9, ahead=256, enough=0.0)
    ways = [np.array(adds) for adds in product(range(10), repeat=3) if sum(adds) == 9]
    best = max(change_chances(GRID, chances, adds).sum() for adds in ways)
    assert found.changes.sum() == pytest.approx(best, abs=1e-12)


def test_cheap_samples_come_first() -> None:
    chances = np.repeat(some_chances(1, 3), 2, axis=0)
    adds = allocate_by_change(GRID, chances, np.array([100.0, 1_000.0]), 40, ahead=256, enough=0.0).adds
    assert adds[0] > adds[1]


def test_changes_against_simulation() -> None:
    random = np.random.default_rng(11)
    chances = some_chances(5, 5)
    adds = np.array([0, 1, 5, 50, 500])
    found = evaluate_allocation(GRID, chances, adds, ahead=100)
    for unit in range(5):
        rate = random.choice(GRID, 60_000, p=chances[unit])
        share = (random.binomial(adds[unit], rate) > 0).mean()
        assert share == pytest.approx(found.changes[unit], abs=0.01)
    hits = [random.binomial(100, random.choice(GRID, 60_000, p=chances[unit])) > 0 for unit in range(5)]
    assert sum(hit.mean() for hit in hits) == pytest.approx(found.before, abs=0.02)


def test_the_rule_stops_as_soon_as_it_holds() -> None:
    """With 250 samples a batch is one sample, so one less must be too few."""
    chances = some_chances(30, 2)
    everything = allocate_by_change(GRID, chances, np.ones(30), 250, ahead=256, enough=0.0)
    enough = (everything.before + everything.after) / 2
    found = allocate_by_change(GRID, chances, np.ones(30), 250, ahead=256, enough=enough)
    given_out = int(found.adds.sum())
    assert 0 < given_out < 250
    assert found.after < enough
    assert allocate_by_change(GRID, chances, np.ones(30), given_out - 1, ahead=256, enough=0.0).after >= enough
    nothing = allocate_by_change(GRID, chances, np.ones(30), 250, ahead=256, enough=everything.before + 1)
    assert not nothing.adds.any()
    assert nothing.after == nothing.before


def test_no_unit_and_no_budget() -> None:
    nobody = allocate_by_change(GRID, np.empty((0, len(GRID))), np.empty(0), 100, ahead=256, enough=2.0)
    assert (nobody.adds.size, nobody.before, nobody.after) == (0, 0.0, 0.0)
    assert not allocate_by_change(GRID, some_chances(3, 1), np.ones(3), 0, ahead=256, enough=0.0).adds.any()


@given(st.integers(0, 50), st.integers(0, 10_000))
def test_evenly(units: int, budget: int) -> None:
    shares = allocate_evenly(units, budget)
    assert shares.sum() == (budget if units else 0)
    assert not units or shares.max() - shares.min() <= 1
