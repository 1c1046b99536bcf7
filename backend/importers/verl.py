"""verl rollout and validation dumps, `{step}.jsonl`: a line a sample, with input, output, score and step."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from backend.importers.blocks import BlockBuilder, note_others
from backend.importers.chat import THINKING, are_messages, completion_text, prompt_text, whole_prompt
from backend.importers.prompts import PromptReader, some_prompts, some_records
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error, read_lines
from backend.importers.values import (
    as_text,
    json_lines,
    kind_of_value,
    parse_correct,
    refine_verdict,
    shortened,
    text_field,
)

KNOWN = {"input", "output", "gts", "score", "step", "acc", "pred", "reward", "uid", "request_id"}
MOST_STEP = 999_999_999
STEP = re.compile(rb'"step"\s*:\s*(\d{1,9})\s*[,}]')
"""A quote inside a JSON string has a backslash before it, so that no text of a model can look like this."""
UNKNOWN_ENDS = (
    "samples without a finish reason: verl writes texts without special tokens, so one that was cut off looks like a "
    "wrong one"
)


COLUMNS = {
    "input": "statement", "output": "text", "gts": "reference", "score": "verdict, where there is no acc",
    "acc": "verdict", "pred": "answer", "step": "step",
}  # fmt: skip


class Verl:
    name = "verl"
    title = "verl rollout or validation dump jsonl"
    columns = COLUMNS

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """Input and output as text, or as chat messages of an agent loop, a score and a step in the first line."""
        first = source.first_object
        return (
            first is not None
            and {"score", "step"} <= first.keys()
            and all(isinstance(said, str) or are_messages(said) for said in map(first.get, ("input", "output")))
        )

    def training_steps(self, source: SourceFile) -> set[int]:
        """The training steps that the file holds samples of."""
        steps: set[int] = set()
        with source.open() as file:
            for line in read_lines(file):
                # Looking for a word is many times faster than for a pattern.
                at = line.find(b'"step"')
                if at >= 0:
                    steps.update(map(int, STEP.findall(line, at)))
        source.bytes_read = 0
        return steps

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples gathered by prompt and reference: there is no problem id."""
        builder = BlockBuilder("texts", "answers")
        facts: dict[int | None, RunFacts] = {}
        prompts = PromptReader(some_prompts(some_records(source), "input"), notes)
        rows = 0
        known: dict[tuple[Any, str | None], ProblemFacts] = {}
        for row, record in json_lines(source):
            asked, output = record.get("input"), record.get("output")
            prompt = asked if isinstance(asked, str) else prompt_text(asked)
            if prompt is None:
                prompt = text_field(source, row, record, "input")
            if isinstance(output, str):
                pass
            elif are_messages(output):
                output, thought = completion_text(output)
                notes.add(THINKING, int(thought))
            else:
                output = text_field(source, row, record, "output")
            step = self._step(source, row, record.get("step"))
            run = facts.get(step)
            if run is None:
                run = facts[step] = RunFacts(step=step, checkpoint=step is not None)
            correct = self._correct(source, row, record, notes)
            answer = as_text(record.get("pred"))
            note_others(record, KNOWN, notes)
            # There are no ids: one question with two references is two problems, for example of two images.
            reference = as_text(record.get("gts"))
            problem = known.get((prompt, reference))
            if problem is None:
                problem = known[prompt, reference] = builder.problem(
                    (prompt, reference),
                    statement=prompts.question(prompt),
                    reference=reference,
                    prompt=whole_prompt(asked),
                )
            verdict = refine_verdict(correct, answer, None, record.get("pred") is not None)
            builder.add(run, problem, row, verdict, output, answer or None)
            rows += 1
            if builder.full:
                yield from builder.flush()
        notes.add(UNKNOWN_ENDS, rows)
        yield from builder.flush()

    @staticmethod
    def _step(source: SourceFile, row: int, value: Any) -> int | None:
        if value is None or (type(value) is int and 0 <= value <= MOST_STEP):
            return value
        raise input_error(source, row, f"field step: {shortened(value)} is no training step")

    @staticmethod
    def _correct(source: SourceFile, row: int, record: dict[str, Any], notes: Notes) -> bool | None:
        """`acc` where there is one, for the score may be shaped; else the score, which is right from 1 on."""
        field = "acc" if record.get("acc") is not None else "score"
        value = record.get(field)
        if source.correct_at is None and type(value) in (bool, float) and value in (0, 1):
            return bool(value)
        correct = parse_correct(value, source.correct_at)
        if correct is None and value is not None and value == value:
            raise input_error(
                source, row, f"field {field}: expected a number or true/false, found {kind_of_value(value)}"
            )
        if value is not None and value != value:
            notes.add("samples whose score is NaN: unverified")
        if isinstance(value, float) and 0 < value < 1 and source.correct_at is None:
            notes.add("samples with a score between 0 and 1, which is not correct")
        return correct


importer = Verl()
