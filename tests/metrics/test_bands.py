"""Intervals of curves, paired differences, crossings, Cover@tau."""

from __future__ import annotations

import csv
from fractions import Fraction
from functools import partial
from math import comb
from pathlib import Path
from time import process_time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sample_data
from backend.estimators.intervals import (
    band,
    binomial,
    distinct_tallies,
    draw_bootstrap,
    first_sign_changes,
    paired_difference,
    percentile_band,
    sampling_covariance,
    sampling_variance,
    sign_changes,
    wins,
)
from backend.estimators.pass_at_k import cover_tables, pass_at_k, pass_at_k_table, pass_at_k_tables
from backend.records.comparison import IntervalKind

KINDS: tuple[IntervalKind, ...] = ("problems", "samples")
QWEN = Path(sample_data.__file__).parent / "qwen7b_math500_counts.csv"


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def passes(*ks: int) -> partial[np.ndarray]:
    return partial(pass_at_k_tables, ks=ints(*ks))


@pytest.fixture(scope="module")
def qwen() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Published counts, base and RL: 500 problems, n = 128."""
    with open(QWEN, encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    n = np.full(len(rows), 128)
    base, rl = (np.array([int(row[name]) for row in rows]) for name in ("base_correct", "rl_correct"))
    return (n, base), (n, rl)


def test_tables_of_many_ks_are_those_of_each() -> None:
    for n in (1, 7, 128):
        tables = pass_at_k_tables(n, np.arange(1, n + 1))
        assert all((tables[:, k - 1] == pass_at_k_table(n, k)).all() for k in range(1, n + 1))


# The figures of PAPER.md


def test_paired_interval_of_published_counts(qwen) -> None:
    found, crossings = paired_difference("problems", *qwen, passes(*range(1, 129)))
    assert found.value[127] == pytest.approx(0.93 - 0.962, abs=1e-12)
    assert found.low[127] == pytest.approx(-0.050, abs=0.002)
    assert found.high[127] == pytest.approx(-0.014, abs=0.002)
    assert crossings.share_without == 0
    assert crossings.low is not None and crossings.high is not None
    assert crossings.low + 1 <= 15 <= crossings.high + 1, "the interval holds the k where the curves themselves cross"


@pytest.mark.parametrize("kind", KINDS)
def test_a_band_runs_around_the_curve_itself(qwen, kind: IntervalKind) -> None:
    ks = np.arange(1, 129)
    for n, c in qwen:
        found = band(kind, n, c, passes(*ks))
        assert np.abs(found.value - pass_at_k(n, c, ks)).max() < 1e-12
        assert (found.low < found.value).all() and (found.value < found.high).all()
        assert found.low.min() >= 0 and found.high.max() <= 1


def test_a_plain_bootstrap_says_much_the_same(qwen) -> None:
    """Resampled problem by problem, with the same resampling for both runs, in the plainest way."""
    (n, base), (_, rl) = qwen
    random = np.random.default_rng(1)
    ks = (1, 8, 128)
    delta = pass_at_k_tables(128, ints(*ks))[rl] - pass_at_k_tables(128, ints(*ks))[base]
    plain = np.stack([delta[random.integers(0, len(n), len(n))].mean(axis=0) for _ in range(2_000)])
    found, _ = paired_difference("problems", *qwen, passes(*ks))
    assert np.abs(found.low - np.quantile(plain, 0.025, axis=0)).max() < 0.003
    assert np.abs(found.high - np.quantile(plain, 0.975, axis=0)).max() < 0.003


def test_pairing_makes_the_interval_of_a_difference_narrow(qwen) -> None:
    base, rl = qwen
    paired, _ = paired_difference("problems", base, rl, passes(1))
    shuffled = (rl[0], np.random.default_rng(2).permutation(rl[1]))
    unpaired, _ = paired_difference("problems", base, shuffled, passes(1))
    assert paired.value[0] == pytest.approx(unpaired.value[0])
    assert paired.high[0] - paired.low[0] < 0.7 * (unpaired.high[0] - unpaired.low[0])


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_counts_give_the_same_numbers(qwen, kind: IntervalKind) -> None:
    (n, base), rl = qwen
    first, second = (paired_difference(kind, (n, base), rl, passes(1, 64)) for _ in range(2))
    assert (first[0].low == second[0].low).all() and (first[0].high == second[0].high).all()
    assert first[1] == second[1]
    # ... in whatever order the problems come.
    order = np.random.default_rng(3).permutation(len(n))
    found, _ = paired_difference(kind, (n, base[order]), (n, rl[1][order]), passes(1, 64))
    assert np.abs(found.low - first[0].low).max() < 1e-12


def test_both_bands_and_the_difference_are_fast(qwen) -> None:
    """Two runs x 500 problems x every k: 0.1 s of one processor; a busy machine has some room here."""
    (n, base), rl = qwen
    started = process_time()
    for counts in (base, rl[1]):
        band("problems", n, counts, passes(*range(1, 129)))
    paired_difference("problems", (n, base), rl, passes(*range(1, 129)))
    assert process_time() - started < 1.5


# Over problems


def test_groups_are_resampled_as_their_problems_are() -> None:
    n, c = np.repeat(8, 30), np.repeat(ints(0, 3, 8), 10)
    (sizes, correct), times = distinct_tallies(n, c)
    assert times.tolist() == [10, 10, 10]
    together, replicates = percentile_band(pass_at_k_tables(8, ints(1))[correct], times, draw_bootstrap(times))
    ones = np.ones(30, dtype=np.int64)
    each, _ = percentile_band(pass_at_k_tables(8, ints(1))[c], ones, draw_bootstrap(ones))
    assert sizes.tolist() == [8, 8, 8]
    assert together.low[0] == pytest.approx(each.low[0], abs=0.01)
    assert together.high[0] == pytest.approx(each.high[0], abs=0.01)
    # The variance of the bootstrap is known.
    values = pass_at_k_tables(8, ints(1))[c, 0]
    assert replicates.var() == pytest.approx(values.var() / 30, rel=0.06)


@pytest.mark.parametrize("c", [0, 8])
def test_what_was_never_seen_is_not_ruled_out(c: int) -> None:
    for problems, reach in ((30, 0.08), (300, 0.008)):
        found = band("problems", np.full(problems, 8), np.full(problems, c), passes(1))
        away = found.high[0] if c == 0 else 1 - found.low[0]
        assert 0.2 * reach < away < reach
        assert (found.low[0] if c == 0 else found.high[0]) == (c > 0)


def test_one_problem_tells_next_to_nothing() -> None:
    found = band("problems", ints(4), ints(2), passes(1))
    assert found.low[0] <= 0.5 <= found.high[0] and found.high[0] - found.low[0] > 0.3


# Over samples


@pytest.mark.parametrize("n", [1, 2, 50, 1024])
def test_chances_of_correct_samples(n: int) -> None:
    rates = np.array([0.0, 1e-4, 0.25, 0.999, 1.0])
    chances = binomial(n, rates)
    assert np.abs(chances.sum(axis=1) - 1).max() < 1e-11
    assert np.abs(chances @ np.arange(n + 1) - n * rates).max() < 1e-8
    assert chances[2, n // 2] == pytest.approx(
        comb(n, n // 2) * Fraction(1, 4) ** (n // 2) * Fraction(3, 4) ** (n - n // 2)
    )


def test_variance_over_samples_is_that_of_fresh_runs() -> None:
    """The truth is known here: the same 200 problems are sampled 400 times."""
    random = np.random.default_rng(4)
    p, n, ks = random.beta(0.6, 1.2, 200), np.full(200, 64), ints(1, 4, 16, 64)
    runs = random.binomial(64, p, size=(400, 200))
    estimates = np.stack([pass_at_k(n, c, ks) for c in runs])
    said = np.stack([sampling_variance(n, c, passes(*ks)) for c in runs[:40]])
    assert said.mean(axis=0) == pytest.approx(estimates.var(axis=0), rel=0.2)


def test_covariance_has_the_variance_on_its_diagonal(qwen) -> None:
    n, c = qwen[0]
    covariance = sampling_covariance(n, c, passes(1, 8, 128))
    assert np.diag(covariance) == pytest.approx(sampling_variance(n, c, passes(1, 8, 128)), rel=1e-6)
    assert np.linalg.eigvalsh(covariance).min() > -1e-12


def test_more_samples_tell_more_of_these_problems_and_no_more_of_others() -> None:
    random = np.random.default_rng(5)
    p = random.beta(1, 1, 200)
    few, many = ((np.full(200, n), random.binomial(n, p)) for n in (16, 256))
    narrow = {kind: [np.ptp([b.low[0], b.high[0]]) for b in (band(kind, *few, passes(1)), band(kind, *many, passes(1)))]
              for kind in KINDS}  # fmt: skip
    assert narrow["samples"][1] < 0.35 * narrow["samples"][0]
    assert narrow["problems"][1] > 0.8 * narrow["problems"][0]


def test_n_may_differ_between_problems() -> None:
    random = np.random.default_rng(6)
    n = random.integers(8, 40, 60)
    c = random.binomial(n, random.beta(1, 1, 60))
    for kind in KINDS:
        found = band(kind, n, c, passes(1, 8))
        assert found.value == pytest.approx(pass_at_k(n, c, ints(1, 8)), abs=1e-12)
        assert (found.low < found.value).all() and (found.value < found.high).all()


# Crossings


def test_where_a_sign_first_changes() -> None:
    curves = np.array([[1, 0, -1, 1, 0, 1], [1, 2, 1, -1, 0, 0], [-1, -2, 3, -1, 0, 1], [1, 3, -1, 1, 0, 2]])
    assert first_sign_changes(curves.astype(float)).tolist() == [2, 2, 1, 1, 4, 4]


def test_a_crossing_may_lie_beyond_the_last_point() -> None:
    falling = np.linspace(1, -1, 11)[:, None] + np.linspace(0, 3, 1_001)
    found = sign_changes(falling)
    assert found.low == 6 and found.high is None
    assert 0.6 < found.share_without < 0.7
    assert sign_changes(np.ones((3, 10))).low is None


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_the_same_run_twice_differs_nowhere(data: st.DataObject) -> None:
    n = data.draw(st.lists(st.integers(1, 30), min_size=1, max_size=20), "n")
    c = ints(*(data.draw(st.integers(0, size)) for size in n))
    run = (ints(*n), c)
    for kind in KINDS:
        found, crossings = paired_difference(kind, run, run, passes(1, min(n)))
        assert (found.value == 0).all()
        assert (found.low <= 0).all() and (found.high >= 0).all()
        assert kind == "samples" or crossings.share_without == 1


# Exact


def test_wins_are_counted_exactly() -> None:
    # 1/3 and 33333333/99999999 are equal; 33333334/100000003 is more, by less than a float of their quotient shows.
    base = (ints(3, 3, 10**9, 7), ints(1, 1, 333_333_333, 7))
    rl = (ints(99_999_999, 3, 10**9 - 3, 7), ints(33_333_333, 2, 333_333_332, 7))
    shares = [(Fraction(int(a), int(b)), Fraction(int(c), int(d))) for b, a, d, c in zip(*base, *rl, strict=True)]
    expected = (sum(r > b for b, r in shares), sum(b > r for b, r in shares), sum(b == r for b, r in shares))
    assert wins(base, rl) == expected


@settings(deadline=None)
@given(st.integers(1, 300), st.fractions(0, 1, max_denominator=200))
def test_cover_is_decided_exactly(n: int, tau: Fraction) -> None:
    table = cover_tables(n, [tau])[:, 0]
    assert table.tolist() == [float(Fraction(c, n) >= tau) for c in range(n + 1)]


def test_cover_of_published_counts(qwen) -> None:
    n, c = qwen[1]
    taus = [Fraction(1, 128), Fraction(1, 2), Fraction(9, 10), Fraction(1)]
    found = band("problems", n, c, partial(cover_tables, taus=taus))
    assert found.value.tolist() == [(c >= 1).mean(), (c >= 64).mean(), (c >= 116).mean(), (c == 128).mean()]
    assert found.value[0] == 465 / 500
    assert (found.low < found.value).all() and (found.value < found.high).all()
