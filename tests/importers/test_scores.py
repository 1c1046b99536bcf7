"""Which numbers are verdicts: a count or a reward of another scale is none, NaN is unknown; in every format alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from backend import Options, RunOptions, import_files
from backend.errors import InputError
from backend.importers.chat import completion_text
from backend.store.layout import StoreLayout
from tests.importers import examples as made
from tests.importers.test_more_formats import verdicts
from tests.support import imported, jsonl, long_rows, qwen_line, runs_of


def test_a_whole_number_above_1_is_refused_with_what_it_may_be(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.verl_row("A?", reward) for reward in (0, 2, 5, 10)]
    files = [
        jsonl(tmp_path / "1.jsonl", rows),
        jsonl(tmp_path / "2.jsonl", [row | {"is_correct": 7} for row in long_rows()]),
        jsonl(tmp_path / "3.jsonl", [qwen_line("A?", [True, False], score=[3, 0])]),
    ]
    for path in files:
        with pytest.raises(InputError) as refused:
            imported(store, path)
        assert "is no verdict: a whole number above 1" in str(refused.value)
        assert "line" in str(refused.value) and "--correct-at 10" in str(refused.value)
    assert not store.exists() or not runs_of(store)


def test_from_which_reward_on_a_sample_is_correct(store: StoreLayout, tmp_path: Path) -> None:
    path = jsonl(tmp_path / "1.jsonl", [made.verl_row("A?", reward) for reward in (0, 2, 5, 10)])
    import_files(store, [path], run_options=RunOptions(model="m", benchmark="b"), options=Options(correct_at=5))
    assert verdicts(store, "0") == ["wrong", "wrong", "correct", "correct"]


def test_nan_makes_one_sample_unverified_and_no_file(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, jsonl(tmp_path / "1.jsonl", [made.verl_row("A?", score) for score in (1.0, float("nan"), 0.0)]))
    assert Counter(verdicts(store, "0")) == {"correct": 1, "unverified": 1, "wrong": 1}
    rows = [made.lm_eval_row(i, str(i), "x", score) for i, score in enumerate((1.0, float("nan")))]
    imported(store, jsonl(tmp_path / "2.jsonl", rows), run="lm")
    run = runs_of(store)["lm"]
    assert (run.samples, run.unverified) == (2, 1)


def test_every_turn_of_a_completion_is_kept_with_its_role() -> None:
    call = {"id": "t1", "function": {"name": "python", "arguments": '{"code": "print(1)"}'}}
    text, thought = completion_text(
        [
            {"role": "assistant", "content": None, "reasoning": "I compute.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "t1", "content": "1"},
            {"role": "assistant", "content": "It is 1."},
        ]
    )
    assert thought
    assert text == (
        "<think>\nI compute.\n</think>\n\n"
        '\n<tool_call>\n{"name": "python", "arguments": {"code": "print(1)"}}\n</tool_call>\n\n'
        "<tool_response>\n1\n</tool_response>\n\nIt is 1."
    )


def test_lists_within_lists_are_samples(store: StoreLayout, tmp_path: Path) -> None:
    row = made.lm_eval_row(0, "x", "x", 1.0, resps=[[["first"], ["second"]]])
    imported(store, jsonl(tmp_path / "a.jsonl", [row]))
    assert runs_of(store)["m@b"].samples == 2


def test_a_json_array_of_rows(store: StoreLayout, tmp_path: Path) -> None:
    import json

    path = tmp_path / "rows.json"
    path.write_text(json.dumps(long_rows(), indent=1), encoding="utf-8")
    imported(store, path)
    assert runs_of(store)["m@b"].samples == 12
    path.write_text(json.dumps([*long_rows(), 5]), encoding="utf-8")
    with pytest.raises(InputError, match="entry 13: expected a JSON object, found a number"):
        imported(store, path, run="second")
