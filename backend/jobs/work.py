"""What a long piece of work is: a plan that any worker which sees its job's folder carries out, however often killed.

A kind of work is a frozen dataclass that satisfies `Plan` and a line in `PLANS`; nothing else of jobs or workers knows
the kinds. A plan names what is to be done and not how far it is: that is asked of the store, in which its parts stand.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self

import msgspec

from backend.store.layout import StoreLayout

if TYPE_CHECKING:
    from backend.engines.protocol import Engine, EngineKind


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """Which engine does it, with which model and options (the engine's own names); empty for work without a model."""

    name: str
    model: str
    """Path of the model folder, or what the engine calls a model."""
    options: Mapping[str, Any] = field(default_factory=dict)
    configured: str = ""
    """Its name in the configuration, from which a worker takes what no plan may say (see `trust`)."""
    model_named: bool = False
    """Whether a person or the configuration said where the model lies, and not the store."""

    @contextmanager
    def loaded(self) -> Iterator[Engine]:
        """The engine with the model, closed afterwards; raises like `load_engine`."""
        from backend.engines.registry import load_engine

        engine = load_engine(self.model, name=self.name, options=self.options)
        try:
            yield engine
        finally:
            engine.close()


@dataclass(frozen=True, slots=True)
class Stored:
    """Samples, or texts, that stand in the store, whatever happens next."""

    samples: int = 0
    verdicts: dict[str, int] = field(default_factory=dict)
    """How many came to what."""


@dataclass(frozen=True, slots=True)
class WorkState:
    """How far a worker is in this attempt."""

    finished: int
    """Samples or texts that are finished; those of the last seconds may not be stored yet."""
    tokens: int
    """Of those that are finished."""
    seconds: float
    last: str
    """The text that finished last."""
    stored: Callable[[], Stored]
    """What stands in the store by now: what nothing can take away any more."""


Progress = Callable[[WorkState], None]
"""Told after every sample or text; what it raises ends the work, and what is finished stays."""


class Plan(Protocol):
    """What is to be done, and doing it."""

    kind: ClassVar[str]
    """Stands in plan.json, and in lists of jobs."""

    @property
    def title(self) -> str:
        """What it was called when it was made."""

    def called(self, name_of: Callable[[str], str]) -> str:
        """What a list of jobs calls it; `name_of` says what a run is called now that came with a name."""

    @property
    def samples(self) -> int:
        """How many samples or texts it is about."""

    @property
    def problems(self) -> Sized:
        """The problems that it is about."""

    def stored(self, layout: StoreLayout) -> Counter[str]:
        """What the store holds of it: how many samples or texts came to what."""

    def left(self, layout: StoreLayout, job: str) -> Self:
        """What this job has to do of it: neither stored nor claimed by another job since this one was given up."""

    def carry_out(
        self, layout: StoreLayout, left: Self, engine: EngineChoice, progress: Progress, job: str
    ) -> WorkState:
        """Do what is left of it, as parts that name the job.

        Raises:
            PasskError, OSError, duckdb.Error, EngineUnavailable: what was finished before is kept.
            ValueError: an engine's word on prompts that do not fit.
        """

    def finish(self, layout: StoreLayout, job: str) -> None:
        """Compact the parts of a job of which nothing is left: its last worker was killed before it could."""


PLANS: Mapping[str, str] = {
    "samples": "backend.jobs.plan:SamplingPlan",
    "scores": "backend.jobs.logprob_plan:LogprobPlan",
    "judgements": "backend.jobs.judge_plan:JudgePlan",
}
"""The kinds of work: kind -> its plan."""


_WORD = re.compile(r"[\w.:+-]{0,64}", re.ASCII)


def plan_options(kind: EngineKind, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a plan may hold of these: see `EngineKind.in_plans`."""
    return {name: value for name, value in options.items() if name in kind.in_plans and _is_plain(kind, name, value)}


def _is_plain(kind: EngineKind, name: str, value: object) -> bool:
    if name == kind.address_option:
        entries = value if isinstance(value, list | tuple) else [value]
        return all(isinstance(entry, str) for entry in entries)
    return isinstance(value, bool | int | float) or (isinstance(value, str) and _WORD.fullmatch(value) is not None)


def plan_to_json(plan: Plan, engine: EngineChoice) -> bytes:
    """A plan as it stands in a job's plan.json: what a worker needs of others, and nothing that only its user says."""
    from backend.engines.registry import ENGINES

    if engine.options:
        engine = replace(engine, options=plan_options(ENGINES.load(engine.name), engine.options))
    known = {entry.name: getattr(plan, entry.name) for entry in fields(plan)}  # type: ignore[arg-type]
    return msgspec.json.encode({"version": 1, "kind": plan.kind, "engine": engine, **known})


def plan_from_json(text: bytes) -> tuple[Plan, EngineChoice]:
    """Read what `plan_to_json` wrote, in this version or an earlier one.

    Raises:
        msgspec.DecodeError (a ValueError), KeyError: it is something else.
    """
    data = msgspec.json.decode(text, type=dict[str, Any])
    # The first version had no kinds, and drew samples.
    kind = resolve_name(PLANS[data.get("kind", "samples")])
    plan: Plan = msgspec.convert(data, kind)
    return plan, msgspec.convert(data["engine"], EngineChoice)
