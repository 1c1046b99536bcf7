"""passk sets --doubt and passk plan: their shapes, and that their numbers add up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import Passk, csv_file, jsonl

BASE = [0, 0, 0, 1, 2, 16, 0, 3, 0, 7]
RL = [0, 2, 0, 0, 9, 16, 0, 0, 1, 12]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passk]:
    """A store of published counts: 40 problems, n = 16."""
    folder = tmp_path_factory.mktemp("counted")
    (folder / "home").mkdir()
    rows = [(f"q{place}", BASE[place % 10], RL[place % 10]) for place in range(40)]
    csv_file(folder / "counts.csv", ["problem", "base", "rl"], rows)
    passk = Passk(folder, folder / "home")
    passk("import", "counts.csv", "--benchmark", "counted", "--n", 16)
    yield passk


def sets(passk: Passk, *more: str | int) -> dict[str, Any]:
    result: dict[str, Any] = passk("sets", "--base", "base", "--rl", "rl", "--format", "json", *more).json
    return result


def plan(passk: Passk, budget: int, *more: str | int) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = passk(
        "plan", "--base", "base", "--rl", "rl", "--budget", budget, "--format", "json", *more
    ).json
    return result


def test_doubt_of_sets(counted: Passk) -> None:
    plain, doubt = sets(counted), sets(counted, "--doubt")
    assert doubt["counts"] == plain["counts"]
    assert set(doubt["expected"]) == {"both", "base_only", "rl_only", "neither"}
    for name, (low, high) in doubt["expected"].items():
        assert 0 <= low <= doubt["expected_mean"][name] <= high <= 40
    assert sum(doubt["expected_mean"].values()) == pytest.approx(40)
    chances = [problem["doubt"] for problem in doubt["problems"]]
    assert all(set(entry) == {"base", "rl", "set"} for entry in chances)
    assert doubt["in_doubt"] == sum(entry["set"] >= 0.05 for entry in chances)
    assert doubt["expected_changes"] == pytest.approx(sum(entry["set"] for entry in chances))
    for before, after in zip(plain["problems"], doubt["problems"], strict=True):
        assert {key: after[key] for key in before} == before
        for role in ("base", "rl"):
            rate, tally = after["rate"][role], after[role]
            assert 0 <= rate["low"] <= rate["mean"] <= rate["high"] <= 1
            assert rate["low"] <= tally["c"] / tally["n"] <= rate["high"]
    assert doubt["support"] | {"retention": 0, "discovery": 0, "change": 0} == {
        "preserved": plain["counts"]["both"],
        "shrunk": plain["counts"]["base_only"],
        "expanded": plain["counts"]["rl_only"],
        "outside": plain["counts"]["neither"],
        "retention": 0,
        "discovery": 0,
        "change": 0,
    }


def test_further_samples_only_solve(counted: Passk) -> None:
    few, many = sets(counted, "--more", 16), sets(counted, "--doubt", "--more", 640)
    assert (few["more"], many["more"]) == (16, 640)
    for problem, later in zip(few["problems"], many["problems"], strict=True):
        for role in ("base", "rl"):
            if problem[role]["c"]:
                assert problem["doubt"][role] == 0
            else:
                assert 0 < problem["doubt"][role] < later["doubt"][role]
            low, high = later["doubt_range"][role]
            assert low <= later["doubt"][role] <= high
    assert few["expected"]["both"][0] >= few["counts"]["both"]
    assert few["expected"]["neither"][1] <= few["counts"]["neither"]


def test_a_filter_does_not_change_what_is_believed(counted: Passk) -> None:
    everything = {problem["problem"]: problem["doubt"] for problem in sets(counted, "--doubt")["problems"]}
    some = sets(counted, "--doubt", "--problems", "set:neither")
    assert 0 < len(some["problems"]) < 40
    for problem in some["problems"]:
        assert problem["doubt"] == pytest.approx(everything[problem["problem"]])


def test_doubt_in_words_and_columns(counted: Passk) -> None:
    said = counted("sets", "--base", "base", "--rl", "rl", "--doubt", "--format", "csv")
    assert "95 % prediction intervals: both " in said.stderr
    assert "of 40 problems uncertain (P(change) ≥ 5 %)" in said.stderr
    assert said.stdout.splitlines()[0].endswith(",doubt_base,doubt_rl,doubt_set")
    later = counted("sets", "--base", "base", "--rl", "rl", "--more", 100, "--format", "csv")
    assert "with 100 further samples of each problem and run" in later.stderr
    assert "P(change) 95 %: the chance at" in later.stderr
    assert "P(change) 95 %" not in said.stderr
    assert later.stdout.splitlines()[0].endswith("doubt_set,doubt_base_range,doubt_rl_range")


@pytest.mark.parametrize("policy", ["doubt", "unsolved", "uniform"])
def test_a_plan_spends_its_budget(counted: Passk, policy: str) -> None:
    rows = plan(counted, 300, "--policy", policy)
    assert sum(row["add"] for row in rows) == 300
    assert all(set(row) == {"run", "problem", "add", "expected_changes"} for row in rows)
    solved = {
        (run, problem["problem"])
        for problem in sets(counted)["problems"]
        for role, run in (("base", "base@counted"), ("rl", "rl@counted"))
        if problem[role]["c"]
    }
    for row in rows:
        assert (row["expected_changes"] == 0) == ((row["run"], row["problem"]) in solved)
    assert len(rows) == 80 if policy == "uniform" else not solved.intersection((r["run"], r["problem"]) for r in rows)


def test_doubt_expects_most(counted: Passk) -> None:
    expected = {
        policy: sum(row["expected_changes"] for row in plan(counted, 300, "--policy", policy))
        for policy in ("doubt", "unsolved", "uniform")
    }
    assert expected["doubt"] > expected["unsolved"] > expected["uniform"]


def test_a_plan_stops_by_its_rule(counted: Passk) -> None:
    said = counted("plan", "--base", "base", "--rl", "rl", "--budget", 100_000)
    assert "stop below 2 changes expected in 256 more samples each" in said.stderr
    assert ", the last one" in said.stderr
    assert sum(row["add"] for row in plan(counted, 100_000)) < 100_000


def test_plans_that_cannot_be(counted: Passk, tmp_path: Path) -> None:
    counted("plan", "--base", "base", "--rl", "rl", status=2)
    counted("plan", "--base", "base", "--rl", "rl", "--budget", 0, status=2)
    counted("plan", "--base", "base", "--rl", "base", "--budget", 5, status=1)
    # Published counts hold no statements: nothing can be asked, and that is said.
    said = counted("plan", "--base", "base", "--rl", "rl", "--budget", 5, "--start")
    assert "Where is the model" in said.stderr
    assert "runs on its own" not in said.stderr


def test_runs_that_share_no_problem(run_passk: Passk) -> None:
    for run, labels in (("a", ("p", "q")), ("b", ("r", "s"))):
        csv_file(run_passk.folder / f"{run}.csv", ["problem", run], [(label, 1) for label in labels])
        run_passk("import", f"{run}.csv", "--benchmark", "apart", "--n", 4)
    found = run_passk("sets", "--base", "a", "--rl", "b", "--doubt", "--format", "json").json
    assert found["problems"] == []
    assert set(map(tuple, found["expected"].values())) == {(0, 0)}
    assert found["support"]["retention"] is None
    assert run_passk("plan", "--base", "a", "--rl", "b", "--budget", 9, "--format", "json").json == []


@pytest.mark.parametrize(("levels", "used"), [(1, False), (11, True), (24, True), (25, False)])
def test_up_to_24_levels_tell_of_difficulty(run_passk: Passk, levels: int, used: bool) -> None:
    """The first level is never solved and the others always; with one level, or too many, that tells nothing."""
    rows = [
        {
            "model": model, "problem": f"q{place}", "verdict": "correct" if place % levels else "wrong",
            "text": f"{model} {sample}", "level": f"L{place % levels}", "statement": f"What is {place}?",
        }
        for model in ("base", "rl")
        for place in range(100)
        for sample in range(4)
    ]  # fmt: skip
    jsonl(run_passk.folder / "rows.jsonl", rows)
    run_passk("import", "rows.jsonl", "--benchmark", "leveled")
    found = sets(run_passk, "--doubt")["problems"]
    jsonl(run_passk.folder / "flat.jsonl", [{**row, "level": "same"} for row in rows])
    run_passk("import", "flat.jsonl", "--benchmark", "flat", "--store", "flat.passk")
    flat = sets(run_passk, "--doubt", "--store", "flat.passk")["problems"]
    rates = [[problem["rate"]["rl"]["mean"] for problem in problems] for problems in (found, flat)]
    assert (rates[0] != pytest.approx(rates[1])) is used
