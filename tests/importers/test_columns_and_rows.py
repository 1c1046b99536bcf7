"""How a table's columns are read, rows that cannot be read, errors of the machinery, and questions asked again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from backend import ImportReport, Options, RunOptions, import_files
from backend.errors import InputError
from backend.importers.blocks import FAILED
from backend.importers.session import REPEATED
from backend.store.layout import StoreLayout
from tests.support import Passk, csv_file, jsonl, paths_of, qwen_line, runs_of, totals, verdicts, with_reader

Row = dict[str, Any]


def taken(store: StoreLayout, *paths: Path, **options: Any) -> ImportReport:
    return import_files(store, paths, run_options=RunOptions(model="m", benchmark="b"), options=Options(**options))


def rows(answers: dict[int, list[str]], correct: str, column: str = "answer", **fields: Any) -> list[Row]:
    """A row for each answer to each problem; responses differ."""
    return [
        {"id": problem, "question": f"{problem}?", "response": f"try {place}", column: answer, **fields}
        | ({"correct": letter == "1"} if letter != "-" else {})
        for problem, given in answers.items()
        for place, (answer, letter) in enumerate(zip(given, correct, strict=True))
    ]


def known(store: StoreLayout, problem: str = "1") -> tuple[str | None, set[str | None]]:
    """Reference answer of a problem, and the model's."""
    reference = with_reader(store, lambda reader: reader.problem(reader.problem_key("b", problem)).reference)
    return reference, {path.sample.answer for path in paths_of(store, problem)}


# Which column is the reference answer

SAME = {1: ["180"] * 4, 2: ["391"] * 4}
OWN = {1: ["180", "5", "180", "7"], 2: ["391"] * 4}


@pytest.mark.parametrize("column", ["answer", "extracted_answer", "prediction"])
def test_a_column_that_does_not_follow_the_verdict_is_the_reference(
    store: StoreLayout, tmp_path: Path, column: str
) -> None:
    report = taken(store, jsonl(tmp_path / "a.jsonl", rows(SAME, "0110", column)))
    assert known(store) == ("180", {None})
    assert report.columns == {
        "id": "problem", "question": "statement", "response": "text", column: "reference", "correct": "verdict"
    }  # fmt: skip
    assert any(f"--column answer={column}" in note for note in report.notes)


@pytest.mark.parametrize("letters", ["0000", "----"], ids=["all wrong", "no verdicts"])
def test_a_column_called_answer_is_the_reference_where_responses_differ(
    store: StoreLayout, tmp_path: Path, letters: str
) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", rows(SAME, letters)))
    assert known(store) == ("180", {None})


