"""What an import says of samples that nobody has judged."""

from __future__ import annotations

from tests.support import Passk, jsonl


def test_who_would_verify_is_said_or_what_is_missing(run_passk: Passk) -> None:
    rows = [{"problem": "p", "statement": "Which?", "reference": reference, "text": "B"} for reference in ("B", None)]
    jsonl(run_passk.folder / "letters.jsonl", rows[:1])
    said = run_passk("import", "letters.jsonl", "--model", "m", "--benchmark", "letters").stderr
    assert "passk verify would take the verifier choice, because each reference answer is one letter" in said
    jsonl(run_passk.folder / "open.jsonl", rows[1:])
    said = run_passk("import", "open.jsonl", "--model", "m", "--benchmark", "open").stderr
    assert "Nothing tells how to verify samples of open" in said
