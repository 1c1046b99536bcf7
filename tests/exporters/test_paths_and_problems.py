from __future__ import annotations

import json
import math
import re
import sys
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from backend import push_dataset
from backend.errors import UsageError
from backend.store.identity import problem_key, run_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter
from tests.exporters.conftest import BASE, RL, write
from tests.exporters.hostile import RUNS, TEXTS
from tests.support import Attempt, Passk, write_part

needs_datasets = pytest.mark.skipif(find_spec("datasets") is None, reason="datasets is not installed (extra datasets)")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_sample_has_everything_known_about_it(sums: StoreLayout, tmp_path: Path) -> None:
    made = write(sums, "paths", tmp_path / "paths.jsonl", BASE, problems="id=s4", verdict="correct")
    first, second = lines(tmp_path / "paths.jsonl")
    assert (made.rows, made.what) == (2, "samples")
    assert first["text"] == "base thinks about s4, attempt 6.\nSo the answer is 44."
    expected = {
        "run": BASE, "model": "tiny-base", "role": "base", "benchmark": "sums", "temperature": 0.6, "problem": "s4",
        "statement": "What is 40 + 4?", "reference": "44", "level": "Level 1", "index": 6, "verdict": "correct",
        "extracted_answer": "44", "tokens": 406, "finish_reason": "eos", "seed": 1006, "format": "long-form",
    }  # fmt: skip
    assert {key: first[key] for key in expected} == expected
    assert first["export"]["verdict"] == "correct" and second["export"] is None
    assert first["source"].endswith("base.jsonl") and first["source_row"] == 31


def test_both_forms_hold_the_same(sums: StoreLayout, tmp_path: Path) -> None:
    for form in ("jsonl", "parquet"):
        write(sums, "paths", tmp_path / f"paths.{form}", BASE, RL)
    rows = lines(tmp_path / "paths.jsonl")
    for row in rows:
        del row["export"]
    assert pq.read_table(tmp_path / "paths.parquet").to_pylist() == rows
    assert len(rows) == 96


def test_one_sample_can_be_had(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "paths", tmp_path / "paths.jsonl", RL, problems="id=s1", sample=3)
    (row,) = lines(tmp_path / "paths.jsonl")
    assert (row["problem"], row["index"]) == ("s1", 3)


def test_paths_to_read(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "paths", tmp_path / "paths.md", BASE, problems="id=s4", limit=3)
    text = (tmp_path / "paths.md").read_text(encoding="utf-8")
    assert re.findall("^## (.*)$", text, re.MULTILINE) == [
        "Sample 0: wrong",
        "Sample 1: no\\_answer",
        "Sample 2: wrong",
    ]
    assert "```text\nbase thinks about s4, attempt 0.\nSo the answer is 0.\n```" in text
    assert text.count("What is 40 + 4?") == 1


def test_hostile_paths_stay_in_their_blocks(hostile: StoreLayout, tmp_path: Path) -> None:
    write(hostile, "paths", tmp_path / "paths.md", RUNS[0])
    text = (tmp_path / "paths.md").read_text(encoding="utf-8")
    outside, fence = [], ""
    for line in text.split("\n"):
        marks = re.match("(`{3,})(text)?$", line)
        if marks and not fence and marks[2]:
            fence = marks[1]
        elif fence and line == fence:
            fence = ""
        elif not fence:
            outside.append(line)
    assert fence == ""
    assert "<script>" not in re.sub(r"\\<", "", "\n".join(outside))
    assert sum(line.startswith("## Sample") for line in outside) == 4 * len(TEXTS)
    assert "\x1b" not in text and "\x07" not in text


def test_problems_with_their_tallies(sums: StoreLayout, tmp_path: Path) -> None:
    write(sums, "problems", tmp_path / "problems.jsonl", BASE, RL, problems="set:base_only")
    rows = lines(tmp_path / "problems.jsonl")
    assert [(row["problem"], row["statement"], row["reference"]) for row in rows] == [
        ("s3", "What is 30 + 3?", "33"),
        ("s4", "What is 40 + 4?", "44"),
    ]
    assert rows[0]["tallies"] == [{"run": BASE, "n": 8, "c": 1}, {"run": RL, "n": 8, "c": 0}]


def test_problems_say_how_their_paths_were_judged(judged: StoreLayout, tmp_path: Path) -> None:
    write(judged, "problems", tmp_path / "problems.jsonl", BASE, problems="id=s3,s5", judged=True)
    first, second = lines(tmp_path / "problems.jsonl")
    assert first["tallies"] == [{"run": BASE, "n": 8, "c": 1, "valid": 1, "invalid": 0, "unsure": 0}]
    assert second["tallies"] == [{"run": BASE, "n": 8, "c": 0}]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("/about s[34], attempt [67]/", [("s3", 6), ("s3", 7), ("s4", 6), ("s4", 7)]),
        ("attempt 3", [(f"s{place}", 3) for place in range(1, 7)]),
        ("/S4, ATTEMPT 1/i", [("s4", 1)]),
        ("s[34]", []),
    ],
)
def test_paths_in_which_something_is_found(
    sums: StoreLayout, tmp_path: Path, pattern: str, found: list[tuple[str, int]]
) -> None:
    write(sums, "paths", tmp_path / "paths.jsonl", BASE, find=pattern)
    rows = lines(tmp_path / "paths.jsonl")
    assert [(row["problem"], row["index"]) for row in rows] == found
    assert all(row["run"] == BASE for row in rows)
    if rows:
        assert rows[0]["export"]["find"] == pattern
    write(sums, "paths", tmp_path / "some.jsonl", BASE, find=pattern, verdict="correct", limit=1)
    every = [row for row in rows if row["verdict"] == "correct"]
    first = {row["problem"]: row["index"] for row in reversed(every)}
    assert {row["problem"]: row["index"] for row in lines(tmp_path / "some.jsonl")} == first


