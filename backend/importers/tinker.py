"""tinker-cookbook `*_rollout_summaries.jsonl`: a line a trajectory, with rewards and the metrics of its steps.

The total reward is shaped: a right answer in a wrong form has 0.9. Only the metric `correct` is about the answer. Texts
are there only where the environment leaves a trace of its steps, as the problem environments of newer versions do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from backend.importers.blocks import BlockBuilder
from backend.importers.chat import THINKING, completion_text, prompt_text, whole_prompt
from backend.importers.prompts import question_of
from backend.importers.protocol import Block, Counts, Notes, Options, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import (
    as_mapping,
    as_text,
    count,
    figure,
    json_lines,
    kind_of_value,
    parse_correct,
    refine_verdict,
    shortened,
    steps_named,
)

FIELDS = {"split", "iteration", "group_idx", "traj_idx", "total_reward", "steps"}
STEP = re.compile(rb'"iteration"\s*:\s*(\d{1,9})\s*[,}]')
"""A quote inside a JSON string has a backslash before it, so that no text of a model can look like this."""
TRAINED_ON = "train"


class Tinker:
    name = "tinker"
    title = "tinker-cookbook rollout summaries jsonl"
    columns: ClassVar[dict[str, str]] = {
        "split": "benchmark", "iteration": "step", "group_idx": "problem", "total_reward": "detail",
        "steps": "statement, reference, text, verdict (the metric correct), tokens",
        "trajectory_metrics": "verdict, where no step has one; detail",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """Split, iteration, group, trajectory, total reward and steps in the first line."""
        return (source.first_object or {}).keys() >= FIELDS

    def training_steps(self, source: SourceFile) -> set[int]:
        """The iterations that the file holds samples of."""
        return steps_named(source, b'"iteration"', STEP)

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """A sample a trajectory, gathered by group; the split is the benchmark."""
        builder = BlockBuilder("texts", "details", "finish_reasons", "tokens")
        facts: dict[tuple[str, int], RunFacts] = {}
        for row, record in json_lines(source):
            split = record.get("split")
            if not isinstance(split, str) or not split:
                raise input_error(source, row, f"field split: expected a name, found {kind_of_value(split)}")
            iteration, group = (self._whole(source, row, record, name) for name in ("iteration", "group_idx"))
            run = facts.get((split, iteration))
            if run is None:
                run = facts[split, iteration] = RunFacts(benchmark=split, step=iteration, checkpoint=True)
            steps = record.get("steps")
            if not isinstance(steps, list) or not all(isinstance(step, dict) for step in steps):
                raise input_error(source, row, f"field steps: expected a list of objects, found {kind_of_value(steps)}")
            last = steps[-1] if steps else {}
            trace = as_mapping(last.get("trace"))
            statement = prompt_text(as_mapping(trace.get("prompt")).get("messages"))
            text, thought = completion_text(as_mapping(trace.get("policy_response")).get("messages"))
            if thought:
                notes.add(THINKING)
            if text is None:
                notes.add("samples without a text: the file has none")
            # A test set is gone through in one order at every iteration; a batch of training is drawn anew.
            name = f"{iteration}/{group}" if split == TRAINED_ON else str(group)
            if statement is None:
                notes.add("samples without a statement: the group's place in its file stands for the problem")
            reference = as_text(as_mapping(trace.get("reward")).get("reference_answer"))
            problem = builder.problem(
                statement or f"{split} {name}",
                name=name,
                statement=statement and question_of(statement),
                reference=reference,
                prompt=whole_prompt(as_mapping(trace.get("prompt")).get("messages")),
            )
            reason = last.get("stop_reason")
            reason = reason if isinstance(reason, str) else None
            verdict = refine_verdict(self._correct(source, row, record, last, notes), None, reason, False)
            builder.add(run, problem, row, verdict, text, self._detail(record, last), reason, self._tokens(steps))
            if builder.full:
                yield from builder.flush()
        yield from builder.flush()

    @staticmethod
    def _whole(source: SourceFile, row: int, record: Mapping[str, Any], name: str) -> int:
        try:
            return count(record.get(name))
        except (ValueError, TypeError, OverflowError):
            raise input_error(
                source, row, f"field {name}: {shortened(record.get(name))} is no whole number from 0"
            ) from None

    @staticmethod
    def _correct(
        source: SourceFile, row: int, record: Mapping[str, Any], last: Mapping[str, Any], notes: Notes
    ) -> bool | None:
        """The metric `correct` of the last step, or of the trajectory."""
        for metrics in (last.get("metrics"), record.get("trajectory_metrics")):
            value = as_mapping(metrics).get("correct")
            if value is None or value != value:
                continue
            if not isinstance(value, bool | int | float):
                raise input_error(
                    source, row, f"field correct of the metrics: expected a number, found {kind_of_value(value)}"
                )
            return parse_correct(value, source.correct_at)
        notes.add("samples without the metric `correct`: unverified, for the total reward is shaped")
        return None

    @staticmethod
    def _detail(record: Mapping[str, Any], last: Mapping[str, Any]) -> str | None:
        """The total reward, and every metric of the last step and of the trajectory."""
        scores = {
            "total_reward": record.get("total_reward"),
            **as_mapping(record.get("trajectory_metrics")),
            **as_mapping(last.get("metrics")),
        }
        said = [f"{name}={figure(value)}" for name, value in scores.items() if isinstance(value, int | float)]
        return ", ".join(said) or None

    @staticmethod
    def _tokens(steps: list[Mapping[str, Any]]) -> int | None:
        """Tokens of all actions; None where a step does not say."""
        drawn = [step.get("ac_len") for step in steps]
        known = [n for n in drawn if type(n) is int and 0 <= n < 2**31]
        whole = sum(known)
        return whole if known and len(known) == len(drawn) and whole < 2**31 else None


importer = Tinker()
