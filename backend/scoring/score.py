"""Scores a plan: texts of the store go through an engine, their scores into parts; at the end one part of them all."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from math import isnan

from backend.engines.protocol import Engine, FinishReason, Scoring
from backend.jobs.draw import DrawState
from backend.scoring.parts import Scored, ScoreParts, ScoreTarget
from backend.scoring.plan import PlannedTexts, ScoringPlan, TextKey
from backend.scoring.progress import summed
from backend.store.database import open_store
from backend.store.identity import run_key
from backend.store.layout import StoreLayout
from backend.store.reads import Reader

BLOCK = 1_024
"""Texts that are read and scored together, if a problem has not more: enough to sort them by length."""
STOPPED = ("stop", "eos")
"""Finish reasons of samples that ended by themselves."""

Text = tuple[TextKey, Scoring]


def score(
    layout: StoreLayout,
    plan: ScoringPlan,
    engine: Engine,
    progress: Callable[[DrawState], None] = lambda state: None,
    *,
    job: str = "",
) -> DrawState:
    """Score every text of the plan into the store.

    Scores become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been scored stays, and the next attempt goes on.

    Args:
        layout: the store.
        plan: what is to be scored.
        engine: with the model that the plan names.
        progress: told after every text; what it raises ends the scoring.
        job: name of the job that this is; its attempts gather each other's parts.

    Raises:
        EngineUnavailable, ValueError: from the engine.
    """
    started = time.monotonic()
    finished = tokens = 0
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        have_sums = summed(reader, plan)
    target = ScoreTarget(layout, plan, engine.name, engine.version, job, frozenset(have_sums))
    with ScoreParts(target) as parts:

        def state(last: str = "") -> DrawState:
            return DrawState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

        for block in _blocks(layout, plan):
            scores = engine.score([item for _, item in block], plan.alternatives if plan.by_token else None)
            for (key, item), scored in zip(block, scores, strict=True):
                parts.add(Scored(key, scored))
                finished, tokens = finished + 1, tokens + (0 if isnan(scored.logprob_sum) else scored.tokens)
                progress(state(item.text[:500]))
    parts.gather()
    return DrawState(finished, tokens, time.monotonic() - started, "", lambda: parts.stored)


def _blocks(layout: StoreLayout, plan: ScoringPlan) -> Iterator[list[Text]]:
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
        (("", texts.key, texts.indices[0]), Scoring(texts.prompt, texts.reference))
        for texts in planned
        if texts.reference is not None
    ]
    if references:
        return sorted(references, key=_length)
    by_key = {texts.key: (texts, set(texts.indices)) for texts in planned}
    run = planned[0].run
    # Opened for each block: a job of hours would keep everybody from merging.
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        rows = reader.rows("scores/texts", run_key=run_key(run), problem_keys=list(by_key))
    found = [
        ((run, key, index), Scoring(texts.prompt, text, _ending(reason, texts)))
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
