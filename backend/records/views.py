"""What the statistics views show: one record a view. Runs in them have the totals of the problems that count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.records.comparison import SharedNames
from backend.records.samples import Run

# Accuracy histogram


@dataclass(frozen=True, slots=True)
class AccuracyHistogram:
    """Problems of one run by their share correct."""

    run: Run
    problems: int
    counts: tuple[int, ...]
    """Of each bin of `metrics.accuracy_bins.BINS`."""


# Efficiency, steps, temperature


@dataclass(frozen=True, slots=True)
class RunSummary:
    """How good one run is: the two ends of its curve, what it solves, how long it writes."""

    run: Run
    problems: int
    pass_at_1: float | None
    pass_at_k: float | None
    """At the k of the view; None where k exceeds the run's n."""


@dataclass(frozen=True, slots=True)
class EfficiencyGap:
    """Delta_SE of one run: the base's pass@k less the run's pass@1, over the problems that both have."""

    summary: RunSummary
    delta: float | None
    """None for base models, and where it is undefined."""
    low: float | None
    high: float | None
    """Its 95 % interval, over problems."""
    common: int
    """Problems that it is the mean over."""
    shared_names: SharedNames | None = None
    """What the runs have in common where they have no problem in common."""


@dataclass(frozen=True, slots=True)
class Efficiency:
    """The sampling efficiency gaps to one base run."""

    base: Run
    k: int | None
    """256, or the base run's own smallest n if that is less; None where the base run has no verdict."""
    method: str
    """What the intervals are over, in words."""
    gaps: tuple[EfficiencyGap, ...]


@dataclass(frozen=True, slots=True)
class Series:
    """Checkpoints of one training by step, the run that it started from first."""

    algorithm: str | None
    from_model: str | None
    k: int | None
    """256, or the largest k at which every point is defined."""
    points: tuple[RunSummary, ...]


@dataclass(frozen=True, slots=True)
class Entropy:
    """Mean negative log-probability per token of a run's own samples."""

    value: float
    """In nats."""
    samples: int
    """Samples of which both are stored: the sum of log-probabilities and the count of tokens."""
    tokens: int


@dataclass(frozen=True, slots=True)
class TemperaturePoint:
    """One run of a temperature sweep."""

    summary: RunSummary
    temperature: float | None
    entropy: Entropy | None
    """None where no log-probabilities are stored."""


@dataclass(frozen=True, slots=True)
class TemperatureSweep:
    """The runs of a benchmark by model and temperature, and which matches the base run's entropy."""

    base: Run
    k: int | None
    points: tuple[TemperaturePoint, ...]
    nearest: TemperaturePoint | None
    """Of the RL runs that have one, the one whose entropy is nearest to the base run's."""


# Lengths and verdicts


@dataclass(frozen=True, slots=True)
class LengthSummary:
    """How long some samples are, in tokens."""

    samples: int
    mean: float
    """Over samples: problems with many of them weigh more."""
    by_problem: float
    """Over problems: the mean of their means."""
    in_common: float | None
    """The same over the problems in which every run with token counts has such samples; None where there is none."""
    common: int
    """How many problems those are."""
    tenth: int
    median: int
    ninetieth: int
    longest: int
    bins: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunLengths:
    """Lengths of one run's samples, right and other ones apart."""

    run: Run
    right: LengthSummary | None
    """None where no right sample has a token count."""
    other: LengthSummary | None
    """Of the samples with any other verdict; unverified ones are in neither."""
    unknown: int
    """Verified samples without a token count."""
    verdicts: Mapping[str, int]
    """Samples of each verdict; empty where only counts are stored."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Lengths and verdicts of runs."""

    width: int
    """Tokens of a bin."""
    runs: tuple[RunLengths, ...]


# Agreement


@dataclass(frozen=True, slots=True)
class MajorityPoint:
    k: int
    value: float
    error: float | None
    """Standard error of the random subsets; None where the value is exact."""


@dataclass(frozen=True, slots=True)
class MajorityAnswer:
    """The answer that most samples of a problem give."""

    problem: int
    label: str
    answer: str
    votes: int
    n: int
    right: float
    """1 or 0; between, where others have as many votes or where verdicts differ on the same words."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the samples of one run agree on."""

    run: Run
    problems: int
    """Problems with verified samples whose outcomes are stored."""
    samples: int
    answered: int
    """Samples of which an answer was extracted; the others do not vote."""
    points: tuple[MajorityPoint, ...]
    """Empty where no answers are stored."""
    majorities: tuple[MajorityAnswer, ...]
    """Of every problem with an answer, in the order of the benchmark."""
    draws: int
    """Random subsets of each problem behind the points that are not exact."""
