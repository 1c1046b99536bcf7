"""Draws a plan: an engine's samples, judged, into parts of the store; at the end one sorted part of them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from backend.engines.protocol import Engine, Sample, SamplingParams, make_request
from backend.errors import UsageError
from backend.jobs.drawn import DrawnParts, Stored
from backend.jobs.parts import DrawTarget, gather
from backend.jobs.plan import PlannedProblem, SamplingPlan
from backend.store.layout import StoreLayout
from backend.verifiers.judging import Judges
from backend.verifiers.pool import open_judges
from backend.verifiers.protocol import Judgement, Task, Verifier

SETTLE_SECONDS = 5.0
"""How long judgements that are under way are waited for when a draw is interrupted."""


@dataclass(frozen=True, slots=True)
class DrawState:
    """How far a draw is."""

    finished: int
    """Samples that are drawn and judged; those of the last seconds may not be stored yet."""
    tokens: int
    """Of those that are finished."""
    seconds: float
    last: str
    """The text that finished last."""
    stored: Callable[[], Stored]
    """The samples that stand in the store by now: what nothing can take away any more."""


Progress = Callable[[DrawState], None]
"""Told after every sample; what it raises ends the draw, and what has been drawn stays."""


def draw(
    layout: StoreLayout,
    plan: SamplingPlan,
    engine: Engine,
    verifier: Verifier | None,
    progress: Progress = lambda state: None,
    *,
    job: str = "",
) -> DrawState:
    """Draw every sample of the plan into the store.

    Samples become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been drawn stays, and the next draw goes on.

    Args:
        layout: the store.
        plan: what is to be drawn; nobody else may be drawing the same indices (see `claims`).
        engine: draws.
        verifier: judges; without one every sample is `unverified`.
        progress: see `Progress`.
        job: name of the job that this is; its attempts gather each other's parts.

    Raises:
        UsageError: the parameters cannot be used.
        EngineUnavailable: from the engine.
    """
    started = time.monotonic()
    params = sampling_params(plan.target.parameters)
    run = plan.target.run
    by_label = {problem.label: problem for problem in plan.problems}
    requests = [make_request(run, problem.label, problem.prompt, problem.indices) for problem in plan.problems]
    tokens = finished = 0
    last = ""
    judge = f"verified by {verifier.name} {verifier.version}" if verifier else "unverified"
    target = DrawTarget(layout, plan, f"{engine.version}, {judge}", job)
    judges: Judges[Sample]
    with DrawnParts(target) as parts, open_judges(verifier) as judges:

        def state() -> DrawState:
            return DrawState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

        try:
            for sample, judged in _judged(engine.generate(requests, params), judges, by_label):
                parts.add(sample, judged)
                finished, tokens, last = finished + 1, tokens + sample.tokens, sample.text
                progress(state())
        except BaseException:
            # What is drawn and nearly judged is kept; what takes longer will be drawn again.
            for sample, judged in judges.finish(SETTLE_SECONDS):
                parts.add(sample, judged)
            raise
    gather(target)
    return state()


def sampling_params(parameters: Mapping[str, Any]) -> SamplingParams:
    """A run's parameters as an engine takes them.

    Raises:
        UsageError: a value that no engine can honour.
    """
    try:
        return SamplingParams(
            temperature=float(parameters["temperature"]),
            top_p=float(parameters["top_p"]),
            max_tokens=int(parameters["max_tokens"]),
        )
    except ValueError as error:
        raise UsageError(f"The sampling parameters cannot be used: {error}") from error


def _judged(
    samples: Iterable[Sample], judges: Judges[Sample], problems: Mapping[str, PlannedProblem]
) -> Iterator[tuple[Sample, Judgement]]:
    """The samples with their judgements, in the order in which these come."""
    for sample in samples:
        problem = problems[sample.problem]
        facts = (problem.statement, problem.reference, problem.metadata)
        judges.submit(sample, Task(sample.text, sample.finish_reason, *facts))
        yield from judges.ready()
    yield from judges.finish()
