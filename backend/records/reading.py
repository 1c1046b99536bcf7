"""What reading paths brings: branches of a search tree, two texts aligned, neighbours of a path."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from backend.records.runs import Run
from backend.records.samples import Path

TREE_CUTS = ("step", "word")
"""What a search tree may be made by."""

TREE_ORDERS = ("taken", "right", "difference")
"""How the branches of one place are sorted: most samples first, most right ones, most one-sided."""

Kind = Literal["branch", "leaf", "end", "no_text", "more"]
"""branch: goes on in several ways; leaf: one way to the end; end: samples that stop where others go on;
no_text: samples whose text is not stored; more: the rarer branches of one place, taken together."""


@dataclass(frozen=True, slots=True)
class BranchTally:
    """One run's samples in a branch."""

    taken: int
    """Samples that took it, verified or not."""
    n: int
    """Verified ones."""
    c: int
    """Right ones."""


@dataclass(frozen=True, slots=True)
class Branch:
    """A stretch of text that all its samples share, up to where they part."""

    key: int
    """Of everything up to its first step: the same as long as the program runs, also when samples are added."""
    kind: Kind
    text: str
    """As the first of its samples has it; cut when it is very long."""
    characters: int
    """Length of the whole stretch."""
    steps: int
    """Steps (or words) in it; 0 where they were not counted: in a leaf, which is read as a whole."""
    ways: int
    """For `more`: branches it stands for."""
    tallies: tuple[BranchTally, ...]
    """In the order of the tree's runs."""

    @property
    def taken(self) -> int:
        """Samples of all runs."""
        return sum(tally.taken for tally in self.tallies)

    @property
    def right(self) -> int:
        """Right samples of all runs."""
        return sum(tally.c for tally in self.tallies)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A line of the tree as it is shown: a branch, how deep it is, whether its own branches follow."""

    branch: Branch
    depth: int
    open: bool


@dataclass(frozen=True, slots=True)
class BranchSample:
    """A sample under a branch."""

    run: Run
    index: int
    verdict: str
    answer: str | None
    tokens: int | None
    characters: int | None


Span = tuple[int, int]
"""Start and end in characters."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of two texts that is the same in both, but for white space, or differs."""

    same: bool
    left: Span
    right: Span
    """Spans of neighbouring stretches touch: together they are the whole texts."""
    searched: bool = True
    """False for a difference in which no common words were looked for: it is too long and too different."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """Another sample of the same problem, and how much of its beginning it shares with a path."""

    run: Run
    index: int
    verdict: str
    common: int
    """Characters that both begin with."""
    characters: int
    """Length of its text."""


@dataclass(frozen=True, slots=True)
class PathComparison:
    """Two paths of one problem, aligned."""

    left: Path
    right: Path
    stretches: tuple[Stretch, ...]

    @property
    def differences(self) -> tuple[Stretch, ...]:
        """Where they differ, in order."""
        return tuple(stretch for stretch in self.stretches if not stretch.same)
