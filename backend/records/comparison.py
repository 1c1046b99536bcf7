"""Curves with their intervals, differences, solve sets, and how sure they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from backend.records.samples import Run

# Curves with their intervals, differences of pairs, crossings.

IntervalKind = Literal["problems", "samples"]
"""What an interval is over: other problems of this kind, or other samples of these problems."""


@dataclass(frozen=True, slots=True)
class SharedNames:
    """What tells that two runs without a common problem may have the same ones all the same."""

    ids: int
    """Problems of one id that no other of either run has."""
    references: int
    """The same by reference answer."""


@dataclass(frozen=True, slots=True)
class BandPoint:
    """A value and its 95 % interval."""

    at: float
    """k of pass@k, tau of Cover@tau."""
    value: float
    """A share between 0 and 1; of a difference, between -1 and 1."""
    low: float | None
    high: float | None
    """None where no interval was asked for."""


@dataclass(frozen=True, slots=True)
class BandCurve:
    """pass@k or Cover@tau of one run; points of pass@k for k up to its smallest n, none beyond."""

    run: Run
    method: str | None
    """The kind of interval in words; None where none was asked for."""
    problems: int
    """Problems it is the mean over."""
    points: tuple[BandPoint, ...]

    def at(self, place: float) -> BandPoint | None:
        return next((point for point in self.points if point.at == place), None)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Where the curves of a pair cross: the smallest k at which the run that is ahead at first is behind."""

    k: int | None
    """None where they do not cross up to n."""
    low: int | None
    high: int | None
    """The 95 % interval; an end is None when it lies beyond n."""
    share_without: float
    """Share of replicates that do not cross up to n."""


@dataclass(frozen=True, slots=True)
class Lead:
    """A stretch of k in which one curve of a pair is ahead."""

    first: int
    last: int
    """The first k and the last; where the curves are equal, nobody takes over."""
    ahead: Literal["base", "rl"]
    by: float
    """By how much at the last k; a share."""


@dataclass(frozen=True, slots=True)
class Wins:
    """How many problems have the higher c/n in which run, compared exactly."""

    rl: int
    base: int
    ties: int


@dataclass(frozen=True, slots=True)
class Difference:
    """RL - base over the problems that both runs have, each paired with itself."""

    base: Run
    rl: Run
    method: str
    problems: int
    n: int | None
    """The largest k at which both are defined; None without a common problem that has a verdict."""
    points: tuple[BandPoint, ...]
    crossing: Crossing | None
    """None without a common problem that has a verdict."""
    wins: Wins
    leads: tuple[Lead, ...] = ()
    """Who is ahead where, from every k up to n; a crossing is where the next one begins."""

    shared_names: SharedNames | None = None
    """Where there is no common problem."""

    def at(self, k: int) -> BandPoint | None:
        return next((point for point in self.points if point.at == k), None)


# Curves, pairs and solve sets.


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
    apart: Mapping[str, SharedNames] = field(default_factory=dict)
    """The other runs that were asked for with it and have no problem in common with it: nothing can be compared."""

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
    """The first one; None where the curves do not cross up to common_n, or nothing can be said."""
    leads: tuple[Lead, ...] = ()
    """Who is ahead where, up to common_n."""
    at_common_n: Mapping[str, float] | None = None
    """Expected counts if both runs had just the smallest n of a problem; None where n is the same everywhere."""
    smallest_n: int | None = None
    """That n, over the problems that both have."""
    shared_names: SharedNames | None = None
    """Where the runs have no common problem."""


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
    shared_names: SharedNames | None = None
    """Of a pair without a common problem."""


# What samples do not show: success rates with their intervals, doubt about solve sets, plans to settle it.

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rate:
    """A success rate as far as its samples tell: posterior mean and 95 % credible interval."""

    n: int
    c: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class ProblemUncertainty:
    """How sure it is that a problem belongs to its solve set.

    With "otherwise" is meant: in a fresh run of n samples, or after `SetDoubt.more` further ones.
    """

    key: int
    rates: tuple[Rate, ...]
    """For each run of the comparison."""
    runs: tuple[float, ...]
    """For each run, the chance that it is otherwise solved, or otherwise not."""
    ranges: tuple[Interval, ...]
    """That chance at the ends of each rate's credible interval, the smaller one first: wide where n says little."""
    set: float
    """Chance that the problem is otherwise in another set."""


