"""A run has one prompt for each problem; another prompt is another run, and nothing is pooled silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import MayBeSeveral
from backend.importers.run_prompts import VARIED
from backend.store.layout import StoreLayout
from tests.support import imported, jsonl

Q = ["How many stand?", "What is 6 times 7?", "Name the third prime."]


def dump(path: Path, template: str, numbers: range = range(2)) -> Path:
    """A verl dump whose prompts are made by a template."""
    rows = [
        {
            "input": template.format(q),
            "output": f"{q[:9]} {len(template)} {number} is \\boxed{{{number}}}",
            "score": 1.0,
        }
        | {"gts": "1", "step": 1}
        for q in Q
        for number in numbers
    ]
    return jsonl(path, rows)


PLAIN = "Question: {}\nAnswer:"
SHOTS = "Question: 1+1?\nAnswer: 2\n\nQuestion: {}\nAnswer:"


def test_another_prompt_in_the_store_is_asked_about(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, dump(tmp_path / "a.jsonl", PLAIN))
    other = dump(tmp_path / "b.jsonl", SHOTS)
    with pytest.raises(MayBeSeveral, match=r"The store and .*b\.jsonl would form one run") as refused:
        imported(store, other)
    assert "--run" in (refused.value.next_step or "")
    report = imported(store, other, run="m-2-shot@b")
    assert [(run.run, run.problems, run.added_to_existing) for run in report.runs] == [("m-2-shot@b", 3, False)]


def test_two_files_of_one_import(store: StoreLayout, tmp_path: Path) -> None:
    files = [dump(tmp_path / "seed1.jsonl", PLAIN), dump(tmp_path / "seed2.jsonl", SHOTS)]
    with pytest.raises(MayBeSeveral, match=r"seed1\.jsonl and .*seed2\.jsonl would form one run"):
        imported(store, *files)
    assert not store.exists() or not list(store.parts.glob("*/manifest.json"))
    assert imported(store, *files, run="both").runs[0].samples == 12, "the user said that they are one run"


def test_the_same_prompts_come_together(store: StoreLayout, tmp_path: Path) -> None:
    imported(store, dump(tmp_path / "seed1.jsonl", PLAIN))
    report = imported(store, dump(tmp_path / "seed2.jsonl", PLAIN, range(2, 4)))
    assert [(run.samples, run.added_to_existing) for run in report.runs] == [(6, True)]
    assert VARIED not in report.notes


def test_prompts_that_vary_within_a_file_are_said(store: StoreLayout, tmp_path: Path) -> None:
    rows = [
        {"doc_id": at, "doc": {"question": q}, "target": "1", "arguments": [[form.format(q), {}]], "filter": "none"}
        | {"resps": [[f"{number} of {len(form)}"]], "filtered_resps": ["1"], "metrics": ["acc"], "acc": 1.0}
        for at, q in enumerate(Q)
        for number, form in enumerate((PLAIN, SHOTS))
    ]
    report = imported(store, jsonl(tmp_path / "both.jsonl", rows))
    assert report.notes[VARIED] == 3
    assert [(run.problems, run.samples) for run in report.runs] == [(3, 6)]
