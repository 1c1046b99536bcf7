"""Ranges of the counts of a replication, where the prior is refitted."""

from __future__ import annotations

import numpy as np
import pytest

from backend.estimators.mixtures import Tallies
from backend.estimators.refits import forecast_counts, refit
from backend.estimators.solve_sets import all_combinations
from backend.estimators.uncertainty import count_distributions, fit_rates, predict_replication
from tests.bench.synthetic import SHAPES, sharpened

BOTH, BASE_ONLY, RL_ONLY, NEITHER = all_combinations(2)


def tallies(n: int, c: list[int]) -> Tallies:
    return Tallies(np.full(len(c), n), np.array(c))


def drawn(shape: str, problems: int, n: int, seed: int) -> list[Tallies]:
    random = np.random.default_rng(seed)
    base = SHAPES[shape](random, problems)
    size = np.full(problems, n)
    return [Tallies(size, random.binomial(n, rates)) for rates in (base, sharpened(random, base))]


def test_nothing_solved_forecasts_next_to_nothing() -> None:
    """The rule of three: after 500 problems that no sample solved, 3 are the most that a fresh run is to solve."""
    runs, strata = [tallies(1024, [0] * 500), tallies(64, [0] * 500)], np.zeros(500, dtype=np.int64)
    found = forecast_counts(refit(runs, strata), runs, strata, 1)
    assert found.ranges[BOTH] == (0, 0)
    for entry in (BASE_ONLY, RL_ONLY):
        assert found.ranges[entry][0] == 0
        assert 1 <= found.ranges[entry][1] <= 4
        assert found.means[entry] < 1
    assert found.ranges[NEITHER][1] == 500
    assert found.moved.sum() < 2


@pytest.mark.parametrize("shape", ["rare", "hard", "sharp, some impossible"])
def test_a_range_never_excludes_what_was_seen(shape: str) -> None:
    strata = np.zeros(60, dtype=np.int64)
    for seed in range(6):
        runs = drawn(shape, 60, 32, seed)
        found = forecast_counts(refit(runs, strata), runs, strata, 1)
        assert sum(found.means.values()) == pytest.approx(60)
        for entry in all_combinations(2):
            seen = int(((runs[0].c > 0) == entry[0])[(runs[1].c > 0) == entry[1]].sum())
            assert found.ranges[entry][0] <= seen <= found.ranges[entry][1]
            assert found.ranges[entry][0] <= found.means[entry] <= found.ranges[entry][1]


def test_what_the_prior_is_not_known_by_widens_the_range() -> None:
    """Far beyond n a fit that is taken as known is too sure: its ranges are half as wide."""
    strata, runs = np.zeros(200, dtype=np.int64), drawn("rare", 200, 64, 3)
    found = forecast_counts(refit(runs, strata), runs, strata, 1, 192).ranges[NEITHER]
    chances = predict_replication(fit_rates(runs, strata).posterior(runs, strata), runs, 1, 192).combinations[NEITHER]
    below = np.cumsum(count_distributions(chances[:, None])[:, 0])
    known = np.searchsorted(below, 0.975) - np.searchsorted(below, 0.025)
    assert found[1] - found[0] > 1.4 * known


@pytest.mark.parametrize("runs", [1, 3])
def test_other_numbers_of_runs(runs: int) -> None:
    strata, of_runs = np.zeros(40, dtype=np.int64), (drawn("hard", 40, 16, 1) + drawn("hard", 40, 16, 2))[:runs]
    found = forecast_counts(refit(of_runs, strata), of_runs, strata, 1, 16)
    assert sum(found.means.values()) == pytest.approx(40)
    assert len(found.solved) == runs
    for run, solved in zip(of_runs, found.solved, strict=True):
        assert (solved[run.c > 0] == pytest.approx(1.0)) and (solved[run.c == 0] < 1).all()


def test_levels_have_priors_of_their_own() -> None:
    random = np.random.default_rng(2)
    strata = np.arange(400) % 2
    truth = np.where(strata == 1, 0.0, 0.04)
    runs = [tallies(16, random.binomial(16, truth).tolist()) for _ in range(2)]
    asked = [tallies(16, [0, 0])] * 2
    found = forecast_counts(refit(runs, strata), asked, np.array([0, 1]), 1, 16)
    assert found.solved[0][0] > 3 * found.solved[0][1]


def test_beyond_three_n_no_percentage() -> None:
    strata, runs = np.zeros(10, dtype=np.int64), [tallies(8, [0, 1, 2, 8, 0, 0, 4, 5, 3, 1])] * 2
    found = refit(runs, strata)
    assert [forecast_counts(found, runs, strata, 1, more).calibrated for more in (None, 24, 25)] == [True, True, False]
