"""The problems of a solve set: chosen, sorted, and as the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

from backend.records import SetProblem, SolveSets


def in_set(problems: Sequence[SetProblem], solved: tuple[bool, ...] | None) -> list[SetProblem]:
    """The problems that exactly these runs solve; all for None."""
    return [problem for problem in problems if solved is None or problem.solved == solved]


def first_choice(record: SolveSets) -> tuple[bool, ...] | None:
    """The set shown first: what only the first run solves, else what only another one solves, else all."""
    runs = len(record.runs)
    lonely = [tuple(index == run for index in range(runs)) for run in range(runs)]
    return next((solved for solved in lonely if record.counts[solved]), None)


def list_in_words(name: str, counted: str, by: str, descending: bool, marked: int) -> str:
    """The set, how many problems, their order, and how many are marked; `by` is empty for the benchmark's order."""
    order = f"sorted by {by}{', descending' if descending else ''}" if by else "in benchmark order"
    return f"{name}: {counted}, {order}" + (f", {marked} marked" if marked else "")


MARK = "●"
"""Before the id of a problem that is marked."""
