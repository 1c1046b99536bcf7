"""A path of the judging queue: the reader, with the next one on one key and, on request, without the model's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from textual.content import Content
from textual.widgets import Static

from backend.records import Path, Problem
from backend.records.judgements import PathJudgement, QueuedPath
from explorer.actions import QUEUED, bindings
from explorer.navigation import Place
from explorer.render.judgement_words import judgements_line
from explorer.render.literal import literal
from explorer.render.numbers import UNKNOWN, of
from explorer.render.path_words import path_heading
from explorer.render.visible import visible_line
from explorer.screens.path import PathRecord, PathScreen

if TYPE_CHECKING:
    from collections.abc import Sequence


class QueuedPathScreen(PathScreen, inherit_bindings=False):
    """Judging goes on to the next path by itself. Blind, it shows nothing that tells which model wrote the path."""

    WHERE = QUEUED
    BINDINGS = bindings(QUEUED)

    def __init__(self, place: Place, queue: Mapping[str, QueuedPath], key: str, *, blind: bool) -> None:
        self.queue = dict(queue)
        self.key = key
        self.blind = blind
        self.problem: Problem | None = None
        path = self.queue[key]
        super().__init__(place.to(run=path.run, problem=path.problem_key, sample=path.sample), path.label)

    def reload(self) -> None:
        """The path, and what was asked."""
        super().reload()
        key = self.place.problem or 0
        if self.problem is None or self.problem.key != key:
            self.problem = None
            self.ask("problem", lambda reader: reader.problem(key), self.show_problem)

    def show_problem(self, problem: Problem) -> None:
        """What was asked, above the path."""
        self.problem = problem
        if self.record is not None:
            self.show_path(self.record)

    def show_path(self, record: PathRecord) -> None:
        """The path, without what tells its model."""
        super().show_path(record)
        mine = sum(path.mine is not None for path in self.queue.values())
        progress = f"{of(mine, len(self.queue), 'paths')} of the queue judged by you"
        told = [literal(progress, "dim"), *self._asked()]
        if not self.blind:
            heading = path_heading(record.path, record.samples)
            self.query_one("#heading", Static).update(Content("\n").join([heading, *told]))
            return
        self.crumbs(self.place.benchmark, "judging queue", f"problem {self.problem_label}", "model hidden")
        sample = record.path.sample
        answer = "no answer extracted" if sample.answer is None else f"answer {sample.answer}"
        hidden = [literal("✓ correct", "bold green"), literal("model hidden", "bold"), literal(answer)]
        self.query_one("#heading", Static).update(Content("\n").join([Content("  ").join(hidden), *told]))

    def _asked(self) -> list[Content]:
        """The statement in two lines at most, and the reference answer in one; z shows them whole."""
        if self.problem is None:
            # As many lines as there will be, so that the path does not jump.
            return [literal(""), literal("")]
        width = max(self.size.width - 2, 20)
        statement = self.problem.statement or "No statement is stored for this problem."
        asked = literal(visible_line(statement, 2 * width))
        reference = visible_line(self.problem.reference or UNKNOWN, width - 30)
        return [asked, literal(f"reference answer {reference}  (z shows all)", "dim")]

    def show_judgements(self, said: tuple[PathJudgement, ...]) -> None:
        """Blind, only what this person said: what others said would bias."""
        mine = self.explorer.judgement_book.author
        shown: Sequence[PathJudgement] = [entry for entry in said if entry.author == mine] if self.blind else said
        self.query_one("#judgements", Static).update(judgements_line(shown))

    def judged(self, path: Path) -> None:
        """Remember it, and go on when the reasoning was judged."""
        super().judged(path)
        if self.said is not None:
            self.queue[self.key] = replace(self.queue[self.key], mine=self.said)
            if self.record is not None:
                self.show_path(self.record)
            self.action_next()

    def action_next(self) -> None:
        """The next path of the queue that this person has not judged, in a circle."""
        keys = list(self.queue)
        here = keys.index(self.key)
        ahead = [key for key in (*keys[here + 1 :], *keys[:here]) if self.queue[key].mine is None]
        if not ahead:
            self.refuse("You have judged every path of the queue")
            return
        self._show_queued(ahead[0])

    def action_previous(self) -> None:
        """The path before in the queue, judged or not."""
        keys = list(self.queue)
        self._show_queued(keys[keys.index(self.key) - 1])

    def _show_queued(self, key: str) -> None:
        self.key = key
        path = self.queue[key]
        self.problem_label = path.label
        self.place = self.place.to(run=path.run, problem=path.problem_key, sample=path.sample)
        self.hide_surprise()
        self.reload()
