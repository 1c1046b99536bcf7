"""Parts of a scoring job: provisional ones while it goes on, a sorted one at its end that supersedes them."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from math import isnan
from pathlib import Path
from typing import Any

import queries
from backend.engines.protocol import Score
from backend.jobs.drawn import FLUSH_SECONDS, GATHER_PARTS, Stored
from backend.scoring.plan import KIND, ScoringPlan, TextKey
from backend.store.connection import open_database
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.parts import (
    Manifest,
    discard,
    new_part_name,
    publish,
    read_manifest,
    waiting_parts,
    write_workspace,
)

FLUSH_TEXTS = 1_024
FLUSH_TOKENS = 100_000
"""Tokens whose scores wait in memory, at most; a part is written then, or when it is due."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A text and its score."""

    key: TextKey
    score: Score

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


class ScoreParts:
    """Takes scores and publishes them every few seconds; leaving the `with` block publishes the rest."""

    def __init__(self, target: ScoreTarget) -> None:
        self._target = target
        self._waiting: list[Scored] = []
        self._tokens = 0
        self._flushed = time.monotonic()
        self._parts: list[str] = []
        self.stored = Stored()

    def __enter__(self) -> ScoreParts:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def add(self, scored: Scored) -> None:
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


def _write_part(target: ScoreTarget, scored: Sequence[Scored]) -> str:
    from backend.store.part_tables import write_rows

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


def _row(target: ScoreTarget, scored: Scored) -> tuple[Any, ...]:
    plan, score = target.plan, scored.score
    logprob_sum = score.logprob_sum if scored.fits else None
    return *_place(scored.key), plan.scorer, target.engine, plan.dtype, score.tokens, logprob_sum


def _token_row(plan: ScoringPlan, scored: Scored) -> tuple[Any, ...]:
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
    from backend.store.part_tables import write_rows

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
