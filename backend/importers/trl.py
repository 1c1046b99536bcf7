"""TRL `completions_{step}.parquet` (`log_completions`): a row a completion, with a column for each reward function."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from backend.importers.blocks import BlockBuilder, about_answers
from backend.importers.chat import THINKING, completion_text, prompt_images, prompt_text, whole_prompt
from backend.importers.prompts import PromptReader, some_prompts
from backend.importers.protocol import Block, Counts, Notes, Options, RunFacts
from backend.importers.source import SourceFile, input_error, parquet_batches, parquet_schema
from backend.importers.values import as_text, count, figure, parse_correct, shortened

REFERENCES = ("answer", "solution", "ground_truth", "reference")
STEPS = "step"


class Trl:
    name = "trl"
    title = "TRL completions Parquet"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """Columns step, prompt, completion and advantage."""
        found = parquet_schema(source)
        return found is not None and {"step", "prompt", "completion", "advantage"} <= set(found.names)

    def training_steps(self, source: SourceFile) -> set[int]:
        """The training steps that the file holds samples of."""
        return {
            step
            for _, (steps,) in parquet_batches(source, [STEPS], 65_536)
            for step in map(self._number, set(map(repr, steps)))
            if step is not None
        }

    @staticmethod
    def _number(value: str) -> int | None:
        digits = value.strip("'\"")
        return int(digits) if re.fullmatch(r"\d{1,9}", digits) else None

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples gathered by step and prompt; the reward that is about right answers gives the verdict."""
        rewards = self._rewards(source)
        used = about_answers(source, rewards, options, notes)
        found = parquet_schema(source)
        names = [] if found is None else found.names
        reference = next((name for name in REFERENCES if name in names and name not in rewards), None)
        columns = [STEPS, "prompt", "completion", "advantage", *rewards, *([reference] if reference else [])]
        for name in names:
            if name not in columns:
                notes.add(f"columns not kept: {name}")
        builder = BlockBuilder("texts", "details")
        facts: dict[int | None, RunFacts] = {}
        batches = islice(parquet_batches(source, ["prompt"], 4_096), 4)
        reader = PromptReader(some_prompts([{"prompt": p} for _, (some,) in batches for p in some], "prompt"), notes)
        for first, (steps, prompts, completions, advantages, *numbers) in parquet_batches(source, columns):
            references = numbers.pop() if reference else [None] * len(steps)
            scores = dict(zip((*rewards, "advantage"), (*numbers, advantages), strict=True))
            details = self._details({name: values for name, values in scores.items() if name != used}, len(steps))
            verdicts = self._verdicts(source, scores[used] if used is not None else [None] * len(steps), notes)
            for offset, (step, prompt, completion) in enumerate(zip(steps, prompts, completions, strict=True)):
                row = first + offset
                statement = prompt_text(prompt)
                if not statement:
                    raise input_error(source, row, "field prompt: expected a text or messages", where="row")
                run = facts.get(step) if isinstance(step, int | None) else None
                if run is None:
                    number = self._step(source, row, step)
                    run = facts[number] = RunFacts(step=number, checkpoint=number is not None)
                text, thought = completion_text(completion)
                if thought:
                    notes.add(THINKING)
                # There are no ids: one question with two references, or two images, is two problems.
                truth, images = as_text(references[offset]), prompt_images(prompt)
                problem = builder.problem(
                    (statement, truth, images), statement=reader.question(statement), reference=truth, images=images,
                    prompt=whole_prompt(prompt),
                )  # fmt: skip
                builder.add(run, problem, row, verdicts[offset], text, details[offset])
            if builder.full:
                yield from builder.flush()
        yield from builder.flush()

    @staticmethod
    def _step(source: SourceFile, row: int, value: Any) -> int | None:
        try:
            return None if value is None else count(value)
        except (ValueError, TypeError, OverflowError):
            raise input_error(source, row, f"field step: {shortened(value)} is no training step", where="row") from None

    @staticmethod
    def _verdicts(source: SourceFile, values: Sequence[Any], notes: Notes) -> list[str]:
        said = []
        for value in values:
            correct = parse_correct(value, source.correct_at)
            if isinstance(value, float) and 0 < value < 1:
                notes.add("samples with a score between 0 and 1, which is not correct")
            said.append("unverified" if correct is None else "correct" if correct else "wrong")
        return said

    @staticmethod
    def _details(scores: Mapping[str, Sequence[Any]], size: int) -> list[str | None]:
        """What the other rewards and the advantage are, in words."""
        said: list[str | None] = []
        for values in zip(*scores.values(), strict=True) if scores else [()] * size:
            known = zip(scores, values, strict=True)
            said.append(", ".join(f"{name}={figure(value)}" for name, value in known if value is not None) or None)
        return said

    @staticmethod
    def _rewards(source: SourceFile) -> list[str]:
        """Columns of numbers between the completion and the advantage; what else is logged may be text."""
        import pyarrow as pa

        found = parquet_schema(source)
        if found is None:
            raise input_error(source, None, "not readable as Parquet")
        numeric = (pa.types.is_floating, pa.types.is_integer, pa.types.is_boolean)
        return [
            entry.name
            for entry in found
            if entry.name not in (STEPS, "advantage", "prompt", "completion")
            and any(is_(entry.type) for is_ in numeric)
        ]


importer = Trl()