def test_an_answer_that_differs_is_the_models(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", rows(OWN, "0110")))
    assert known(store) == (None, {"180", "5", "7"})


def test_the_same_answer_and_verdict_of_one_model_stays_the_models(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", rows(SAME, "1111", "extracted_answer")))
    assert known(store) == (None, {"180"})


def test_the_user_says_what_it_is(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", rows(SAME, "0110")), columns={"answer": "answer"})
    assert known(store) == (None, {"180"})


# Errors of the machinery


def test_a_request_that_failed_is_no_sample_of_the_model(store: StoreLayout, tmp_path: Path) -> None:
    lines = rows({1: ["a"] * 5}, "01000", "note")
    lines[2] |= {"response": "", "error": "APITimeoutError: Request timed out."}
    lines[3] |= {"response": None, "error": {"type": "overloaded"}}
    lines[4] |= {"error": "AssertionError: 1 != 2"}  # of the model's program, whose text is there
    report = taken(store, jsonl(tmp_path / "a.jsonl", [{"error": None, **line} for line in lines]))
    assert verdicts(store, "1") == ["wrong", "correct", "unverified", "unverified", "wrong"]
    assert report.notes[FAILED] == 2
    assert "timed out" in (paths_of(store, "1")[2].sample.detail or "")


def test_a_rollout_that_failed_is_none_either(store: StoreLayout, tmp_path: Path) -> None:
    line = {"example_id": 0, "prompt": "A?", "completion": "B", "reward": 0.0, "error": None}
    report = taken(store, jsonl(tmp_path / "a.jsonl", [line, line | {"completion": "", "error": "SandboxError"}]))
    assert (verdicts(store, "0"), report.notes[FAILED]) == (["wrong", "unverified"], 1)


# Rows that cannot be read

GOOD = rows({1: ["a"] * 3, 2: ["b"] * 3}, "010", "note")


def broken(path: Path) -> Path:
    lines = [json.dumps(row).encode() for row in GOOD]
    lines.insert(2, b"\0\0\0\0")
    lines.insert(4, json.dumps(GOOD[0] | {"correct": "perhaps"}).encode())
    path.write_bytes(b"\n".join(lines) + b"\n" + json.dumps(GOOD[0]).encode()[:-9])
    return path


def test_bad_rows_stop_an_import_or_are_left_out_and_listed(run_passk: Passk) -> None:
    broken(run_passk.folder / "a.jsonl")
    chosen = ("import", "a.jsonl", "--model", "m", "--benchmark", "b")
    assert "a.jsonl, line 3: not JSON" in run_passk(*chosen, status=1).stderr
    said = run_passk(*chosen, "--skip-bad-rows").stderr
    for row, why in ((3, "not JSON"), (5, "field correct: 'perhaps' is no verdict"), (9, "not JSON at its end")):
        assert f"left out: {run_passk.folder}/a.jsonl, row {row}: {why}" in said
    assert totals(runs_of(StoreLayout(run_passk.folder / "store.passk"))["m@b"]) == (2, 6, 2)


def test_bad_rows_of_other_formats(store: StoreLayout, tmp_path: Path) -> None:
    table = csv_file(tmp_path / "a.csv", ("id", "text", "correct"), [("p", "x", 1), ("p", "y"), ("p", "z", "maybe")])
    assert [row.partition(", ")[2][:6] for row in taken(store, table, skip_bad_rows=True).bad_rows] == [
        "row 3:",
        "row 4:",
    ]
    lists = jsonl(tmp_path / "b.jsonl", [qwen_line("A?", [True]), qwen_line("B?", [True], score=[True] * 2)])
    assert taken(store, lists, skip_bad_rows=True).runs[0].samples == 1
    array = tmp_path / "c.json"
    array.write_text(json.dumps([*GOOD, 5, GOOD[1] | {"correct": "perhaps"}]))
    assert len(taken(store, array, skip_bad_rows=True, on_duplicate="keep-all").bad_rows) == 2


def test_a_scale_that_is_not_said_is_no_bad_row(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "a.jsonl", [row | {"correct": 10} for row in GOOD])
    with pytest.raises(InputError, match="10 is no verdict"):
        taken(store, path, skip_bad_rows=True)


# Questions that are asked again


def test_repeated_questions_together_or_a_problem_of_each_row(store: StoreLayout, tmp_path: Path) -> None:
    lines = [qwen_line("A?", [True, True], idx=0), qwen_line("A?", [False, True], idx=1),
             qwen_line("B?", [False, False], idx=2), qwen_line("A?", [False, False], idx=3)]  # fmt: skip
    path = jsonl(tmp_path / "a.jsonl", lines)
    report = taken(store, path)
    assert report.notes[REPEATED] == 2 and "--repeats separate" in REPEATED
    assert totals(runs_of(store)["m@b"]) == (2, 8, 3)
    for model in ("n", "o"):
        said = RunOptions(model=model, benchmark="b")
        import_files(store, [path], run_options=said, options=Options(repeats="separate"))
    run = runs_of(store)["n@b"]
    assert (totals(run), run.n_min, run.n_max) == ((4, 8, 3), 2, 2)


def test_the_same_rows_asked_again_pair_with_those_of_another_run(run_passk: Passk) -> None:
    for name, scores in (("x", [True, False]), ("y", [False, False])):
        lines = [qwen_line("A?", scores, idx=0), qwen_line("A?", scores, idx=1)]
        jsonl(run_passk.folder / f"{name}.jsonl", lines)
        run_passk("import", f"{name}.jsonl", "--model", name, "--benchmark", "b", "--repeats", "separate")
    found = run_passk("sets", "--base", "x", "--rl", "y", "--format", "json").json
    assert found["counts"] == {"both": 0, "base_only": 2, "rl_only": 0, "neither": 0}


def test_the_report_says_what_the_fields_of_a_format_are_taken_for(run_passk: Passk) -> None:
    jsonl(run_passk.folder / "a.jsonl", [qwen_line("A?", [True, False], mood="good")])
    said = run_passk("import", "a.jsonl", "--model", "m", "--benchmark", "b").stderr
    for line in (
        "column question: statement",
        "column gt: reference",
        "column score: verdict",
        "column mood: not read",
    ):
        assert line in said
