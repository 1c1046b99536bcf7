"""A small file of each format that is a declaration: rows as their tools write them, two problems, two samples each.

Of the first problem one sample is right, of the second none, where the format has verdicts.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tests.support import jsonl

QUESTIONS = ("What is 1 + 1?", "What is 2 + 2?")
REFERENCES = ("2", "4")
PAIRS = [(p, i) for p in range(2) for i in range(2)]
"""Problem and sample."""


def right(problem: int, sample: int) -> bool:
    return (problem, sample) == (0, 0)


def said(problem: int, sample: int) -> str:
    return f"So it is {REFERENCES[0] if right(problem, sample) else 7 + sample}."


def user(problem: int) -> list[dict[str, Any]]:
    return [{"role": "user", "content": QUESTIONS[problem]}]


def dialogue(problem: int, sample: int) -> list[dict[str, Any]]:
    return [*user(problem), {"role": "assistant", "content": said(problem, sample)}]


def document(path: Path, value: Any, indent: int | None = 2) -> Path:
    path.write_text(json.dumps(value, indent=indent), encoding="utf-8")
    return path


def gym_rows(**more: Any) -> list[dict[str, Any]]:
    return [
        {
            "responses_create_params": {"input": [{**user(p)[0], "type": "message"}], "temperature": 0.5, "tools": []},
            "response": {
                "error": None, "incomplete_details": None, "model": "policy_model",
                "output": [
                    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "I add."}]},
                    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said(p, i)}]},
                ],
                "usage": {"input_tokens": 9, "output_tokens": 5},
            },
            "reward": float(right(p, i)), "library_reward": 1.0,
            "expected_answer": REFERENCES[p], "extracted_answer": "2", "_ng_task_index": p, "_ng_rollout_index": i,
            "agent_ref": {"name": "sums_agent"}, **more,
        }
        for p, i in PAIRS
    ]  # fmt: skip


def skills_rows(sample: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "problem": QUESTIONS[p], "expected_answer": REFERENCES[p], "id": f"sums-{p}", "generation": said(p, sample),
            "predicted_answer": "2", "symbolic_correct": right(p, sample), "judgement": "Judgement: No",
            "num_generated_tokens": 12, "finish_reason": "stop", **more,
        }
        for p in range(2)
    ]  # fmt: skip


def skyrl_rows(**more: Any) -> list[dict[str, Any]]:
    return [
        {
            "input_prompt": f"<|im_start|>user\n{QUESTIONS[p]}<|im_end|>\n<|im_start|>assistant\n",
            "output_response": said(p, i), "score": [0.0, 0.0, float(right(p, i))], "stop_reason": "stop",
            "env_class": "sums", "env_extras": {"reward_spec": {"method": "rule", "ground_truth": REFERENCES[p]}},
            "data_source": "sums", **more,
        }
        for p, i in PAIRS
    ]  # fmt: skip


def episode(problem: int, sample: int, **more: Any) -> dict[str, Any]:
    step = {"observation": None, "thought": "", "action": None, "reward": 1.0, "done": True,
            "model_response": said(problem, sample), "chat_completions": dialogue(problem, sample)}  # fmt: skip
    return {
        "training_step": 10, "epoch": 0, "episode_id": f"t{problem}:{sample}", "session_id": None,
        "task": {"question": QUESTIONS[problem], "ground_truth": REFERENCES[problem]}, "task_hash": f"hash{problem}",
        "is_correct": right(problem, sample), "termination_reason": "env_done", "metrics": {"turns": 1}, "metadata": {},
        "timing": {}, "trajectories": [{"name": "solver", "uid": "u", "reward": 1.0, "num_steps": 1, "steps": [step]}],
        **more,
    }  # fmt: skip


def scope_rows(**more: Any) -> list[dict[str, Any]]:
    return [
        {
            "index": 2 * p + i, "target": REFERENCES[p], "messages": dialogue(p, i),
            "sample_score": {
                "score": {
                    "value": {"acc": float(right(p, i))}, "extracted_prediction": "2", "prediction": said(p, i),
                    "explanation": None, "metadata": {}, "main_score_name": "acc",
                },
                "sample_id": 2 * p + i, "group_id": p, "sample_metadata": {},
            }, **more,
        }
        for p, i in PAIRS
    ]  # fmt: skip


def old_scope_rows() -> list[dict[str, Any]]:
    return [
        {
            "id": "chat-1", "object": "chat.completion", "model": "org/m", "index": p,
            "choices": [
                {"index": i, "message": {"role": "assistant", "content": said(p, i)}, "finish_reason": "stop",
                 "review": {"gold": REFERENCES[p], "pred": "2", "result": right(p, i)}}
                for i in range(2)
            ],
            "raw_input": {"question": QUESTIONS[p], "answer": REFERENCES[p]}, "usage": {"completion_tokens": 5},
            "origin_prompt": {"data": [f"An example.\n\n{QUESTIONS[p]}"]}, "reviewed": True,
        }
        for p in range(2)
    ]  # fmt: skip


def instance_rows(**more: Any) -> list[dict[str, Any]]:
    return [
        {
            "schema_version": "0.2.1", "evaluation_id": "e", "model_id": "org/m", "evaluation_name": "sums",
            "sample_id": f"s{p}", "interaction_type": "single_turn",
            "input": {"raw": QUESTIONS[p], "formatted": None, "reference": [REFERENCES[p]], "choices": None},
            "output": {"raw": [said(p, i)], "reasoning_trace": []}, "messages": None,
            "answer_attribution": [{"turn_idx": 0, "extracted_value": "2", "is_terminal": True}],
            "evaluation": {"score": float(right(p, i)), "is_correct": right(p, i)},
            "token_usage": {"input_tokens": 9, "output_tokens": 5, "total_tokens": 14}, "error": None, **more,
        }
        for p, i in PAIRS
    ]  # fmt: skip


def batch_rows() -> list[dict[str, Any]]:
    return [
        {
            "id": f"vllm-{p}", "custom_id": f"request-{p}",
            "response": {
                "status_code": 200, "request_id": "r",
                "body": {
                    "model": "org/m",
                    "choices": [
                        {"index": i, "message": {"role": "assistant", "content": said(p, i)}, "finish_reason": "stop"}
                        for i in range(2)
                    ],
                    "usage": {"prompt_tokens": 9, "completion_tokens": 10, "total_tokens": 19},
                },
            },
            "error": None,
        }
        for p in range(2)
    ]  # fmt: skip


def batch_requests() -> list[dict[str, Any]]:
    return [
        {"custom_id": f"request-{p}", "method": "POST", "url": "/v1/chat/completions",
         "body": {"model": "org/m", "messages": user(p), "temperature": 0.7, "n": 2}}
        for p in range(2)
    ]  # fmt: skip


def compass_results() -> dict[str, Any]:
    details = {
        str(2 * p + i): {
            "example_abbr": f"sums_{p}", "prompt": [{"role": "HUMAN", "prompt": QUESTIONS[p]}],
            "origin_prediction": said(p, i), "predictions": "2", "references": REFERENCES[p], "correct": right(p, i),
        }
        for p, i in PAIRS
    }  # fmt: skip
    return {"accuracy": 25.0, "details": {"type": "GEN", **details}}


def compass_predictions() -> dict[str, Any]:
    return {
        str(p): {
            "origin_prompt": [{"role": "HUMAN", "prompt": QUESTIONS[p]}],
            "prediction": [said(p, i) for i in range(2)],
            "gold": REFERENCES[p],
        }
        for p in range(2)
    }


def simple_evals_results() -> dict[str, Any]:
    page = "<h3>Results</h3>\n<p>Correct Answer: {}</p>\n<p>Extracted Answer: 2</p>\n<p>Score: {}</p>\n"
    return {
        "score": 0.25, "metrics": {"chars": 12.0}, "metadata": None,
        "htmls": [page.format(REFERENCES[p], float(right(p, i))) for p, i in PAIRS],
        "convos": [dialogue(p, i) for p, i in PAIRS],
    }  # fmt: skip


def wide_rows(**more: Any) -> list[dict[str, Any]]:
    return [
        {
            "problem": QUESTIONS[p], "answer": REFERENCES[p], "uuid": f"u{p}", "source": "sums",
            "generations": [said(p, i) for i in range(2)],
            "correctness_math_verify": [right(p, i) for i in range(2)], "correctness_llama": [False, False],
            "finish_reasons": ["stop", "length"], **more,
        }
        for p in range(2)
    ]  # fmt: skip


def main_generation_rows() -> list[dict[str, Any]]:
    return [
        {
            "data_source": "sums", "prompt": user(p), "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": REFERENCES[p]},
            "extra_info": {"index": p, "split": "test"}, "responses": [said(p, i) for i in range(2)],
        }
        for p in range(2)
    ]  # fmt: skip


def parquet(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


def gym_data_set(folder: Path) -> Path:
    """A data set's file of Reasoning Gym, where an evaluation puts it."""
    inside = folder / "org_m_20250227_230002" / "arithmetic"
    inside.mkdir(parents=True)
    results = [
        {
            "question": QUESTIONS[p], "expected_answer": REFERENCES[p], "best_model_answer": "2",
            "best_full_model_response": said(p, 0), "best_score": float(right(p, 0)), "mean_score": 0.5,
            "completions": [
                {"model_answer": "2", "full_model_response": said(p, i), "score": float(right(p, i))} for i in range(2)
            ],
        }
        for p in range(2)
    ]  # fmt: skip
    return document(inside / "sums.json", {"name": "sums", "category": "arithmetic", "config": {}, "results": results})


