"""Judges beside people: kappa by another formula, corrections that recover a known truth, and what is not known."""

from __future__ import annotations

import json
from fractions import Fraction
from math import sqrt
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.estimators.judges import Crossed, JudgedProblems, corrected_share, draw_valid, why_unknown
from backend.estimators.pass_at_k import pass_at_k_of_runs
from tests.judgements.judge_server import Judging
from tests.judgements.test_language_judge import CORRECT, PATHS, passk, serve, words
from tests.support import Passk

__all__ = ["passk", "serve"]

COUNTS = st.integers(0, 40)


@given(COUNTS, COUNTS, COUNTS, COUNTS)
def test_kappa_is_one_minus_disagreement_over_that_of_shuffled_pairs(a: int, b: int, c: int, d: int) -> None:
    """Independent of the formula with marginals: every judgement of one with every judgement of the other."""
    crossed = Crossed(a, b, c, d)
    pairs = [(1, 1)] * a + [(1, 0)] * b + [(0, 1)] * c + [(0, 0)] * d
    if not pairs:
        assert crossed.kappa is None and crossed.agreement is None
        return
    apart = Fraction(sum(x != y for x, y in pairs), len(pairs))
    ones = sum(x for x, _ in pairs), sum(y for _, y in pairs)
    n = len(pairs)
    shuffled = Fraction(ones[0] * (n - ones[1]) + (n - ones[0]) * ones[1], n * n)
    if not shuffled:
        assert crossed.kappa is None
        return
    assert crossed.kappa == pytest.approx(float(1 - apart / shuffled), abs=1e-12)
    low, high = crossed.kappa_interval or pytest.fail("an interval")
    assert low <= crossed.kappa <= high


@pytest.mark.parametrize("table", [(40, 9, 6, 25), (150, 6, 11, 33), (5, 1, 2, 3), (80, 3, 7, 10)])
def test_the_interval_of_kappa_is_the_delta_method_of_its_formula(table: tuple[int, ...]) -> None:
    """By numerical derivatives, which know nothing of Fleiss, Cohen and Everitt."""
    n = sum(table)
    shares = np.array(table) / n

    def kappa(p: Any) -> float:
        p = p / p.sum()
        judge, other = p[0] + p[1], p[0] + p[2]
        expected = judge * other + (1 - judge) * (1 - other)
        return float((p[0] + p[3] - expected) / (1 - expected))

    slopes = np.array([(kappa(shares + step) - kappa(shares - step)) / 2e-6 for step in np.eye(4) * 1e-6])
    variance = ((shares * slopes**2).sum() - (shares * slopes).sum() ** 2) / n
    low, high = Crossed(*table).kappa_interval or pytest.fail("an interval")
    assert high == pytest.approx(min(kappa(shares) + 1.959964 * sqrt(variance), 1.0), abs=1e-5)
    assert low == pytest.approx(kappa(shares) - 1.959964 * sqrt(variance), abs=1e-5)


@pytest.mark.parametrize(
    ("read", "why"),
    [
        (Crossed(0, 0, 0, 0), "no path was judged by people and by it"),
        (Crossed(9, 0, 1, 0), "people call invalid"),
        (Crossed(0, 3, 0, 9), "people call valid"),
        (Crossed(5, 5, 5, 5), "no better than chance"),
        (Crossed(1, 8, 9, 2), "no better than chance"),
        (Crossed(9, 1, 1, 9), ""),
    ],
)
def test_an_error_that_is_not_known_corrects_nothing(read: Crossed, why: str) -> None:
    assert why in why_unknown(read) and bool(why) == bool(why_unknown(read))
    assert (corrected_share(50, 100, read) is None) == bool(why)
    if why:
        with pytest.raises(ValueError, match=why):
            draw_valid([], read)
    assert corrected_share(0, 0, Crossed(9, 1, 1, 9)) is None


