"""Which problems of two runs are one, by what, and what the others look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.records.samples import Run

STATEMENT, IDENTIFIER, REFERENCE, EXPRESSION, LIST = "statement", "id", "reference", "expression", "file"
"""By what problems are matched: what was asked, what files called them, their answers, a pattern, a list of pairs."""


@dataclass(frozen=True, slots=True)
class MatchRow:
    """A problem of one run, or of both."""

    key: int
    """By which it is read."""
    first: str | None
    """Its name in the first run; None where that run does not have it."""
    second: str | None
    by: str | None = None
    """By what the two are one; None where they are not."""
    decision: str | None = None
    """The id of the decision that matched them; None where what was asked did."""
    why: str = ""
    """Why a problem was left although something of it fits."""
    like: str | None = None
    """What it looks most like of the other run's problems that are not matched; None where nothing does."""
    like_key: int | None = None
    similarity: float | None = None
    """How much of the words of the shorter statement the other has too, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Matching:
    """The problems of two runs of one benchmark: those that are one, and those that are not."""

    first: Run
    second: Run
    rows: tuple[MatchRow, ...]
    """Those that are not matched first."""
    matched: Mapping[str, int]
    """How many are one, by what made them one."""
    only_first: int
    only_second: int
    ids: int
    """How many of those that are not matched have one id in both runs, and no other of theirs has it."""
    references: int
    """The same by reference answer."""


@dataclass(frozen=True, slots=True)
class MatchPlan:
    """What a match would write."""

    first: Run
    second: Run
    by: str
    said: str
    """As the user said it: id, reference, a pattern, a file."""
    rows: tuple[MatchRow, ...]
    """What would be one, and what is left with why."""
    pairs: tuple[tuple[int, int], ...]
    """Keys of the problems of first and second run that would be one."""
    different_references: int
    """Pairs whose reference answers differ: the one that came first counts."""
    words: str
    """The whole in a line."""
