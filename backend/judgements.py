"""Judgements of the reasoning of a path: written by persons and step checkers, never overwritten."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from backend.errors import UsageError
from backend.records import Response, Run
from backend.records.reading import JUDGEMENTS, WITHDRAWN, JudgementMade
from backend.step_checkers import STEP_CHECKERS
from backend.store.layout import StoreLayout
from backend.store.parts import discard
from backend.store.reads import Reader
from backend.verifiers.protocol import Task

# Writes judgements into a store: what one process says, one part at a time.

KEPT_FOR = 60.0
"""Seconds before a part that is superseded is unlinked: by then every reader has looked."""

OwnKey = Callable[[int, int, int], int]

LONGEST_NOTE = 10_000
"""Characters of a note."""


@dataclass(frozen=True, slots=True)
class NewJudgement:
    """What is said of the reasoning of one path; `judgement` None is a note alone."""

    run_key: int
    problem_key: int
    sample: int
    judgement: str | None
    note: str | None = None


class JudgementBook:
    """What one author says in one sitting, on disk as soon as it is said.

    Every judgement is published at once. So that an hour of reading leaves no hundred parts, each part holds what was
    said before in the same sitting too, and supersedes the one before; the old folder is unlinked a minute later.
    """

    def __init__(
        self,
        layout: StoreLayout,
        author: str,
        version: str | None = None,
        own_key: OwnKey = lambda run, problem, _: problem,
    ) -> None:
        """`own_key` says under which key a sample is written, of problems that are matched: see `Database.own_key`."""
        self.author = author
        self.version = version
        self._own_key = own_key
        self._layout = layout
        self._rows: list[tuple[object, ...]] = []
        self._part: str | None = None
        self._old: list[tuple[float, str]] = []

    def say(self, judgements: Iterable[NewJudgement], after: datetime | None = None) -> None:
        """Publish some judgements.

        Args:
            after: what they supersede was said then (UTC), perhaps by a clock that is ahead: they are said later.

        Raises:
            UsageError: not a judgement, or a note that is too long.
            StoreError: the store cannot be written.
        """
        created = datetime.now(UTC).replace(tzinfo=None)
        if after is not None:
            created = max(created, after + timedelta(microseconds=1))
        rows = [self._row(entry, created) for entry in judgements]
        if not rows:
            return
        if self._part is not None and not (self._layout.parts / self._part).is_dir():
            # It has been merged meanwhile: what it said stays there.
            self._rows, self._part = [], None
        every = [*self._rows, *rows]
        self._part = self._publish(every, () if self._part is None else (self._part,))
        self._rows = every
        self._sweep()

    def _row(self, entry: NewJudgement, created: datetime) -> tuple[object, ...]:
        if entry.judgement is not None and entry.judgement not in (*JUDGEMENTS, WITHDRAWN):
            raise UsageError(f"{entry.judgement} is no judgement", next_step=f"One of {', '.join(JUDGEMENTS)}.")
        note = entry.note.strip() if entry.note else None
        if entry.judgement is None and not note:
            raise UsageError("A note without words", next_step="Write something, or leave it.")
        if note and len(note) > LONGEST_NOTE:
            raise UsageError(f"A note of {len(note):,} characters is too long", f"At most {LONGEST_NOTE:,} are kept.")
        problem = self._own_key(entry.run_key, entry.problem_key, entry.sample)
        key = (entry.run_key, problem, entry.sample)
        return (*key, self.author, self.version, created, entry.judgement, note)

    def _publish(self, rows: Sequence[tuple[object, ...]], supersedes: tuple[str, ...]) -> str:
        # Here and not above: the explorer makes a book when it starts, and pyarrow alone would take a sixth of that.
        from backend.store.part_writer import PartWriter

        with PartWriter(self._layout, "judgements") as part:
            part.write("judgements", rows)
            part.publish(supersedes=supersedes)
        if supersedes:
            self._old.append((time.monotonic(), supersedes[0]))
        return part.part

    def _sweep(self) -> None:
        now = time.monotonic()
        for since, part in [entry for entry in self._old if now - entry[0] > KEPT_FOR]:
            discard(self._layout.parts / part)
            self._old.remove((since, part))


def judge(reader: Reader, book: JudgementBook, new: NewJudgement) -> JudgementMade:
    """Say something of the reasoning of one path: the last word of an author counts, what was said before stays beside.

    What the author has said already is not written once more.

    Raises:
        UsageError: not a judgement, a note without words or too long, or nothing to withdraw.
        StoreError: the store cannot be written.
    """
    reader.database.refresh()
    rows = reader.rows("judgements/of_sample", run_key=new.run_key, problem_key=new.problem_key, sample=new.sample)
    mine = [row[2:] for row in rows if row[:2] == (book.author, book.version)]
    last = next((judgement for _, judgement, _ in reversed(mine) if judgement is not None), WITHDRAWN)
    note = (new.note or "").strip() or None
    if new.judgement == WITHDRAWN and last == WITHDRAWN:
        raise UsageError(
            f"{book.author} has judged nothing of sample {new.sample} that could be withdrawn",
            next_step="passk judgements list shows who judged what.",
        )
    judgement = None if new.judgement == last else new.judgement
    if note is not None and mine and mine[-1][2] == note:
        note = None
    said = new.judgement or "a note"
    if judgement is None and note is None and (new.judgement or new.note):
        return JudgementMade(book.author, said, new.judgement, None, written=False)
    book.say([replace(new, judgement=judgement, note=note)], after=mine[-1][0] if mine else None)
    reader.database.refresh()
    before = last if judgement is not None and last != WITHDRAWN else None
    return JudgementMade(book.author, said if judgement else "a note", new.judgement, before, written=True)


def withdraw_judgement(reader: Reader, book: JudgementBook, path: Response) -> JudgementMade:
    """Take back what the book's author judged of a path; raises like `judge`."""
    return judge(reader, book, NewJudgement(path.run.key, path.problem_key, path.sample.index, WITHDRAWN))


# A step checker reads stored paths and says what it finds, as judgements beside those of persons.

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
        only_right: judge right answers only: those are what CoT-pass@k counts.
        progress: told how many paths are judged.

    Returns:
        How many paths were judged valid, invalid and unsure.

    Raises:
        UsageError: no such checker, or the run has no stored text.
        StoreError: the store cannot be written.
    """
    if not run.texts:
        raise UsageError(f"{run.name} has no stored texts", "Step checkers read reasoning paths.")
    judge = STEP_CHECKERS.load(checker)
    found: Counter[str] = Counter()
    waiting: list[NewJudgement] = []
    layout = reader.database.layout
    author = {"author": judge.name, "version": judge.version}
    verdict = "correct" if only_right else None

    def write() -> None:
        # A book for each part: the rows of a whole run are not written again and again.
        JudgementBook(layout, judge.name, judge.version, reader.database.own_key).say(waiting)
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
