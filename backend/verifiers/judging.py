"""One judgement, made safely: whatever a verifier does short of hanging or crashing, a judgement comes out."""

from __future__ import annotations

from backend.records import VERDICTS
from backend.verifiers.protocol import Judgement, Task, Verifier


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
        judged = verifier.judge(
            task.text,
            task.finish_reason,
            statement=task.statement,
            reference=task.reference,
            metadata=task.metadata,
        )
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
    if not (judged.answer is None or isinstance(judged.answer, str)) or not isinstance(judged.detail, str):
        return "an answer that is no text"
    if judged.span is not None:
        start, end = judged.span
        if not 0 <= start <= end <= len(text):
            return "a place that is not in the text"
    return None
