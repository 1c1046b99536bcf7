"""The problems of a solve set: chosen, sorted, and as the rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from rich.text import Text

from backend.records import SetProblem, SolveSets
from backend.records.comparison import ProblemUncertainty, SetUncertainty
from backend.wording import UNKNOWN, compact
from explorer.render.names import shorten_middle
from explorer.render.text import cell
from explorer.render.uncertainty import chance_in_words
from explorer.widgets.paged_table import Column

# The problems of a solve set: chosen, filtered, sorted. Pure functions on the record.


def in_set(problems: Sequence[SetProblem], solved: tuple[bool, ...] | None) -> list[SetProblem]:
    """The problems that just these runs solve; all of them for None."""
    return [problem for problem in problems if solved is None or problem.solved == solved]


def natural_key(text: str) -> tuple[tuple[int, int, str], ...]:
    """A key that sorts 2 before 10 and Level 3 before Level 12."""
    import re

    # Numbers are compared as strings, the shorter one first: an id may be a number of any length.
    parts = [part.lstrip("0") if number % 2 else part for number, part in enumerate(re.split("([0-9]+)", text))]
    return tuple((0, len(part), part) if number % 2 else (1, 0, part) for number, part in enumerate(parts))


def sort_key(column: str) -> Callable[[SetProblem], Any]:
    """How a column sorts of which every problem has a value: position, id, statement, level or c<run> (share)."""
    simple: dict[str, Callable[[SetProblem], Any]] = {
        "position": lambda problem: problem.position,
        "id": lambda problem: natural_key(problem.label),
        "statement": lambda problem: (problem.excerpt or "").lower(),
        "level": lambda problem: natural_key(problem.level or ""),
    }
    if column in simple:
        return simple[column]
    run = int(column[1:])
    return lambda problem: problem.tallies[run].c / problem.tallies[run].n


def sort_problems(
    problems: Sequence[SetProblem], column: str, *, reverse: bool, uncertainty: SetUncertainty | None = None
) -> list[SetProblem]:
    """Sorted by a column, equal ones in the order of the benchmark; what is unknown comes last in either direction."""
    by_position = sorted(problems, key=lambda problem: (problem.position, problem.label))
    if column == "doubt":
        chances = {} if uncertainty is None else {key: entry.set for key, entry in uncertainty.problems.items()}
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


# The table of a solve set's problems: columns for a width, and the cells of a row.

MARK = "●"
"""Before the id of a problem that is marked."""

LEAST_STATEMENT = 10
"""Cells that a statement gets at least."""


def problem_columns(problems: Sequence[SetProblem], words: Sequence[str], width: int, *, narrow: bool) -> list[Column]:
    """The columns for problems compared between runs called `words`; the statement takes what is left."""
    # A heading holds a short name, what is counted, and the sort arrow.
    wide = 11 if narrow and len(words) > 2 else 13
    tallies = [
        Column(f"c{index}", f"{shorten_middle(word, wide - 5)} c/n", wide, True) for index, word in enumerate(words)
    ]
    last = [Column(f"t{len(words) - 1}", "tokens", 7, True)]
    each = [Column(f"t{index}", f"{shorten_middle(word, 7)} tok", 12, True) for index, word in enumerate(words)]
    longest_id = min(max((len(problem.label) for problem in problems), default=2), 16)
    longest_level = min(max((len(problem.level) for problem in problems if problem.level), default=0), 12)
    level = [Column("level", "level", max(longest_level, 5))] if longest_level else []
    uncertainty = Column("doubt", "doubt %", 8, True)
    fixed = [Column("id", "id", max(longest_id, 3) + 2), *level, *tallies, uncertainty]
    # Tokens of every run, of the last, or none: what leaves the statement its least width.
    for tokens in (last, []) if narrow else (each, last, []):
        rest = width - 4 - sum(column.width + 2 for column in (*fixed, *tokens))
        if rest >= LEAST_STATEMENT:
            break
    return [fixed[0], Column("statement", "statement", max(rest, LEAST_STATEMENT)), *fixed[1:], *tokens]


def problem_cells(
    problem: SetProblem, columns: Sequence[Column], marked: Collection[int], uncertainty: ProblemUncertainty | None
) -> list[Text]:
    """The cells of one problem under these columns; a marked one has its mark. Doubt is None until it is known."""
    values = {
        "id": f"{MARK if problem.key in marked else ' '} {problem.label}",
        "statement": problem.excerpt if problem.excerpt is not None else "no statement stored",
        "level": problem.level or UNKNOWN,
        "doubt": UNKNOWN if uncertainty is None else chance_in_words(uncertainty.set),
    }
    for index, (tally, tokens) in enumerate(zip(problem.tallies, problem.mean_tokens, strict=True)):
        values[f"c{index}"] = f"{tally.c}/{tally.n}"
        values[f"t{index}"] = compact(tokens)
    return [cell(values[column.key], longest=column.width, right=column.right) for column in columns]
