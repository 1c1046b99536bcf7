"""Other people's files: the figures of ../shared/data/README.md that commands/test_figures.py does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend import Options, RunOptions, import_files
from backend.errors import UsageError
from backend.importers.session import REPEATED
from backend.store.layout import StoreLayout
from tests.support import Passk, imported, paths_of, runs_of, totals, with_reader

pytestmark = pytest.mark.shared_data


def test_a_verl_rollout_of_128_prompts(shared_data: Path, store: StoreLayout) -> None:
    report = imported(store, shared_data / "verl_rollouts" / "1.jsonl", role="rl")
    run = runs_of(store)["m@b"]
    assert (totals(run), run.n_min, run.n_max) == ((128, 128, 2), 1, 1)
    assert (run.model.step, run.unverified) == (1, 0)
    assert list(report.notes.values()) == [128, 128], "a template each, and none says whether it was cut off"


def test_two_models_of_lm_eval(shared_data: Path, store: StoreLayout) -> None:
    """Models and benchmark are named by the files beside them; three documents with one filter each."""
    report = import_files(store, [shared_data / "lm_eval"])
    assert sorted(file.status for file in report.files) == ["imported", "imported", "left", "left"]
    runs = runs_of(store)
    assert {name: totals(run) for name, run in runs.items()} == {
        "gemma3:12b-it-q4_K_M@gsm8k": (3, 3, 2),
        "gemma3:12b-u1@gsm8k": (3, 3, 1),
    }
    reported = '[["imported", "exact_match,strict-match", 0.75]]'
    assert runs["gemma3:12b-u1@gsm8k"].parameters == {"temperature": 0.0, "reported": reported}
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("gsm8k", "18")))
    assert problem.statement.startswith("Claire makes a 3 egg omelet every morning")
    verdicts = {tally.run.model.name: tally.verdicts["correct"] for tally in problem.tallies}
    assert verdicts == {"gemma3:12b-it-q4_K_M": 1, "gemma3:12b-u1": 0}
    with pytest.raises(UsageError, match="flexible-extract: it has none of this name"):
        import_files(store, [shared_data / "lm_eval"], options=Options(filter="flexible-extract"))


def test_lm_eval_as_base_and_tuned(shared_data: Path, run_passk: Passk) -> None:
    for date, model, role in (("42-42.857006", "base", "base"), ("31-53.431753", "tuned", "sft")):
        file = shared_data / "lm_eval" / f"samples_gsm8k_2025-09-09T13-{date}.jsonl"
        run_passk("import", file, "--model", model, "--role", role)
    counts = run_passk("sets", "--base", "base", "--rl", "tuned", "--format", "json").json["counts"]
    assert counts == {"both": 1, "base_only": 1, "rl_only": 0, "neither": 1}


def test_an_inspect_log(shared_data: Path, store: StoreLayout) -> None:
    """C is correct, whatever the target letter. One question of the 285 is asked twice."""
    report = import_files(store, [shared_data / "inspect" / "mmlu_gpt4.eval"])
    run = runs_of(store)["openai/gpt-4@mmlu"]
    assert (run.samples, run.correct, run.unverified, run.problems) == (285, 223, 0, 284)
    assert report.notes == {REPEATED: 1}
    (path,) = paths_of(store, "1", "openai/gpt-4@mmlu")
    assert (path.text, path.sample.verdict, path.sample.answer) == ("ANSWER: D", "correct", "D")
    assert (path.sample.tokens, path.sample.finish_reason) == (4, "stop")


def test_verifying_an_inspect_log_again(shared_data: Path, run_passk: Passk) -> None:
    """Our rules on letters agree with theirs on all 285: one of the wrong ones names no letter."""
    run_passk("import", shared_data / "inspect" / "mmlu_gpt4.eval")
    changed = run_passk("verify", "--run", "gpt-4", "--again", "--verifier", "choice", "--format", "json").json
    assert {(row["before"], row["now"]): row["samples"] for row in changed} == {
        ("correct", "correct"): 223,
        ("wrong", "wrong"): 61,
        ("wrong", "no_answer"): 1,
    }


def test_everything_at_once_says_what_is_missing(shared_data: Path, store: StoreLayout) -> None:
    with pytest.raises(UsageError, match="does not say which"):
        import_files(store, [shared_data], run_options=RunOptions())