def each(folder: Path) -> dict[str, Callable[[], Path]]:
    """How to write a file of every format, by the importer's name and what form of it the file is."""
    outcomes = {q: [int(right(p, i)) for i in range(2)] for p, q in enumerate("ab")}
    return {
        "nemo-gym": lambda: jsonl(folder / "gym_rollouts.jsonl", gym_rows()),
        "nemo-skills": lambda: jsonl(folder / "output-rs0.jsonl", skills_rows(0)),
        "skyrl": lambda: jsonl(folder / "sky.jsonl", skyrl_rows()),
        "rllm": lambda: document(folder / "episode_hash1_id0.json", episode(0, 0)),
        "rllm lines": lambda: jsonl(folder / "episodes.jsonl", [episode(p, i) for p, i in PAIRS]),
        "evalscope": lambda: jsonl(folder / "scope_main.jsonl", scope_rows()),
        "evalscope old": lambda: jsonl(folder / "old_scope_main.jsonl", old_scope_rows()),
        "every-eval-ever": lambda: jsonl(folder / "e_samples.jsonl", instance_rows()),
        "openai-batch": lambda: jsonl(folder / "batch_output.jsonl", batch_rows()),
        "opencompass results": lambda: document(folder / "sums_results.json", compass_results(), 4),
        "opencompass predictions": lambda: document(folder / "sums_predictions.json", compass_predictions(), 4),
        "simple-evals": lambda: document(folder / "math_m_allresults.json", simple_evals_results()),
        "wide-form": lambda: parquet(folder / "wide.parquet", wide_rows()),
        "wide-form jsonl": lambda: jsonl(folder / "wide_rows.jsonl", wide_rows()),
        "wide-form verl": lambda: parquet(folder / "main_generation.parquet", main_generation_rows()),
        "outcomes": lambda: document(folder / "outcomes.json", outcomes),
        "reasoning-gym data set": lambda: gym_data_set(folder),
        "counts jsonl": lambda: jsonl(folder / "counts.jsonl", [{"problem": "a", "n_samples": 4, "n_correct": 1}]),
        "long-form messages": lambda: parquet(
            folder / "messages.parquet",
            [{"id": str(p), "prompt": user(p), "response": dialogue(p, i)[1:], "reward": 1.0} for p, i in PAIRS],
        ),
    }
