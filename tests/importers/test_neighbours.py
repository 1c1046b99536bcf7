"""The formats that are declarations: what each makes of a sample, and its traps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from backend import Options, RunOptions, import_files
from backend.errors import InputError, UsageError
from backend.records import Response
from backend.records.imports import ImportReport
from backend.store.layout import StoreLayout
from tests.importers import neighbours as made
from tests.support import jsonl, paths_of, runs_of, totals, verdicts, with_reader


def taken(store: StoreLayout, *paths: Path, options: Options | None = None, **said: Any) -> ImportReport:
    named = RunOptions(**{"model": "m", "benchmark": "b", **said})
    return import_files(store, paths, run_options=named, options=options)


def samples(store: StoreLayout, run: str = "m@b") -> list[list[Response]]:
    """The samples of every problem of a run, in the order of its benchmark."""

    def read(reader: Any) -> list[list[Response]]:
        found = reader.run(run)
        problems = reader.rows("reads/benchmark_problems", benchmark=found.benchmark)
        return [list(reader.paths(found, problem[0])) for problem in problems]

    return with_reader(store, read)  # type: ignore[no-any-return]


WITHOUT_VERDICTS = {"openai-batch", "opencompass predictions", "wide-form verl"}
OTHERWISE = {"rllm", "nemo-skills", "outcomes", "counts jsonl", "long-form messages"}
"""Formats whose small file does not hold the four samples."""


def test_every_format_has_the_samples_that_were_written(tmp_path: Path) -> None:
    for place, (name, write) in enumerate(made.each(tmp_path).items()):
        if name in OTHERWISE:
            continue
        store = StoreLayout(tmp_path / f"{place}.passk")
        taken(store, write())
        run = runs_of(store)["m@b"]
        right, unknown = (0, 4) if name in WITHOUT_VERDICTS else (1, 0)
        assert (totals(run), run.unverified) == ((2, 4, right), unknown), name
        for problem, paths in enumerate(samples(store)):
            for path in paths:
                left = (path.text or "").removesuffix(made.said(problem, path.sample.index))
                assert left in ("", "<think>\nI add.\n</think>\n\n"), name


def test_a_rollout_of_nemo_gym(store: StoreLayout, tmp_path: Path) -> None:
    rows = made.gym_rows()
    rows[1]["response"]["incomplete_details"] = {"reason": "max_output_tokens"}
    rows[2]["response"]["error"] = {"code": "server_error", "message": "gone"}
    rows[3]["response"]["output"] = [
        {"type": "function_call", "name": "python", "arguments": '{"code": "1"}', "call_id": "c"},
        {"type": "function_call_output", "call_id": "c", "output": "1"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "So 1."}]},
    ]
    report = import_files(store, [jsonl(tmp_path / "a.jsonl", rows)], run_options=RunOptions(model="m"))
    run = runs_of(store)["m@sums_agent"]
    assert (totals(run), run.parameters["temperature"]) == ((2, 4, 1), 0.5)
    assert verdicts(store, "0", run.name) == ["correct", "truncated"]
    failed, called = paths_of(store, "1", run.name)
    assert (failed.sample.verdict, called.sample.verdict) == ("unverified", "wrong")
    assert "server_error" in (failed.sample.detail or "")
    assert "<tool_response>\n1\n</tool_response>" in (called.text or "")
    assert (called.sample.tokens, called.sample.answer) == (5, "2")
    assert any(note.startswith("samples that an error of the machinery ended") for note in report.notes)


def test_seeds_of_nemo_skills_and_its_judge(store: StoreLayout, tmp_path: Path) -> None:
    for seed in range(2):
        jsonl(tmp_path / f"output-rs{seed}.jsonl", made.skills_rows(seed))
    paths = [tmp_path / f"output-rs{seed}.jsonl" for seed in range(2)]
    report = taken(store, *paths)
    run = runs_of(store)["m@b"]
    assert (totals(run), run.n_min) == ((2, 4, 1), 2)
    found = paths_of(store, "sums-0")
    assert [(path.sample.seed, path.sample.tokens) for path in found] == [(0, 12), (1, 12)]
    assert any("symbolic_correct counts" in note for note in report.notes)
    for row in (judged := made.skills_rows(1)):
        row["judgement"] = "The answers agree.\n\n**Judgement:** Yes" if row["id"] == "sums-1" else "Judgement: No"
    other = jsonl(tmp_path / "judged.jsonl", judged)
    taken(store, other, options=Options(filter="judgement"), run="judged")
    assert (verdicts(store, "sums-0", "judged"), verdicts(store, "sums-1", "judged")) == (["wrong"], ["correct"])


def test_token_rewards_and_data_sources_of_skyrl(store: StoreLayout, tmp_path: Path) -> None:
    import_files(store, [jsonl(tmp_path / "a.jsonl", made.skyrl_rows())], run_options=RunOptions(model="m"))
    assert list(runs_of(store)) == ["m@sums"]
    (known, _) = with_reader(store, lambda reader: reader.rows("reads/benchmark_problems", benchmark="sums"))
    problem = with_reader(store, lambda reader: reader.problem(known[0]))
    assert problem.statement == made.QUESTIONS[0], "the template is no part of the problem"
    ((first, _), _) = samples(store, "m@sums")
    assert (first.text, first.sample.finish_reason) == (made.said(0, 0), "stop")


def test_episodes_of_rllm_are_a_file_each(store: StoreLayout, tmp_path: Path) -> None:
    folder = tmp_path / "val_step_10_epoch_0"
    folder.mkdir()
    for p, i in made.PAIRS:
        more = {(1, 0): {"termination_reason": "error"}, (1, 1): {"termination_reason": "max_response_length_exceeded"}}
        made.document(folder / f"episode_hash{p}_id{i}.json", made.episode(p, i, **more.get((p, i), {})))
    made.document(folder / "batch_summary.json", {"training_step": 10, "episode_files": []})
    taken(store, folder)
    run = runs_of(store)["m@b"]
    assert (totals(run), run.unverified, run.model.step) == ((2, 4, 1), 1, 10)
    assert verdicts(store, "hash1") == ["unverified", "truncated"]


@pytest.mark.parametrize("old", [False, True])
def test_reviews_of_evalscope_name_model_and_benchmark(store: StoreLayout, tmp_path: Path, old: bool) -> None:
    folder = tmp_path / "reviews" / "Qwen2.5"
    folder.mkdir(parents=True)
    path = jsonl(folder / "gsm8k_main.jsonl", made.old_scope_rows() if old else made.scope_rows())
    import_files(store, [path])
    assert list(runs_of(store)) == ["Qwen2.5@gsm8k_main"]
    ((first, _), _) = samples(store, "Qwen2.5@gsm8k_main")
    assert (first.text, first.sample.answer) == (made.said(0, 0), "2")


def test_one_judgement_of_several_responses_is_none_of_each(store: StoreLayout, tmp_path: Path) -> None:
    row = made.instance_rows()[0]
    row["output"]["raw"] = ["a", "b"]
    path = jsonl(tmp_path / "a.jsonl", [row, {**made.instance_rows()[2], "error": "timeout"}])
    import_files(store, [path])
    run = runs_of(store)["org/m@sums"]
    assert (run.samples, run.unverified) == (3, 3)


def test_requests_beside_a_batch_give_the_questions(store: StoreLayout, tmp_path: Path) -> None:
    rows = made.batch_rows()
    rows.append({"id": "x", "custom_id": "request-9", "response": None, "error": {"code": "batch_expired"}})
    path = jsonl(tmp_path / "out.jsonl", rows)
    jsonl(tmp_path / "in.jsonl", made.batch_requests())
    import_files(store, [path], run_options=RunOptions(benchmark="b"))
    run = runs_of(store)["org/m@b"]
    assert (run.samples, run.unverified, run.parameters["temperature"]) == (5, 5, 0.7)
    problem = with_reader(store, lambda reader: reader.problem(reader.problem_key("b", "request-1")))
    assert problem.statement == made.QUESTIONS[1]


def test_predictions_of_opencompass_in_lines(store: StoreLayout, tmp_path: Path) -> None:
    """As AISBench writes them; a request that failed says so."""
    rows = [{**made.compass_predictions()[str(p)], "data_abbr": "sums", "id": p, "success": p == 0} for p in range(2)]
    report = taken(store, jsonl(tmp_path / "a.jsonl", rows))
    assert report.files[0].format == "opencompass"
    assert any(note.startswith("samples that an error") for note in report.notes)
    assert totals(runs_of(store)["m@b"]) == (2, 4, 0)


def test_scores_of_simple_evals_stand_in_its_pages(store: StoreLayout, tmp_path: Path) -> None:
    results = made.simple_evals_results()
    results["htmls"][3] = "<p>Correct Answer: 4</p><p>Extracted Answer: None</p><p>Score: False</p>"
    taken(store, made.document(tmp_path / "a.json", results))
    assert totals(runs_of(store)["m@b"]) == (2, 4, 1)
    (_, (_, last)) = samples(store)
    assert last.sample.verdict == "no_answer"
    results["convos"].pop()
    with pytest.raises(InputError, match="two lists of one length"):
        taken(store, made.document(tmp_path / "b.json", results), run="other")


def test_lists_of_verdicts_are_several_verifiers(store: StoreLayout, tmp_path: Path) -> None:
    path = made.parquet(tmp_path / "a.parquet", made.wide_rows())
    report = taken(store, path)
    assert any("correctness_math_verify counts" in note for note in report.notes)
    assert verdicts(store, "u0") == ["correct", "truncated"]
    taken(store, path, options=Options(filter="correctness_llama"), run="llama")
    assert totals(runs_of(store)["llama"]) == (2, 4, 0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"correctness_math_verify": [True]}, "correctness_math_verify: 1 entries for 2 samples"),
        ({"correctness_math_verify": [85, 0]}, "85 is no verdict"),
        ({"generations": "text"}, "expected a list with an entry a sample"),
    ],
)
def test_a_wide_row_that_does_not_fit_is_refused(
    store: StoreLayout, tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    rows = made.wide_rows()
    path = jsonl(tmp_path / "a.jsonl", [rows[0], {**rows[1], **change}])
    with pytest.raises(InputError, match=said):
        taken(store, path)


@pytest.mark.parametrize(
    ("more", "wanted"),
    [
        ({"generations": ["x", None], "correctness_math_verify": [True, None]}, ["correct", "unverified"]),
        ({"labels": ["algebra", "easy"]}, ["correct", "truncated"]),
        ({"correctness_math_verify": None, "correctness_llama": None, "correct": True}, ["unverified", "unverified"]),
        ({"generations": ["x"], "correctness_math_verify": None, "correctness_llama": None, "finish_reasons": None,
          "correct": True}, ["correct"]),
    ],
)  # fmt: skip
def test_what_lists_beside_the_responses_are(
    store: StoreLayout, tmp_path: Path, more: dict[str, Any], wanted: list[str]
) -> None:
    taken(store, jsonl(tmp_path / "a.jsonl", [{**made.wide_rows()[0], **more}]))
    assert verdicts(store, "u0") == wanted


def test_a_response_with_lists_beside_it_is_no_wide_row(store: StoreLayout, tmp_path: Path) -> None:
    row = {"id": "1", "question": "q?", "response": "said", "solutions": ["a", "b"], "code": ["x"], "correct": True}
    report = taken(store, jsonl(tmp_path / "a.jsonl", [row]))
    assert report.files[0].format == "long-form"
    assert [path.text for path in paths_of(store, "1")] == ["said"]


@pytest.mark.parametrize(
    ("table", "runs"),
    [
        ({"p1": {"base": [0, 1], "rl": [1, 1]}, "p2": {"base": [0, 0], "rl": [1, 0]}, "p3": {"rl": [0]}},
         {"base@b": (2, 4, 1), "rl@b": (3, 5, 3)}),
        ({"base": {"p1": [0, 1], "p2": [0, 0], "p3": [True]}, "rl": {"p1": [1, 1], "p2": [1, 0]}},
         {"base@b": (3, 5, 2), "rl@b": (2, 4, 3)}),
    ],
)  # fmt: skip
def test_outcomes_by_problem_and_model_in_either_order(
    store: StoreLayout, tmp_path: Path, table: dict[str, Any], runs: dict[str, tuple[int, int, int]]
) -> None:
    path = made.document(tmp_path / "a.json", table)
    report = import_files(store, [path], run_options=RunOptions(benchmark="b"))
    assert {name: totals(run) for name, run in runs_of(store).items()} == runs
    assert any("files of outcomes in two levels" in note for note in report.notes)


def test_outcomes_of_one_model(store: StoreLayout, tmp_path: Path) -> None:
    taken(store, made.document(tmp_path / "a.json", {"p1": [0, 1, 1], "p2": [0, 0, 0]}))
    assert totals(runs_of(store)["m@b"]) == (2, 6, 2)
    with pytest.raises(InputError, match=r"'p2': 3 is no verdict|3 is no verdict"):
        taken(store, made.document(tmp_path / "b.json", {"p1": [0, 1], "p2": [3]}), run="b")


def test_a_data_set_of_reasoning_gym_names_its_model(store: StoreLayout, tmp_path: Path) -> None:
    path = made.gym_data_set(tmp_path)
    import_files(store, [path])
    assert {name: totals(run) for name, run in runs_of(store).items()} == {"org/m@sums": (2, 4, 1)}
    made.document(path.parent.parent / "summary.json", {"model": "org/other-name", "dataset_scores": {}})
    import_files(store, [path])
    assert "org/other-name@sums" in runs_of(store)


def test_counts_in_json_with_whole_numbers_of_any_kind(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"question": "How many?", "n_samples": 8, "n_correct": 3.0, "samples": [1]}, {"question": "Why so?",
            "n_samples": 8, "n_correct": 0, "samples": []}]  # fmt: skip
    for number, path in enumerate((jsonl(tmp_path / "a.jsonl", rows), made.document(tmp_path / "a.json", rows))):
        report = taken(store, path, run=str(number))
        assert (report.files[0].format, totals(runs_of(store)[str(number)])) == ("counts", (2, 16, 3))
    with pytest.raises(InputError, match="9 correct of only 8"):
        taken(store, jsonl(tmp_path / "b.jsonl", [{**rows[0], "n_correct": 9}]), run="c")


def test_turns_of_an_agent_loop_of_verl(store: StoreLayout, tmp_path: Path) -> None:
    turns = [
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "python", "arguments": "{}"}}]},
        {"role": "tool", "content": "2"},
        {"role": "assistant", "content": "So 2."},
    ]
    row = {
        "input": made.user(0),
        "output": turns,
        "gts": "2",
        "score": 1.0,
        "step": 3,
        "num_turns": 3,
        "request_id": "r",
    }
    report = taken(store, jsonl(tmp_path / "3.jsonl", [row]))
    assert report.files[0].format == "verl"
    ((path,),) = samples(store)
    assert "<tool_response>\n2\n</tool_response>" in (path.text or "")
    assert runs_of(store)["m@b"].model.step == 3


def test_rollouts_of_prime_rl_are_results_of_verifiers(store: StoreLayout, tmp_path: Path) -> None:
    """Without the trajectory, and with what its orchestrator adds."""
    rows = [
        {"example_id": p, "prompt": made.user(p), "completion": made.dialogue(p, i)[1:], "task": "sums",
         "reward": float(made.right(p, i)), "answer": made.REFERENCES[p], "env_name": "sums", "is_truncated": False,
         "error": None, "metrics": {"correct": 1.0}, "stop_condition": None, "timing": {}}
        for p, i in made.PAIRS
    ]  # fmt: skip
    report = taken(store, jsonl(tmp_path / "eval_rollouts.jsonl", rows))
    assert report.files[0].format == "verifiers"
    assert totals(runs_of(store)["m@b"]) == (2, 4, 1)


def test_one_id_of_two_questions_is_two_problems(store: StoreLayout, tmp_path: Path) -> None:
    rows = made.skills_rows(0, id="same")
    taken(store, jsonl(tmp_path / "a.jsonl", rows))
    assert totals(runs_of(store)["m@b"]) == (2, 2, 1)


def test_an_output_of_openrlhf_is_a_long_form(store: StoreLayout, tmp_path: Path) -> None:
    rows = [{"input": made.QUESTIONS[p], "output": made.said(p, i), "reward": made.right(p, i)} for p, i in made.PAIRS]
    taken(store, jsonl(tmp_path / "a.jsonl", rows))
    assert totals(runs_of(store)["m@b"]) == (2, 4, 1)


def test_what_is_missing_is_asked_for(store: StoreLayout, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not say which model"):
        import_files(store, [jsonl(tmp_path / "a.jsonl", made.wide_rows())])
