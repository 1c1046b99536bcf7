"""Lets a judge read paths: texts of the store go to an engine, its answers come back as votes and what they come to."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.engines.protocol import DrawnSample, Engine, PromptRequest, SamplingParams, sample_seed
from backend.jobs.draw import COMPACT_PARTS, FLUSH_SECONDS
from backend.jobs.judge_plan import JudgePlan, KnownJudge, PathKey, PlannedPaths
from backend.jobs.work import Progress, Stored, WorkState
from backend.store.database import open_store
from backend.store.identity import run_key, source_key
from backend.store.layout import StoreLayout
from backend.store.part_writer import PartWriter, compact_parts
from backend.store.reads import Reader
from backend.votes import LONGEST_TEXT, Vote, decide, in_words, read_vote

BLOCK = 512
"""Paths that are read and judged together, if a problem has not more."""

FLUSH_PATHS = 256
"""So many judged paths are published, or what there is after some seconds."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A path with what the judge is asked about it, and the votes that it has."""

    key: PathKey
    prompt: str
    votes: Mapping[int, Vote]
    """Those that count, by their number."""
    own_key: int
    """Under which its problem is written: see `Database.own_key`."""

    @property
    def name(self) -> str:
        """What an engine knows it by: the run's key is the same wherever the job is done."""
        run, problem, index = self.key
        return f"{run_key(run)}/{problem}/{index}"


@dataclass(frozen=True, slots=True)
class JudgedPath:
    """A path of which all votes are there."""

    reading: Reading
    new: tuple[Vote, ...]
    """Both attempts of a vote that was asked for again."""

    @property
    def every(self) -> tuple[Vote, ...]:
        return (*self.reading.votes.values(), *self.new)

    def judgement(self, rule: str) -> str | None:
        """What the votes come to; None where none could be read."""
        last = {vote.vote: vote.said for vote in sorted(self.every, key=lambda vote: (vote.vote, vote.attempt))}
        counts = Counter(last.values())
        return decide(rule, counts["sound"], counts["unsound"], counts["unknown"])


class JudgementPublisher:
    """Takes judged paths and publishes them every few seconds; leaving the `with` block publishes the rest.

    All votes of a path and what they come to stand in one part: killed, a job has judged a path or has not.
    """

    def __init__(self, layout: StoreLayout, plan: JudgePlan, engine: str, job: str) -> None:
        self._layout, self._plan, self._job = layout, plan, job
        self._known = KnownJudge.of(plan.judge, engine).to_json()
        self._waiting: list[JudgedPath] = []
        self._flushed = time.monotonic()
        self._parts: list[str] = []
        self.stored = Stored()

    def __enter__(self) -> JudgementPublisher:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()

    def add(self, judged: JudgedPath) -> None:
        """Take a judged path.

        Raises:
            OSError, StoreError: it could not be written.
        """
        self._waiting.append(judged)
        late = time.monotonic() - self._flushed > min(1.0 + len(self._parts), FLUSH_SECONDS)
        if late or len(self._waiting) >= FLUSH_PATHS:
            self._flush()

    def _flush(self) -> None:
        judged, self._waiting = self._waiting, []
        if judged:
            self._parts.append(self._write(judged))
            outcomes = Counter(each.judgement(self._plan.rule) or "unknown" for each in judged)
            counts = Counter(self.stored.verdicts) + outcomes
            self.stored = Stored(self.stored.samples + len(judged), dict(counts))
            if len(self._parts) % COMPACT_PARTS == 0:
                compact_judgements(self._layout, self._job, self._parts[-COMPACT_PARTS:])
        self._flushed = time.monotonic()

    def _write(self, judged: Sequence[JudgedPath]) -> str:
        created = datetime.now(UTC).replace(tzinfo=None)
        with PartWriter(self._layout, JudgePlan.kind) as part:
            part.write("judgements", [row for each in judged for row in self._rows(each, created)])
            sources = [
                (source_key(self._known, run), self._known, "", "judged", run_key(run)) for run in self._plan.runs
            ]
            part.write("sources", sources)
            part.publish(provisional=True, job=self._job)
            return part.part

    def _rows(self, judged: JudgedPath, created: datetime) -> Iterator[tuple[Any, ...]]:
        run, _, index = judged.reading.key
        problem = judged.reading.own_key
        judge, rule = self._plan.judge, self._plan.rule
        beside = (run_key(run), problem, index, judge.author, judge.version, created)
        for vote in judged.new:
            yield (*beside, None, vote.to_note())
        judgement = judged.judgement(rule)
        if judgement is not None:
            yield (*beside, judgement, in_words(rule, judged.every))


def compact_judgements(layout: StoreLayout, job: str, parts: list[str] | None = None) -> None:
    """One sorted part of these provisional parts; without `parts` of all of a job, and final."""
    compact_parts(layout, JudgePlan.kind, job, parts=parts)


