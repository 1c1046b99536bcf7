"""What is to be scored under a model: texts of some runs of a benchmark, and its reference responses.

A text is scored after the prompt that the run was sampled with, so with the run's template. Prompt and text are
tokenized apart: the prompt ends where it ended when the model was sampled, and what is scored are the tokens of the
text alone. Sampled texts are stored without their end-of-text token; where a sample ended by itself it is put back and
counts as a token, as it does in the log-probability that sampling stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from backend.jobs.plan import EngineChoice

KIND = "scores"
"""Stands in plan.json, and is the kind of the parts."""
ALTERNATIVES = 4
"""Kept at each token where the user did not say how many."""

TextKey = tuple[str, int, int]
"""Run (empty for reference responses), problem key, sample index."""


@dataclass(frozen=True, slots=True)
class PlannedTexts:
    """Texts of one run and problem, all after the same prompt."""

    run: str
    """Empty for the problem's reference response."""
    key: int
    label: str
    prompt: str
    indices: tuple[int, ...]
    reference: str | None = None
    """The text itself, where it is no sample's."""
    ended: bool = True
    """Whether a sample that stopped did so by its end-of-text token; not where stop strings ended samples."""


@dataclass(frozen=True, slots=True)
class ScoringPlan:
    """Everything that is to be scored under one model."""

    benchmark: str
    scorer: str
    """The model, by its name in the store."""
    dtype: str
    """Precision; empty for a server, which does not tell."""
    texts: tuple[PlannedTexts, ...]
    """Only those with something to score."""
    by_token: bool = False
    """Whether the score of every token is kept."""
    alternatives: int = ALTERNATIVES
    """Likeliest tokens kept at each place, where scores by token are."""

    @property
    def samples(self) -> int:
        """How many texts are to be scored."""
        return sum(len(texts.indices) for texts in self.texts)

    @property
    def problems(self) -> tuple[int, ...]:
        """Keys of the problems that they are of."""
        return tuple(dict.fromkeys(texts.key for texts in self.texts))

    @property
    def runs(self) -> tuple[str, ...]:
        """The runs that they are of; empty for reference responses."""
        return tuple(dict.fromkeys(texts.run for texts in self.texts))

    @property
    def title(self) -> str:
        """What a list of jobs calls it."""
        return f"{' + '.join(run or 'references' for run in self.runs) or self.benchmark} under {self.scorer}"

    def keys(self) -> Iterable[TextKey]:
        """Every text."""
        return ((texts.run, texts.key, index) for texts in self.texts for index in texts.indices)


def without_scored(plan: ScoringPlan, done: set[TextKey]) -> ScoringPlan:
    """What is left of a plan when these texts need no score any more."""
    left = [
        replace(texts, indices=tuple(i for i in texts.indices if (texts.run, texts.key, i) not in done))
        for texts in plan.texts
    ]
    return replace(plan, texts=tuple(texts for texts in left if texts.indices))


def scoring_to_json(plan: ScoringPlan, engine: EngineChoice) -> dict[str, Any]:
    """A plan as it stands in a job's plan.json."""
    return {"version": 1, "kind": KIND, "engine": asdict(engine), **asdict(plan)}


def scoring_from_json(data: Mapping[str, Any]) -> tuple[ScoringPlan, EngineChoice]:
    """Read what `scoring_to_json` wrote.

    Raises:
        KeyError, TypeError: it is something else.
    """
    fields = {name: value for name, value in data.items() if name not in ("version", "kind", "engine")}
    texts = tuple(PlannedTexts(**{**entry, "indices": tuple(entry["indices"])}) for entry in data["texts"])
    return ScoringPlan(**{**fields, "texts": texts}), EngineChoice(**data["engine"])
