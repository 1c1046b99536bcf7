"""The problems of a solve set: chosen, filtered, sorted. Pure functions on the record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from backend.records import SetProblem, SolveSets
from backend.records.doubt import SetDoubt


def in_set(problems: Sequence[SetProblem], solved: tuple[bool, ...] | None) -> list[SetProblem]:
    """The problems that just these runs solve; all of them for None."""
    return [problem for problem in problems if solved is None or problem.solved == solved]


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 10 and Level 3 before Level 12."""
    import re

    # Numbers are compared as strings, the shorter one first: an id may be a number of any length.
    parts = [part.lstrip("0") if number % 2 else part for number, part in enumerate(re.split("([0-9]+)", text))]
    return tuple((0, len(part), part) if number % 2 else (1, 0, part) for number, part in enumerate(parts))


def sort_key(column: str) -> Callable[[SetProblem], Any]:
    """How a column sorts of which every problem has a value: position, id, statement, level or c<run> (share)."""
    simple: dict[str, Callable[[SetProblem], Any]] = {
        "position": lambda problem: problem.position,
        "id": lambda problem: natural(problem.label),
        "statement": lambda problem: (problem.excerpt or "").lower(),
        "level": lambda problem: natural(problem.level or ""),
    }
    if column in simple:
        return simple[column]
    run = int(column[1:])
    return lambda problem: problem.tallies[run].c / problem.tallies[run].n


def ordered(
    problems: Sequence[SetProblem], column: str, *, reverse: bool, doubt: SetDoubt | None = None
) -> list[SetProblem]:
    """Sorted by a column, equal ones in the order of the benchmark; what is unknown comes last in either direction."""
    by_position = sorted(problems, key=lambda problem: (problem.position, problem.label))
    if column == "doubt":
        chances = {} if doubt is None else {key: entry.set for key, entry in doubt.problems.items()}
        return _known_first(by_position, lambda problem: chances.get(problem.key), reverse)
    if column.startswith("t"):
        run = int(column[1:])
        return _known_first(by_position, lambda problem: problem.mean_tokens[run], reverse)
    return sorted(by_position, key=sort_key(column), reverse=reverse)


def _known_first(
    problems: Sequence[SetProblem], value: Callable[[SetProblem], float | None], reverse: bool
) -> list[SetProblem]:
    """Sorted by a number that is not known of every problem."""
    known = [(number, problem) for problem in problems if (number := value(problem)) is not None]
    unknown = [problem for problem in problems if value(problem) is None]
    return [problem for _, problem in sorted(known, key=lambda pair: pair[0], reverse=reverse)] + unknown


def first_choice(record: SolveSets) -> tuple[bool, ...] | None:
    """What one comes for: what only the first run solves, else what only another one solves, else all."""
    runs = len(record.runs)
    lonely = [tuple(index == run for index in range(runs)) for run in range(runs)]
    return next((solved for solved in lonely if record.counts[solved]), None)


def list_in_words(name: str, counted: str, by: str, descending: bool, marked: int) -> str:
    """What a list of problems shows: the set, how many, order, marks."""
    order = f"by {by}{' descending' if descending else ''}"
    return f"{name}: {counted}, {order}" + (f", {marked} marked" if marked else "")
