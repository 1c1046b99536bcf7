"""Curves, pairs and solve sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.records.runs import Run


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