def judge_paths(
    layout: StoreLayout,
    plan: JudgePlan,
    engine: Engine,
    progress: Progress = lambda state: None,
    *,
    job: str = "",
) -> WorkState:
    """Let the judge read every path of the plan.

    Judgements become visible every few seconds in provisional parts. At the end one sorted part supersedes them, also
    those of an earlier attempt that was killed. Interrupted, what has been judged stays, and the next attempt goes on.

    Args:
        plan: who judges what.
        engine: with the judge's model.
        progress: told after every judged path; what it raises ends the work.
        job: name of the job that this is; its attempts compact each other's parts.

    Raises:
        EngineUnavailable, ValueError, UsageError: from the engine, or the template.
    """
    started = time.monotonic()
    finished = tokens = 0
    judge = plan.judge
    params = SamplingParams(judge.temperature, judge.top_p, judge.max_tokens)
    with JudgementPublisher(layout, plan, engine.version, job) as parts:

        def state(last: str = "") -> WorkState:
            return WorkState(finished, tokens, time.monotonic() - started, last, lambda: parts.stored)

        for block in _blocks(layout, plan):
            for judged in _judged(block, plan, engine, params):
                parts.add(judged)
                finished, tokens = finished + 1, tokens + sum(vote.tokens for vote in judged.new)
                progress(state(judged.new[-1].text[:500] if judged.new else ""))
    compact_judgements(layout, job)
    return WorkState(finished, tokens, time.monotonic() - started, "", lambda: parts.stored)


def _judged(block: Sequence[Reading], plan: JudgePlan, engine: Engine, params: SamplingParams) -> Iterator[JudgedPath]:
    """The paths of a block, each as soon as it has its votes; those with a vote to ask for again come last."""
    readings = {reading.name: reading for reading in block}
    votes: dict[str, list[Vote]] = {name: [] for name in readings}
    missing = {
        name: [vote for vote in range(plan.votes) if vote not in reading.votes] for name, reading in readings.items()
    }
    again: dict[str, list[int]] = {}
    for name in [name for name, wanted in missing.items() if not wanted]:
        yield JudgedPath(readings.pop(name), ())
    for name, vote in _answers(readings, missing, 0, plan, engine, params):
        votes[name].append(vote)
        if vote.said == "unknown" and plan.retry:
            again.setdefault(name, []).append(vote.vote)
        if len(votes[name]) == len(missing[name]) and name not in again:
            yield JudgedPath(readings[name], tuple(votes[name]))
    left = {name: len(wanted) for name, wanted in again.items()}
    for name, vote in _answers({name: readings[name] for name in again}, again, 1, plan, engine, params):
        votes[name].append(vote)
        left[name] -= 1
        if not left[name]:
            yield JudgedPath(readings[name], tuple(votes[name]))


def _answers(
    readings: Mapping[str, Reading],
    wanted: Mapping[str, Sequence[int]],
    attempt: int,
    plan: JudgePlan,
    engine: Engine,
    params: SamplingParams,
) -> Iterator[tuple[str, Vote]]:
    """Every vote that is wanted, as the engine finishes it.

    A prompt that the engine refuses, such as one that is too long, makes votes that are unknown.
    """
    judge = f"{plan.judge.author} {plan.judge.version}"
    requests = []
    for name, reading in readings.items():
        # An attempt has its own seeds: the same answer again would say nothing.
        seeds = tuple(sample_seed(judge, name, 2 * vote + attempt) for vote in wanted[name])
        requests.append(PromptRequest(name, reading.prompt, tuple(wanted[name]), seeds))
    if not requests:
        return
    came: dict[str, set[int]] = {name: set() for name in readings}
    try:
        for sample in engine.generate(requests, params):
            came[sample.problem].add(sample.index)
            yield sample.problem, _vote(sample, attempt)
    except ValueError as error:
        # An engine hands on all that it can before it says which prompts it refused.
        if not any(came.values()):
            raise
        for request in requests:
            for vote, seed in zip(request.indices, request.seeds, strict=True):
                if vote not in came[request.problem]:
                    yield request.problem, Vote(vote, attempt, seed, "unknown", f"not answered: {error}"[:500], 0, "")


def _vote(sample: DrawnSample, attempt: int) -> Vote:
    said, reason = read_vote(sample.text)
    return Vote(sample.index, attempt, sample.seed, said, reason, sample.tokens, sample.text[-LONGEST_TEXT:])


def _blocks(layout: StoreLayout, plan: JudgePlan) -> Iterator[list[Reading]]:
    """The plan's paths with their prompts, some problems at a time."""
    waiting: list[PlannedPaths] = []
    for paths in plan.paths:
        if waiting and (paths.run != waiting[0].run or _count(waiting) + len(paths.indices) > BLOCK):
            yield _read(layout, plan, waiting)
            waiting = []
        waiting.append(paths)
    if waiting:
        yield _read(layout, plan, waiting)


def _count(planned: Iterable[PlannedPaths]) -> int:
    return sum(len(paths.indices) for paths in planned)


def _read(layout: StoreLayout, plan: JudgePlan, planned: Sequence[PlannedPaths]) -> list[Reading]:
    run, judge = planned[0].run, plan.judge
    wanted = {paths.key: set(paths.indices) for paths in planned}
    of = {"run_key": run_key(run), "problem_keys": list(wanted)}
    # Opened for each block: a job of hours would keep everybody from merging.
    with closing(open_store(layout, merging=False)) as database, Reader(database) as reader:
        rows = reader.rows("judgements/texts_to_judge", **of)
        said = reader.rows("judgements/votes", **of, author=judge.author, version=judge.version)
        own = {
            (key, index): database.own_key(run_key(run), key, index) for key, index, *_ in rows if index in wanted[key]
        }
    votes: dict[tuple[int, int], dict[int, Vote]] = {}
    for key, index, note in said:
        vote = Vote(**json.loads(note))
        here = votes.setdefault((key, index), {})
        if vote.vote not in here or here[vote.vote].attempt < vote.attempt:
            here[vote.vote] = vote
    return [
        Reading(
            (run, key, index),
            judge.prompt(statement, reference, text),
            votes.get((key, index), {}),
            own[key, index],
        )
        for key, index, statement, reference, text in rows
        if index in wanted[key]
    ]
