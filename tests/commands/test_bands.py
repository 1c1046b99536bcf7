"""Intervals, Cover@tau and differences as the command line prints them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import Passk, csv_file

POINT = ("low", "high")


@pytest.fixture
def counted(run_passk: Passk) -> Passk:
    """Two runs of 40 problems, n = 8."""
    rows = [(f"q{i}", i % 5, (3 * i) % 8 if i % 4 else 0) for i in range(40)]
    run_passk(
        "import", csv_file(run_passk.folder / "c.csv", ("problem", "base", "rl"), rows), "--benchmark", "b", "--n", 8
    )
    return run_passk


@pytest.mark.shared_data
def test_published_counts(shared_data: Path, run_passk: Passk) -> None:
    run_passk("import", shared_data / "qwen7b_math500_counts.csv", "--benchmark", "MATH500", "--n", 128)
    found = run_passk("difference", "--base", "base", "--rl", "rl", "--k", "all", "--format", "json").json
    assert (found["base"], found["rl"], found["problems"], found["n"]) == ("base@MATH500", "rl@MATH500", 500, 128)
    assert [point["k"] for point in found["points"]] == list(range(1, 129))
    last = found["points"][-1]
    assert last["delta"] == pytest.approx(-0.032, abs=1e-12)
    assert (last["low"], last["high"]) == (pytest.approx(-0.050, abs=0.002), pytest.approx(-0.014, abs=0.002))
    crossing = found["crossing"]
    assert set(crossing) == {"k", "low", "high", "share_without"}
    assert 8 <= crossing["k"] < 16 and crossing["low"] <= crossing["k"] <= crossing["high"]
    assert found["wins"] == {"rl": 417, "base": 58, "ties": 25}

    for kind in ("problems", "samples"):
        base, rl = run_passk("curves", "--bands", kind, "--format", "json").json
        assert kind in base["method"] and "95 %" in base["method"]
        values = [(point["k"], point["pass_at_k"]) for point in base["points"]]
        (plain, _) = run_passk("curves", "--format", "json").json
        assert values == [(p["k"], pytest.approx(p["pass_at_k"], abs=1e-12)) for p in plain["points"]]
        assert all(p["low"] < p["pass_at_k"] < p["high"] for run in (base, rl) for p in run["points"])


def test_what_is_printed_is_the_same_every_time(counted: Passk) -> None:
    for words in (
        ("curves", "--bands", "problems"),
        ("curves", "--cover"),
        ("difference", "--base", "base", "--rl", "rl"),
    ):
        assert counted(*words).stdout == counted(*words).stdout


def test_cover(counted: Passk) -> None:
    (base, _) = counted("curves", "--cover", "--format", "json").json
    assert [point["tau"] for point in base["points"]] == pytest.approx([i / 20 for i in range(1, 21)])
    # c is 0..4 of 8, eight problems each: c/8 >= 0.5 for the last eight.
    found = {point["tau"]: point["cover"] for point in base["points"]}
    assert (found[0.05], found[0.5], found[0.55]) == (0.8, 0.2, 0.0)
    assert all(set(point) == {"tau", "cover", "low", "high"} for point in base["points"])
    (base, _) = counted("curves", "--cover", "--tau", "1/8,0.126", "--bands", "samples", "--format", "json").json
    assert [point["cover"] for point in base["points"]] == [0.8, 0.6]


def test_forms(counted: Passk) -> None:
    table = counted("curves", "--bands", "samples")
    headings = ["run", "benchmark", "problems", "n", "k", "pass@k", "%", "low", "high"]
    assert table.stdout.split("\n")[0].split() == headings
    assert "over samples" in table.stderr
    assert counted("curves", "--cover", "--format", "csv").csv[0]["tau"] == "0.05"
    difference = counted("difference", "--base", "base", "--rl", "rl", "--format", "csv", "--bands", "samples")
    assert [row["k"] for row in difference.csv] == ["1", "2", "4", "8"]
    assert "over 40 problems" in difference.stderr


def test_only_some_problems(counted: Passk) -> None:
    found = counted("difference", "--base", "base", "--rl", "rl", "--problems", "q0,q1,q2", "--format", "json").json
    assert found["problems"] == sum(found["wins"].values()) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("difference", "--base", "base", "--rl", "base"), "two different runs"),
        (("curves", "--cover", "--tau", "1.5"), "shares above 0 and up to 1"),
    ],
)
def test_what_makes_no_sense_is_said(counted: Passk, words: tuple[str, ...], said: str) -> None:
    assert said in counted(*words, status=1).stderr


def test_runs_of_different_n(run_passk: Passk) -> None:
    first = csv_file(run_passk.folder / "a.csv", ("problem", "a"), [("p", 1), ("q", 2), ("only", 1)])
    second = csv_file(run_passk.folder / "b.csv", ("problem", "b"), [("p", 3), ("q", 0)])
    run_passk("import", first, "--benchmark", "x", "--n", 4)
    run_passk("import", second, "--benchmark", "x", "--n", 8)
    found = run_passk("difference", "--base", "a", "--rl", "b", "--k", "1,8", "--format", "json")
    assert (found.json["n"], found.json["problems"]) == (4, 2)
    assert [point["k"] for point in found.json["points"]] == [1]
    assert "undefined for k = 8" in found.stderr
