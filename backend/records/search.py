"""What a search finds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Hit:
    """One sample whose text holds the pattern, and where it first does."""

    run: str
    benchmark: str
    problem_key: int
    label: str
    sample: int
    verdict: str
    found: int
    """Where the first match begins in the text, in characters from 0."""
    length: int
    """Length of the match in characters; a long one is cut in the excerpt."""
    excerpt: str
    """The match and what stands around it, exactly as stored."""
    excerpt_found: int
    """Where the match begins in the excerpt."""


@dataclass(frozen=True, slots=True)
class RunHits:
    """What was found in one run so far."""

    run: str
    searched: int
    """Samples with a text that the scope means in this run; 0 while it is not known yet."""
    samples: int
    """Samples found."""
    problems: Mapping[int, int]
    """Samples found of each problem that has one, by problem key."""
    finished: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """How far a search has come: new hits, and the counts so far of every run in the scope."""

    hits: tuple[Hit, ...]
    """Those that came since the findings before."""
    runs: tuple[RunHits, ...]
    finished: bool
    seconds: float
