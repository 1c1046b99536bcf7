"""`results.jsonl` of the library verifiers: a line a rollout, with example_id, prompt, completion and reward."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from backend.importers.blocks import FAILED, BlockBuilder, note_others, read_json_beside, sampling_parameters
from backend.importers.chat import THINKING, completion_text, prompt_images, prompt_text, whole_prompt
from backend.importers.prompts import PromptReader, some_prompts, some_records
from backend.importers.protocol import Block, Counts, Notes, Options, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import as_text, figure, json_lines, kind_of_value, refine_verdict

KNOWN = {
    "example_id", "prompt", "completion", "reward", "answer", "task", "metrics", "is_truncated", "is_completed",
    "stop_condition", "error",
}  # fmt: skip
DROPPED = {"timing", "info", "trajectory", "tool_defs", "token_usage", "id", "oai_tools"}
EXPECTED = KNOWN | DROPPED
PARAMETERS = {"temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "max_tokens": "max_tokens"}


COLUMNS = {
    "example_id": "problem", "prompt": "statement", "completion": "text", "answer": "reference",
    "reward": "verdict", "error": "detail", "metrics": "detail", "is_truncated": "finish_reason",
    "stop_condition": "finish_reason",
}  # fmt: skip


class Verifiers:
    name = "verifiers"
    columns = COLUMNS
    title = "verifiers results jsonl"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """example_id, prompt, completion and reward in the first line."""
        first = source.first_object
        return first is not None and {"example_id", "prompt", "completion", "reward"} <= first.keys()

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Rollouts gathered by example; metadata.json beside the file names model, environment and parameters."""
        about = read_json_beside(source.path, "metadata.json")
        arguments = about.get("sampling_args")
        model, environment = about.get("model"), about.get("env_id")
        facts = RunFacts(
            model=model if isinstance(model, str) and model else None,
            benchmark=environment if isinstance(environment, str) and environment else None,
            parameters=sampling_parameters(arguments, PARAMETERS) if isinstance(arguments, dict) else (),
        )
        threshold = about.get("pass_threshold")
        at_least = float(threshold) if isinstance(threshold, int | float) and 0 < threshold < 1e9 else 1.0
        if at_least != 1:
            notes.add(f"files whose metadata says that a reward from {at_least:g} on is correct")
        builder = BlockBuilder("texts", "details", "finish_reasons")
        prompts = PromptReader(some_prompts(some_records(source), "prompt"), notes)
        for row, record in json_lines(source):
            example = as_text(record.get("example_id"))
            statement = prompt_text(record.get("prompt"))
            if not statement and not example:
                raise input_error(source, row, "neither an example_id nor a prompt")
            reference, images = as_text(record.get("answer")), prompt_images(record.get("prompt"))
            problem = builder.problem(
                (statement, example, reference),
                name=example, statement=statement and prompts.question(statement), reference=reference, images=images,
                prompt=whole_prompt(record.get("prompt")),
            )  # fmt: skip
            text, thought = completion_text(record.get("completion"))
            if text is None and record.get("completion") is not None:
                notes.add("completions without a text of the assistant")
            if thought:
                notes.add(THINKING)
            note_others(record, EXPECTED, notes)
            verdict, reason = self._verdict(source, row, record, at_least, notes)
            detail = self._detail(record)
            builder.add(facts, problem, row, verdict, text, detail, reason)
            if builder.full:
                yield from builder.flush()
        yield from builder.flush()

    @staticmethod
    def _verdict(
        source: SourceFile, row: int, record: Mapping[str, Any], at_least: float, notes: Notes
    ) -> tuple[str, str | None]:
        reason = "length" if record.get("is_truncated") is True else as_text(record.get("stop_condition"))
        reward = record.get("reward")
        if reward is None or (isinstance(reward, float) and not isfinite(reward)):
            return "unverified", reason
        if not isinstance(reward, int | float):
            raise input_error(source, row, f"field reward: expected a number, found {kind_of_value(reward)}")
        if record.get("error") is not None and reward < at_least:
            notes.add(FAILED)
            return "unverified", reason
        if 0 < reward < at_least:
            notes.add("samples with a reward between 0 and the threshold, which is not correct")
        return refine_verdict(reward >= at_least, None, reason, False), reason

    @staticmethod
    def _detail(record: Mapping[str, Any]) -> str | None:
        """Error, and what every metric says."""
        said = []
        if record.get("error") is not None:
            said.append(f"error: {as_text(record['error'])}")
        metrics = record.get("metrics")
        if isinstance(metrics, dict):
            said += [f"{name}={figure(value)}" for name, value in metrics.items() if isinstance(value, int | float)]
        return ", ".join(said) or None


importer = Verifiers()
