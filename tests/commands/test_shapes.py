"""The JSON that the command line promises: every command of the statistics, on two small runs whose curves cross."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support import Passk, jsonl, long_rows

NUMBER = "a number"
MAYBE = "a number or null"
TEXT = "text"
RANGE = [NUMBER, NUMBER]
"""Low and high."""

BAND = {"low": NUMBER, "high": NUMBER}
SETS = ("both", "base_only", "rl_only", "neither")
PAIR = ("--base", "m-base", "--rl", "m-rl")
TALLY = {"n": NUMBER, "c": NUMBER}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Passk]:
    """A base run that solves 9 of 20 problems now and then and an RL run that solves 7 always, n = 8: they cross."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "home").mkdir()
    passk = Passk(folder, folder / "home")
    for role, step in (("base", None), ("rl", 100)):
        rows = long_rows(20, 8, model=f"m-{role}", role=role, benchmark="sums")
        for place, row in enumerate(rows):
            problem, sample = divmod(place, 8)
            right = sample < problem - 10 if role == "base" else problem >= 13
            row |= {"is_correct": right, "extracted_answer": "7" if right else "8", "tokens": 10 + problem}
            row |= {} if step is None else {"step": step, "from_model": "m-base"}
        passk("import", jsonl(folder / f"{role}.jsonl", rows))
    yield passk


def assert_shape(value: Any, shape: Any, where: str = "$") -> None:
    """What is there has the shape: of a dictionary these keys at least, of a list every entry, and one at least.

    A list of several shapes is of just that length.
    """
    match shape:
        case dict():
            assert isinstance(value, dict), where
            assert set(shape) <= set(value), f"{where}: {set(shape) - set(value)} missing"
            for key, inner in shape.items():
                assert_shape(value[key], inner, f"{where}.{key}")
        case [inner]:
            assert isinstance(value, list) and value, where
            for place, entry in enumerate(value):
                assert_shape(entry, inner, f"{where}[{place}]")
        case list():
            assert isinstance(value, list) and len(value) == len(shape), where
            for place, (entry, inner) in enumerate(zip(value, shape, strict=True)):
                assert_shape(entry, inner, f"{where}[{place}]")
        case "text":
            assert isinstance(value, str) and value, where
        case _:
            assert (value is None and shape == MAYBE) or (
                isinstance(value, int | float) and not isinstance(value, bool)
            ), where


@pytest.mark.parametrize("kind", ["problems", "samples"])
def test_curves_with_bands(filled: Passk, kind: str) -> None:
    found = filled("curves", "--bands", kind, "--format", "json").json
    point = {"k": NUMBER, "pass_at_k": NUMBER, **BAND}
    assert_shape(found, [{"run": TEXT, "method": TEXT, "problems": NUMBER, "points": [point]}])
    assert {tuple(entry) for curve in found for entry in curve["points"]} == {tuple(point)}, "and nothing else"
    assert all(kind in curve["method"] for curve in found)


def test_cover(filled: Passk) -> None:
    found = filled("curves", "--cover", "--format", "json").json
    point = {"tau": NUMBER, "cover": NUMBER, **BAND}
    assert_shape(found, [{"run": TEXT, "method": TEXT, "problems": NUMBER, "points": [point]}])
    assert {tuple(entry) for curve in found for entry in curve["points"]} == {tuple(point)}


@pytest.mark.parametrize("bands", [(), ("--bands", "problems"), ("--bands", "samples")])
def test_difference(filled: Passk, bands: tuple[str, ...]) -> None:
    found = filled("difference", *PAIR, *bands, "--format", "json").json
    crossing = {"k": MAYBE, "low": MAYBE, "high": MAYBE, "share_without": NUMBER}
    point = {"k": NUMBER, "delta": NUMBER, **BAND}
    assert_shape(found, {"base": TEXT, "rl": TEXT, "method": TEXT, "points": [point], "crossing": crossing})
    assert found["crossing"].keys() == crossing.keys()
    assert {tuple(entry) for entry in found["points"]} == {tuple(point)}


@pytest.mark.parametrize("more", [(), ("--more", 100)])
def test_doubt_of_sets(filled: Passk, more: tuple[str | int, ...]) -> None:
    found = filled("sets", *PAIR, "--doubt", *more, "--format", "json").json
    doubt = {"base": NUMBER, "rl": NUMBER, "set": NUMBER}
    problem = {"problem": TEXT, "set": TEXT, "base": TALLY, "rl": TALLY, "doubt": doubt}
    assert_shape(found, {"expected": dict.fromkeys(SETS, RANGE), "problems": [problem]})
    assert tuple(found["expected"]) == SETS
    assert {tuple(entry["doubt"]) for entry in found["problems"]} == {tuple(doubt)}


POINTS_OF_STEPS = {"step": MAYBE, "pass_at_1": NUMBER, "pass_at_k": NUMBER, "solvable": NUMBER}
VIEWS: dict[str, Any] = {
    "histogram": [{"run": TEXT, "problems": NUMBER, "n_min": NUMBER, "bins": [{"problems": NUMBER, "share": NUMBER}]}],
    "steps": [{"points": [POINTS_OF_STEPS]}],
    "efficiency": {
        "base": TEXT,
        "k": NUMBER,
        "runs": [{"run": TEXT, "pass_at_1": NUMBER, "pass_at_k": NUMBER, "delta_se": MAYBE, "delta_se_low": MAYBE}],
    },
    "lengths": {"runs": [{"run": TEXT, "right": {"samples": NUMBER, "mean": MAYBE}, "other": {"samples": NUMBER}}]},
    "agreement": [{"run": TEXT, "majorities": [{"right": NUMBER}], "points": [{"k": NUMBER, "maj_at_k": NUMBER}]}],
    "temperature": {"runs": [{"run": TEXT, "temperature": MAYBE, "entropy": MAYBE}]},
}


@pytest.mark.parametrize("view", VIEWS)
def test_views_of_statistics(filled: Passk, view: str) -> None:
    assert_shape(filled("stats", view, *PAIR, "--format", "json").json, VIEWS[view])


@pytest.mark.parametrize("policy", ["doubt", "unsolved", "uniform"])
def test_plans(filled: Passk, policy: str) -> None:
    rows = filled("plan", *PAIR, "--budget", 40, "--policy", policy, "--format", "json").json
    row = {"run": TEXT, "problem": TEXT, "add": NUMBER, "expected_changes": NUMBER}
    assert_shape(rows, [row])
    assert {tuple(entry) for entry in rows} == {tuple(row)}


def test_the_shapes_can_fail() -> None:
    """What the tests above lean on refuses what is missing, empty, of another length or of another kind."""
    for value, shape in (
        ({}, {"k": NUMBER}),
        ([], [NUMBER]),
        ([1, 2, 3], RANGE),
        (None, NUMBER),
        (True, NUMBER),
        ("", TEXT),
        ([{"k": 1}, {"k": "1"}], [{"k": NUMBER}]),
    ):
        with pytest.raises(AssertionError):
            assert_shape(value, shape)
    assert_shape({"k": None, "more": "is welcome"}, {"k": MAYBE})
