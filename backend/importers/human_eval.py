"""human-eval: a line a sample, with task_id and completion, and after its evaluation result and passed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from backend.importers.blocks import BlockBuilder, note_others
from backend.importers.protocol import Block, Counts, Notes, Options, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import json_lines, kind_of_value, text_field

KNOWN = {"task_id", "completion", "result", "passed", "completion_id"}


class HumanEval:
    """See the module. There are no statements: the task is the problem's identity."""

    name = "human-eval"
    title = "human-eval samples or results jsonl"
    columns: ClassVar[dict[str, str]] = {
        "task_id": "problem", "completion": "text", "passed": "verdict",
        "result": "detail, and a timeout where it says so",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """task_id and completion in the first line, with passed or with nothing else."""
        first = source.first_object
        return (
            first is not None
            and {"task_id", "completion"} <= first.keys()
            and ("passed" in first or first.keys() <= KNOWN)
        )

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples gathered by task; those without `passed` are unverified."""
        builder = BlockBuilder("texts", "details")
        facts = RunFacts()
        for row, record in json_lines(source):
            task = text_field(source, row, record, "task_id")
            if not isinstance(record.get("passed"), bool | None):
                raise input_error(
                    source, row, f"field passed: expected true or false, found {kind_of_value(record['passed'])}"
                )
            note_others(record, KNOWN, notes)
            problem = builder.problem(task, name=task)
            result = record.get("result")
            completion = text_field(source, row, record, "completion")
            detail = result if isinstance(result, str) else None
            builder.add(facts, problem, row, self._verdict(record.get("passed"), result), completion, detail)
            if builder.full:
                yield from builder.flush()
        yield from builder.flush()

    @staticmethod
    def _verdict(passed: bool | None, result: Any) -> str:
        if passed is False and isinstance(result, str) and result.startswith("timed out"):
            return "timeout"
        return "unverified" if passed is None else "correct" if passed else "wrong"


importer = HumanEval()
