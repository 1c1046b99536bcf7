"""Curves with their intervals, differences of pairs, crossings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.records.runs import Run

Kind = Literal["problems", "samples"]
"""What an interval is over: other problems of this kind, or other samples of these problems."""


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
        """The point there, None where there is none."""
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

    def at(self, k: int) -> BandPoint | None:
        """The point there, None where there is none."""
        return next((point for point in self.points if point.at == k), None)