def test_a_bad_pattern_is_explained(sums: StoreLayout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Not a regular expression"):
        write(sums, "paths", tmp_path / "paths.jsonl", BASE, find="/(/")
    with pytest.raises(UsageError, match="--find is for paths"):
        write(sums, "curves", tmp_path / "curves.csv", BASE, find="x")
    assert list(tmp_path.iterdir()) == []


def test_problems_as_verl_trains_from_them(sums: StoreLayout, tmp_path: Path) -> None:
    made = write(sums, "problems", tmp_path / "train.verl.parquet", BASE, RL, problems="set:base_only")
    table = pq.read_table(tmp_path / "train.verl.parquet")
    assert table.column_names == ["data_source", "prompt", "ability", "reward_model", "extra_info"]
    assert table.to_pylist()[1] == {
        "data_source": "sums",
        "prompt": [{"role": "user", "content": "What is 40 + 4?"}],
        "ability": "reasoning",
        "reward_model": {"style": "rule", "ground_truth": "44"},
        "extra_info": {"split": "train", "index": 1, "problem": "s4", "level": "Level 1"},
    }
    assert made.rows == 2


@needs_datasets
def test_exported_problems_can_be_sampled_from(sums: StoreLayout, run_passk: Passk) -> None:
    write(sums, "problems", run_passk.folder / "hard.jsonl", BASE, RL, problems="set:base_only")
    columns = ("--question", "statement", "--answer", "reference", "--store", "s.passk")
    run_passk("benchmark", "add", "hard", "hard.jsonl", *columns)
    assert "hard" in run_passk("benchmark", "list", "--store", "s.passk").stdout


@needs_datasets
def test_load_dataset_reads_the_folder(sums: StoreLayout, tmp_path: Path) -> None:
    import datasets

    write(sums, "datasets", tmp_path / "folder", BASE, RL)
    where = {"cache_dir": str(tmp_path / "cache"), "split": "train"}
    samples = datasets.load_dataset(str(tmp_path / "folder"), **where)
    assert samples.num_rows == 96
    assert samples[0]["text"] == "base thinks about s1, attempt 0.\nSo the answer is 11."
    assert samples.features["tokens"] == datasets.Value("int64")
    problems = datasets.load_dataset(str(tmp_path / "folder"), "problems", **where)
    assert problems["problem"][:2] == ["s1", "s2"]
    card = (tmp_path / "folder" / "README.md").read_text(encoding="utf-8")
    assert "temperature 0.6" in card and '"store":"' in card


@needs_datasets
def test_only_an_exported_folder_is_replaced(sums: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    write(sums, "datasets", folder, BASE)
    write(sums, "datasets", folder, BASE, RL, force=True)
    assert len(list((folder / "samples").iterdir())) == 2
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "README.md").write_text("my notes")
    with pytest.raises(UsageError, match="not replaced"):
        write(sums, "datasets", mine, BASE, force=True)
    assert (mine / "README.md").read_text() == "my notes"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "mine"]


@needs_datasets
def test_pushing_without_a_network_is_a_sentence(
    sums: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens there: what a machine without a network sees, at once.
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    write(sums, "datasets", tmp_path / "folder", BASE)
    with pytest.raises(UsageError, match="could not be pushed"):
        push_dataset(tmp_path / "folder", "nobody/nothing")


def test_the_folder_needs_datasets(sums: StoreLayout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(UsageError, match="not installed"):
        write(sums, "datasets", tmp_path / "folder", BASE)
    assert list(tmp_path.iterdir()) == []


def test_what_stands_beside_a_sample_is_exported_with_it(store: StoreLayout, tmp_path: Path) -> None:
    write_part(store, "20260101T000000000000-job-1", [Attempt("p1", 0, text="one"), Attempt("p1", 1, text="two")])
    key, run, day = problem_key("b", "What is p1?", "p1"), run_key("m@b"), datetime(2026, 1, 2, 3, 4, 5, 6)
    name = "20260102T000000000000-judged-1"
    with PartWriter(store, "judgements", name=name) as part:
        part.write("judgements", [(run, key, 1, "ada", None, day, "invalid", "guesses | the <b>answer</b>")])
        part.write("scores", [(run, key, 1, "m-base", "transformers", "float32", 5, -3.5)])
        part.write("verdicts", [(run, key, 0, "math", "1", "correct", None, "42", False, day)])
        part.publish()
    write(store, "paths", tmp_path / "paths.jsonl", "m@b")
    first, second = lines(tmp_path / "paths.jsonl")
    assert first["verdicts"][0]["verifier"] == "math" and first["verdicts"][0]["verdict"] == "correct"
    assert first["judgements"] is None and first["judgement"] is None
    assert second["judgement"] == "invalid"
    assert second["scores"] == [
        {"scorer": "m-base", "engine": "transformers", "dtype": "float32", "tokens": 5, "logprob_sum": -3.5,
         "perplexity": math.exp(0.7)}
    ]  # fmt: skip
    assert second["judgements"][0]["created"] == "2026-01-02T03:04:05.000006"
    write(store, "paths", tmp_path / "paths.md", "m@b")
    said = (tmp_path / "paths.md").read_text(encoding="utf-8")
    assert r"- invalid (ada): guesses \| the \<b\>answer\</b\>" in said
