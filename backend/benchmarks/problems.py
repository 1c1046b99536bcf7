"""Turns the rows of a table into problems: which column is what, and what a cell says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from backend.benchmarks.source import Table
from backend.errors import InputError, UsageError
from backend.importers.fields import as_text
from backend.importers.protocol import Notes, ProblemFacts
from backend.store.identity import problem_key
from backend.verifiers.extraction import bare

QUESTIONS = ("question", "problem", "statement", "prompt", "input", "query")
ANSWERS = (
    "answer", "final_answer", "expected_answer", "reference_answer", "reference", "ground_truth", "solution",
)  # fmt: skip
LEVELS = ("level", "difficulty")
"""Columns that are taken for what they are called when the user names none; the first that is there, in any case."""


@dataclass(frozen=True, slots=True)
class BenchmarkColumns:
    """Which column of a table holds what."""

    question: str | None = None
    answer: str | None = None
    level: str | None = None
    id: str | None = None


@dataclass(slots=True)
class Problems:
    """What a table holds."""

    columns: BenchmarkColumns
    by_key: dict[int, ProblemFacts] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)


def read_problems(
    table: Table, benchmark: str, source: str, said: BenchmarkColumns, limit: int | None = None
) -> Problems:
    """The problems of a table, in its order; rows count from 0, as the paper's indices do.

    Raises:
        UsageError: a column is missing; names those that are there.
        InputError: a row without a question, or two answers to one question.
    """
    columns = _resolved(table.columns, source, said)
    problems = Problems(columns)
    if table.left_out:
        problems.notes.add(f"columns that hold no text, left out: {', '.join(table.left_out)}")
    for number, row in enumerate(table.rows(limit)):
        facts = _problem(row, number, columns, source, problems.notes)
        key = problem_key(benchmark, facts.statement, facts.id)
        first = problems.by_key.setdefault(key, facts)
        if first is facts:
            continue
        if first.reference != facts.reference:
            raise InputError(
                f"{source}, rows {first.position} and {number}: the same question with two answers",
                f"{first.reference} and {facts.reference}.",
                "Nothing was added.",
            )
        problems.notes.add("repeated questions, each kept once")
    if not problems.by_key:
        raise InputError(f"{source} holds no rows", next_step="Nothing was added.")
    return problems


def _resolved(there: Sequence[str], source: str, said: BenchmarkColumns) -> BenchmarkColumns:
    names = ", ".join(there) or "none that holds text"
    for option, column in (
        ("question", said.question), ("answer", said.answer), ("level", said.level), ("id", said.id),
    ):  # fmt: skip
        if column is not None and column not in there:
            raise UsageError(f"{source} has no column {column}", next_step=f"Columns for --{option}: {names}.")
    question = said.question or _usual(there, QUESTIONS)
    if question is None:
        raise UsageError(f"Which column of {source} is the question?", next_step=f"--question COL; columns: {names}.")
    rest = [column for column in there if column != question]
    return BenchmarkColumns(question, said.answer or _usual(rest, ANSWERS), said.level or _usual(rest, LEVELS), said.id)


def _usual(there: Sequence[str], wanted: Sequence[str]) -> str | None:
    by_name = {column.lower().replace(" ", "_"): column for column in there}
    return next((by_name[name] for name in wanted if name in by_name), None)


def _problem(row: Mapping[str, Any], number: int, columns: BenchmarkColumns, source: str, notes: Notes) -> ProblemFacts:
    assert columns.question is not None
    statement = row[columns.question]
    if not isinstance(statement, str) or not statement.strip():
        found = "nothing" if statement is None or statement == "" else f"{type(statement).__name__}, not text"
        raise InputError(
            f"{source}, row {number}: the column {columns.question} holds {found}",
            next_step="Name the column of the question with --question. Nothing was added.",
        )
    answer = None if columns.answer is None else _answer(row[columns.answer])
    reference = _reference(answer)
    if answer is not None and reference != answer:
        notes.add(f"answers taken out of {columns.answer}: the last box, or what follows ####")
    metadata = {
        column: _storable(value)
        for column, value in row.items()
        if value is not None
        and column not in (columns.question, columns.level)
        and (column != columns.answer or reference != answer)
    }
    label = str(number) if columns.id is None else as_text(row[columns.id])
    if not label:
        raise InputError(
            f"{source}, row {number}: the column {columns.id} holds nothing", next_step="Nothing was added."
        )
    level = None if columns.level is None else as_text(row[columns.level])
    return ProblemFacts(label, number, statement, reference, level, metadata)


def _answer(value: Any) -> str | None:
    """A cell as a reference answer: a list of one is that one, a longer list its elements with commas."""
    if isinstance(value, list):
        said = [text for entry in value if (text := as_text(entry))]
        value = ", ".join(said)
    text = as_text(value)
    return text if text and text.strip() else None


def _reference(answer: str | None) -> str | None:
    """The answer itself where a cell holds a whole solution: MATH's `solution`, GSM8K's `answer`."""
    if answer is None or not ("\\boxed{" in answer or "####" in answer):
        return answer
    return bare(answer) or answer


def _storable(value: Any) -> Any:
    """A value that JSON can hold."""
    if isinstance(value, float) and not isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _storable(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_storable(inner) for inner in value]
    return value
