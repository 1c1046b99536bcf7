"""Judgements of reasoning: single ones, what they settle, and pass@k and solve sets by valid paths only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from backend.records.comparison import SolveSets
from backend.records.runs import Run

JUDGEMENTS = ("valid", "invalid", "unsure")
"""What may be said of a path's reasoning. Where nobody has said anything, it is not judged."""


@dataclass(frozen=True, slots=True)
class PathJudgement:
    """What somebody said of the reasoning of one path, at one time."""

    author: str
    """A person's name, or the step checker's."""
    version: str | None
    """Of the step checker; None for a person."""
    created: datetime
    """UTC."""
    judgement: str | None
    """One of JUDGEMENTS; None for a note alone."""
    note: str | None


@dataclass(frozen=True, slots=True)
class JudgedPath:
    """A judgement with the path that it is about, as it is listed and exported."""

    run: str
    benchmark: str
    label: str
    sample: int
    verdict: str | None
    judgement: PathJudgement


@dataclass(frozen=True, slots=True)
class QueuedPath:
    """A right path of a hard problem, to be judged."""

    run: str
    problem_key: int
    label: str
    sample: int
    n: int
    c: int
    settled: str | None
    """What has been settled so far, by whomever; None where nobody has judged it."""
    mine: str | None
    """What the person who judges has said of it last."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Of a run's right paths, how many are judged and how."""

    right: int
    valid: int
    invalid: int
    unsure: int

    @property
    def judged(self) -> int:
        """Right paths that somebody has judged."""
        return self.valid + self.invalid + self.unsure

    @property
    def open(self) -> int:
        """Right paths that may still turn out valid: not judged, or nobody is sure."""
        return self.right - self.valid - self.invalid


@dataclass(frozen=True, slots=True)
class CotPoint:
    """CoT-pass@k at one k: pass@k over right answers with valid reasoning.

    `low` counts every open path as invalid, `high` as valid; they are equal once all right paths are settled.
    """

    k: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CotCurve:
    """CoT-pass@k of one run, with how much of it is judged."""

    run: Run
    problems: int
    judged: Judged
    points: tuple[CotPoint, ...]


@dataclass(frozen=True, slots=True)
class ValidSets:
    """Solve sets by valid paths only: a problem counts as solved by right answers with valid reasoning."""

    sets: SolveSets
    """With c the number of valid paths; open ones do not count."""
    judged: tuple[Judged, ...]
    """For each run, over the compared problems."""
    open_problems: frozenset[int]
    """Keys of the problems whose set hangs on open paths."""
    counts_if_open_valid: Mapping[tuple[bool, ...], int]
    """The counts if every open path were valid."""
