"""human-eval `*_results.jsonl`: a line a sample, with task_id, completion, result and passed; no statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from backend.importers.fields import json_lines, kind, text
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts, SourceFile, bad

KNOWN = {"task_id", "completion", "result", "passed", "completion_id"}


class HumanEval:
    """See the module."""

    name = "human-eval"
    title = "human-eval results jsonl"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """task_id, completion and passed in the first line."""
        first = source.first_object
        return first is not None and {"task_id", "completion", "passed"} <= first.keys()

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples in the file's order; lines of one task that follow each other come as one block."""
        positions: dict[str, int] = {}
        facts = RunFacts()
        pending: Block | None = None
        for row, record in json_lines(source):
            task = text(source, row, record, "task_id")
            if not isinstance(record.get("passed"), bool | None):
                raise bad(source, row, f"field passed: expected true or false, found {kind(record['passed'])}")
            for unknown in record.keys() - KNOWN:
                notes.add(f"lines with field {unknown}, which is not kept")
            if pending is None or pending.problem.id != task:
                if pending is not None:
                    yield pending
                position = positions.setdefault(task, len(positions))
                pending = Block(facts, ProblemFacts(task, position), verdicts=[], rows=[], texts=[], details=[])
            result = record.get("result")
            self._append(pending, row, text(source, row, record, "completion"), record.get("passed"), result)
        if pending is not None:
            yield pending

    @staticmethod
    def _append(block: Block, row: int, completion: str, passed: bool | None, result: Any) -> None:
        verdict = "unverified" if passed is None else "correct" if passed else "wrong"
        if passed is False and isinstance(result, str) and result.startswith("timed out"):
            verdict = "timeout"
        block.verdicts.append(verdict)
        block.rows.append(row)
        assert block.texts is not None and block.details is not None
        block.texts.append(completion)
        block.details.append(result if isinstance(result, str) else None)


importer = HumanEval()
