"""The paper's views against direct computation: on a small store, and on the shipped experiment."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from contextlib import closing
from fractions import Fraction
from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend import (
    BINS,
    Options,
    Reader,
    RunOptions,
    accuracy_histograms,
    agreement,
    efficiency,
    import_files,
    open_store,
    response_lengths,
    selected_problems,
    step_series,
    temperature_sweep,
)
from backend.analysis.comparison import tallies_of
from backend.errors import Cancelled
from backend.records import Run
from backend.store.layout import StoreLayout
from tests.statistics.conftest import CORRECT, LEVELS, MINIATURE, N, tokens
from tests.support import jsonl

Rows = dict[str, list[dict[str, Any]]]


def runs_of(reader: Reader, *names: str) -> list[Run]:
    return [reader.run(name) for name in names]


def exact(n: int, c: int, k: int) -> Fraction:
    return 1 - Fraction(comb(n - c, k), comb(n, k))


def mean_pass(run: str, k: int, problems: list[int]) -> float:
    return float(sum(exact(N[run], CORRECT[run][p], k) for p in problems) / len(problems))


EVERY = list(range(8))
EASY = [p for p in EVERY if LEVELS[p] in ("Level 1", "Level 2")]


@pytest.mark.parametrize(("selector", "problems"), [("", EVERY), ("level=1,2", EASY)])
def test_histogram(reader: Reader, selector: str, problems: list[int]) -> None:
    runs = runs_of(reader, "tiny-base@small", "tiny-rl@small")
    found = accuracy_histograms(reader, runs, problems=selected_problems(reader, runs, selector))
    for entry, role in zip(found, ("base", "rl"), strict=True):
        shares = [Fraction(CORRECT[role][p], N[role]) for p in problems]
        expected = [sum(share == 0 for share in shares)]
        expected += [sum(Fraction(low, 10) < s <= Fraction(low + 1, 10) for s in shares) for low in range(10)]
        assert list(entry.counts) == expected
        assert entry.problems == len(problems) == entry.run.problems
        assert len(BINS) == len(entry.counts) == 11


@pytest.mark.parametrize(("selector", "problems"), [("", EVERY), ("level=1,2", EASY)])
@pytest.mark.parametrize("k", [None, 8, 20, 21])
def test_efficiency(reader: Reader, selector: str, problems: list[int], k: int | None) -> None:
    base, rl, guess = runs_of(reader, "tiny-base@small", "tiny-rl@small", "tiny-guess@small")
    meant = selected_problems(reader, [base, rl], selector)
    found = efficiency(reader, base, [rl, guess], k=k, problems=meant)
    at = 20 if k is None else k
    assert found.k == at
    assert [gap.summary.run.name for gap in found.gaps] == [base.name, rl.name, guess.name], "the base is shown too"
    of_base, of_rl, of_guess = found.gaps
    assert of_base.delta is None
    assert of_guess.delta is None, "of a base model there is no gap"
    assert of_rl.common == len(problems)
    if at > 20:
        assert of_rl.delta is None
        assert of_base.summary.pass_at_k is None, "undefined, not padded"
        assert of_guess.summary.pass_at_k == pytest.approx(mean_pass("guess", at, problems), abs=1e-12)
    else:
        assert of_rl.delta == pytest.approx(mean_pass("base", at, problems) - mean_pass("rl", 1, problems), abs=1e-12)
        assert of_rl.low is not None and of_rl.high is not None
        assert -1 <= of_rl.low < of_rl.delta < of_rl.high <= 1
        assert of_base.summary.pass_at_k == pytest.approx(mean_pass("base", at, problems), abs=1e-12)
    assert of_rl.summary.pass_at_1 == pytest.approx(mean_pass("rl", 1, problems), abs=1e-12)


def plain_bootstrap(reader: Reader, base: Run, rl: Run) -> tuple[float, float]:
    """The percentile interval of base pass@n - RL pass@1, with nothing but the percentiles of resampled problems."""
    tallies = tallies_of(reader, [base, rl], None)
    (_, _, base_c), (_, n, c) = tallies[base.key], tallies[rl.key]
    gaps = (base_c > 0) - c / n
    drawn = np.random.default_rng(1).choice(gaps, size=(20_000, len(gaps))).mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def test_the_gap_needs_many_samples_of_the_base_alone(reader: Reader, tmp_path: Path) -> None:
    """An RL run with few samples cuts no k off: only its pass@1 is needed, and its own pass@k is unknown."""
    rows = [
        {"problem_id": f"q{p}", "question": f"Question {p}?", "completion": f"{role} {p} {s}", "model": role}
        | {"role": role, "benchmark": "b", "is_correct": s < p}
        for role, n in (("base", 16), ("rl", 4)) for p in range(6) for s in range(n)
    ]  # fmt: skip
    layout = StoreLayout(tmp_path / "unequal.passk")
    import_files(layout, [jsonl(tmp_path / "rows.jsonl", rows)], run_options=RunOptions(), options=Options())
    database = open_store(layout)
    with Reader(database) as own:
        found = efficiency(own, own.run("base@b"), [own.run("rl@b")])
        assert found.k == 16
        assert found.gaps[1].summary.pass_at_k is None
        assert found.gaps[1].delta == pytest.approx(5 / 6 - sum(min(p, 4) / 4 for p in range(6)) / 6, abs=1e-12)
    database.close()


def test_a_run_without_a_verdict_is_unknown_and_hides_nothing(reader: Reader, tmp_path: Path) -> None:
    rows = [
        {"problem_id": f"q{p}", "question": f"Question {p}?", "completion": "?", "model": role, "role": role,
         "benchmark": "b", **({"is_correct": s > 0} if role == "base" else {"verdict": "unverified"})}
        for role in ("base", "rl") for p in range(2) for s in range(3)
    ]  # fmt: skip
    layout = StoreLayout(tmp_path / "unverified.passk")
    import_files(layout, [jsonl(tmp_path / "rows.jsonl", rows)], run_options=RunOptions(), options=Options())
    database = open_store(layout)
    with Reader(database) as own:
        base, rl = own.run("base@b"), own.run("rl@b")
        found = efficiency(own, base, [base, rl])
        assert found.k == 3
        assert found.gaps[0].summary.pass_at_k == 1
        assert (found.gaps[1].summary.pass_at_1, found.gaps[1].summary.pass_at_k, found.gaps[1].delta) == (None,) * 3
        assert found.gaps[1].common == 0
        lengths = response_lengths(own, [rl]).runs[0]
        assert lengths.verdicts == {"unverified": 6} and lengths.right is lengths.other is None
        assert agreement(own, [rl])[0].points == ()
        assert accuracy_histograms(own, [rl])[0].problems == 0
    database.close()


def test_checkpoints_that_passk_drew_itself_are_a_series(tmp_path: Path) -> None:
    """Each run's parameters say where its model lies, which no two checkpoints share."""
    layout = StoreLayout(tmp_path / "drawn.passk")
    for step in (None, 50, 100):
        drawn = json.dumps({"temperature": 1.0, "model_path": f"/models/{step}"})
        row = {"problem_id": "q", "question": "?", "completion": "?", "is_correct": True, "parameters": drawn}
        options = RunOptions(
            model=f"m-{step}", role="rl" if step else "base", step=step, from_model="m-None" if step else None,
            benchmark="b",
        )  # fmt: skip
        import_files(layout, [jsonl(tmp_path / f"{step}.jsonl", [row])], run_options=options, options=Options())
    with closing(open_store(layout)) as database, Reader(database) as own:
        assert all("model_path" in run.parameters for run in own.runs("b"))
        [series] = step_series(own, own.runs("b"))
    assert [level.run.model.step for level in series.points] == [None, 50, 100]


