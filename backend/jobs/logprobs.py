"""Scores a plan: texts of the store go through an engine, their log-probabilities become parts of the store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from math import isnan
from typing import Any

from backend.engines.protocol import Engine, FinishReason, TextLogprobs, TextToScore
from backend.jobs.draw import COMPACT_PARTS, FLUSH_SECONDS
from backend.jobs.logprob_plan import LogprobPlan, PlannedTexts, TextKey, outcome, summed_texts
from backend.jobs.work import Progress, Stored, WorkState
from backend.store.database import open_store
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter, compact_parts
from backend.store.reads import Reader

# Parts of a scoring job: provisional ones while it goes on, a sorted one at its end that supersedes them.

FLUSH_TEXTS = 1_024
FLUSH_TOKENS = 100_000
"""Tokens whose scores wait in memory, at most; a part is written then, or when it is due."""


@dataclass(frozen=True, slots=True)
class ScoredText:
    """A text and its score."""

    key: TextKey
    score: TextLogprobs

    @property
    def fits(self) -> bool:
        """Whether it fitted the model's context."""
        return not isnan(self.score.logprob_sum)


@dataclass(frozen=True, slots=True)
class ScoreTarget:
    layout: StoreLayout
    plan: LogprobPlan
    engine: str
    origin: str
    """Engine and libraries with their versions."""
    job: str
    have_sums: frozenset[TextKey]
    """Texts whose sum stands in the store already: only the scores of their tokens are written."""


class LogprobPublisher:
    """Takes scores and publishes them every few seconds; leaving the `with` block publishes the rest."""

    def __init__(self, target: ScoreTarget) -> None:
        self._target = target
        self._waiting: list[ScoredText] = []
        self._tokens = 0
        self._flushed = time.monotonic()
        self._parts: list[str] = []
        self.stored = Stored()

    def __enter__(self) -> LogprobPublisher:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def add(self, scored: ScoredText) -> None:
        """Take a score.

        Raises:
            OSError, StoreError: it could not be written.
        """
        self._waiting.append(scored)
        self._tokens += len(scored.score.logprobs)
        late = time.monotonic() - self._flushed > min(1.0 + len(self._parts), FLUSH_SECONDS)
        full = len(self._waiting) >= FLUSH_TEXTS or (self._target.plan.by_token and self._tokens >= FLUSH_TOKENS)
        if late or full:
            self._flush()

    def _flush(self) -> None:
        scored, self._waiting, self._tokens = self._waiting, [], 0
        if scored:
            self._parts.append(_write_part(self._target, scored))
            outcomes = [outcome(each.fits) for each in scored]
            counts = {word: self.stored.verdicts.get(word, 0) + outcomes.count(word) for word in set(outcomes)}
            self.stored = Stored(self.stored.samples + len(scored), {**self.stored.verdicts, **counts})
            if len(self._parts) % COMPACT_PARTS == 0:
                compact_scores(self._target.layout, self._target.job, self._parts[-COMPACT_PARTS:])
        self._flushed = time.monotonic()


def compact_scores(layout: StoreLayout, job: str, parts: list[str] | None = None) -> None:
    """One sorted part of these provisional parts; without `parts` of all of a job, and final."""
    compact_parts(layout, LogprobPlan.kind, job, parts=parts)


def _write_part(target: ScoreTarget, scored: Sequence[ScoredText]) -> str:
    plan = target.plan
    with PartWriter(target.layout, LogprobPlan.kind) as part:
        part.write("scores", [_row(target, each) for each in scored if each.key not in target.have_sums])
        if plan.by_token:
            part.write("token_scores", [_token_row(plan, each) for each in scored if each.fits])
        # What scored, with its versions, once for each run (0: reference responses).
        origin = f"{target.origin}, {plan.dtype or 'precision of the server'}, under {plan.scorer}"
        sources = [
            (source_key(origin, run), origin, "", "scored", run_key(run) if run else 0) for run in target.plan.runs
        ]
        part.write("sources", sources)
        part.publish(provisional=True, job=target.job)
        return part.part


def _place(key: TextKey) -> tuple[int, int, int]:
    run, problem, index = key
    return (run_key(run) if run else 0), problem, index


def _row(target: ScoreTarget, scored: ScoredText) -> tuple[Any, ...]:
    plan, score = target.plan, scored.score
    logprob_sum = score.logprob_sum if scored.fits else None
    return *_place(scored.key), plan.scorer, target.engine, plan.dtype, score.tokens, logprob_sum


