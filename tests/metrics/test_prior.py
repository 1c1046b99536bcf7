"""The prior of one run: posteriors are distributions, agree with Bayes' rule, and find the rates that made the data."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.estimators.mixtures import fit_prior, likelihood, rates

TALLIES = st.lists(st.integers(0, 300).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))), min_size=1)


def columns(tallies: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    n, c = (np.array(column, dtype=np.int64) for column in zip(*tallies, strict=True))
    return n, c


@settings(deadline=None, max_examples=40)
@given(TALLIES)
def test_posteriors_are_distributions(tallies: list[tuple[int, int]]) -> None:
    n, c = columns(tallies)
    prior = fit_prior(n, c)
    assert prior.weights.min() > 0
    assert prior.weights.sum() == pytest.approx(1)
    posterior = prior.posterior(n, c)
    assert posterior.shape == (len(tallies), len(prior.grid))
    assert (posterior >= 0).all()
    assert posterior.sum(axis=1) == pytest.approx(np.ones(len(tallies)))
    # What happened is not impossible.
    assert not posterior[c > 0, 0].any()
    assert not posterior[c < n, -1].any()


def test_the_grid_has_both_ends() -> None:
    grid = rates(50, 1e-3)
    assert grid[[0, 1, -2, -1]] == pytest.approx([0, 1e-3, 1 - 1e-3, 1])
    assert (np.diff(grid) > 0).all()
    assert grid + grid[::-1] == pytest.approx(np.ones(50))


@pytest.mark.parametrize(("n", "c"), [(5, 0), (5, 2), (5, 5), (40, 7)])
def test_bayes_rule_in_exact_numbers(n: int, c: int) -> None:
    grid = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
    exact = [Fraction(rate) ** c * (1 - Fraction(rate)) ** (n - c) for rate in grid]
    found = likelihood(np.array([n]), np.array([c]), grid)[0]
    assert found == pytest.approx([float(chance / max(exact)) for chance in exact], rel=1e-12, abs=0)
    prior = fit_prior(np.array([n]), np.array([c]), grid)
    weighted = [Fraction(float(weight)) * chance for weight, chance in zip(prior.weights, exact, strict=True)]
    posterior = [float(chance / sum(weighted)) for chance in weighted]
    assert prior.posterior(np.array([n]), np.array([c]))[0] == pytest.approx(posterior)


def test_many_samples_find_the_rates_that_made_them() -> None:
    random = np.random.default_rng(4)
    truth = random.choice([0.0, 0.1, 0.8], size=3_000, p=[0.3, 0.5, 0.2])
    n = np.full(3_000, 400)
    prior = fit_prior(n, random.binomial(n, truth))
    for rate, share in ((0.0, 0.3), (0.1, 0.5), (0.8, 0.2)):
        near = np.abs(prior.grid - rate) < 0.035
        assert prior.weights[near].sum() == pytest.approx(share, abs=0.03)


def test_a_run_without_samples_knows_nothing() -> None:
    prior = fit_prior(np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.int64))
    assert prior.weights == pytest.approx(np.full(len(prior.grid), 1 / len(prior.grid)))


def test_others_tell_of_a_problem_that_nobody_solves() -> None:
    """An unsolved problem among hard ones is likelier to be a matter of luck than one among easy ones."""
    n = np.full(101, 64)
    among_hard = fit_prior(n, np.array([0, *[1, 2] * 50])).posterior(n[:1], np.zeros(1, dtype=np.int64))[0]
    among_easy = fit_prior(n, np.array([0, *[63, 64] * 50])).posterior(n[:1], np.zeros(1, dtype=np.int64))[0]
    grid = rates()
    assert among_hard @ (1 - (1 - grid) ** 64) > 2 * (among_easy @ (1 - (1 - grid) ** 64))
