"""Perplexities of texts under models, and scores of single tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from backend.records.runs import Run

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
        """The median perplexity."""
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
class TokenScores:
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
