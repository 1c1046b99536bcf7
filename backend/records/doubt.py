"""What samples do not show: success rates with their intervals, doubt about solve sets, plans to settle it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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
class ProblemDoubt:
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
class SetDoubt:
    """Doubt about the solve sets of a comparison. Everything in it is expected, nothing is observed."""

    more: int | None
    """Further samples of each problem and run that are thought of; None for a fresh run of the same n."""
    problems: Mapping[int, ProblemDoubt]
    """By key of the problem."""
    expected: Mapping[tuple[bool, ...], tuple[int, int]]
    """For each set, the counts between which 95 % of such runs lie."""
    means: Mapping[tuple[bool, ...], float]
    """For each set, the mean count of such runs."""
    in_doubt: int
    """Problems that are otherwise in another set with a chance of `DOUBTFUL` or more."""
    moving: float
    """Expected number of problems that are otherwise in another set."""


DOUBTFUL = 0.05
"""From this chance on a membership is called in doubt."""


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
class DoubtPlan:
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
        """Samples of the round."""
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
