"""passk imports, undo and redo as a user calls them."""

from __future__ import annotations

import pytest

from tests.support import Passk, jsonl, long_rows


@pytest.fixture
def two(run_passk: Passk) -> Passk:
    """store.passk with a base and an RL run."""
    jsonl(run_passk.folder / "base.jsonl", long_rows())
    jsonl(run_passk.folder / "rl.jsonl", long_rows(problems=5))
    run_passk("import", "base.jsonl", "--model", "base", "--role", "base", "--benchmark", "b", "--store", "store.passk")
    run_passk("import", "rl.jsonl", "--model", "rl", "--role", "rl", "--benchmark", "b", "--store", "store.passk")
    return run_passk


def test_imports_are_listed_taken_back_and_brought_back(two: Passk) -> None:
    _base, rl = two("imports", "--format", "json").json
    assert (rl["runs"], rl["samples"], rl["taken_back"]) == (["rl@b"], 20, False)
    assert rl["author"] and rl["files"][0].endswith("rl.jsonl") and rl["created"].startswith("20")
    assert "rl.jsonl" in two("imports").stdout
    # Nobody is there to be asked.
    refused = two("undo", rl["import"], status=1)
    assert "20 samples of rl@b" in refused.stderr and "--yes" in refused.stderr
    assert len(two("runs", "--format", "json").json) == 2
    done = two("undo", rl["import"], "--yes", "--reason", "another model")
    assert "Taken back: import" in done.stderr and "passk undo" in done.stderr
    assert [run["run"] for run in two("runs", "--format", "json").json] == ["base@b"]
    assert two("imports", "--format", "csv").stdout.count("\n") == 3
    assert two("imports", "--format", "json").json[1]["taken_back"] is True
    (decision,) = two("imports", "--decisions", "--format", "json").json
    assert (decision["kind"], decision["reason"], decision["taken_back"]) == ("undo", "another model", False)
    two("undo", rl["import"], "--undo", "--yes")
    assert len(two("runs", "--format", "json").json) == 2
    assert "was not taken back" in two("redo", rl["import"], "--yes", status=1).stderr
    assert "no import and no decision nothing" in two("undo", "nothing", "--yes", status=1).stderr
