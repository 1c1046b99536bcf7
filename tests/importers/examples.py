"""A small file of each format, written as its tool writes it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.importers import neighbours
from tests.support import csv_file, gym_result, jsonl, long_rows, qwen_line, reasoning_gym

DATE = "2026-01-02T03-04-05.000006"


def json_file(path: Path, value: Any, *, indent: int | None = None) -> Path:
    path.write_text(json.dumps(value, indent=indent), encoding="utf-8")
    return path


def parquet_file(path: Path, rows: Sequence[Mapping[str, Any]], schema: pa.Schema | None = None) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), path)
    return path


# lm-evaluation-harness


def lm_eval_row(doc_id: int, text: str, filtered: str, correct: float, **more: Any) -> dict[str, Any]:
    question = f"What is {doc_id} + {doc_id}?"
    return {
        "doc_id": doc_id,
        "doc": {"question": question, "answer": f"It is.\n#### {doc_id * 2}"},
        "target": f"It is.\n#### {doc_id * 2}",
        "arguments": {
            "gen_args_0": {
                "arg_0": f"Question: an example\nAnswer: 3\n\nQuestion: {question}\nAnswer:",
                "arg_1": {"until": ["Question:"], "do_sample": False, "temperature": 0.0, "max_gen_toks": 256},
            }
        },
        "resps": [[text]],
        "filtered_resps": [filtered],
        "filter": "strict-match",
        "metrics": ["exact_match"],
        "doc_hash": "d",
        "prompt_hash": "p",
        "target_hash": "t",
        "exact_match": correct,
        **more,
    }


def lm_eval_rows() -> list[dict[str, Any]]:
    """Three documents, each twice: strict-match finds one right, flexible-extract two."""
    texts = ["#### 0", "It is 2.", "It is 7."]
    strict = [lm_eval_row(i, texts[i], ["0", "[invalid]", "[invalid]"][i], [1.0, 0.0, 0.0][i]) for i in range(3)]
    loose = [
        lm_eval_row(i, texts[i], ["0", "2", "7"][i], [1.0, 1.0, 0.0][i], filter="flexible-extract") for i in range(3)
    ]
    return strict + loose


def lm_eval_file(folder: Path) -> Path:
    return jsonl(folder / f"samples_gsm8k_{DATE}.jsonl", lm_eval_rows())


# lighteval


def lighteval_row(place: int, texts: Sequence[str], metric: Mapping[str, float], **doc: Any) -> dict[str, Any]:
    return {
        "doc": {
            "query": f"Solve problem {place}.",
            "choices": [f" {place}"],
            "gold_index": [0],
            "id": str(place),
            "task_name": "lighteval|aime24|0",
            "num_samples": len(texts),
            **doc,
        },
        "metric": dict(metric),
        "model_response": {
            "input": f"Solve problem {place}.",
            "text": list(texts),
            "output_tokens": [[1, 2, 3] for _ in texts],
            "reasonings": [None for _ in texts],
        },
    }


LIGHTEVAL = pa.schema(
    {
        "doc": pa.struct(
            {
                "query": pa.string(), "choices": pa.list_(pa.string()), "gold_index": pa.list_(pa.int64()),
                "id": pa.string(), "task_name": pa.string(), "num_samples": pa.int64(),
            }.items()
        ),
        "metric": pa.struct({"extractive_match": pa.float64()}.items()),
        "model_response": pa.struct(
            {
                "input": pa.string(), "text": pa.list_(pa.string()), "output_tokens": pa.list_(pa.list_(pa.int64())),
                "reasonings": pa.list_(pa.string()),
            }.items()
        ),
    }.items()
)  # fmt: skip


def lighteval_file(folder: Path) -> Path:
    rows = [
        lighteval_row(0, ["It is 0."], {"extractive_match": 1.0}),
        lighteval_row(1, ["?"], {"extractive_match": 0.0}),
    ]
    inside = folder / "details" / "org" / "model" / DATE
    inside.mkdir(parents=True)
    return parquet_file(inside / f"details_lighteval|aime24|0_{DATE}.parquet", rows, LIGHTEVAL)


# Inspect


def inspect_sample(
    name: int | str, epoch: int, value: Any = "C", text: str = "ANSWER: B", **more: Any
) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, "source": "generate"}
    return {
        "id": name,
        "epoch": epoch,
        "input": f"Which is true of {name}?",
        "choices": ["this", "that"],
        "target": "B",
        "messages": [{"role": "user", "content": f"Which is true of {name}?"}, message],
        "output": {
            "model": "m",
            "choices": [{"message": message, "stop_reason": "stop"}],
            "usage": {"input_tokens": 10, "output_tokens": 4, "total_tokens": 14},
        },
        "scores": {"choice": {"value": value, "answer": "B", "explanation": text}},
        "metadata": {"subject": "logic"},
        **more,
    }


def inspect_header(**more: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "status": "success",
        "eval": {
            "task": "truths",
            "model": "openai/m-1",
            "dataset": {"name": "truths", "samples": 2},
            "model_generate_config": {"temperature": 0.7, "max_tokens": 100},
        },
        "plan": {"name": "plan", "steps": [], "config": {"top_p": 0.9}},
        **more,
    }


def inspect_samples() -> list[dict[str, Any]]:
    """Two problems in two epochs, three of four right."""
    return [inspect_sample(i, epoch, "I" if (i, epoch) == (2, 2) else "C") for epoch in (1, 2) for i in (1, 2)]


def inspect_eval(path: Path, samples: Sequence[Mapping[str, Any]], header: Mapping[str, Any] | None = None) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": inspect_header()["eval"]}))
        for sample in samples:
            archive.writestr(f"samples/{sample['id']}_epoch_{sample['epoch']}.json", json.dumps(sample))
        archive.writestr("header.json", json.dumps(header or inspect_header()))
    return path


def inspect_json(path: Path, samples: Sequence[Mapping[str, Any]], **more: Any) -> Path:
    return json_file(path, {**inspect_header(), "samples": list(samples), **more}, indent=2)


# Code


def evalplus_results(path: Path, statuses: Mapping[str, Sequence[tuple[str, str | None]]]) -> Path:
    """Statuses of base and plus for each sample of each task."""
    found = {
        task: [
            {
                "task_id": task, "solution": f"def f(): return {i}", "base_status": base, "plus_status": plus,
                "base_fail_tests": [], "plus_fail_tests": [],
            }
            for i, (base, plus) in enumerate(entries)
        ]
        for task, entries in statuses.items()
    }  # fmt: skip
    return json_file(path, {"date": "2026-01-02 03:04", "hash": "abc", "eval": found, "pass_at_k": {"base": {}}})


STATUSES = {"HumanEval/0": [("pass", "pass"), ("pass", "fail")], "HumanEval/1": [("fail", "pass"), ("timeout", "fail")]}


def lcb_problem(place: int, graded: Sequence[bool] | None, **more: Any) -> dict[str, Any]:
    size = 2 if graded is None else len(graded)
    record = {
        "question_title": f"Problem {place}",
        "question_content": f"Print {place}.",
        "platform": "leetcode",
        "question_id": f"q{place}",
        "contest_id": "c1",
        "contest_date": "2024-01-01T00:00:00",
        "starter_code": "",
        "difficulty": "easy",
        "output_list": [f"```python\nprint({i})\n```" for i in range(size)],
        "code_list": [f"print({i})" for i in range(size)],
    }
    if graded is not None:
        metadata = [json.dumps({} if good else {"error_code": -3, "error_message": "Time Limit"}) for good in graded]
        record |= {"graded_list": list(graded), "pass@1": sum(graded) / size, "metadata": metadata}
    return {**record, **more}


# Training


def verl_row(prompt: str, score: float, step: int = 1, **more: Any) -> dict[str, Any]:
    return {"input": f"system\nYou help.\nuser\n{prompt}\nassistant\n", "output": f"On {prompt}", "score": score,
            "step": step, **more}  # fmt: skip


def trl_rows(step: int = 5, **more: Any) -> list[dict[str, Any]]:
    """Two prompts, two completions each; two of four right."""
    return [
        {
            "step": step, "prompt": f"prompt {p}", "completion": f"completion {i}", "accuracy_reward": float(i == p),
            "format_reward": 0.5, "advantage": 0.1, **more,
        }
        for p in range(2)
        for i in range(2)
    ]  # fmt: skip


def verifiers_row(example: int, reward: float, **more: Any) -> dict[str, Any]:
    return {
        "example_id": example,
        "prompt": [{"role": "system", "content": "You help."}, {"role": "user", "content": f"What is {example}?"}],
        "completion": [{"role": "assistant", "content": f"It is {reward}."}],
        "answer": str(example),
        "task": "default",
        "reward": reward,
        "metrics": {"correct_answer": reward, "format": 1.0},
        "is_completed": True,
        "is_truncated": False,
        "timing": {"total_ms": 3.0},
        **more,
    }


def verifiers_trace(example: int, score: float | None, text: str = "So it is.", **more: Any) -> dict[str, Any]:
    """A trace of one turn: system, user and what the model said."""
    said = {"role": "assistant", "content": text}
    rewards = {} if score is None else {"correct_answer": {"score": score, "weight": 1.0}}
    return {
        "version": 1,
        "id": f"t{example}",
        "task": {"type": "Sum", "data": {"idx": example, "prompt": f"What is {example}?", "answer": str(example)}},
        "agent": {
            "config": {"model": "org/m", "sampling": {"temperature": 0.7, "max_tokens": 64}},
            "name": "agent",
            "trainable": True,
        },
        "nodes": [
            {"message": {"role": "system", "content": "You help."}, "sampled": False},
            {"parent": 0, "message": {"role": "user", "content": f"What is {example}?"}, "sampled": False},
            {"parent": 1, "message": said, "sampled": True, "token_ids": [1, 2], "mask": [True, True]},
        ],
        "calls": [
            {"node": 2, "model": "m", "finish_reason": "stop", "usage": {"prompt_tokens": 9, "completion_tokens": 5}}
        ],
        "rewards": rewards,
        "metrics": {"turns": 1.0},
        "is_completed": True,
        "ok": True,
        "errors": [],
        **more,
    }


def verifiers_episode(*traces: dict[str, Any], **more: Any) -> dict[str, Any]:
    task = traces[0]["task"] if traces else {"type": "Sum", "data": {"idx": 0}}
    return {"id": "e", "env": {"id": "sums"}, "task": task, "ok": True, "errors": [], "traces": list(traces), **more}


def tinker_row(group: int, place: int, correct: float, *, split: str = "eval/sums", **more: Any) -> dict[str, Any]:
    """As it is without a trace of the steps: no text."""
    step = {
        "step_idx": 0, "ob_len": 20, "ac_len": 7, "reward": correct - 0.1, "episode_done": True, "stop_reason": "stop",
        "metrics": {"format": 0.0, "correct": correct}, "logs": {},
    }  # fmt: skip
    return {
        "schema_version": 1, "split": split, "iteration": 3, "group_idx": group, "traj_idx": place, "tags": ["sums"],
        "sampling_client_step": 3, "total_reward": correct - 0.1, "final_reward": 0.0, "trajectory_metrics": {},
        "steps": [step], "final_ob_len": 0, **more,
    }  # fmt: skip


def grade_school_row(place: int, **models: bool) -> dict[str, Any]:
    solved = {
        model: {"is_correct": right, "solution": f"So it is\nA: {place if right else -1}"}
        for model, right in models.items()
    }
    return {"question": f"How many is {place}?", "ground_truth": f"It is that.\nA: {place}", **solved}


# Each


def each(folder: Path) -> dict[str, Path]:
    """A file of every format, by the importer's name and what form of it the file is."""
    rows = long_rows()
    passed = {"task_id": "T/0", "completion": "x", "result": "passed", "passed": True}
    inspected = inspect_samples()
    make: dict[str, Callable[[], Path]] = {
        "qwen-math": lambda: jsonl(folder / "qwen.jsonl", [qwen_line("How many?", [True, False])]),
        "human-eval results": lambda: jsonl(folder / "he.jsonl", [passed, {**passed, "passed": False}]),
        "human-eval samples": lambda: jsonl(folder / "hs.jsonl", [{"task_id": "T/0", "completion": "x"}] * 2),
        "reasoning-gym": lambda: reasoning_gym(folder / "gym.json", [gym_result("How many r's?", [1.0, 0.0])]),
        "counts": lambda: csv_file(folder / "counts.csv", ("problem", "n", "c"), [(1, 4, 2), (2, 4, 0)]),
        "long-form jsonl": lambda: jsonl(folder / "long.jsonl", rows),
        "long-form csv": lambda: csv_file(folder / "long.csv", list(rows[0]), [row.values() for row in rows]),
        "long-form parquet": lambda: parquet_file(folder / "long.parquet", rows),
        "lm-eval": lambda: lm_eval_file(folder),
        "lighteval": lambda: lighteval_file(folder),
        "inspect eval": lambda: inspect_eval(folder / "log.eval", inspected),
        "inspect json": lambda: inspect_json(folder / "log.json", inspected),
        "evalplus samples": lambda: jsonl(folder / "ep.jsonl", [{"task_id": "HumanEval/0", "solution": "pass"}] * 2),
        "evalplus results": lambda: evalplus_results(folder / "other.eval_results.json", STATUSES),
        "live-code-bench": lambda: json_file(
            folder / "Scenario.codegeneration_2_0.2_eval_all.json",
            [lcb_problem(0, [True, False]), lcb_problem(1, [False, False])],
            indent=4,
        ),
        "bigcode": lambda: json_file(folder / "generations_mbpp.json", [["def f(): 1", "def f(): 2"], ["x", "y"]]),
        "verl": lambda: jsonl(folder / "1.jsonl", [verl_row(f"What is {i // 2}?", float(i == 1)) for i in range(4)]),
        "trl": lambda: parquet_file(folder / "completions_00005.parquet", trl_rows()),
        "verifiers": lambda: jsonl(folder / "results.jsonl", [verifiers_row(i // 2, float(i % 2)) for i in range(4)]),
        "verifiers-traces": lambda: jsonl(
            folder / "traces.jsonl", [verifiers_episode(verifiers_trace(i // 2, float(i % 2))) for i in range(4)]
        ),
        "tinker": lambda: jsonl(
            folder / "eval_rollout_summaries.jsonl", [tinker_row(i // 2, i % 2, float(i % 2)) for i in range(4)]
        ),
        "grade-school-math": lambda: jsonl(
            folder / "example_model_solutions.jsonl", [grade_school_row(i, small=i == 0, large=True) for i in range(2)]
        ),
    }
    return {name: write() for name, write in {**make, **neighbours.each(folder)}.items()}
