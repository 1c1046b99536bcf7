"""Rollouts of training frameworks that are a record each: NeMo Gym, SkyRL, rLLM."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum
from typing import Any

from backend.importers.blocks import sampling_parameters
from backend.importers.chat import response_messages, split_dialogue
from backend.importers.rows import Record, RowFormat, Sample, first_of, first_record, get, records
from backend.importers.source import SourceFile
from backend.importers.values import as_mapping, listed, read_document

REFERENCES = ("expected_answer", "ground_truth", "reference_answer", "answer", "solution", "target", "label")

# NeMo Gym: request and response of OpenAI's Responses API, with the reward of a resources server.

GYM_PARAMETERS = {"temperature": "temperature", "top_p": "top_p", "max_output_tokens": "max_tokens"}


def _gym_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    request, response = as_mapping(record.get("responses_create_params")), as_mapping(record.get("response"))
    asked = request.get("input")
    cut = get(response, "incomplete_details", "reason")
    model = response.get("model")
    facts = as_mapping(record.get("verifier_metadata"))
    yield Sample(
        verdicts={"reward": record.get("reward")},
        problem=first_of(record, "_ng_task_index", "task_index", "task_id", "id", "uuid"),
        statement=asked if isinstance(asked, str) else response_messages(asked),
        text=response_messages(response.get("output")) or None,
        reference=first_of(record, *REFERENCES)
        if first_of(record, *REFERENCES) is not None
        else first_of(facts, *REFERENCES),
        answer=first_of(record, "extracted_answer", "predicted_answer"),
        answers_known="extracted_answer" in record,
        tokens=get(response, "usage", "output_tokens"),
        finish_reason="length" if cut == "max_output_tokens" else cut,
        index=first_of(record, "_ng_rollout_index", "rollout_index"),
        failure=response.get("error"),
        details={name: value for name, value in record.items() if name.endswith("_reward")},
        # What the framework calls the model that is trained is no name of it.
        model=model if model != "policy_model" else None,
        benchmark=get(record, "agent_ref", "name"),
        parameters=sampling_parameters(request, GYM_PARAMETERS),
    )


nemo_gym = RowFormat(
    "nemo-gym",
    "NeMo Gym rollouts jsonl",
    lambda first: {"responses_create_params", "response", "reward"} <= first.keys(),
    _gym_samples,
)

# SkyRL `dumped_evals/.../{data_source}.jsonl`: prompt and response as decoded tokens.


def _skyrl_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    score, extras = record.get("score"), as_mapping(record.get("env_extras"))
    if isinstance(score, list) and all(isinstance(value, int | float) for value in score):
        score = fsum(score)  # a reward for each token, most of them 0
    truth = next(
        (get(extras, *path) for path in (("reward_spec", "ground_truth"), ("reward_model", "ground_truth"))
         if get(extras, *path) is not None),
        first_of(extras, *REFERENCES),
    )  # fmt: skip
    place = get(extras, "extra_info", "index")
    yield Sample(
        verdicts={"score": score},
        problem=place if place is not None else first_of(extras, "uid", "id"),
        statement=record.get("input_prompt"),
        text=record.get("output_response"),
        reference=truth,
        finish_reason=record.get("stop_reason"),
        benchmark=record.get("data_source"),
        details={"env_class": record.get("env_class")},
    )


skyrl = RowFormat(
    "skyrl",
    "SkyRL dumped evaluations jsonl",
    lambda first: {"input_prompt", "output_response", "score"} <= first.keys(),
    _skyrl_samples,
)

# rLLM `episodes/{mode}_step_{n}_epoch_{m}/episode_*.json`: an episode a file, with trajectories of steps.

EPISODE = {"episode_id", "task", "is_correct", "trajectories"}
ENDS = {"max_response_length_exceeded": "length", "max_prompt_length_exceeded": "length"}


def _first_episode(source: SourceFile) -> Record | None:
    first = first_record(source)
    return first if first is not None or not isinstance(source.beginning, dict) else source.beginning


def _episodes(source: SourceFile) -> Iterator[tuple[int, Record]]:
    if first_record(source) is not None:
        yield from records(source)
    else:
        document = read_document(source)
        yield 1, document if isinstance(document, dict) else {}


def _episode_samples(source: SourceFile, row: int, record: Record) -> Iterator[Sample]:
    task, step = record.get("task"), record.get("training_step")
    trajectories = [entry for entry in listed(record.get("trajectories")) if isinstance(entry, dict)]
    asked: list[Any] = []
    said: list[Any] = []
    for trajectory in trajectories:
        steps = listed(trajectory.get("steps"))
        # The last step has the whole dialogue.
        begun, rest = split_dialogue(get(steps, -1, "chat_completions"))
        asked = asked or begun
        said += rest or [
            {"role": "assistant", "content": get(step, "model_response")}
            for step in steps
            if get(step, "model_response")
        ]
    question = (
        task if isinstance(task, str) else first_of(as_mapping(task), "question", "problem", "prompt", "instruction")
    )
    ended = record.get("termination_reason")
    verdict = record.get("is_correct")
    yield Sample(
        verdicts={"is_correct": verdict},
        problem=record.get("task_hash") or get(task, "id") or get(task, "uid"),
        statement=question if question is not None else asked,
        text=said or None,
        reference=first_of(as_mapping(task), *REFERENCES),
        finish_reason=ENDS.get(str(ended), ended),
        failure=ended if ended == "error" and verdict is not True else None,
        details={str(name): value for name, value in as_mapping(record.get("metrics")).items()},
        step=step,
    )


rllm = RowFormat(
    "rllm",
    "rLLM episodes json",
    lambda first: first.keys() >= EPISODE,
    _episode_samples,
    first=_first_episode,
    records=_episodes,
    where="episode",
    checkpoints=True,
)
