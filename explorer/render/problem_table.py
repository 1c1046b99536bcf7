"""The table of a solve set's problems: columns for a width, and the cells of a row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.text import Text

from backend.records import SetProblem
from backend.records.doubt import ProblemDoubt
from explorer.render.doubt_words import chance_in_words
from explorer.render.literal import cell
from explorer.render.names import squeezed
from explorer.render.numbers import UNKNOWN, compact
from explorer.widgets.paged_table import Column

MARK = "●"
"""Before the id of a problem that is marked."""

LEAST_STATEMENT = 10
"""Cells that a statement gets at least."""


def problem_columns(problems: Sequence[SetProblem], words: Sequence[str], width: int, *, narrow: bool) -> list[Column]:
    """The columns for problems compared between runs called `words`; the statement takes what is left."""
    # A heading holds a short name, what is counted, and the sort arrow.
    wide = 11 if narrow and len(words) > 2 else 13
    tallies = [Column(f"c{index}", f"{squeezed(word, wide - 5)} c/n", wide, True) for index, word in enumerate(words)]
    last = [Column(f"t{len(words) - 1}", "tokens", 7, True)]
    each = [Column(f"t{index}", f"{squeezed(word, 7)} tok", 12, True) for index, word in enumerate(words)]
    longest_id = min(max((len(problem.label) for problem in problems), default=2), 16)
    longest_level = min(max((len(problem.level) for problem in problems if problem.level), default=0), 12)
    level = [Column("level", "level", max(longest_level, 5))] if longest_level else []
    doubt = Column("doubt", "doubt %", 8, True)
    fixed = [Column("id", "id", max(longest_id, 3) + 2), *level, *tallies, doubt]
    # Tokens of every run, of the last, or none: what leaves the statement its least width.
    for tokens in (last, []) if narrow else (each, last, []):
        rest = width - 4 - sum(column.width + 2 for column in (*fixed, *tokens))
        if rest >= LEAST_STATEMENT:
            break
    return [fixed[0], Column("statement", "statement", max(rest, LEAST_STATEMENT)), *fixed[1:], *tokens]


def problem_cells(
    problem: SetProblem, columns: Sequence[Column], marked: Collection[int], doubt: ProblemDoubt | None
) -> list[Text]:
    """The cells of one problem under these columns; a marked one has its mark. Doubt is None until it is known."""
    values = {
        "id": f"{MARK if problem.key in marked else ' '} {problem.label}",
        "statement": problem.excerpt if problem.excerpt is not None else "no statement stored",
        "level": problem.level or UNKNOWN,
        "doubt": UNKNOWN if doubt is None else chance_in_words(doubt.set),
    }
    for index, (tally, tokens) in enumerate(zip(problem.tallies, problem.mean_tokens, strict=True)):
        values[f"c{index}"] = f"{tally.c}/{tally.n}"
        values[f"t{index}"] = compact(tokens)
    return [cell(values[column.key], longest=column.width, right=column.right) for column in columns]
