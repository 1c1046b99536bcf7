"""Problems, samples, paths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from backend.records.runs import Run

T = TypeVar("T")

VERDICTS = ("correct", "wrong", "no_answer", "truncated", "timeout", "error", "unverified")
"""Every verdict. Only `correct` counts into c; only `unverified` does not count into n."""


@dataclass(frozen=True, slots=True)
class RunTally:
    """One run's samples of one problem, by verdict."""

    run: Run
    n: int
    c: int
    verdicts: Mapping[str, int]
    mean_tokens: float | None
    texts: int


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How often an answer was given to one problem by one run, and with what verdict."""

    run: str
    answer: str | None
    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with all that is known about it and every run's tally."""

    key: int
    label: str
    benchmark: str
    statement: str | None
    reference: str | None
    level: str | None
    metadata: Mapping[str, Any]
    tallies: tuple[RunTally, ...]
    answers: tuple[AnswerCount, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample without its text."""

    index: int
    verdict: str
    detail: str | None
    answer: str | None
    tokens: int | None
    characters: int | None
    """Length of its text; None when no text is stored."""
    finish_reason: str | None
    seed: int | None
    logprob_sum: float | None
    source: str | None
    """Path of the file that it was imported from."""
    format: str | None
    """Importer that read it."""
    source_row: int | None
    """Line or row in that file, from 1."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a longer list, which says how long the whole is."""

    items: tuple[T, ...]
    offset: int
    total: int

    @property
    def truncated(self) -> bool:
        """Whether the whole is longer than this page."""
        return len(self.items) < self.total


@dataclass(frozen=True, slots=True)
class Path:
    """One reasoning path: a sample with its exact text."""

    run: Run
    problem_key: int
    problem_label: str
    sample: Sample
    text: str | None
    """Exactly what was stored; None when the store has no text of this sample."""
    answer_span: tuple[int, int] | None
    """Where the extracted answer stands in the text; None when it is not found there as it is."""