@dataclass(frozen=True, slots=True)
class SetUncertainty:
    """Doubt about the solve sets of a comparison. Everything in it is expected, nothing is observed."""

    more: int | None
    """Further samples of each problem and run that are thought of; None for a fresh run of the same n."""
    problems: Mapping[int, ProblemUncertainty]
    """By key of the problem."""
    expected: Mapping[tuple[bool, ...], tuple[int, int]]
    """For each set, the counts between which 95 % of such runs lie."""
    means: Mapping[tuple[bool, ...], float]
    """For each set, the mean count of such runs."""
    uncertain: int
    """Problems that are otherwise in another set with a chance of `UNCERTAIN` or more."""
    expected_changes: float
    """Expected number of problems that are otherwise in another set."""
    calibrated: bool = True
    """Whether ranges of this kind were measured to hold in 95 of 100 cases; beyond that they have no percentage."""
    prior: tuple[float, float] | None = None
    """What the prior does: the chance of another set at 2 correct of the common n against 0, and at 0 against 2."""


UNCERTAIN = 0.05
"""From this chance on a membership is called in doubt."""


@dataclass(frozen=True, slots=True)
class ProblemEvidence:
    """Whether the difference of a pair on one problem is more than luck; for each number base first."""

    ahead: Literal["base", "rl"] | None
    """Whose rate is higher beyond chance; None where the counts are compatible with equal rates."""
    p: tuple[float, float]
    """Of Fisher's one-sided exact test that the base's rate is higher, and that RL's is."""
    holm: tuple[float, float]
    """The same, adjusted for all problems tested."""
    bounds: tuple[Interval, Interval]
    """For each run a lower and an upper bound of its rate, each by itself with 95 %."""


@dataclass(frozen=True, slots=True)
class SetEvidence:
    """What the counts of a pair are evidence of."""

    problems: Mapping[int, ProblemEvidence]
    """By key of the problem."""
    tested: int
    """Problems that were tested, and so adjusted for."""
    beyond: Mapping[str, int]
    """Of base_only and rl_only, how many problems differ beyond chance."""
    discordance: float | None
    """p of the exact McNemar test on the problems that one run alone solves; None where n differs, or there is none."""
    even: bool
    """Whether n is the same everywhere: else the run with more samples solves more by that alone."""


@dataclass(frozen=True, slots=True)
class Support:
    """Empirical support of a pair, by problem (The Invisible Leash, arXiv 2507.14843, section 2).

    A problem is in a run's empirical support when the run solves it. Ratios are None where nothing stands below.
    """

    preserved: int
    """Solved by both."""
    shrunk: int
    """Solved by the base run only."""
    expanded: int
    """Solved by the RL run only."""
    outside: int
    """Solved by neither."""
    retention: float | None
    """Support retention rate: preserved / (preserved + shrunk)."""
    discovery: float | None
    """Net discovery rate: expanded / (preserved + expanded)."""
    change: float | None
    """Net support change rate: (expanded - shrunk) / (preserved + shrunk + expanded)."""


@dataclass(frozen=True, slots=True)
class PlannedSamples:
    """More samples of one problem in one run."""

    run: str
    problem: str
    n: int
    """Samples there are."""
    add: int
    """Samples to add."""
    expected_changes: float
    """Chance that one of them is right, and the problem so becomes solved."""
    tokens: float | None
    """Expected tokens; None where the run's lengths are unknown."""


@dataclass(frozen=True, slots=True)
class SamplePlan:
    """One round of samples: where they go, and what they are expected to find before anything is spent."""

    policy: str
    budget: int
    rows: tuple[PlannedSamples, ...]
    """Those with samples to add, the likeliest to change first for what they cost."""
    unsolved: int
    """Problem-and-run pairs that have samples, none of them right."""
    ahead: int
    """Further samples of each of them that the stopping rule looks at."""
    before: float
    """Memberships expected to change within the next `ahead` samples of each, as things stand."""
    after: float
    """The same when the round has been drawn."""
    settled: bool
    """Whether fewer than `SETTLED` are left then, or now when there is nothing to add: the rule says stop."""

    @property
    def samples(self) -> int:
        return sum(row.add for row in self.rows)

    @property
    def expected_changes(self) -> float:
        """Memberships that the round is expected to change."""
        return sum(row.expected_changes for row in self.rows)

    @property
    def tokens(self) -> float | None:
        """Tokens the round is expected to take; None when a run's lengths are unknown."""
        known = [row.tokens for row in self.rows if row.tokens is not None]
        return sum(known) if len(known) == len(self.rows) else None


SETTLED = 2.0
"""Fewer memberships than this expected to change, and sampling may stop."""
