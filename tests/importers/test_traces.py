"""verifiers v1 and tinker-cookbook: episodes, agents and groups in place of plain samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend import Options, RunOptions, import_files
from backend.errors import InputError
from backend.importers.blocks import FAILED
from backend.records.imports import ImportReport
from backend.store.layout import StoreLayout
from tests.importers import examples as made
from tests.support import apart_from_copies, jsonl, paths_of, runs_of, totals, verdicts, with_reader

RUN = "org/m@sums"


def taken(
    store: StoreLayout, folder: Path, *rows: dict[str, Any], options: Options | None = None, **said: Any
) -> ImportReport:
    path = jsonl(folder / f"{len(list(folder.iterdir()))}.jsonl", rows)
    return import_files(store, [path], run_options=RunOptions(**said), options=options)


def test_an_episode_of_one_agent_is_a_sample(store: StoreLayout, tmp_path: Path) -> None:
    traces = [made.verifiers_trace(1, 1.0), made.verifiers_trace(1, 0.5), made.verifiers_trace(1, None)]
    cut = made.verifiers_trace(2, 0.0, stop_condition="max_output_tokens")
    failed = made.verifiers_trace(2, 0.0, errors=[{"type": "E", "message": "boom"}], ok=False)
    report = taken(store, tmp_path, *map(made.verifiers_episode, [*traces, cut, failed]))
    run = runs_of(store)[RUN]
    assert (run.parameters, totals(run)) == ({"temperature": 0.7, "max_tokens": 64}, (2, 5, 1))
    assert verdicts(store, "1", RUN) == ["correct", "wrong", "unverified"]
    assert verdicts(store, "2", RUN) == ["truncated", "unverified"]
    path = paths_of(store, "1", RUN)[0]
    assert (path.text, path.sample.tokens, path.sample.finish_reason) == ("So it is.", 5, "stop")
    assert paths_of(store, "2", RUN)[1].sample.detail == "error: boom, turns=1"
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("sums", "2")))
    assert (problem.statement, problem.reference) == ("What is 2?", "2")
    assert apart_from_copies(report.notes) == {
        "samples with a reward between 0 and 1, which is not correct": 1,
        FAILED: 1,
    }


def test_a_trace_of_an_older_file_is_the_line(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, tmp_path, made.verifiers_trace(1, 1.0), benchmark="b")
    assert verdicts(store, "1", "org/m@b") == ["correct"]


def test_the_text_is_what_the_model_said_on_the_last_branch(store: StoreLayout, tmp_path: Path) -> None:
    nodes = [
        {"message": {"role": "user", "content": "Go."}},
        {"parent": 0, "sampled": True, "message": {"role": "assistant", "content": "left"}},
        {"parent": 0, "sampled": True,
         "message": {"role": "assistant", "content": "right", "reasoning_content": "hm", "tool_calls": [{"id": "1"}]}},
        {"parent": 2, "message": {"role": "tool", "tool_call_id": "1", "content": "42"}},
        {"parent": 3, "message": {"role": "assistant", "content": "put into its mouth"}},
        {"parent": 4, "sampled": True, "message": {"role": "assistant", "content": "42"}},
    ]  # fmt: skip
    report = taken(store, tmp_path, made.verifiers_episode(made.verifiers_trace(1, 1.0, nodes=nodes)))
    assert paths_of(store, "1", RUN)[0].text == (
        '<think>\nhm\n</think>\n\nright\n<tool_call>\n{"id": "1"}\n</tool_call>\n\n'
        "<tool_response>\n42\n</tool_response>\n\n42"
    )
    assert "traces that branch: the text is the last branch" in report.notes


@pytest.mark.parametrize("parent", [2, -1, 7, "0", True])
def test_a_message_follows_an_earlier_one(store: StoreLayout, tmp_path: Path, parent: Any) -> None:
    trace = made.verifiers_trace(1, 1.0)
    trace["nodes"][2]["parent"] = parent
    with pytest.raises(InputError, match=r"line 1: field nodes: node 2 has the predecessor"):
        taken(store, tmp_path, made.verifiers_episode(trace))


def test_only_the_agent_that_is_trained_gives_samples(store: StoreLayout, tmp_path: Path) -> None:
    judge = made.verifiers_trace(1, 1.0, agent={"config": {"model": "j"}, "name": "judge", "trainable": False})
    rival = made.verifiers_trace(1, 0.0, agent={"config": {"model": "org/m"}, "name": "rival"})
    report = taken(store, tmp_path, made.verifiers_episode(judge, made.verifiers_trace(1, 1.0), rival))
    assert verdicts(store, "1", RUN) == ["correct"]
    assert {note for note in report.notes if "another agent" in note} == {
        "traces of another agent, left out: judge", "traces of another agent, left out: rival",
    }  # fmt: skip


def test_of_several_rewards_the_one_about_answers_counts(store: StoreLayout, tmp_path: Path) -> None:
    rewards = {"format": {"score": 1.0, "weight": 0.2}, "correct_answer": {"score": 0.0, "weight": 1.0}}
    row = made.verifiers_episode(made.verifiers_trace(1, None, rewards=rewards))
    report = taken(store, tmp_path, row)
    assert verdicts(store, "1", RUN) == ["wrong"]
    assert any("correct_answer gives the verdict" in note for note in report.notes)
    taken(store, tmp_path, row, run="form", options=Options(filter="format"))
    assert verdicts(store, "1", "form") == ["correct"]


def test_steps_of_a_training_are_models_of_their_own(store: StoreLayout, tmp_path: Path) -> None:
    def at(step: int) -> dict[str, Any]:
        run = {"type": "train", "id": "r", "work": {"type": "eval", "step": step}}
        return made.verifiers_episode(made.verifiers_trace(1, 1.0), run=run)

    taken(store, tmp_path, at(10), at(20), made.verifiers_episode(run=None))
    assert set(runs_of(store)) == {"org/m-step10@sums", "org/m-step20@sums"}


def test_tinker_is_judged_by_the_metric_and_not_by_the_reward(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.tinker_row(0, 0, 1.0), made.tinker_row(0, 1, 0.0), made.tinker_row(1, 0, 1.0)]
    rows[2]["steps"][0]["metrics"] = {}
    report = taken(store, tmp_path, *rows, model="m")
    run = runs_of(store)["m@eval/sums"]
    assert (totals(run), run.unverified, run.model.step) == ((2, 3, 1), 1, 3)
    sample = paths_of(store, "0", run.name)[0].sample
    assert (sample.verdict, sample.tokens, sample.finish_reason) == ("correct", 7, "stop")
    assert sample.detail == "total_reward=0.9, format=0, correct=1"
    assert paths_of(store, "0", run.name)[0].text is None
    assert report.notes["samples without a text: the file has none"] == 3
    assert report.notes["samples without the metric `correct`: unverified, for the total reward is shaped"] == 1


def test_tinker_with_a_trace_has_texts(store: StoreLayout, tmp_path: Path) -> None:
    row = made.tinker_row(0, 0, 1.0)
    answer = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "4"}]
    row["steps"][0]["trace"] = {
        "prompt": {"type": "conversation", "messages": [{"role": "user", "content": "2 + 2?"}]},
        "policy_response": {"type": "conversation", "messages": [{"role": "assistant", "content": answer}]},
        "reward": {"reference_answer": "4", "correct": True},
    }
    taken(store, tmp_path, row, model="m")
    (path,) = paths_of(store, "0", "m@eval/sums")
    assert path.text == "<think>\nhm\n</think>\n\n4"
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("eval/sums", "0")))
    assert (problem.statement, problem.reference) == ("2 + 2?", "4")


def test_groups_of_two_batches_of_training_are_two_problems(store: StoreLayout, tmp_path: Path) -> None:
    rows = [made.tinker_row(0, 0, 1.0, split="train", iteration=step) for step in (1, 2)]
    taken(store, tmp_path, *rows, model="m")
    assert verdicts(store, "1/0", "m-step1@train") == ["correct"]
    assert verdicts(store, "2/0", "m-step2@train") == ["correct"]