def test_no_step_no_series(reader: Reader) -> None:
    assert step_series(reader, reader.runs("small")) == ()


def mean_tokens(role: str, is_right: bool) -> dict[int, float]:
    """By problem the mean length of its samples that are right, or are not."""
    found = {
        p: [
            count
            for sample in range(N[role])
            if (sample < CORRECT[role][p]) == is_right and (count := tokens(role, p, sample)) is not None
        ]
        for p in EVERY
    }
    return {p: sum(counts) / len(counts) for p, counts in found.items() if counts}


def test_lengths_right_and_other_apart(reader: Reader) -> None:
    runs = runs_of(reader, "tiny-base@small", "tiny-rl@small", "tiny-guess@small")
    found = response_lengths(reader, runs)
    for entry, role in zip(found.runs, ("base", "rl", "guess"), strict=True):
        for summary, is_right in ((entry.right, True), (entry.other, False)):
            known = sorted(
                count
                for p in EVERY
                for sample in range(N[role])
                if (sample < CORRECT[role][p]) == is_right and (count := tokens(role, p, sample)) is not None
            )
            if not known:
                assert summary is None, "unknown, not zero"
                continue
            assert summary is not None
            assert summary.samples == len(known)
            assert summary.mean == pytest.approx(sum(known) / len(known))
            assert summary.longest == known[-1]
            assert summary.median == known[(len(known) + 1) // 2 - 1]
            assert list(summary.bins) == [
                sum(index * found.width <= count < (index + 1) * found.width for count in known)
                for index in range(len(summary.bins))
            ]
            means = mean_tokens(role, is_right)
            assert summary.by_problem == pytest.approx(sum(means.values()) / len(means))
            both = sorted(mean_tokens("base", is_right).keys() & mean_tokens("rl", is_right).keys())
            assert summary.common == len(both) > 0
            assert summary.in_common == pytest.approx(sum(means[p] for p in both) / len(both))
        right = sum(CORRECT[role])
        assert entry.verdicts["correct"] == right
        assert sum(entry.verdicts.values()) == 8 * N[role]
    assert [entry.unknown for entry in found.runs] == [0, 20, 320]


def test_lengths_of_some_problems(reader: Reader) -> None:
    [run] = runs_of(reader, "tiny-base@small")
    [entry] = response_lengths(reader, [run], problems=selected_problems(reader, [run], "q0,q7")).runs
    assert entry.verdicts["correct"] == 20
    assert sum(entry.verdicts.values()) == 40
    assert entry.right is not None and entry.right.longest == 119
    assert entry.other is not None and entry.other.longest == 819


def test_agreement_can_be_left_between_two_problems(reader: Reader) -> None:
    runs = runs_of(reader, "tiny-base@small")
    reader.interrupt()
    with pytest.raises(Cancelled):
        agreement(reader, runs)
    assert agreement(reader, runs)[0].problems == 8, "and the reader stays usable"


def test_agreement_of_all_samples(reader: Reader) -> None:
    [run] = runs_of(reader, "tiny-base@small")
    [found] = agreement(reader, [run])
    assert (found.problems, found.samples) == (8, 160)
    score = 0.0
    for most, p in zip(found.majorities, EVERY, strict=True):
        c = CORRECT["base"][p]
        given = Counter("yes" if s < c else ["no", "maybe", None][s % 3] for s in range(20))
        given.pop(None, None)
        top = max(given.values())
        first = [answer for answer, votes in given.items() if votes == top]
        assert most.label == f"q{p}"
        assert (most.votes, most.n) == (top, 20)
        assert most.answer in first
        assert most.right == ("yes" in first) / len(first)
        score += most.right
    points = {point.k: point for point in found.points}
    assert list(points) == [1, 2, 4, 8, 16, 20]
    assert points[20].value == pytest.approx(score / 8)
    assert points[1].value == pytest.approx(sum(CORRECT["base"]) / 160)
    assert points[1].error is points[20].error is None
    assert all(points[k].error is not None and points[k].error >= 0 for k in (2, 4, 8, 16))


def test_the_numbers_of_a_problem_do_not_depend_on_the_filter(reader: Reader) -> None:
    """The random subsets belong to the problem: filtered apart, two problems give the mean of both."""
    [run] = runs_of(reader, "tiny-base@small")

    def points(selector: str) -> list[float]:
        [found] = agreement(reader, [run], problems=selected_problems(reader, [run], selector))
        return [point.value for point in found.points]

    one, other, both = points("q2"), points("q6"), points("q2,q6")
    assert both == pytest.approx([(a + b) / 2 for a, b in zip(one, other, strict=True)], abs=1e-12)
    assert points("q2") == one


def test_published_counts_have_neither_lengths_nor_answers(tmp_path: Path) -> None:
    (tmp_path / "counts.csv").write_text("problem,base,rl\na,1,3\nb,0,2\n", encoding="utf-8")
    layout = StoreLayout(tmp_path / "counts.passk")
    import_files(layout, [tmp_path / "counts.csv"], run_options=RunOptions(benchmark="counted"), options=Options(n=4))
    database = open_store(layout)
    with Reader(database) as reader:
        runs = reader.runs("counted")
        lengths = response_lengths(reader, runs)
        assert all(entry.right is None and entry.other is None and not entry.verdicts for entry in lengths.runs)
        assert all(not entry.points and entry.samples == 0 for entry in agreement(reader, runs))
        sweep = temperature_sweep(reader, runs[0], runs)
        assert sweep.nearest is None and all(point.entropy is None for point in sweep.points)
        assert [entry.counts[0] for entry in accuracy_histograms(reader, runs)] == [1, 0]
    database.close()


# The shipped experiment


def test_steps_of_the_shipped_training(miniature: Reader, shipped: Rows) -> None:
    runs = miniature.runs("countdown")
    longest, other = step_series(miniature, runs)
    assert [level.run.model.step for level in longest.points] == [None, 50, 200]
    assert longest.points[0].run.name == "countdown-base@countdown", "sampled as the checkpoints were"
    assert [level.run.name for level in other.points] == [
        "countdown-base@countdown-t0.6", "countdown-rl-150@countdown-t0.6",
    ]  # fmt: skip
    assert longest.k == other.k == 64
    for level in (*longest.points, *other.points):
        rows = shipped[level.run.name]
        right = Counter(row["problem"] for row in rows if row["verdict"] == "correct")
        n = len(rows) // 200
        assert level.pass_at_k == pytest.approx(float(sum(exact(n, c, 64) for c in right.values()) / 200), abs=1e-12)
        assert level.pass_at_1 == pytest.approx(sum(right.values()) / len(rows), abs=1e-12)
        assert level.run.solvable == len(right)
        assert level.run.mean_tokens == pytest.approx(sum(row["tokens"] for row in rows) / len(rows))


@pytest.mark.parametrize("selector", ["", "level=harder"])
def test_entropy_of_the_shipped_samples(miniature: Reader, shipped: Rows, selector: str) -> None:
    runs = miniature.runs("countdown")
    base = miniature.run("countdown-base@countdown", "countdown")
    keys = selected_problems(miniature, [base], selector)
    harder = {row[1] for row in miniature.rows("statistics/problems", benchmark="countdown", with_statements=False)
              if row[2] == "harder"}  # fmt: skip
    sweep = temperature_sweep(miniature, base, runs, problems=keys)
    entropies = {}
    for point in sweep.points:
        rows = [row for row in shipped[point.summary.run.name] if not selector or row["problem"] in harder]
        expected = -sum(row["logprob_sum"] for row in rows) / sum(row["tokens"] for row in rows)
        assert point.entropy is not None
        assert point.entropy.value == pytest.approx(expected, rel=1e-9)
        assert point.entropy.samples == len(rows)
        assert point.temperature == (0.6 if point.summary.run.name.endswith("t0.6") else 1.0)
        entropies[point.summary.run.name] = expected
    rl = [run.name for run in runs if run.model.role == "rl"]
    nearest = min(rl, key=lambda name: abs(entropies[name] - entropies[base.name]))
    assert sweep.nearest is not None and sweep.nearest.summary.run.name == nearest
    temperatures = [(point.summary.run.model.name, point.temperature) for point in sweep.points]
    assert temperatures.index(("countdown-base", 0.6)) < temperatures.index(("countdown-base", 1.0))


def test_verdicts_and_lengths_of_the_shipped_samples(miniature: Reader, shipped: Rows) -> None:
    names = ["countdown-base@countdown", "countdown-rl-200@countdown"]
    found = response_lengths(miniature, [miniature.run(name, "countdown") for name in names])
    for entry, name in zip(found.runs, names, strict=True):
        assert entry.verdicts == Counter(row["verdict"] for row in shipped[name])
        right = [row["tokens"] for row in shipped[name] if row["verdict"] == "correct"]
        assert entry.right is not None and entry.right.mean == pytest.approx(sum(right) / len(right))
        assert len(entry.right.bins) <= 12


def test_majorities_of_the_shipped_samples(miniature: Reader, shipped: Rows) -> None:
    run = miniature.run("countdown-rl-200@countdown", "countdown")
    [found] = agreement(miniature, [run])
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    rights: dict[str, set[str]] = defaultdict(set)
    for row in shipped[run.name]:
        if row["answer"] is not None:
            votes[row["problem"]][row["answer"]] += 1
            if row["verdict"] == "correct":
                rights[row["problem"]].add(row["answer"])
    assert found.answered == sum(sum(counted.values()) for counted in votes.values())
    scores = {}
    for problem, counted in votes.items():
        top = max(counted.values())
        first = [answer for answer, times in counted.items() if times == top]
        scores[problem] = sum(answer in rights[problem] for answer in first) / len(first)
    assert {most.label: most.right for most in found.majorities} == pytest.approx(scores)
    assert found.points[-1].k == 64
    assert found.points[-1].value == pytest.approx(sum(scores.values()) / 200)


def test_guessable_problems_are_left_out(miniature: Reader, shipped: Rows) -> None:
    """Figure 12: without what the run without reasoning gets right now and then."""
    base = miniature.run("countdown-base@countdown", "countdown")
    right = Counter(
        row["problem"] for row in shipped["countdown-base@countdown-noreason"] if row["verdict"] == "correct"
    )
    guessed = {problem for problem, c in right.items() if Fraction(c, 64) < Fraction(1, 20)}
    assert guessed, "there is something to leave out"
    keys = selected_problems(miniature, [base], "guess:noreason<0.05")
    labels = {row[1] for row in miniature.rows("statistics/problems", benchmark="countdown", with_statements=False)
              if keys is not None and row[0] in keys}  # fmt: skip
    assert len(labels) == 200 - len(guessed)
    assert labels.isdisjoint(guessed)
    [entry] = accuracy_histograms(miniature, [base], problems=keys)
    assert entry.problems == 200 - len(guessed)
    assert entry.run.samples == (200 - len(guessed)) * 256


def test_every_shipped_run_is_looked_at(miniature: Reader) -> None:
    assert {run.name for run in miniature.runs("countdown")} == set(MINIATURE)


@pytest.mark.shared_data
def test_published_counts_of_qwen7b(shared_data: Path, tmp_path: Path) -> None:
    """Table 2 for another reproduction: pass@1 77.9 %, pass@128 96.2 % of the base: a gap of 18.3 points."""
    layout = StoreLayout(tmp_path / "math500.passk")
    import_files(
        layout,
        [shared_data / "qwen7b_math500_counts.csv"],
        run_options=RunOptions(benchmark="MATH500"),
        options=Options(n=128),
    )
    database = open_store(layout)
    with Reader(database) as reader:
        base, rl = reader.run("base@MATH500"), reader.run("rl@MATH500")
        found = efficiency(reader, base, [base, rl])
        assert found.k == 128
        assert found.gaps[1].delta == pytest.approx(0.962 - 0.779328125, abs=1e-12)
        # The same by a plain bootstrap of 20,000: 500 pairs of (base solves at all, share that RL has correct).
        assert (found.gaps[1].low, found.gaps[1].high) == pytest.approx(plain_bootstrap(reader, base, rl), abs=0.004)
        first, second = accuracy_histograms(reader, [base, rl])
        assert (first.counts[0], second.counts[0]) == (500 - 481, 500 - 465)
        assert sum(first.counts) == sum(second.counts) == 500
    database.close()
