"""Other people's lists of responses with the verdict that a careful reader gives them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from backend.verifiers.protocol import Task
from backend.verifiers.registry import load_verifier

pytestmark = pytest.mark.shared_data


@pytest.mark.parametrize(
    ("cases", "verifier", "least"), [("number", "number", 1.0), ("math", "math", 0.92), ("extraction", "math", 0.92)]
)
def test_lists_of_verdicts(shared_data: Path, cases: str, verifier: str, least: float) -> None:
    """Never correct where it is not, and as expected nearly always."""
    if verifier == "math":
        pytest.importorskip("math_verify")
    loaded = load_verifier(verifier)
    as_expected = total = 0
    for line in (shared_data / "cases" / "verdicts" / f"{cases}.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        task = Task(case["response"], case.get("finish_reason") or "stop", case.get("question", ""), case["reference"])
        given = loaded.judge(task).verdict
        total += 1
        if case["expected"] == "not correct":
            assert given != "correct", case
            as_expected += 1
        else:
            as_expected += given == case["expected"]
    assert total and as_expected / total >= least, f"{as_expected} of {total}"


def test_nothing_is_right_where_nothing_is(shared_data: Path) -> None:
    number = load_verifier("number")
    rows = [
        json.loads(line)
        for path in (shared_data / "cases" / "verdicts" / "no-right-answer").glob("*.jsonl")
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    assert rows
    for row in rows:
        assert number.judge(Task(row["response"], "stop", reference=row["answer_ref"])).verdict != "correct", row
