"""OpenAI's grade-school-math `example_model_solutions.jsonl`: a line a problem, a column with a solution each model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from backend.errors import UsageError, suggestion
from backend.importers.protocol import Block, Counts, Notes, Options, ProblemFacts, RunFacts
from backend.importers.source import SourceFile, input_error
from backend.importers.values import json_lines, kind_of_value, text_field

LAST_LINE = "A:"
"""How a solution's last line begins; the rest is the answer."""


def _is_solution(value: object) -> bool:
    return isinstance(value, dict) and {"solution", "is_correct"} <= value.keys()


def _final(solution: str) -> str | None:
    """The answer of a solution; None when its last line is none."""
    last = solution.rstrip().rpartition("\n")[2]
    return last.removeprefix(LAST_LINE).strip() or None if last.startswith(LAST_LINE) else None


class GradeSchool:
    """See the module."""

    name = "grade-school-math"
    title = "OpenAI grade-school-math example_model_solutions jsonl"

    def recognise(self, source: SourceFile, options: Options) -> bool:
        """A question and its ground truth, and at least one column that is an object with solution and is_correct."""
        first = source.first_object
        return (
            first is not None
            and {"question", "ground_truth"} <= first.keys()
            and any(_is_solution(value) for value in first.values())
        )

    def read(self, source: SourceFile, options: Options, notes: Notes) -> Iterator[Block | Counts]:
        """One sample of every model and problem; the column's name is the model's, unless --column MODEL=COLUMN."""
        first = source.first_object or {}
        columns = [column for column, value in first.items() if _is_solution(value)]
        models = {column: column for column in columns}
        if options.columns:
            for model, column in options.columns.items():
                if column not in columns:
                    raise UsageError(
                        f"--column {model}={column}: no such column of solutions",
                        next_step=suggestion(column, columns, "column"),
                    )
            models = {column: model for model, column in options.columns.items()}
        facts = {column: RunFacts(model=model) for column, model in models.items()}
        for position, (row, record) in enumerate(json_lines(source)):
            statement, truth = (
                text_field(source, row, record, "question"),
                text_field(source, row, record, "ground_truth"),
            )
            problem = ProblemFacts(
                str(position), position, statement, _final(truth) or truth, None, {"solution": truth}
            )
            for unknown in record.keys() - {"question", "ground_truth", *columns}:
                notes.add(f"lines with field {unknown}, which is not kept")
            for column, run in facts.items():
                if record.get(column) is None:
                    notes.add(f"lines without {column}")
                else:
                    yield self._block(source, row, column, record[column], run, problem)

    @staticmethod
    def _block(source: SourceFile, row: int, column: str, found: Any, run: RunFacts, problem: ProblemFacts) -> Block:
        if not isinstance(found, Mapping):
            raise input_error(source, row, f"field {column}: expected an object, found {kind_of_value(found)}")
        solution, correct = found.get("solution"), found.get("is_correct")
        if not isinstance(solution, str):
            raise input_error(
                source, row, f"field {column}.solution: expected a string, found {kind_of_value(solution)}"
            )
        if not isinstance(correct, bool | None):
            raise input_error(
                source, row, f"field {column}.is_correct: expected true or false, found {kind_of_value(correct)}"
            )
        verdict = "unverified" if correct is None else "correct" if correct else "wrong"
        answer = _final(solution)
        if verdict == "wrong" and answer is None:
            # Many are cut off in the middle of a word; the file does not say why.
            verdict = "no_answer"
        return Block(run, problem, [verdict], [row], texts=[solution], answers=[answer])


importer = GradeSchool()
