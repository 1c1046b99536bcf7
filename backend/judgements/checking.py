"""A step checker reads stored paths and says what it finds, as judgements beside those of persons."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Mapping

from backend.errors import UsageError
from backend.judgements.book import JudgementBook, NewJudgement
from backend.records import Run
from backend.step_checkers.registry import load_step_checker
from backend.store.reads import Reader
from backend.verifiers.protocol import Task

AT_ONCE = 2_000
"""Texts in memory at a time."""
A_PART = 20_000
"""Judgements written as one part."""


def check_steps(
    reader: Reader,
    run: Run,
    checker: str = "arithmetic",
    *,
    only_right: bool = True,
    problems: Collection[int] | None = None,
    progress: Callable[[int], None] = lambda done: None,
) -> Mapping[str, int]:
    """Let a step checker judge the stored paths of a run that this version of it has not judged yet.

    What has been judged stays when it is killed; the next call goes on.

    Args:
        checker: its name.
        only_right: judge right answers only: those are what CoT-pass@k counts.
        problems: keys of the only problems; None for all.
        progress: told how many paths are judged.

    Returns:
        How many paths were judged valid, invalid and unsure.

    Raises:
        UsageError: no such checker, or the run has no stored text.
        StoreError: the store cannot be written.
    """
    if not run.texts:
        raise UsageError(f"{run.name} has no stored texts", "Step checkers read reasoning paths.")
    judge = load_step_checker(checker)
    found: Counter[str] = Counter()
    waiting: list[NewJudgement] = []
    layout = reader.database.layout
    author = {"author": judge.name, "version": judge.version}
    verdict = "correct" if only_right else None

    def write() -> None:
        # A book for each part: the rows of a whole run are not written again and again.
        JudgementBook(layout, judge.name, judge.version).say(waiting)
        waiting.clear()

    with reader.stream(
        "judgements/texts_to_check", AT_ONCE, AT_ONCE, run_key=run.key, verdict=verdict, **author
    ) as batches:
        for rows in batches:
            for key, sample, finish_reason, statement, reference, metadata, text in rows:
                if problems is not None and key not in problems:
                    continue
                known = json.loads(metadata) if metadata else {}
                checked = judge.check(Task(text, finish_reason, statement or "", reference, known))
                found[checked.judgement] += 1
                waiting.append(NewJudgement(run.key, key, sample, checked.judgement, checked.note))
            progress(found.total())
            if len(waiting) >= A_PART:
                write()
    write()
    reader.database.refresh()
    return dict(found)
