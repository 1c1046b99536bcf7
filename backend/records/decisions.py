"""What came into a store and what was decided about it since, as it is listed and taken back."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportEntry:
    """One import."""

    id: str
    """By which it is named: the end of its part's name."""
    part: str
    created: str
    """UTC, ISO 8601."""
    author: str | None
    """Who imported it; None for imports of before this was kept."""
    files: tuple[str, ...]
    """Paths of the files that were read."""
    runs: tuple[str, ...]
    """As they are called now."""
    problems_of: tuple[str, ...]
    """Benchmarks."""
    samples: int
    """0 for published counts."""
    counts_only: bool
    verdicts: bool
    """Whether it gave verdicts to samples that were there."""
    taken_back: bool
    taken_back_by: str | None
    """Who took it back; None while it counts."""
    taken_back_at: str | None


@dataclass(frozen=True, slots=True)
class DecisionEntry:
    """What one command or key decided: one or more decisions of one moment."""

    id: str
    part: str
    kind: str
    """undo, redo, rename, set, remove, reference, override, match."""
    created: str
    author: str | None
    words: str
    """What was decided."""
    reason: str | None
    taken_back: bool


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What taking something back, or bringing it back, did."""

    id: str
    """Of the decision: it can be taken back in its turn."""
    words: str
    """What was taken back, or brought back."""
    counts_again: bool
    """Whether it was brought back."""
    notes: tuple[str, ...] = ()
    """What followed from it."""


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """A decision that has just been written."""

    id: str
    """By which it is taken back."""
    words: str
    notes: tuple[str, ...] = ()
    """What followed from it."""


@dataclass(frozen=True, slots=True)
class ReferenceVersion:
    """One reference answer of a problem; a problem may have several, of which one counts."""

    problem_key: int
    problem: str
    """Label."""
    benchmark: str
    reference: str
    origin: str
    """The import or decision that brought it, by its id."""
    author: str | None
    created: str | None
    counts: bool


@dataclass(frozen=True, slots=True)
class Forgettable:
    """What does not count in a store, and would be dropped for good."""

    imports: tuple[str, ...]
    """In words, as all of these: imports that were taken back."""
    decisions: tuple[str, ...]
    """Decisions that were taken back."""
    runs: tuple[str, ...]
    """Runs that were removed."""
    samples: int
    """Of these imports and runs."""
    texts: int
    """How many of the samples have one."""
    replaced: int
    """Decisions in whose place others came, or that were withdrawn."""
    judgements: int
    """Judgements that their author has withdrawn or said otherwise since."""

    @property
    def is_nothing(self) -> bool:
        return not (self.imports or self.decisions or self.runs or self.samples or self.replaced or self.judgements)
