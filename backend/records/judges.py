"""How judges of reasoning compare with people and with each other, and what follows for CoT-pass@k."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.records.samples import Run

PEOPLE = "people"
"""All people together, where they agree on a path."""


@dataclass(frozen=True, slots=True)
class JudgeComparison:
    """A judge beside people or another judge, on the correct paths that both call valid or invalid."""

    judge: str
    """Its name and version; of a language model with the rule that its votes are decided by."""
    against: str
    """`PEOPLE`, or another judge."""
    run: str | None
    """None: all the runs together."""
    both_valid: int
    only_judge: int
    """Valid for the judge only."""
    only_other: int
    both_invalid: int
    undecided: int
    """Paths that the other calls valid or invalid, and on which the judge is unsure or could not be read."""
    agreement: float | None
    precision: float | None
    """Of what the judge calls valid, the share that the other does; None where it calls nothing so."""
    recall: float | None
    specificity: float | None
    kappa: float | None
    kappa_interval: tuple[float, float] | None
    """95 % confidence."""

    @property
    def n(self) -> int:
        return self.both_valid + self.only_judge + self.only_other + self.both_invalid


@dataclass(frozen=True, slots=True)
class CorrectedPoint:
    """CoT-pass@k at one k, corrected for the judge's errors."""

    k: int
    low: float
    """With the paths that nobody has judged counted as invalid."""
    high: float
    """With them counted as valid."""
    interval: tuple[float, float]
    """95 % credible, from the lower end of `low` to the upper end of `high`."""


@dataclass(frozen=True, slots=True)
class CorrectedRun:
    """What is valid of a run, once the judge's errors are taken into account."""

    run: Run
    judged: int
    """Correct paths that the judge calls valid or invalid."""
    called_valid: int
    share: tuple[float, float, float] | None
    """Share of the judged paths that is valid, with its 95 % confidence interval; None where it is not known."""
    points: tuple[CorrectedPoint, ...]
    """Empty where the error is not known."""

    def at(self, k: int) -> CorrectedPoint | None:
        return next((point for point in self.points if point.k == k), None)


@dataclass(frozen=True, slots=True)
class Correction:
    """Runs, corrected for the errors of one judge: those that people found on the paths that both have read."""

    judge: str | None
    """None where no judge has judged these runs."""
    read: JudgeComparison | None
    """All the runs together."""
    runs: tuple[CorrectedRun, ...]
    unknown: str
    """Why nothing can be corrected; empty where it can."""
    sets: Mapping[tuple[bool, ...], tuple[float, float, float]] | None = None
    """Expected problems in each solve set by valid paths, with a 95 % credible interval; None where not known."""