def test_the_share_is_that_of_rogan_and_gladen() -> None:
    share, low, high = corrected_share(600, 1_000, Crossed(90, 20, 10, 80)) or pytest.fail("a share")
    assert share == pytest.approx((0.6 + 0.8 - 1) / (0.9 + 0.8 - 1))
    assert low < share < high
    of_many = corrected_share(600_000, 1_000_000, Crossed(90_000, 20_000, 10_000, 80_000)) or pytest.fail("a share")
    assert of_many[2] - of_many[1] < (high - low) / 20


# A store that is made up: what is valid is known, and the judge errs as often as it is told.


def made_up(seed: int, se: float = 0.9, sp: float = 0.85, reads: int = 150) -> tuple[JudgedProblems, Crossed, Any, Any]:
    """What was judged and read, how many paths of each problem are valid, and what the judge called."""
    random = np.random.default_rng(seed)
    problems, n = 100, 64
    c = random.binomial(n, random.beta(0.4, 1.5, problems))
    # A quarter of the problems is solved by wrong reasoning only.
    valid = random.binomial(c, np.where(random.random(problems) < 0.25, 0.0, random.beta(3, 1, problems)))
    truth = np.concatenate([np.arange(total) < of for of, total in zip(valid, c, strict=True)])
    problem = np.repeat(np.arange(problems), c)
    called = np.where(truth, random.random(len(truth)) < se, random.random(len(truth)) < 1 - sp)
    read = np.zeros(len(truth), dtype=bool)
    read[random.choice(len(truth), reads, replace=False)] = True
    sides = ((True, True), (True, False), (False, True), (False, False))
    crossed = Crossed(*(int((read & (called == a) & (truth == b)).sum()) for a, b in sides))

    def of(which: Any) -> Any:
        return np.bincount(problem[which], minlength=problems)

    counts = of(read & truth), of(read & ~truth), of(~read & called), of(~read & ~called)
    return JudgedProblems(np.full(problems, n), c, *counts), crossed, valid, (called, truth)


def test_the_corrected_share_covers_the_truth_as_often_as_it_says() -> None:
    covered = []
    for seed in range(300):
        _, read, _, (called, truth) = made_up(seed)
        _, low, high = corrected_share(int(called.sum()), len(called), read) or pytest.fail("a share")
        covered.append(low <= truth.mean() <= high)
    assert np.mean(covered) >= 0.93


def test_the_corrected_curve_covers_the_truth_that_the_raw_one_misses() -> None:
    """Forty stores: at 95 % an interval misses two of them, and chance eight at most."""
    ks = np.array([1, 8, 64])
    covered, solved, raw_bias, bias = [], [], [], []
    for seed in range(40):
        judged, read, valid, _ = made_up(seed)
        (drawn,) = draw_valid([judged], read, draws=100, seed=seed)
        truth = pass_at_k_of_runs([(judged.n, valid)], ks)[0]
        curves = pass_at_k_of_runs([(judged.n, each) for each in drawn], ks)
        low, high = np.quantile(curves, (0.025, 0.975), axis=0)
        covered.append((low <= truth) & (truth <= high))
        ends = np.quantile((drawn > 0).sum(axis=1), (0.025, 0.975))
        solved.append(ends[0] <= (valid > 0).sum() <= ends[1])
        raw_bias.append(pass_at_k_of_runs([(judged.n, judged.read_valid + judged.called_valid)], ks)[0] - truth)
        bias.append(curves.mean(axis=0) - truth)
        assert (drawn >= judged.read_valid).all() and (drawn <= judged.c - judged.read_invalid).all()
    assert (np.mean(covered, axis=0) >= 0.8).all() and np.mean(solved) >= 0.8
    # At large k a judge that errs finds a valid path in almost every problem: five times the error that is left.
    assert np.mean(raw_bias, axis=0)[-1] > 0.1 > 3 * abs(np.mean(bias, axis=0)[-1])


def test_a_judge_that_never_errs_is_taken_at_its_word() -> None:
    judged, _, valid, _ = made_up(3, se=1.0, sp=1.0)
    (drawn,) = draw_valid([judged], Crossed(10**7, 0, 0, 10**7), draws=20)
    assert np.abs(drawn - valid).max() <= 1


# Through the command, with a model that errs by a known program


