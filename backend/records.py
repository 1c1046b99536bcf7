"""Frozen records that cross the border between backend and explorer. Plain values, no connection, no widget."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")

VERDICTS = ("correct", "wrong", "no_answer", "truncated", "timeout", "error", "unverified")
"""Every verdict. Only `correct` counts into c; only `unverified` does not count into n."""

ROLES = ("base", "rl", "sft", "instruct", "distill")
"""Every role of a model."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, or one checkpoint of it. What is unknown is None."""

    name: str
    role: str | None = None
    from_model: str | None = None
    step: int | None = None
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One model sampled on one benchmark under one sampling configuration, with its totals."""

    key: int
    name: str
    model: Model
    benchmark: str
    parameters: Mapping[str, Any]
    """Sampling parameters under vLLM's names, as far as known."""
    problems: int
    samples: int
    """Verified and unverified."""
    correct: int
    unverified: int
    n_min: int | None
    """Smallest n over the problems that have a verified sample; None when none has."""
    n_max: int | None
    without_verdict: int
    """Problems of which every sample is unverified; they are left out of pass@k and of solve sets."""
    solvable: int
    """Problems with c >= 1."""
    texts: int
    """Samples whose text is stored; 0 for published counts."""
    mean_tokens: float | None


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: added to be sampled from, or come with results."""

    benchmark: str
    verifier: str | None
    """Name of what judges its samples; None where none was chosen."""
    source: str | None
    """Where its problems were read from; None where they came with results."""
    metadata: str | None
    """JSON: split and columns of the source."""
    problems: int
    statements: int
    """Problems that can be asked."""
    answers: int
    """Problems with a reference answer."""
    runs: int


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """pass@k at one k, a share between 0 and 1."""

    k: int
    pass_at_k: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The pass@k curve of one run: points for k up to its smallest n, none beyond."""

    run: Run
    problems: int
    """Problems it is the mean over."""
    points: tuple[CurvePoint, ...]
    problems_below_n_max: int
    """Problems with fewer samples than n_max: they are why the curve ends at n_min."""

    def at(self, k: int) -> float | None:
        """pass@k, None where it was not asked for or is undefined."""
        return next((point.pass_at_k for point in self.points if point.k == k), None)


@dataclass(frozen=True, slots=True)
class PairSummary:
    """A pair of runs of one benchmark, as Home lists it. What is undefined is None."""

    benchmark: str
    base: Run
    rl: Run
    counts: Mapping[str, int]
    """both, base_only, rl_only, neither."""
    not_compared: int
    base_pass_at_1: float | None
    rl_pass_at_1: float | None
    common_n: int | None
    """The largest k at which both curves are defined."""
    base_pass_at_n: float | None
    rl_pass_at_n: float | None
    crossing: int | None


@dataclass(frozen=True, slots=True)
class Tally:
    """n and c of one problem in one run; both 0 when the run has no verified sample of it."""

    n: int
    c: int


@dataclass(frozen=True, slots=True)
class SetProblem:
    """One problem of a comparison of runs."""

    key: int
    label: str
    """Its id, made unique within the benchmark."""
    position: int
    excerpt: str | None
    """The beginning of the statement; None when no statement is stored."""
    level: str | None
    tallies: tuple[Tally, ...]
    """One for each run of the comparison, in its order."""
    mean_tokens: tuple[float | None, ...]
    solved: tuple[bool, ...]
    """Which runs solve it at the comparison's threshold."""


@dataclass(frozen=True, slots=True)
class NotCompared:
    """Problems that are not in every run, by label."""

    missing: tuple[tuple[str, ...], ...]
    """For each run, the labels of problems that other runs have and this one has not."""
    without_verdict: tuple[str, ...]
    """Problems that every run has, but some run only with unverified samples."""

    @property
    def total(self) -> int:
        """How many different problems are not compared."""
        return len(set(self.without_verdict).union(*self.missing)) if self.missing else 0


@dataclass(frozen=True, slots=True)
class SolveSets:
    """Problems of a benchmark by which of the runs solve them."""

    benchmark: str
    runs: tuple[Run, ...]
    min_correct: int
    problems: tuple[SetProblem, ...]
    counts: Mapping[tuple[bool, ...], int]
    """Number of problems of every combination; they add up to len(problems)."""
    n_ranges: tuple[tuple[int, int] | None, ...]
    """Smallest and largest n of each run over the compared problems."""
    not_compared: NotCompared
    common_n: int | None
    """The smallest n over all runs and compared problems."""
    expected_at_common_n: Mapping[tuple[bool, ...], float] | None
    """Expected counts if every run had just common_n samples; None where n is the same everywhere."""


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
