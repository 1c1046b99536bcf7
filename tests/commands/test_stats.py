"""`passk stats` and --problems as a user runs them."""

from __future__ import annotations

import pytest

from tests.support import Passk, jsonl, long_rows

VIEWS = ("histogram", "efficiency", "steps", "temperature", "lengths", "agreement", "verdicts")


@pytest.fixture
def filled(run_passk: Passk) -> Passk:
    """Two runs of three problems, n = 4: base 0 1 2 right, RL 3 at most."""
    for role, step in (("base", None), ("rl", 100)):
        rows = long_rows(3, 4, model=f"m-{role}", role=role, benchmark="sums", level="Level 1")
        for row in rows:
            right = row["is_correct"] if role == "base" else row["problem_id"] == "p2"
            row |= {"is_correct": right, "extracted_answer": "7" if right else "8", "tokens": 10}
            row |= {} if step is None else {"step": step, "from_model": "m-base"}
        run_passk("import", jsonl(run_passk.folder / f"{role}.jsonl", rows))
    return run_passk


NAMES = ("m-base@sums", "m-rl@sums")
PAIR = ("--base", "m-base", "--rl", "m-rl")


def test_every_view_in_every_form(filled: Passk) -> None:
    for view in VIEWS:
        assert filled("stats", view, *PAIR, "--format", "json").json, view
        assert {row["run"] for row in filled("stats", view, *PAIR, "--format", "csv").csv} == set(NAMES), view
        table = filled("stats", view, *PAIR).stdout
        assert all(name in table for name in NAMES), view


def test_the_numbers(filled: Passk) -> None:
    base, rl = filled("stats", "histogram", *PAIR, "--format", "json").json
    assert (base["problems"], base["n_min"], base["n_max"]) == (3, 4, 4)
    assert [entry["problems"] for entry in base["bins"]] == [1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]
    assert sum(entry["share"] for entry in rl["bins"]) == pytest.approx(1)
    gap = filled("stats", "efficiency", *PAIR, "--format", "json").json
    assert (gap["base"], gap["k"]) == ("m-base@sums", 4)
    assert gap["runs"][1]["delta_se"] == pytest.approx(2 / 3 - 1 / 3)
    at_2 = filled("stats", "efficiency", *PAIR, "--k", "2", "--format", "json").json
    assert at_2["runs"][0]["pass_at_k"] == pytest.approx((0 + 1 / 2 + 5 / 6) / 3)
    [series] = filled("stats", "steps", *PAIR, "--format", "json").json
    assert [(point["step"], point["solvable"]) for point in series["points"]] == [(None, 2), (100, 1)]
    lengths = filled("stats", "lengths", *PAIR, "--format", "json").json
    assert lengths["runs"][0]["right"]["samples"] == 3 and lengths["runs"][0]["other"]["mean"] == 10
    base, rl = filled("stats", "agreement", *PAIR, "--format", "json").json
    assert [most["right"] for most in base["majorities"]] == [0, 0, 0.5]
    assert rl["points"][-1] == {"k": 4, "maj_at_k": pytest.approx(1 / 3), "standard_error": None}
    verdicts = filled("stats", "verdicts", *PAIR, "--format", "json").json
    assert verdicts[1]["verdicts"] == {"correct": 4, "wrong": 8}
    rows = filled("stats", "verdicts", *PAIR, "--format", "csv").csv
    assert {(row["run"], row["of"]) for row in rows} == {(name, "12") for name in NAMES}, "every share has its n"
    sweep = filled("stats", "temperature", *PAIR, "--format", "json").json
    assert sweep["nearest"] is None and all(run["entropy"] is None for run in sweep["runs"])


def test_the_same_store_prints_the_same_numbers(filled: Passk) -> None:
    first, second = (filled("stats", "agreement", "--format", "json").stdout for _ in range(2))
    assert first == second


def test_problems_filters_curves_sets_and_views(filled: Passk) -> None:
    done = filled("stats", "histogram", *PAIR, "--problems", "base.c>0", "--format", "json")
    assert [run["problems"] for run in done.json] == [2, 2]
    assert "only 2 of 3 problems: c > 0 in m-base" in done.stderr
    sets = filled("sets", *PAIR, "--problems", "base.c>0 rl.c=0", "--format", "json")
    assert sets.json["counts"] == {"both": 0, "base_only": 1, "rl_only": 0, "neither": 0}
    assert "only 1 of 3 problems: c > 0 in m-base, c = 0 in m-rl" in sets.stderr
    [curve] = filled("curves", "--run", "m-base", "--problems", "p1,p2", "--k", "1", "--format", "json").json
    assert (curve["problems"], curve["points"][0]["pass_at_k"]) == (2, pytest.approx(3 / 8))


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("stats", "histogram", "--problems", "c<"), "c<: a number is missing"),
        (("curves", "--problems", "nonsense=3"), "nonsense=3: nothing in sums is called nonsense"),
        (("sets", *PAIR, "--problems", '"open'), '"open: the quote does not end'),
        (("stats", "lengths", "--run", "nobody"), "There is no run nobody"),
    ],
)
def test_what_is_wrong_is_said(filled: Passk, arguments: tuple[str, ...], why: str) -> None:
    assert f"passk: {why}" in filled(*arguments, status=1).stderr


def test_an_unknown_view_is_wrong_usage(filled: Passk) -> None:
    assert "name one of histogram" in filled("stats", "everything", status=2).stderr
