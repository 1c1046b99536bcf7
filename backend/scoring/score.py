"""Parts of a scoring job: provisional ones while it goes on, a sorted one at its end that supersedes them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import queries
from backend.engines.protocol import Engine, FinishReason, TextLogprobs, TextToScore
from backend.jobs.draw import FLUSH_SECONDS, GATHER_PARTS, DrawState, Stored
from backend.scoring.plan import KIND, PlannedTexts, ScoringPlan, TextKey
from backend.scoring.requests import summed_texts
from backend.store.connection import open_database
from backend.store.database import open_store
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.parts import Manifest, discard, new_part_name, publish, read_manifest, waiting_parts, write_workspace
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
    """Where scores go to."""

    layout: StoreLayout
    plan: ScoringPlan
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
            if len(self._parts) % GATHER_PARTS == 0:
                _gather(self._target, self._parts[-GATHER_PARTS:])
        self._flushed = time.monotonic()

    def gather(self) -> None:
        """One sorted part of all that this job has written, also in attempts that were killed."""
        _gather(self._target, None)


def gather_scores(layout: StoreLayout, plan: ScoringPlan, job: str) -> None:
    """What `ScoreParts.gather` does, for a job that was killed when nothing was left but that."""
    _gather(ScoreTarget(layout, plan, "", "", job, frozenset()), None)


def outcome(fits: bool) -> str:
    """What a job says came of a text."""
    return "scored" if fits else "longer_than_context"


def _write_part(target: ScoreTarget, scored: Sequence[ScoredText]) -> str:
    from backend.store.parts import write_rows

    plan = target.plan
    part = new_part_name(KIND)
    folder = write_workspace(target.layout, part)
    try:
        sums = [_row(target, each) for each in scored if each.key not in target.have_sums]
        write_rows(folder, "scores", sums)
        if plan.by_token:
            write_rows(folder, "token_scores", [_token_row(plan, each) for each in scored if each.fits])
        _write_sources(folder, part, target)
        publish(target.layout, folder, _manifest(target, part, provisional=True))
    except BaseException:
        discard(folder)
        raise
    return part


def _place(key: TextKey) -> tuple[int, int, int]:
    run, problem, index = key
    return (run_key(run) if run else 0), problem, index


def _row(target: ScoreTarget, scored: ScoredText) -> tuple[Any, ...]:
    plan, score = target.plan, scored.score
    logprob_sum = score.logprob_sum if scored.fits else None
    return *_place(scored.key), plan.scorer, target.engine, plan.dtype, score.tokens, logprob_sum


def _token_row(plan: ScoringPlan, scored: ScoredText) -> tuple[Any, ...]:
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


def _write_sources(folder: Path, part: str, target: ScoreTarget) -> None:
    """What scored, with its versions, once for each run (0: reference responses)."""
    from backend.store.parts import write_rows

    if not target.origin:
        return
    origin = f"{target.origin}, {target.plan.dtype or 'precision of the server'}, under {target.plan.scorer}"
    rows = [
        (source_key(origin, run), origin, "", "scored", run_key(run) if run else 0, part) for run in target.plan.runs
    ]
    write_rows(folder, "sources", rows)


def _manifest(target: ScoreTarget, part: str, *, provisional: bool, supersedes: tuple[str, ...] = ()) -> Manifest:
    return Manifest(
        part=part,
        kind=KIND,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        runs=(),
        supersedes=supersedes,
        provisional=provisional,
        job=target.job,
    )


def _provisional_parts(target: ScoreTarget) -> list[Manifest]:
    """The provisional parts of this job that count, also those of attempts that were killed."""
    layout = target.layout
    manifests = [manifest for part in waiting_parts(layout) if (manifest := read_manifest(layout, part))]
    gone = {part for manifest in manifests for part in manifest.supersedes}
    ours = [m for m in manifests if m.kind == KIND and m.job == target.job and m.provisional]
    return [manifest for manifest in ours if manifest.part not in gone]


def _gather(target: ScoreTarget, parts: list[str] | None) -> None:
    """One sorted part of these provisional parts, which supersedes them; without `parts` of all, and final."""
    layout = target.layout
    ours = [manifest for manifest in _provisional_parts(target) if parts is None or manifest.part in parts]
    if not ours:
        return
    part = new_part_name(KIND)
    folder = write_workspace(layout, part)
    try:
        with closing(open_database()) as connection:
            for table, query in (
                ("scores", "scores/gather"),
                ("token_scores", "scores/gather_tokens"),
                ("sources", "parts/gather_sources"),
            ):
                files = [layout.parts / manifest.part / f"{table}.parquet" for manifest in ours]
                there = [str(file) for file in files if file.exists()]
                if there:
                    sql = queries.render(query, **{table: there})
                    connection.execute(sql, {"target": str(folder / f"{table}.parquet")})
        supersedes = tuple(name for manifest in ours for name in (*manifest.supersedes, manifest.part))
        publish(layout, folder, _manifest(target, part, provisional=parts is not None, supersedes=supersedes))
    except BaseException:
        discard(folder)
        raise


# Scores a plan: texts of the store go through an engine, their scores into parts; at the end one part of them all.

BLOCK = 1_024
"""Texts that are read and scored together, if a problem has not more: enough to sort them by length."""
STOPPED = ("stop", "eos")
"""Finish reasons of samples that ended by themselves."""

Text = tuple[TextKey, TextToScore]


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
        have_sums = summed_texts(reader, plan)
    target = ScoreTarget(layout, plan, engine.name, engine.version, job, frozenset(have_sums))
    with LogprobPublisher(target) as parts:

        def state(last: str = "") -> DrawState:
            return DrawState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

        for block in _blocks(layout, plan):
            scores = engine.score([item for _, item in block], plan.alternatives if plan.by_token else None)
            for (key, item), scored in zip(block, scores, strict=True):
                parts.add(ScoredText(key, scored))
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
        (("", texts.key, texts.indices[0]), TextToScore(texts.prompt, texts.reference))
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
