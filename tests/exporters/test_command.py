from __future__ import annotations

import json
import shlex

import pytest

from backend.records.exports import FORMS, PURPOSES, ExportRequest
from backend.store.layout import StoreLayout
from explorer.render.exports import command_words
from tests.exporters.conftest import BASE, RL
from tests.support import Passk


def test_what_can_be_exported_is_in_the_help(run_passk: Passk) -> None:
    said = run_passk("export", "--help").stdout
    assert FORMS.keys() == PURPOSES.keys()
    assert all(what in said and purpose in said for what, purpose in PURPOSES.items())


def test_a_report_says_what_was_written(run_passk: Passk, sums: StoreLayout) -> None:
    finished = run_passk("export", "curves", "--base", BASE, "--rl", RL, "--to", "c.csv", "--store", sums.root)
    assert finished.stdout == ""
    assert "c.csv: 16 points" in finished.stderr and "6 problems, n = 8" in finished.stderr


def test_the_filter_is_that_of_sets_and_curves(run_passk: Passk, sums: StoreLayout) -> None:
    pair = ("--base", BASE, "--rl", RL, "--store", sums.root, "--problems", "level=3")
    run_passk("export", "sets", *pair, "--to", "s.jsonl")
    exported = [json.loads(line) for line in (run_passk.folder / "s.jsonl").read_text().splitlines()]
    printed = run_passk("sets", *pair, "--format", "json").json["problems"]
    assert [(row["problem"], row["set"], row["base_c"], row["rl_n"]) for row in exported] == [
        (row["problem"], row["set"], row["base"]["c"], row["rl"]["n"]) for row in printed
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--to x.csv", "What is to be exported?"),
        ("sets --to x.csv", "Which runs? There are 2 pairs"),
        ("sets --to x.csv y.csv", "one file"),
        ("problems --to x.jsonl --as verl", "verl's form is a .parquet"),
        ("paths --run nobody --to x.jsonl", "no run nobody"),
        ("paths --problems c< --to x.jsonl", "c<"),
        ("curves --to nowhere/x.csv", "no folder nowhere"),
    ],
)
def test_wrong_words_are_explained_and_leave_nothing(
    run_passk: Passk, sums: StoreLayout, words: str, said: str
) -> None:
    finished = run_passk("export", *words.split(), "--store", sums.root, status=1)
    assert said in finished.stderr
    assert list(run_passk.folder.iterdir()) == []


def test_a_file_is_kept_unless_it_is_forced(run_passk: Passk, sums: StoreLayout) -> None:
    words = ("export", "problems", "--store", sums.root, "--to", "p.jsonl")
    run_passk(*words)
    before = (run_passk.folder / "p.jsonl").read_bytes()
    assert "already exists" in run_passk(*words, status=1).stderr
    run_passk(*words, "--force")
    assert (run_passk.folder / "p.jsonl").read_bytes() == before


def test_words_of_a_command_make_its_request() -> None:
    request = ExportRequest("paths", "md", ("a b", "c"), problems='level=5 "two words"', verdict="correct", limit=3)
    assert shlex.join(command_words(request, "my file.md", "s.passk")) == (
        "passk export paths --run 'a b' --run c --problems 'level=5 \"two words\"' --verdict correct --limit 3 "
        "--store s.passk --to 'my file.md'"
    )
    assert command_words(ExportRequest("datasets", "folder", ("r",)), "d") == [
        "passk", "export", "--run", "r", "--to", "datasets", "d"
    ]  # fmt: skip
