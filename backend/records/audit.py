"""The verdict audit: what two verifiers say of the samples of a pair, and what people said of those they read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from backend.records.comparison import CurvePoint, Interval, Lead
from backend.records.samples import Run

Direction = Literal["accepts", "rejects"]
"""The second side says correct where the first does not; or the other way round."""


@dataclass(frozen=True, slots=True)
class Agreed:
    """Samples that both sides judged, by whether each says correct."""

    both: int = 0
    first_only: int = 0
    second_only: int = 0
    neither: int = 0

    @property
    def n(self) -> int:
        return self.both + self.first_only + self.second_only + self.neither

    @property
    def first(self) -> int:
        """Correct samples by the first side."""
        return self.both + self.first_only

    @property
    def second(self) -> int:
        """Correct samples by the second side."""
        return self.both + self.second_only

    @property
    def disputed(self) -> int:
        return self.first_only + self.second_only

    def __add__(self, other: Agreed) -> Agreed:
        return Agreed(
            self.both + other.both,
            self.first_only + other.first_only,
            self.second_only + other.second_only,
            self.neither + other.neither,
        )


@dataclass(frozen=True, slots=True)
class AuditProblem:
    """One problem of an audit; base first."""

    key: int
    label: str
    position: int
    excerpt: str | None
    level: str | None
    runs: tuple[Agreed, Agreed]
    sets: tuple[tuple[bool, bool], tuple[bool, bool]]
    """Which runs solve it by the first side, and by the second."""

    @property
    def disputed(self) -> int:
        return sum(run.disputed for run in self.runs)


@dataclass(frozen=True, slots=True)
class Stratum:
    """Samples of a run of which the two sides say one thing, and what was read of them."""

    samples: int
    read: int = 0
    """Samples whose answer a person has judged, by overriding or confirming the verdict."""
    correct: int = 0
    """Those of them that the person says are correct."""


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A share with its 95 % credible interval; unknown where something that it needs was not read."""

    value: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class SideErrors:
    """How often a side errs on a run, by what was read of it."""

    false_positives: ErrorRate
    """Of the samples that are not correct, those that it calls correct."""
    false_negatives: ErrorRate
    """Of the samples that are correct, those that it does not call correct."""
    false_share: ErrorRate
    """Of the samples that it calls correct, those that are not."""


@dataclass(frozen=True, slots=True)
class ReportedMetric:
    """A summary metric of the file that a run came from, and the same from the samples that were read from it."""

    metric: str
    side: str
    """Whose verdicts it is the mean of."""
    reported: float
    read: float | None
    """Mean over problems of the share of correct samples; None where no sample has such a verdict."""
    samples: int

    @property
    def agrees(self) -> bool:
        return self.read is not None and abs(self.read - self.reported) < SAME


SAME = 0.0005
"""Metrics are rounded to three digits by some tools."""


@dataclass(frozen=True, slots=True)
class AuditRun:
    """A run of an audit, over its samples that both sides judged."""

    run: Run
    agreed: Agreed
    not_compared: int
    """Samples that a side has not judged, or failed on."""
    strata: Mapping[tuple[bool, bool], Stratum]
    """By whether the first and the second side say correct."""
    errors: tuple[SideErrors, SideErrors]
    """Of the first and of the second side."""
    accepts: ErrorRate
    """Of what the first side calls incorrect, the share that the second calls correct; interval over problems."""
    rejects: ErrorRate
    """Of what the first side calls correct, the share that the second calls incorrect."""
    reported: tuple[ReportedMetric, ...] = ()


@dataclass(frozen=True, slots=True)
class RateDifference:
    """One rate on base and on RL: a verifier that errs otherwise on one of them moves sets and curves by itself."""

    rate: str
    """accepts and rejects, as of `AuditRun`; or false_positives or false_negatives, of `side`."""
    side: str | None
    base: float
    rl: float
    interval: Interval
    """95 % of RL - base."""

    @property
    def difference(self) -> float:
        return self.rl - self.base

    @property
    def differs(self) -> bool:
        return self.interval[0] > 0 or self.interval[1] < 0


@dataclass(frozen=True, slots=True)
class AuditView:
    """Curves and sets of the pair as one side judges, over the samples that both sides judged."""

    side: str
    curves: tuple[tuple[CurvePoint, ...], tuple[CurvePoint, ...]]
    """Of base and RL, at every k up to the common n."""
    leads: tuple[Lead, ...]
    counts: Mapping[tuple[bool, bool], int]

    @property
    def crossings(self) -> tuple[int, ...]:
        return tuple(lead.first for lead in self.leads[1:])


@dataclass(frozen=True, slots=True)
class Audit:
    """Two verifiers compared on a pair of runs."""

    benchmark: str
    min_correct: int
    first: str
    second: str
    runs: tuple[AuditRun, AuditRun]
    problems: tuple[AuditProblem, ...]
    """Those that both runs have with a sample that both sides judged; what is disputed first: RL-only, base-only by
    either side, then by how much."""
    not_compared: int
    """Problems of the pair that are not among them."""
    differences: tuple[RateDifference, ...]
    views: tuple[AuditView, AuditView]
    """As the first side judges, and as the second does."""
    moved: Mapping[tuple[tuple[bool, bool], tuple[bool, bool]], int]
    """Problems by their set of the first side and of the second."""


@dataclass(frozen=True, slots=True)
class DisputedPath:
    """A sample on which two sides disagree, as a reading queue lists it."""

    run: str
    problem_key: int
    label: str
    sample: int
    first: str
    second: str
    set: tuple[bool, bool]
    """Of the problem, by the side that leaves it in base-only or RL-only; else by the first side."""
    said: str | None
    """What a person said of its answer; None where nobody has read it."""


@dataclass(frozen=True, slots=True)
class FalsePositiveRate:
    """Of a run's samples that are not correct, the share that its verifier calls correct: supposed, or estimated."""

    value: float
    interval: Interval | None = None
    """95 %, where it is estimated; None where it is supposed."""
    allowed: bool = True
    """Whether the counts of the run are compatible with it."""

    @property
    def ends(self) -> tuple[float, ...]:
        return (self.value, *(self.interval or ()))


@dataclass(frozen=True, slots=True)
class SpuriousMembers:
    """What is left of a solve set when verdicts are false."""

    spurious: float
    """Expected members that belong to another set."""
    corrected: float
    """Expected count of the problems that truly belong to it."""
    interval: tuple[int, int]
    """95 % of that count."""


@dataclass(frozen=True, slots=True)
class FalsePositives:
    """Solve sets under a rate of false positives."""

    rates: tuple[FalsePositiveRate, ...]
    """Of each run."""
    problems: Mapping[int, tuple[float | None, ...]]
    """By key of the problem, for each run the chance that too few of its correct samples are so for it to be solved:
    where one is enough, that all are false. None where the run does not solve it anyway."""
    sets: Mapping[tuple[bool, ...], SpuriousMembers]