def test_judges_are_compared_with_people_and_figures_corrected(passk: Passk, serve: Any) -> None:
    judging = serve(Judging(error=0.2))
    pair = ("--run", "base@sums", "--run", "rl@sums")
    passk(*words(judging, "--wait", runs=("base@sums", "rl@sums")))
    unread = passk("judgements", "judges", *pair, "--format", "json").json
    assert {row["n"] for row in unread} == {0} and {row["kappa"] for row in unread} == {None}
    before = passk("judgements", "curves", *pair)
    assert "not corrected" in before.stderr and "no path was judged by people" in before.stderr

    # Somebody who is always right reads half of the paths.
    kept = [index for index in range(PATHS) if index % 5 and index % 2]
    for run in ("base", "rl"):
        for index in kept[::3]:
            judgement = "valid" if index % 3 else "invalid"
            passk("judge", "--run", run, "--problem", "p0", "--sample", index, "--judgement", judgement)
    passk("judge", "--run", "base@sums", "--checker", "arithmetic")

    rows = passk("judgements", "judges", *pair, "--format", "json").json
    said = {
        (line["run"], line["index"]): line["judgement"]
        for line in passk("judgements", "list").lines
        if line["author"] == "llm:checker" and line["problem"] == "p0"
    }
    read = [(run, index) for run in ("base@sums", "rl@sums") for index in kept[::3]]
    right = [said[key] == ("valid" if key[1] % 3 else "invalid") for key in read]
    of_all = {
        row["judge"].rpartition(" ")[2]: row for row in rows if row["against"] == "people" and row["run"] == "all"
    }
    assert {"(any)", "(majority)", "(all)", "1"} < set(of_all)
    (own,) = (row for name, row in of_all.items() if not name.startswith("(") and name != "1")
    assert own["n"] == len(read) and own["agreement"] == pytest.approx(sum(right) / len(right))
    assert own == {**of_all["(majority)"], "judge": own["judge"]}, "what its votes come to was decided by this rule"
    assert of_all["(any)"]["both_valid"] >= own["both_valid"] >= of_all["(all)"]["both_valid"]
    assert of_all["1"]["agreement"] == 1.0, "the arithmetic of the paths is what the person read"
    between = [row for row in rows if "people" not in (row["against"],)]
    assert [(row["judge"], row["against"][:11], row["n"]) for row in between] == [
        ("arithmetic 1", "llm:checker", CORRECT)
    ]
    by_run = [row["n"] for row in rows if row["judge"] == own["judge"] and row["run"] != "all"]
    assert sum(by_run) == own["n"]

    table = passk("judgements", "judges", *pair, "--format", "csv").csv
    assert [row["judge"] for row in table] == [row["judge"] for row in rows]
    passk("export", "judges", *pair, "--to", "judges.jsonl")
    lines = [json.loads(line) for line in (passk.folder / "judges.jsonl").read_text().splitlines()]
    columns = list(rows[0])
    assert [{name: line[name] for name in columns} for line in lines if "judge" in line] == rows

    curves = passk("judgements", "curves", *pair, "--judge", "llm", "--format", "json").json
    for curve in curves:
        assert curve["correction"]["judge"].startswith("llm:checker") and curve["correction"]["read_by_both"] == len(
            read
        )
        for point in curve["points"]:
            assert point["interval_low"] <= point["corrected_low"] <= point["corrected_high"] <= point["interval_high"]
    sets = passk(
        "judgements", "sets", "--base", "base@sums", "--rl", "rl@sums", "--judge", "llm", "--format", "json"
    ).json
    assert sum(row["corrected"] for row in sets["sets"]) == pytest.approx(2)
    assert "No judge nobody has judged" in passk("judgements", "curves", *pair, "--judge", "nobody", status=1).stderr


def test_without_a_judge_nothing_is_corrected(passk: Passk) -> None:
    nothing = passk("judgements", "judges", "--run", "base@sums")
    assert "No step checker and no language model has judged" in nothing.stderr
    curves = passk("judgements", "curves", "--run", "base@sums", "--format", "json").json
    assert curves[0]["correction"]["judge"] is None and curves[0]["points"][0]["corrected_low"] is None
