"""What every engine takes and gives. Knows no model library.

Names of parameters and of finish reasons are vLLM's. Log-probabilities are natural logarithms under the
model itself, before temperature and top-p, the end-of-text token included where one was drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from typing import Any, Literal, Protocol

FinishReason = Literal["stop", "length"]
SEED_BITS = 63


class EngineUnavailable(RuntimeError):
    """The engine cannot run here; the message is one sentence that says what to do."""


def sample_seed(run: str, problem: str, index: int) -> int:
    """The seed of one sample: 63 bits of blake2b over run name, problem key and index.

    The three are joined by NUL, which no name contains, so different samples hash different bytes; among
    ten million samples two share a seed with a chance of about one in 200,000. 63 bits fit a signed
    64-bit column.

    >>> sample_seed("countdown-base@countdown", "c000", 0)
    8674198919007489454
    """
    data = "\0".join((run, problem, str(index))).encode()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big") >> (64 - SEED_BITS)


@dataclass(frozen=True)
class SamplingParams:
    """How tokens are drawn: `temperature` 0 is greedy, a `stop` string ends a sample and is cut off it."""

    temperature: float = 1.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    logprobs: bool = False  # whether samples carry the log-probability of every token

    def __post_init__(self) -> None:
        """Raises ValueError for values no engine can honour."""
        if self.temperature < 0:
            raise ValueError(f"temperature must be 0 or more, not {self.temperature}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must lie in (0, 1], not {self.top_p}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be 1 or more, not {self.max_tokens}")
        if not all(self.stop):
            raise ValueError("a stop string must not be empty")


@dataclass(frozen=True)
class PromptRequest:
    """One prompt and the samples wanted of it: `seeds[i]` belongs to sample `indices[i]`."""

    problem: str
    prompt: str
    indices: tuple[int, ...]
    seeds: tuple[int, ...]

    def __post_init__(self) -> None:
        """Raises ValueError where indices and seeds do not match."""
        if len(self.indices) != len(self.seeds):
            raise ValueError(f"{self.problem}: {len(self.indices)} indices but {len(self.seeds)} seeds")

    @property
    def n(self) -> int:
        return len(self.seeds)


def make_request(run: str, problem: str, prompt: str, indices: Iterable[int]) -> PromptRequest:
    """A request whose seeds follow from run, problem and index."""
    wanted = tuple(indices)
    return PromptRequest(problem, prompt, wanted, tuple(sample_seed(run, problem, index) for index in wanted))


@dataclass(frozen=True)
class DrawnSample:
    problem: str
    index: int
    seed: int
    text: str
    tokens: int  # drawn, end-of-text included
    finish_reason: FinishReason
    logprob_sum: float
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...] | None = None


@dataclass(frozen=True)
class TextToScore:
    """A text to score after a prompt; `finish_reason` "stop" adds the end-of-text token to it."""

    prompt: str
    text: str
    finish_reason: FinishReason = "stop"


Alternative = tuple[str, float]
"""A token's text and its log-probability."""


@dataclass(frozen=True)
class TextLogprobs:
    """Log-probabilities of a given text, one a token, and their sum; NaN where the text does not fit the context."""

    tokens: int
    logprob_sum: float
    logprobs: tuple[float, ...]
    ends: tuple[int, ...] | None = None  # where each token ends in the text, in characters; None: unknown, not asked
    alternatives: tuple[tuple[Alternative, ...], ...] | None = None  # the likeliest tokens at each place, in order


def too_long_for_context(tokens: int) -> TextLogprobs:
    """The score of a text that does not fit the model's context together with its prompt."""
    return TextLogprobs(tokens, nan, ())


SURE = -0.1
"""Alternatives are kept where the token's log-probability is below this (some 90 %): elsewhere they say nothing."""


def no_room_message(too_long: Sequence[str], limit: int) -> str:
    """The sentence about prompts that leave no room in the context or are empty; all other samples are drawn."""
    shown = ", ".join(too_long[:5]) + (f" and {len(too_long) - 5:,} more" if len(too_long) > 5 else "")
    return f"These leave no room in the model's context of {limit:,} tokens, or are empty: {shown}"


class Engine(Protocol):
    """Draws samples and scores texts."""

    @property
    def name(self) -> str:
        """Short name: "transformers", "vllm", "server"."""

    @property
    def version(self) -> str:
        """Engine and libraries with versions, as recorded beside the samples."""

    def generate(self, requests: Sequence[PromptRequest], params: SamplingParams) -> Iterator[DrawnSample]:
        """Yields every sample of every request, each as soon as it is finished, in no fixed order."""

    def score(self, items: Sequence[TextToScore], alternatives: int | None = None) -> Iterator[TextLogprobs]:
        """Yields one score an item, in the order of the items; a text that does not fit the context has NaN.

        The text is tokenized apart from the prompt: the prompt ends where it ended when a model was sampled, and the
        score is that of the text's own tokens. They may be others than those that were drawn.

        Args:
            alternatives: so many of the likeliest tokens are wanted at each place, and where each token ends in the
                text; None where neither is wanted.
        """

    def close(self) -> None:
        """Frees model and memory; the engine is not usable afterwards."""


@dataclass(frozen=True)
class EngineKind:
    """What is known of an engine before it is loaded; its module's object `engine`."""

    name: str
    purpose: str
    """Where it draws, as a list shows it."""
    load: Callable[[str, Mapping[str, Any]], Engine]
    """A model and options -> the engine with that model. Raises EngineUnavailable, and UsageError for an option."""
    options: tuple[str, ...] | None
    """Names of the options; None where the engine's library alone knows them."""
    example: str
    """Its lines of the example of config.toml: a comment that names the options, and a setting behind `# `."""
    needs: Mapping[str, str] = field(default_factory=dict)
    """Modules that must be installed, each with how to install it."""
    folders: bool = True
    """Whether it loads model folders of this machine, in a precision that it is told."""
    in_plans: tuple[str, ...] = ()
    """The options that a job's plan may hold, which others may have written: numbers and plain words that cannot make
    a library run or fetch anything. All others come from the configuration or the command line of whoever works."""
    runs_model_code: tuple[str, ...] = ()
    """Options that let code of the model's folder run."""
    address_option: str = ""
    """The option that names hosts, for an engine that talks to some."""
    key_option: str = ""
    """The option that names the environment variable of the key that they get; empty text: none is sent."""
    usual_key: str = ""
    """The variable where nobody names one."""
    addresses: Callable[[Mapping[str, Any]], tuple[str, ...]] | None = None
    """The hosts that options mean, each written the one way."""


# What the engines share in scoring: the order of the items, and which alternatives are kept.


def in_order(found: Iterable[tuple[int, TextLogprobs]], known: Mapping[int, TextLogprobs]) -> Iterator[TextLogprobs]:
    """The scores by place from 0, each as soon as those before it are there.

    Args:
        found: places with their scores, in any order.
        known: those that needed no model.
    """
    waiting = dict(known)
    following = 0
    for place, score in found:
        waiting[place] = score
        while following in waiting:
            yield waiting.pop(following)
            following += 1
    while following in waiting:
        yield waiting.pop(following)
        following += 1


def likeliest(entries: Iterable[Alternative], logprob: float, most: int) -> tuple[Alternative, ...]:
    """The likeliest of these tokens, in order; none where the token that stands there, of `logprob`, was sure."""
    if logprob >= SURE:
        return ()
    return tuple(sorted(entries, key=lambda entry: -entry[1])[:most])
