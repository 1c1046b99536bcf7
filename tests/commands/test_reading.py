"""passk tree and passk compare: what the screens show, as text and as json."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import Passk, jsonl

TEXTS = {
    "base": [("Try sums: 1. Stop.", False), ("Try sums: 2. Stop.", False), ("Try pairs: 6. Good.", True)],
    "rl": [("Try sums: 1. Stop.", False), ("Try sums: 6. Good [/b]\x1b[31m.", True)],
}


@pytest.fixture
def told(run_passk: Passk) -> Passk:
    """`passk` in a folder whose store.passk has one problem and two runs."""
    for role, texts in TEXTS.items():
        rows = [
            {"problem_id": "p1", "question": "q", "completion": text, "is_correct": right, "model": role, "role": role,
             "benchmark": "b"}
            for text, right in texts
        ]  # fmt: skip
        jsonl(run_passk.folder / f"{role}.jsonl", rows)
        run_passk("import", f"{role}.jsonl")
    return run_passk


def test_the_tree_as_text(told: Passk) -> None:
    finished = told("tree", "--problem", "p1", "--run", "base@b", "rl@b")
    assert [line.split() for line in finished.stdout.splitlines()] == [
        ["2", "0", "2", "1", "Try", "sums:"],
        ["1", "0", "1", "0", "1.", "Stop."],
        ["+", "0", "0", "1", "1", "6.", "Good", "[/b]␛[31m."],
        ["−", "1", "0", "0", "0", "2.", "Stop."],
        ["−", "1", "1", "0", "0", "Try", "pairs:", "6.", "Good."],
    ]
    assert "base: base@b, n = 3, c = 1" in finished.stderr
    assert "− only base" in finished.stderr
    by_words = told("tree", "--problem", "p1", "--run", "base@b", "--run", "rl@b", "--by", "word", "--depth", 1)
    assert [line.split()[-1] for line in by_words.stdout.splitlines()] == ["Try"]


def added_up(entry: dict[str, Any]) -> dict[str, dict[str, int]]:
    total: dict[str, dict[str, int]] = {}
    for branch in entry["branches"]:
        for run, numbers in branch["samples"].items():
            for name, number in numbers.items():
                total.setdefault(run, {}).setdefault(name, 0)
                total[run][name] += number
    return total


def test_the_tree_as_json(told: Passk) -> None:
    tree = told("tree", "--problem", "p1", "--run", "base@b", "rl@b", "--depth", 3, "--format", "json").json
    assert (tree["problem"], tree["benchmark"], tree["by"]) == ("p1", "b", "step")
    assert tree["samples"] == {"base@b": {"taken": 3, "n": 3, "c": 1}, "rl@b": {"taken": 2, "n": 2, "c": 1}}
    assert added_up(tree) == tree["samples"]
    [sums, pairs] = tree["branches"]
    assert sums["text"] == "Try sums: "
    assert added_up(sums) == sums["samples"]
    assert pairs["kind"] == "leaf"
    assert "branches" not in pairs
    cut = told("tree", "--problem", "p1", "--run", "base@b", "rl@b", "--depth", 2, "--most", 1, "--format", "json").json
    [_, more] = cut["branches"][0]["branches"]
    assert (more["kind"], more["ways"]) == ("more", 2)
    assert added_up(cut["branches"][0]) == cut["branches"][0]["samples"]


def test_what_is_not_there_is_said(told: Passk) -> None:
    assert "no problem p9" in told("tree", "--problem", "p9", "--run", "base@b", status=1).stderr
    assert "There is no run" in told("tree", "--problem", "p1", "--run", "nobody", status=1).stderr
    assert "no sample 9" in told("compare", "--problem", "p1", "--run", "base@b", "--sample", 9, status=1).stderr


def test_two_paths_as_text_and_json(told: Passk) -> None:
    words = ("compare", "--problem", "p1", "--run", "base@b", "--sample", 0)
    finished = told(*words, "--with-run", "rl@b", "--with-sample", 1)
    assert finished.stdout == "Try sums: [-1-]{+6+}. [-Stop-]{+Good [/b]␛[31m+}.\n"
    assert "- base@b sample 0: wrong" in finished.stderr
    assert "+ rl@b sample 1: correct" in finished.stderr
    nearest = told(*words, "--with-run", "rl@b", "--format", "json").json
    assert nearest["right"]["index"] == 0
    assert [part["same"] for part in nearest["stretches"]] == [True]
    own = told(*words, "--format", "json").json
    assert (own["right"]["run"], own["right"]["index"]) == ("base@b", 1)
    for part in own["stretches"]:
        same = own["left"]["text"][slice(*part["left"])] == own["right"]["text"][slice(*part["right"])]
        assert same == part["same"]
