"""Doubt: closed forms against simulation and exact numbers, and what must always hold of them."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.estimators.mixtures import Tallies, rates
from backend.estimators.uncertainty import at_least, count_range, fit_rates, predict_replication, rate_intervals


def tallies(n: int | list[int], c: list[int]) -> Tallies:
    return Tallies(np.broadcast_to(np.array(n, dtype=np.int64), len(c)).copy(), np.array(c, dtype=np.int64))


PROBLEM = st.integers(1, 200).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
SOME_RUNS = st.integers(1, 3).flatmap(
    lambda runs: st.lists(st.tuples(*[PROBLEM] * runs, st.integers(0, 2)), min_size=1, max_size=30)
)


def made(rows: list[tuple]) -> tuple[list[Tallies], np.ndarray]:
    runs = [tallies([row[run][0] for row in rows], [row[run][1] for row in rows]) for run in range(len(rows[0]) - 1)]
    return runs, np.array([row[-1] for row in rows])


@settings(deadline=None, max_examples=40)
@given(SOME_RUNS, st.integers(1, 4), st.none() | st.integers(1, 2_000))
def test_what_always_holds(rows: list[tuple], least: int, more: int | None) -> None:
    runs, strata = made(rows)
    posterior = fit_rates(runs, strata).posterior(runs, strata)
    for chances in posterior.of_runs:
        assert chances.sum(axis=1) == pytest.approx(np.ones(len(rows)))
    found = predict_replication(posterior, runs, least, more)
    assert set(found.combinations) == set(product((True, False), repeat=len(runs)))
    assert sum(found.combinations.values()) == pytest.approx(np.ones(len(rows)))
    for run, changed, solved, (low, high) in zip(runs, found.changed, found.solved, found.ranges, strict=True):
        so = run.c >= least
        assert changed == pytest.approx(np.where(so, 1 - solved, solved), abs=1e-9)
        assert (low <= high).all()
        assert (changed >= 0).all()
        # The set changes at least as surely as any one run, and no surer than all of them together.
        assert (found.moved >= changed - 1e-9).all()
        if more is not None:
            assert not changed[so].any(), "what is solved stays solved"
    assert (found.moved <= sum(found.changed) + 1e-9).all()


@settings(deadline=None, max_examples=25)
@given(SOME_RUNS, st.integers(1, 3))
def test_more_samples_only_ever_find_more(rows: list[tuple], least: int) -> None:
    runs, strata = made(rows)
    posterior = fit_rates(runs, strata).posterior(runs, strata)
    before = [np.zeros(len(rows))] * len(runs)
    for more in (1, 2, 8, 64, 1_000):
        solved = predict_replication(posterior, runs, least, more).solved
        for run, (earlier, later) in enumerate(zip(before, solved, strict=True)):
            assert (later >= earlier - 1e-12).all(), run
        before = list(solved)


def test_nobody_doubts_what_is_often_right() -> None:
    runs = [tallies(128, [0, 1, 20, 64, 128]), tallies(128, [0, 2, 30, 64, 128])]
    strata = np.zeros(5, dtype=np.int64)
    moved = predict_replication(fit_rates(runs, strata).posterior(runs, strata), runs, 1).moved
    assert (moved[2:] < [1e-4, 1e-9, 1e-9]).all()
    assert moved[1] > 0.05


@pytest.mark.parametrize(("m", "least"), [(1, 1), (7, 0), (7, -2), (7, 1), (7, 3), (7, 7), (7, 8), (0, 1), (40, 5)])
def test_binomial_tail_in_exact_numbers(m: int, least: int) -> None:
    for rate in (0.0, 1e-4, 0.125, 0.5, 0.875, 1.0):
        p = Fraction(rate)
        exact = sum(comb(m, k) * p**k * (1 - p) ** (m - k) for k in range(max(least, 0), m + 1))
        found = at_least(np.array([rate]), np.array([m]), np.array([least]))
        assert found[0] == pytest.approx(float(exact), rel=1e-12, abs=0)


@pytest.mark.parametrize("runs", [2, 3])
@pytest.mark.parametrize("more", [None, 30])
def test_closed_forms_against_simulation(runs: int, more: int | None) -> None:
    """Rates are drawn from the posterior, samples from the rates, and the sets are counted."""
    random = np.random.default_rng(runs)
    truth = random.beta(0.3, 2, 25)
    drawn = [tallies(20, random.binomial(20, truth ** (1 + run / 2)).tolist()) for run in range(runs)]
    strata = np.arange(25) % 2
    posterior = fit_rates(drawn, strata).posterior(drawn, strata)
    found = predict_replication(posterior, drawn, 1, more)
    times = 40_000
    for problem in range(0, 25, 6):
        if runs == 2:
            # The joint posterior of the pair, from its two marginal likelihoods and the prior.
            joint = fit_rates(drawn, strata).weights[strata[problem]].copy()
            for run, axis in ((drawn[0], 0), (drawn[1], 1)):
                c = run.c[problem]
                chances = posterior.grid**c * (1 - posterior.grid) ** (20 - c)
                joint *= chances[:, None] if axis == 0 else chances
            cells = random.choice(joint.size, times, p=(joint / joint.sum()).ravel())
            rates_drawn = [posterior.grid[cells // len(posterior.grid)], posterior.grid[cells % len(posterior.grid)]]
        else:
            rates_drawn = [random.choice(posterior.grid, times, p=chances[problem]) for chances in posterior.of_runs]
        solved = []
        for run, rate in zip(drawn, rates_drawn, strict=True):
            right = random.binomial(20 if more is None else more, rate)
            solved.append(right + (0 if more is None else run.c[problem]) > 0)
        for entry, chance in found.combinations.items():
            share = np.logical_and.reduce([so == wanted for so, wanted in zip(solved, entry, strict=True)]).mean()
            assert share == pytest.approx(chance[problem], abs=4 * np.sqrt(0.25 / times))


def test_the_other_run_is_evidence() -> None:
    """Of two problems that the base run has not solved, the one that RL often solves is the likelier to be solvable."""
    random = np.random.default_rng(1)
    truth = np.where(random.random(300) < 0.3, 0.0, random.beta(0.4, 2, 300))
    runs = [tallies(32, random.binomial(32, truth).tolist()), tallies(32, random.binomial(32, truth**0.7).tolist())]
    strata = np.zeros(300, dtype=np.int64)
    prior = fit_rates(runs, strata)
    asked = [tallies(32, [0, 0]), tallies(32, [0, 4])]
    solved = predict_replication(prior.posterior(asked, strata[:2]), asked, 1, 32).solved[0]
    assert solved[1] > 2 * solved[0]


def test_the_level_is_evidence() -> None:
    random = np.random.default_rng(2)
    strata = np.arange(400) % 2
    truth = np.where(strata == 1, 0.0, 0.04)
    runs = [tallies(16, random.binomial(16, truth).tolist()) for _ in range(2)]
    asked = [tallies(16, [0, 0]), tallies(16, [0, 0])]
    solved = predict_replication(fit_rates(runs, strata).posterior(asked, np.array([0, 1])), asked, 1, 16).solved[0]
    assert solved[0] > 3 * solved[1]


@settings(deadline=None, max_examples=60)
@given(st.lists(st.floats(0, 1), max_size=9))
def test_count_range_against_every_outcome(chances: list[float]) -> None:
    size = np.zeros(len(chances) + 1)
    for outcome in product((0, 1), repeat=len(chances)):
        weight = np.prod([p if hit else 1 - p for p, hit in zip(chances, outcome, strict=True)])
        size[sum(outcome)] += weight
    below = np.cumsum(size)
    low, high = count_range(np.array(chances))
    # The ends are quantiles; where the distribution function is just at the share, rounding decides.
    for end, share in ((low, 0.025), (high, 0.975)):
        assert below[end] >= share - 1e-9
        assert end == 0 or below[end - 1] <= share + 1e-9


def test_count_range_of_many() -> None:
    chances = np.full(10_000, 0.25)
    low, high = count_range(chances)
    half = 1.96 * np.sqrt(10_000 * 0.25 * 0.75)
    assert (low, high) == pytest.approx((2_500 - half, 2_500 + half), abs=2)
    assert count_range(np.array([])) == (0, 0)


def test_credible_intervals_hold_the_rate() -> None:
    random = np.random.default_rng(5)
    truth = random.beta(0.6, 1.5, 4_000)
    run = tallies(64, random.binomial(64, truth).tolist())
    strata = np.zeros(4_000, dtype=np.int64)
    posterior = fit_rates([run, run], strata)
    alone = fit_rates([run], strata).posterior([run], strata)
    mean, low, high = rate_intervals(alone.grid, alone.of_runs[0])
    assert ((low <= mean) & (mean <= high)).all()
    assert ((low <= truth) & (truth <= high)).mean() == pytest.approx(0.95, abs=0.02)
    assert mean.mean() == pytest.approx(truth.mean(), abs=0.01)
    assert posterior.weights.shape[0] == 1


def test_intervals_reach_the_ends_where_half_their_chance_does() -> None:
    grid = rates(40, 1e-3)
    certain = np.zeros((2, 40))
    certain[0, 0] = certain[1, -1] = 1.0
    mean, low, high = rate_intervals(grid, certain)
    assert low.tolist() == high.tolist() == mean.tolist() == [0.0, 1.0]


def test_a_level_starts_from_ten_problems_worth_of_all() -> None:
    """Ten problems of a level count as much as the ten problems' worth of all problems that it starts from."""
    strata = np.array([0] * 200 + [1] * 10)
    runs = [tallies(16, [0] * 200 + [16] * 10)] * 2
    nothing_known = [tallies(0, [0])] * 2
    posterior = fit_rates(runs, strata).posterior(nothing_known, np.array([1]))
    solved = predict_replication(posterior, nothing_known, 1, 1).solved[0]
    assert solved[0] == pytest.approx((1 + 10 / 210) / 2, abs=0.01)
