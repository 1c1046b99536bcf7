"""Judging safely: whatever a verifier does short of hanging or crashing, a judgement comes out."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar

from backend.records import VERDICTS
from backend.verifiers.protocol import Judgement, Task, Verifier

T = TypeVar("T")


def is_cheap(verifier: Verifier) -> bool:
    """Whether it may judge in the process that draws."""
    return bool(getattr(verifier, "cheap", False))


def prepare(verifier: Verifier) -> None:
    """Let it load what judging needs; raises what that raises."""
    load = getattr(verifier, "prepare", None)
    if load is not None:
        load()


def judge_safely(verifier: Verifier, task: Task) -> Judgement:
    """The verifier's judgement; `error` when it raises or returns something else."""
    try:
        judged = verifier.judge(task)
        problem = _problem(judged, task.text)
    except Exception as error:
        # A plug-in that keeps no promise costs one sample, not the job.
        return Judgement("error", detail=f"The verifier failed: {type(error).__name__}.")
    return judged if problem is None else Judgement("error", detail=f"The verifier returned {problem}.")


def _problem(judged: object, text: str) -> str | None:
    """What is wrong with what a verifier returned; None when it is a judgement that can be stored."""
    if not isinstance(judged, Judgement):
        return "no judgement"
    if judged.verdict not in VERDICTS:
        return "an unknown verdict"
    if not all(isinstance(said, str) for said in (judged.answer or "", judged.detail)):
        return "an answer that is no text"
    if judged.span is not None:
        start, end = judged.span
        if not 0 <= start <= end <= len(text):
            return "a place that is not in the text"
    return None


class Judges(Protocol[T]):
    """Takes samples with their tasks and gives them back with their judgements, in any order."""

    def submit(self, sample: T, task: Task) -> None:
        """Take a sample in; waits while too many wait already."""

    def ready(self) -> Iterator[tuple[T, Judgement]]:
        """The samples that have been judged by now; does not wait."""

    def finish(self, patience: float | None = None) -> Iterator[tuple[T, Judgement]]:
        """The samples that are still out, as they are judged; at the latest after `patience` seconds no more come."""

    def __enter__(self) -> Judges[T]: ...

    def __exit__(self, *_: object) -> None: ...


class AtOnce(Generic[T]):
    """Judges in this process, as samples come."""

    def __init__(self, verifier: Verifier | None) -> None:
        self._verifier = verifier
        self._done: deque[tuple[T, Judgement]] = deque()

    def submit(self, sample: T, task: Task) -> None:
        """Judge a sample."""
        unverified = Judgement("unverified", detail="no verifier")
        judged = unverified if self._verifier is None else judge_safely(self._verifier, task)
        self._done.append((sample, judged))

    def ready(self) -> Iterator[tuple[T, Judgement]]:
        """What has been judged and not been taken."""
        while self._done:
            yield self._done.popleft()

    def finish(self, patience: float | None = None) -> Iterator[tuple[T, Judgement]]:
        """The same: nothing is out."""
        return self.ready()

    def __enter__(self) -> AtOnce[T]:
        return self

    def __exit__(self, *_: object) -> None:
        pass
