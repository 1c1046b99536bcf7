"""What reading paths brings: branches of a search tree, texts aligned, judgements, perplexities and token scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backend.records.comparison import SolveSets
from backend.records.samples import Response, Run

# What reading paths brings: branches of a search tree, two texts aligned, neighbours of a path.

TREE_CUTS = ("step", "word")
"""What a search tree may be made by."""

TREE_ORDERS = ("taken", "right", "difference")
"""How the branches of one place are sorted: most samples first, most right ones, most one-sided."""

RowKind = Literal["branch", "leaf", "end", "no_text", "more"]
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
    kind: RowKind
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
    run: Run
    index: int
    verdict: str
    answer: str | None
    tokens: int | None
    characters: int | None
    overridden: bool = False
    """Whether its verdict is a person's, instead of the verifier's."""


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

    left: Response
    right: Response
    stretches: tuple[Stretch, ...]

    @property
    def differences(self) -> tuple[Stretch, ...]:
        """Where they differ, in order."""
        return tuple(stretch for stretch in self.stretches if not stretch.same)


# Judgements of reasoning: single ones, what they settle, and pass@k and solve sets by valid paths only.

JUDGEMENTS = ("valid", "invalid", "unsure")
"""What may be said of a path's reasoning. Where nobody has said anything, it is not judged."""

WITHDRAWN = "withdrawn"
"""In place of a judgement: its author has taken back what was judged before, which stays in the history."""


@dataclass(frozen=True, slots=True)
class PathJudgement:
    """What somebody said of the reasoning of one path, at one time."""

    author: str
    """A person's name, or the step checker's."""
    version: str | None
    """Of the step checker; None for a person."""
    created: datetime
    """UTC."""
    judgement: str | None
    """One of JUDGEMENTS, or WITHDRAWN; None for a note alone."""
    note: str | None


@dataclass(frozen=True, slots=True)
class JudgementMade:
    """What came of saying something of a path's reasoning."""

    author: str
    what: str
    """What was said: valid, a note, withdrawn."""
    judgement: str | None
    """As in `PathJudgement`."""
    before: str | None
    """What the same author said before, and what counts no more; None where there was nothing."""
    written: bool
    """False where the author had said the same already."""


@dataclass(frozen=True, slots=True)
class JudgedPath:
    """A judgement with the path that it is about, as it is listed and exported."""

    run: str
    benchmark: str
    label: str
    sample: int
    verdict: str | None
    judgement: PathJudgement


@dataclass(frozen=True, slots=True)
class QueuedPath:
    """A right path of a hard problem, to be judged."""

    run: str
    problem_key: int
    label: str
    sample: int
    n: int
    c: int
    settled: str | None
    """What has been settled so far, by whomever; None where nobody has judged it."""
    mine: str | None
    """What the person who judges has said of it last."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Of a run's right paths, how many are judged and how."""

    right: int
    valid: int
    invalid: int
    unsure: int

    @property
    def judged(self) -> int:
        return self.valid + self.invalid + self.unsure

    @property
    def open(self) -> int:
        """Right paths that may still turn out valid: not judged, or nobody is sure."""
        return self.right - self.valid - self.invalid


@dataclass(frozen=True, slots=True)
class CotPoint:
    """CoT-pass@k at one k: pass@k over right answers with valid reasoning.

    `low` counts every open path as invalid, `high` as valid; they are equal once all right paths are settled.
    """

    k: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class CotCurve:
    """CoT-pass@k of one run, with how much of it is judged."""

    run: Run
    problems: int
    judged: Judged
    points: tuple[CotPoint, ...]


@dataclass(frozen=True, slots=True)
class ValidSets:
    """Solve sets by valid paths only: a problem counts as solved by right answers with valid reasoning."""

    sets: SolveSets
    """With c the number of valid paths; open ones do not count."""
    judged: tuple[Judged, ...]
    """For each run, over the compared problems."""
    open_problems: frozenset[int]
    """Keys of the problems whose set hangs on open paths."""
    counts_if_open_valid: Mapping[tuple[bool, ...], int]
    """The counts if every open path were valid."""


# Perplexities of texts under models, and scores of single tokens.

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Of every group of perplexities."""

CHOICES = ("all", "right", "not right")
"""Which samples count, by their verdict; reference responses have none and always count."""


@dataclass(frozen=True, slots=True)
class PerplexityGroup:
    """The responses of one run, or the reference responses, under one model."""

    run: Run | None
    """None: the reference responses."""
    scorer: str
    n: int
    """Responses whose perplexity is known."""
    responses: int | None
    """Responses there are (samples with a stored text); None where nobody knows."""
    problems: int
    """Problems that the n responses are of."""
    unfitting: int
    """Responses that did not fit the model's context, and have no perplexity."""
    exact: bool
    """Whether every one was scored in float32."""
    quantiles: tuple[float, ...] | None
    """Perplexities at `QUANTILES`; None where n is 0."""
    histogram: tuple[int, ...]
    """Responses between each two `Perplexities.edges`."""
    within_own: float | None
    """Share of them that is at most as surprising as 95 % of the scorer's own samples here; None where it has none."""

    @property
    def median(self) -> float | None:
        return self.quantiles[QUANTILES.index(0.5)] if self.quantiles else None


@dataclass(frozen=True, slots=True)
class Perplexities:
    """The paper's Fig. 6 for some runs of a benchmark: every group of responses under every model."""

    benchmark: str
    runs: tuple[Run, ...]
    scorers: tuple[str, ...]
    """Models of the runs first, in their order; then the other models that anything was scored under."""
    choice: str
    groups: tuple[PerplexityGroup, ...]
    """One for each scorer and each run, and the reference responses last; also those of which nothing is scored."""
    edges: tuple[float, ...]
    """Bins of the histograms, equally wide in the logarithm; the first and the last bin hold what lies beyond."""


@dataclass(frozen=True, slots=True)
class SamplePerplexities:
    """Perplexities of the samples of one run and problem."""

    scorers: tuple[str, ...]
    of: Mapping[str, Mapping[int, float]]
    """Scorer -> sample index -> perplexity, where it is known."""

    def get(self, scorer: str, sample: int) -> float | None:
        """The perplexity of one sample under a model; None where it was not scored."""
        return self.of.get(scorer, {}).get(sample)


@dataclass(frozen=True, slots=True)
class TokenLogprobs:
    """One text token by token under a model."""

    scorer: str
    dtype: str
    ends: tuple[int, ...]
    """Where each token ends in the text, in characters; a character of several tokens belongs to the last of them. A
    token that is nothing of the text (end of text) ends where the one before it ends."""
    logprobs: tuple[float, ...]
    alternatives: tuple[tuple[tuple[str, float], ...], ...] | None
    """The likeliest tokens at each place with their log-probabilities, none where the token was sure; None where none
    were kept."""
