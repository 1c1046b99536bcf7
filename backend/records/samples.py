"""Models, runs, benchmarks, problems, samples, responses, verdicts, and what a search or a selector finds of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

# Models, runs and benchmarks.

ROLES = ("base", "rl", "sft", "instruct", "distill")
"""Every role of a model."""

REPORTED = "reported"
"""Parameter of a run: the summary metrics of the tool that wrote its file, as JSON: a list of [whose verdicts, metric,
value]; whose verdicts is a name beside the samples, or `imported`."""
NOT_SAMPLING = ("source", "model_path", REPORTED)
"""Parameters of a run that say where something lies, or what came of it; they make no other sampling configuration."""


@dataclass(frozen=True, slots=True)
class Model:
    """A model, or one checkpoint of it. What is unknown is None."""

    name: str
    role: str | None = None
    from_model: str | None = None
    step: int | None = None
    algorithm: str | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One model sampled on one benchmark under one sampling configuration, with its totals."""

    key: int
    name: str
    model: Model
    benchmark: str
    parameters: Mapping[str, Any]
    """Sampling parameters under vLLM's names, as far as known."""
    problems: int
    samples: int
    """Verified and unverified."""
    correct: int
    unverified: int
    n_min: int | None
    """Smallest n over the problems that have a verified sample; None when none has."""
    n_max: int | None
    without_verdict: int
    """Problems of which every sample is unverified; they are left out of pass@k and of solve sets."""
    solvable: int
    """Problems with c >= 1."""
    texts: int
    """Samples whose text is stored; 0 for published counts."""
    mean_tokens: float | None
    stored_name: str = ""
    """The name that it came with, from which its key follows: another than `name` once it was renamed."""
    copies: int = 0
    """Exact copies of a response to the same problem, as the imports counted them."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A benchmark: added to be sampled from, or come with results."""

    benchmark: str
    verifier: str | None
    """Name of what judges its samples; None where none was chosen."""
    source: str | None
    """Where its problems were read from; None where they came with results."""
    metadata: str | None
    """JSON: split and columns of the source."""
    problems: int
    statements: int
    """Problems that can be asked."""
    answers: int
    """Problems with a reference answer."""
    runs: int


# Problems, samples, paths.

T = TypeVar("T")

VERDICTS = ("correct", "wrong", "no_answer", "truncated", "timeout", "error", "unverified")
NOT_JUDGED = ("unverified", "error")
"""Verdicts that do not count into n: nobody has judged the sample yet, or the judging itself failed."""
"""Every verdict. Only `correct` counts into c."""


@dataclass(frozen=True, slots=True)
class RunTally:
    """One run's samples of one problem, by verdict."""

    run: Run
    n: int
    c: int
    verdicts: Mapping[str, int]
    mean_tokens: float | None
    texts: int


@dataclass(frozen=True, slots=True)
class AnswerCount:
    """How often an answer was given to one problem by one run, and with what verdict."""

    run: str
    answer: str | None
    verdict: str
    count: int


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem with all that is known about it and every run's tally."""

    key: int
    label: str
    benchmark: str
    statement: str | None
    reference: str | None
    level: str | None
    metadata: Mapping[str, Any]
    tallies: tuple[RunTally, ...]
    answers: tuple[AnswerCount, ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample without its text."""

    index: int
    verdict: str
    detail: str | None
    answer: str | None
    tokens: int | None
    characters: int | None
    """Length of its text; None when no text is stored."""
    finish_reason: str | None
    seed: int | None
    logprob_sum: float | None
    source: str | None
    """Path of the file that it was imported from."""
    format: str | None
    """Importer that read it."""
    source_row: int | None
    """Line or row in that file, from 1."""
    overridden: bool = False
    """Whether its verdict is a person's, instead of the verifier's."""


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A stretch of a longer list, which says how long the whole is."""

    items: tuple[T, ...]
    offset: int
    total: int

    @property
    def truncated(self) -> bool:
        """Whether the whole is longer than this page."""
        return len(self.items) < self.total


@dataclass(frozen=True, slots=True)
class Response:
    """One reasoning path: a sample with its exact text."""

    run: Run
    problem_key: int
    problem_label: str
    sample: Sample
    text: str | None
    """Exactly what was stored; None when the store has no text of this sample."""
    answer_span: tuple[int, int] | None
    """Where the extracted answer stands in the text; None when it is not found there as it is."""


# What verifying stored samples did, and every verdict on one sample.


@dataclass(frozen=True, slots=True)
class Verification:
    """What `verify` did with the samples of a run."""

    run: str
    verifier: str | None
    """None where there was nothing to judge."""
    version: str | None
    wanted: int
    """Samples that were to be judged."""
    without_text: int
    """Of these, samples whose text is not stored; they keep what they had."""
    judged: int
    changes: Mapping[tuple[str, str], int]
    """Samples by the verdict that counted before and the one that counts now, which may be the same."""
    unused: int
    """Judgements that stand beside the earlier verdict without counting: the verifier failed on these texts, or there
    was nothing to judge by."""
    because: str = ""
    """Why this verifier, where none was named."""


@dataclass(frozen=True, slots=True)
class GivenVerdict:
    """One verdict on a sample."""

    verifier: str | None
    """Who gave it: a verifier, a filter, a scorer; None for the one that the sample came with."""
    version: str | None
    verdict: str | None
    """None where a person withdrew what they had said."""
    answer: str | None
    detail: str | None
    used: bool
    """Whether it is the one that counts."""
    created: datetime | None
    """UTC; None for the one that the sample came with."""
    by_person: bool = False
    """Whether a person said it instead of the verifier's; `verifier` is their name, `detail` their reason."""
    counts_without: bool = False
    """Whether it would count if no person had said anything."""


# What a search finds.


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


# What a selector means.


@dataclass(frozen=True, slots=True)
class Selection:
    """The problems that a selector means, and the same in words."""

    problems: frozenset[int] | None
    """Their keys; None when the selector leaves nothing out."""
    words: str
    """What must hold of a problem, for people: "level 5, c < 3 in both runs"; empty when nothing must."""
    total: int
    """Problems there are without the selector."""

    @property
    def count(self) -> int:
        return self.total if self.problems is None else len(self.problems)
