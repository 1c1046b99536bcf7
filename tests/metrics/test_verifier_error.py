"""Error rates of verifiers from a stratified reading: exact in the estimate, and intervals that hold the truth."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import beta

from backend.estimators.verifier_error import (
    clopper_pearson,
    difference_of_rates,
    draw_correct,
    rate_of,
    rate_over_problems,
    share,
)
from backend.records.audit import Stratum


def false_positives(strata: list[Stratum], accepted: list[bool]) -> tuple[np.ndarray, np.ndarray]:
    """Of what is not correct, the share in the strata that the verifier accepts: the estimate and its draws."""
    sizes = np.array([of.samples for of in strata])
    values, draws = draw_correct(strata, 0)
    found = []
    for correct in (values[:, None], draws):
        wrong = sizes[:, None] - correct
        found.append(share(wrong[np.array(accepted)].sum(axis=0), wrong.sum(axis=0)))
    return found[0][0], found[1]


def test_the_estimate_weights_each_stratum_by_its_samples() -> None:
    strata = [Stratum(900, 30, 29), Stratum(40, 20, 3), Stratum(9_060, 100, 1)]
    value, _ = false_positives(strata, [True, True, False])
    wrong = [Fraction(of.samples * (of.read - of.correct), of.read) for of in strata]
    assert value == pytest.approx(float((wrong[0] + wrong[1]) / sum(wrong)), abs=1e-12)


def test_what_was_read_whole_is_certain_and_what_was_not_is_unknown() -> None:
    whole = rate_of(*false_positives([Stratum(10, 10, 7), Stratum(20, 20, 1)], [True, False]))
    assert whole.value == pytest.approx(3 / 22) and whole.interval == pytest.approx((3 / 22, 3 / 22))
    unread = rate_of(*false_positives([Stratum(10, 0), Stratum(20, 20, 1)], [True, False]))
    assert unread.value is unread.interval is None
    empty = rate_of(*false_positives([Stratum(0), Stratum(20, 20, 1)], [True, False]))
    assert empty.value == 0.0


def test_intervals_hold_the_truth() -> None:
    """Of 300 simulated readings the 95 % interval holds the population's rate in 280 or so."""
    random = np.random.default_rng(11)
    sizes, rates = [2_000, 250, 6_000], [0.97, 0.1, 0.01]
    held = 0
    for _ in range(300):
        truth = [random.random(size) < rate for size, rate in zip(sizes, rates, strict=True)]
        strata = [
            Stratum(size, 60, int(random.permutation(correct)[:60].sum()))
            for size, correct in zip(sizes, truth, strict=True)
        ]
        wrong = [float((~correct).sum()) for correct in truth]
        low, high = rate_of(*false_positives(strata, [True, True, False])).interval or (0.0, 1.0)
        held += low <= (wrong[0] + wrong[1]) / sum(wrong) <= high
    assert 0.92 <= held / 300 <= 0.995


@pytest.mark.parametrize(("n", "c"), [(1, 0), (20, 0), (20, 1), (20, 20), (500, 3)])
def test_clopper_pearson(n: int, c: int) -> None:
    low, high = clopper_pearson(n, c).interval or (None, None)
    assert low == pytest.approx(beta.ppf(0.025, c, n - c + 1) if c else 0.0)
    assert high == pytest.approx(beta.ppf(0.975, c + 1, n - c) if c < n else 1.0)
    assert clopper_pearson(0, 0).value is None


def test_rates_of_two_runs_over_the_same_problems() -> None:
    """Cases that come in clumps make a wider interval than independent ones; no case is never an interval of zero."""
    of = np.full(100, 64)
    spread, clumped = np.ones(100, dtype=np.int64), np.where(np.arange(100) < 4, 25, 0)
    widths = []
    for cases in (spread, clumped):
        rate, _ = rate_over_problems(cases, of)
        assert rate.value == pytest.approx(1 / 64) and rate.interval is not None
        widths.append(rate.interval[1] - rate.interval[0])
    assert widths[1] > 10 * widths[0]
    nothing = rate_over_problems(np.zeros(100, dtype=np.int64), of)
    assert nothing[0].interval is not None and 0 < nothing[0].interval[1] < 0.001
    low, high = difference_of_rates(nothing, nothing)
    assert low < 0 < high
    low, high = difference_of_rates(nothing, rate_over_problems(spread, of))
    assert 0 < low < 1 / 64 < high or low == pytest.approx(1 / 64, abs=1e-3)
