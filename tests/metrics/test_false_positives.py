"""What false positives leave of counts: exact where it can be counted, right on average where truth is simulated."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import product
from math import comb

import numpy as np
import pytest

from backend.estimators.false_positives import allows, count_interval, true_counts
from backend.estimators.mixtures import fit_prior, rates
from backend.estimators.pass_at_k import pass_at_k_tables

STATISTIC = partial(pass_at_k_tables, ks=np.array([1, 4, 16]))


def test_without_false_positives_nothing_changes() -> None:
    n, c = np.full(6, 16), np.array([0, 1, 2, 8, 16, 0])
    found = true_counts(n, c, 0.0)
    assert found.spurious().tolist() == [0.0] * 6
    band = found.mean(STATISTIC)
    for curve in (band.value, band.low, band.high):
        assert curve == pytest.approx(STATISTIC(16)[c].mean(axis=0))


def test_every_chance_by_bayes_rule_rate_by_rate() -> None:
    """The mixture over the grid, each rate's binomial written out in exact coefficients."""
    n, c, share = np.array([12] * 8), np.array([0, 0, 0, 0, 1, 3, 7, 12]), 0.03
    found = true_counts(n, c, share)
    grid = rates()
    called = share + (1 - share) * grid
    weights = fit_prior(n, c, called).weights
    for problem, correct in enumerate(c.tolist()):
        joint = weights * called**correct * (1 - called) ** (12 - correct)
        posterior = joint / joint.sum()
        for true in range(correct + 1):
            kept = grid / called
            exact = (posterior * comb(correct, true) * kept**true * (1 - kept) ** (correct - true)).sum()
            assert found.chances[found.places[problem]][true] == pytest.approx(exact, abs=1e-12)
    spurious = found.spurious()
    assert spurious[0] == 0.0 and spurious[4] > spurious[5] > spurious[6]
    assert found.spurious(2)[4] == 0.0, "one correct sample is not solved at two anyway"
    assert found.spurious(2)[5] > spurious[5]


@pytest.mark.parametrize("share", [0.002, 0.01])
def test_expected_spurious_problems_and_pass_at_k_are_those_of_the_truth(share: float) -> None:
    """200 problems of which a third is never solved, 128 samples, judged with so many false positives, 20 times."""
    random = np.random.default_rng(5)
    ratios, held, errors = [], 0, []
    for _ in range(20):
        p = np.where(random.random(200) < 1 / 3, 0.0, random.beta(0.4, 1.5, 200))
        n = np.full(200, 128)
        true = random.binomial(n, p)
        c = true + random.binomial(n - true, share)
        found = true_counts(n, c, share)
        spurious = found.spurious()
        actual = int(((c > 0) & (true == 0)).sum())
        low, high = count_interval(found.spurious_of_refits())
        held += low <= actual <= high
        ratios.append((spurious.sum(), actual))
        band = found.mean(partial(pass_at_k_tables, ks=np.array([128])))
        errors.append((float(band.value[0]) - (true > 0).mean(), (c > 0).mean() - (true > 0).mean()))
    expected, actual = np.array(ratios).sum(axis=0)
    assert 0.85 < expected / actual < 1.15
    assert held >= 17, held
    corrected, raw = np.abs(np.array(errors)).mean(axis=0)
    assert corrected < raw / 3, "the correction takes most of the error away"


def test_counts_that_do_not_allow_a_rate_say_so() -> None:
    n, c = np.full(100, 256), np.array([0] * 60 + [40] * 40)
    assert allows(n, c, 0.0001)
    # With 1 % false positives 60 problems of 256 samples without a single one are impossible.
    assert not allows(n, c, 0.01)


def test_poisson_binomial_in_exact_numbers() -> None:
    chances = [Fraction(1, 3), Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(0)]
    total = [Fraction(0)] * 6
    for events in product((0, 1), repeat=5):
        total[sum(events)] += np.prod(
            [chance if event else 1 - chance for event, chance in zip(events, chances, strict=True)]
        )
    below = np.cumsum([float(each) for each in total])
    low, high = count_interval(np.array([[float(chance) for chance in chances]]))
    assert low == int(np.searchsorted(below, 0.025)) and high == int(np.searchsorted(below, 0.975))
    assert count_interval(np.array([[1.0, 1.0, 0.0]])) == (2, 2)
