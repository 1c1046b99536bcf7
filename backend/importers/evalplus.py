"""evalplus: samples jsonl with task_id and solution, and eval_results json with two verdicts, base and plus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, ClassVar

from backend.importers.blocks import BlockBuilder, choose_one, note_others
from backend.importers.protocol import Beside, Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import json_lines, kind_of_value, read_document, text_field

SHAPE = re.compile(rb'\{\s*"date"\s*:.{0,200}?"hash"\s*:.{0,200}?"eval"\s*:\s*\{', re.DOTALL)
STATUS = {"pass": "correct", "fail": "wrong", "timeout": "timeout"}
SUITES = ("plus", "base")
"""The test suites, the strictest first: plus passes only where base does too."""
KNOWN = {"task_id", "solution", "_identifier"}


class EvalPlus:
    """See the module. There are no statements: the task is the problem's identity."""

    name = "evalplus"
    title = "evalplus samples jsonl or eval_results json"
    columns: ClassVar[dict[str, str]] = {
        "task_id": "problem", "solution": "text", "eval.base_status": "verdict of the base tests",
        "eval.plus_status": "verdict of all tests",
    }  # fmt: skip

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """task_id and solution in the first line; or an object with date, hash and eval."""
        first = source.first_object
        if first is not None and {"task_id", "solution"} <= first.keys() and first.keys() <= KNOWN:
            return True
        return bool(SHAPE.match(source.first_document))

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """Samples of every task; those of a samples file are unverified."""
        if SHAPE.match(source.first_document):
            yield from self._results(source, options, notes)
        else:
            yield from self._samples(source, notes)

    @staticmethod
    def _samples(source: SourceFile, notes: Notes) -> Iterator[Block]:
        builder = BlockBuilder("texts")
        facts = RunFacts()
        for row, record in json_lines(source):
            task = text_field(source, row, record, "task_id")
            note_others(record, KNOWN, notes)
            # A list of solutions is refused here; evalplus once scored it 0 without a word.
            solution = text_field(source, row, record, "solution")
            builder.add(facts, builder.problem(task, name=task), row, "unverified", solution)
            if builder.full:
                yield from builder.flush()
        yield from builder.flush()

    def _results(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block]:
        data = read_document(source)
        tasks = data.get("eval") if isinstance(data, dict) else None
        if not isinstance(tasks, dict):
            raise input_error(source, None, f"field eval: expected an object, found {kind_of_value(tasks)}")
        entries = (entry for found in tasks.values() if isinstance(found, list) for entry in found)
        with_plus = any(isinstance(entry, dict) and entry.get("plus_status") is not None for entry in entries)
        suites = SUITES if with_plus else ("base",)
        used = choose_one(source, suites, options, notes, "test suites")
        for position, (task, found) in enumerate(tasks.items()):
            if not isinstance(found, list):
                raise input_error(source, position + 1, f"field eval.{task}: expected a list", where="task")
            yield self._task(source, ProblemFacts(task, position), found, suites, used)

    def _task(
        self, source: SourceFile, problem: ProblemFacts, entries: list[Any], suites: tuple[str, ...], used: str
    ) -> Block:
        row = problem.position + 1
        verdicts: dict[str, list[str]] = {suite: [] for suite in suites}
        texts: list[str | None] = []
        details: list[str | None] = []
        for number, entry in enumerate(entries, 1):
            if not isinstance(entry, dict) or not isinstance(entry.get("solution"), str):
                raise input_error(source, row, f"sample {number}, field solution: expected a string", where="task")
            texts.append(entry["solution"])
            status = {suite: self._status(source, row, number, entry, suite) for suite in SUITES}
            details.append(", ".join(f"{suite}: {status[suite] or 'not run'}" for suite in suites))
            for suite in suites:
                # Plus counts only where base passes.
                said = status["base"] if suite == "plus" and status["base"] not in (None, "pass") else status[suite]
                verdicts[suite].append("unverified" if said is None else STATUS[said])
        beside = [Beside(suite, list(verdicts[suite]), version="evalplus") for suite in suites if suite != used]
        return Block(
            RunFacts(), problem, verdicts[used], [row] * len(texts), texts=texts, details=details, beside=beside
        )

    @staticmethod
    def _status(source: SourceFile, row: int, number: int, entry: dict[str, Any], suite: str) -> str | None:
        status = entry.get(f"{suite}_status")
        if status is None or (isinstance(status, str) and status in STATUS):
            return status
        raise input_error(
            source, row, f"sample {number}, field {suite}_status: expected one of {', '.join(STATUS)}", where="task"
        )


importer = EvalPlus()