def _token_row(plan: LogprobPlan, scored: ScoredText) -> tuple[Any, ...]:
    score = scored.score
    # JSON knows no infinity, and a token without any probability is no alternative.
    kept = score.alternatives and [[[text, round(of, 4)] for text, of in at if of > -1e9] for at in score.alternatives]
    return (
        *_place(scored.key),
        plan.scorer,
        plan.dtype,
        None if score.ends is None else list(score.ends),
        list(score.logprobs),
        None if kept is None else json.dumps(kept, ensure_ascii=False, separators=(",", ":")),
    )


# Scores a plan: texts of the store go through an engine, their scores into parts; at the end one part of them all.

BLOCK = 1_024
"""Texts that are read and scored together, if a problem has not more: enough to sort them by length."""
STOPPED = ("stop", "eos")
"""Finish reasons of samples that ended by themselves."""

Text = tuple[TextKey, TextToScore]


def score(
    layout: StoreLayout,
    plan: LogprobPlan,
    engine: Engine,
    progress: Progress = lambda state: None,
    *,
    job: str = "",
) -> WorkState:
    """Score every text of the plan into the store.

    Scores become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been scored stays, and the next attempt goes on.

    Args:
        plan: what is to be scored.
        engine: with the model that the plan names.
        progress: told after every text; what it raises ends the scoring.
        job: name of the job that this is; its attempts compact each other's parts.

    Raises:
        EngineUnavailable, ValueError: from the engine.
    """
    started = time.monotonic()
    finished = tokens = 0
    with closing(open_store(layout, merging=False, matching=False)) as database, Reader(database) as reader:
        have_sums = summed_texts(reader, plan)
    target = ScoreTarget(layout, plan, engine.name, engine.version, job, frozenset(have_sums))
    with LogprobPublisher(target) as parts:

        def state(last: str = "") -> WorkState:
            return WorkState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

        for block in _blocks(layout, plan):
            scores = engine.score([item for _, item in block], plan.alternatives if plan.by_token else None)
            for (key, item), scored in zip(block, scores, strict=True):
                parts.add(ScoredText(key, scored))
                finished, tokens = finished + 1, tokens + (0 if isnan(scored.logprob_sum) else scored.tokens)
                progress(state(item.text[:500]))
    compact_scores(layout, job)
    return WorkState(finished, tokens, time.monotonic() - started, "", lambda: parts.stored)


def _blocks(layout: StoreLayout, plan: LogprobPlan) -> Iterator[list[Text]]:
    """The plan's texts with their prompts, some problems at a time, each block by length.

    In the order of the store, since a text that is read alone takes as long as all of its problem.
    """
    waiting: list[PlannedTexts] = []
    for texts in plan.texts:
        if waiting and (texts.run != waiting[0].run or _count(waiting) + len(texts.indices) > BLOCK):
            yield _read(layout, waiting)
            waiting = []
        waiting.append(texts)
    if waiting:
        yield _read(layout, waiting)


def _count(planned: Sequence[PlannedTexts]) -> int:
    return sum(len(texts.indices) for texts in planned)


def _read(layout: StoreLayout, planned: Sequence[PlannedTexts]) -> list[Text]:
    references = [
        (("", texts.key, texts.indices[0]), TextToScore(texts.prompt, texts.reference))
        for texts in planned
        if texts.reference is not None
    ]
    if references:
        return sorted(references, key=_length)
    by_key = {texts.key: (texts, set(texts.indices)) for texts in planned}
    run = planned[0].run
    # Opened for each block: a job of hours would keep everybody from merging.
    with closing(open_store(layout, merging=False, matching=False)) as database, Reader(database) as reader:
        rows = reader.rows("scores/texts", run_key=run_key(run), problem_keys=list(by_key))
    found = [
        ((run, key, index), TextToScore(texts.prompt, text, _ending(reason, texts)))
        for key, index, reason, text in rows
        for texts, wanted in [by_key[key]]
        if index in wanted
    ]
    return sorted(found, key=_length)


def _length(text: Text) -> int:
    return len(text[1].prompt) + len(text[1].text)


def _ending(reason: str | None, texts: PlannedTexts) -> FinishReason:
    """Whether the end-of-text token belongs to the text: where the sample is known to have ended by it."""
    return "stop" if reason in STOPPED and texts.ended else "length"
