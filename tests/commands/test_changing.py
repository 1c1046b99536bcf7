"""passk run, reference and override as a user calls them: what counts changes at once, and comes back by undo."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support import Passk, jsonl, long_rows

STORE = ("--store", "store.passk")


def other_rows(word: str, samples: int) -> list[dict[str, object]]:
    """Other responses to the same problems: what the store has already is not taken once more."""
    return [{**row, "completion": f"{row['completion']} {word}."} for row in long_rows(samples=samples)]


@pytest.fixture
def two(run_passk: Passk) -> Passk:
    """store.passk with a base and an RL run."""
    jsonl(run_passk.folder / "base.jsonl", long_rows())
    jsonl(run_passk.folder / "rl.jsonl", long_rows(problems=5))
    run_passk("import", "base.jsonl", "--model", "base", "--role", "base", "--benchmark", "b", *STORE)
    run_passk("import", "rl.jsonl", "--model", "rl", "--role", "rl", "--benchmark", "b", *STORE)
    return run_passk


def runs(passk: Passk) -> dict[str, tuple[object, ...]]:
    found = passk("runs", "--format", "json").json
    return {run["run"]: (run["role"], run["step"], run["samples"], run["correct"]) for run in found}


def last_decision(passk: Passk) -> str:
    return str(passk("imports", "--decisions", "--format", "json").json[-1]["decision"])


def test_a_renamed_run_is_meant_by_both_names(two: Passk) -> None:
    done = two("run", "rename", "rl@b", "GRPO", "--yes")
    assert "rl@b still means it" in done.stderr
    assert set(runs(two)) == {"base@b", "GRPO"}
    assert two("curves", "--run", "rl@b", "--format", "json").json
    jsonl(two.folder / "more.jsonl", other_rows("More", 2))
    assert "added to GRPO" in two("import", "more.jsonl", "--model", "rl", "--benchmark", "b", *STORE).stderr
    assert runs(two)["GRPO"][2] == 26
    jsonl(two.folder / "again.jsonl", other_rows("Again", 3))
    two("import", "again.jsonl", "--run", "GRPO", *STORE)
    assert runs(two)["GRPO"][2] == 35
    assert "a run base@b already" in two("run", "rename", "GRPO", "base@b", "--yes", status=1).stderr
    assert "a run rl@b already" in two("run", "rename", "base@b", "rl@b", "--yes", status=1).stderr
    two("undo", last_decision(two), "--yes")
    assert set(runs(two)) == {"base@b", "rl@b"}


def test_a_removed_run_is_gone_until_it_is_brought_back(two: Passk) -> None:
    before = runs(two)
    two("run", "remove", "rl@b", "--yes")
    assert set(runs(two)) == {"base@b"}
    removal = last_decision(two)
    # Its file can be imported again, rightly this time.
    two("import", "rl.jsonl", "--model", "rl", "--benchmark", "b", *STORE)
    assert runs(two)["rl@b"][2:] == before["rl@b"][2:]
    (_, first, second) = two("imports", "--format", "json").json
    two("undo", second["import"], "--yes")
    two("undo", removal, "--yes")
    assert runs(two) == before
    assert first["runs"] == ["rl@b"]


def test_what_is_set_goes_before_what_files_say(two: Passk) -> None:
    two("run", "set", "rl@b", "--role", "sft", "--step", "40", "--model-path", "/models/rl")
    assert runs(two)["rl@b"][:2] == ("sft", 40)
    rows = [{**row, "model": "rl", "benchmark": "b", "role": "rl"} for row in other_rows("More", 2)]
    jsonl(two.folder / "more.jsonl", rows)
    two("import", "more.jsonl", *STORE)
    assert runs(two)["rl@b"][:3] == ("sft", 40, 26)
    assert "no role" in two("run", "set", "rl@b", "--role", "nothing", status=1).stderr
    two("undo", last_decision(two), "--yes")
    assert runs(two)["rl@b"][:2] == ("rl", None)


def test_an_overridden_verdict_counts_and_the_old_one_stays_beside(two: Passk) -> None:
    of = ("--run", "rl@b", "--problem", "p1")
    assert runs(two)["rl@b"][3] == 10
    assert "with a reason" in two("override", "3", "correct", *of, status=1).stderr
    two("override", "3", "correct", *of, "--reason", "it is right")
    assert runs(two)["rl@b"][3] == 11
    *_, sample = two("paths", *of).lines
    assert (sample["verdict"], sample["overridden"]) == ("correct", True)
    two("override", "0", "wrong", *of, "--reason", "a guess")
    assert runs(two)["rl@b"][3] == 10
    two("override", "3", "withdraw", *of)
    assert runs(two)["rl@b"][3] == 9
    two("undo", last_decision(two), "--yes")
    assert runs(two)["rl@b"][3] == 10
    two("verify", "--run", "rl@b", "--again", "--verifier", "exact", status=None)
    two("export", "curves", "--run", "rl@b", "--to", "curves.csv")
    assert '""overridden"":2' in (two.folder / "curves.csv").read_text()


def test_a_corrected_reference_counts_and_the_base_is_verified_anew(run_passk: Passk, shared_data: Path) -> None:
    case = shared_data / "cases" / "identity" / "corrected-reference"
    columns = [word for pair in ("reference=gt", "response=response") for word in ("--column", pair)]
    for name, role in (("base", "base"), ("rl", "rl")):
        done = run_passk(
            "import", case / f"{name}.jsonl", "--model", name, "--role", role, "--benchmark", "B", *columns[:2], *STORE
        )
    assert "384 and 385" in done.stderr and "passk reference choose" in done.stderr
    versions = run_passk("reference", "list", "--format", "json").json
    assert [(version["reference"], version["counts"]) for version in versions] == [("384", True), ("385", False)]
    assert runs(run_passk)["base@B"][3] == 0
    done = run_passk("reference", "choose", "B", "a12", "385", "--reason", "the official erratum")
    assert "base@B: 4 samples verified anew" in done.stderr
    assert runs(run_passk)["base@B"][3] == 4
    run_passk("undo", last_decision(run_passk), "--yes")
    assert runs(run_passk)["base@B"][3] == 0
    (run_passk.folder / "fixed.csv").write_text("problem,reference\na12,385\n")
    run_passk("reference", "set", "B", "--from", "fixed.csv")
    assert (runs(run_passk)["base@B"][3], runs(run_passk)["rl@B"][3]) == (4, 4)
    assert "count already" in run_passk("reference", "set", "B", "a12", "385", status=1).stderr
