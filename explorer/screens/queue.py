"""The judging queue after the paper's protocol: correct paths of the hardest solvable problems, the models hidden."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.text import Text
from textual.app import ComposeResult
from textual.content import Content

from backend import (
    Reader,
    author_name,
    compare_judges,
    correction,
    correction_in_words,
    judges_table,
    judging_queue,
    selected_problems,
)
from backend.records import Problem, Response, Run
from backend.records.reading import JudgementMade, PathJudgement, QueuedPath
from backend.records.table import SCREEN
from backend.visible_text import visible_line
from backend.wording import UNKNOWN, with_noun
from explorer.actions import QUEUE, QUEUED, bindings
from explorer.location import Location
from explorer.render.judgements import JUDGEMENT_MARKS, JUDGEMENT_STYLES, judgements_line, queue_in_words
from explorer.render.names import shorten_middle
from explorer.render.path import path_heading
from explorer.render.text import Column, cell, join_lines, join_words, literal, room_beside
from explorer.render.text_table import record_lines
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import Dialog
from explorer.screens.path import PathRecord, PathScreen
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain


class QueueScreen(DataScreen):
    """What is to be judged, how far one has come, and the next one on one key."""

    WHERE = QUEUE
    BINDINGS = bindings(QUEUE)

    def __init__(self, location: Location) -> None:
        super().__init__(location.to(problem=None, run=None, sample=None))
        self.blind = True
        """Whether the models are hidden."""
        self.queue: dict[str, QueuedPath] = {}
        self.author = author_name()

    def compose_body(self) -> ComposeResult:
        yield Plain(id="words")
        yield PagedTable(id="queue")

    def reload(self) -> None:
        self.crumbs(self.location.benchmark, "judging queue")
        location, author = self.location, self.author

        def read(reader: Reader) -> tuple[QueuedPath, ...]:
            runs = [reader.run(name) for name in location.runs]
            problems = selected_problems(reader, runs, location.filter) if location.filter else None
            return judging_queue(reader, runs, author, problems=problems)

        self.ask("queue", read, self.show_queue)

    def show_queue(self, queue: tuple[QueuedPath, ...]) -> None:
        self.queue = {_key(path.run, path.problem_key, path.sample): path for path in queue}
        self.show_table()

    def reflow(self) -> None:
        if self.queue:
            self.show_table()

    def show_table(self) -> None:
        """How far one has come, and the rows for this width."""
        self.tell("words", queue_in_words(tuple(self.queue.values()), self.author, blind=self.blind))
        self.query_one(PagedTable).show(self.columns(), self.queue)

    def columns(self) -> list[Column]:
        """A hidden model's run, index and rate would tell which it is."""
        blind, suffix = self.blind, f"@{self.location.benchmark}"
        fixed = [
            Column("problem", "problem", 14, value=lambda path: path.label),
            Column("sample", "#", 6, True, lambda path: UNKNOWN if blind else str(path.sample)),
            Column("rate", "c/n", 9, True, lambda path: UNKNOWN if blind else f"{path.c}/{path.n}"),
            Column("mine", "you", 9, value=lambda path: _judgement(path.mine)),
            Column("settled", "judged", 9,
                   value=lambda path: _judgement(None if blind and path.mine is None else path.settled)),
        ]  # fmt: skip
        room = min(max(room_beside(fixed, self.size.width) - 2, 12), 48)

        def name(path: QueuedPath) -> str:
            return "hidden" if blind else shorten_middle(path.run.removesuffix(suffix), room)

        run = Column("run", "run", room, value=name)
        return [fixed[0], run, *fixed[1:]]

    # Keys

    def action_blind(self) -> None:
        self.blind = not self.blind
        self.show_table()

    def action_by_model(self) -> None:
        from explorer.screens.judge_by_model import JudgeDialog

        location = self.location

        def started(job: str | None) -> None:
            if job:
                self.explorer.say(f"Job {job} started; J shows it. It continues when you quit.")

        def show(runs: list[Run]) -> None:
            self.app.push_screen(JudgeDialog(runs, location), started)

        self.ask("runs", lambda reader: [reader.run(name) for name in location.runs], show)

    def action_judges(self) -> None:
        """How judges compare with people, and how far their figures can be corrected."""
        location = self.location

        def read(reader: Reader) -> list[str]:
            runs = [reader.run(name) for name in location.runs]
            problems = selected_problems(reader, runs, location.filter) if location.filter else None
            table = judges_table(compare_judges(reader, runs, problems))
            corrected = correction(reader, runs, problems=problems)
            return [*correction_in_words(corrected), "", *record_lines(table.on(SCREEN)), "", *table.notes]

        def show(lines: list[str]) -> None:
            self.app.push_screen(Dialog("Judges of reasoning", "\n".join(lines).strip()))

        self.ask("judges", read, show)

    def action_open(self) -> None:
        key = self.query_one(PagedTable).cursor_key
        if key is None:
            self.refuse("There is nothing to judge", "No problem with 0 < c/n < 5 % has a stored correct path.")
        else:
            self._judge(key)

    def action_next(self) -> None:
        key = next((key for key, path in self.queue.items() if path.mine is None), None)
        if key is None:
            self.refuse("You have judged every path in the queue")
        else:
            self._judge(key)

    def _judge(self, key: str) -> None:
        self.app.push_screen(QueuedPathScreen(self.location, self.queue, key, blind=self.blind))


def _key(run: str, problem: int, sample: int) -> str:
    return f"{run}\x1f{problem}\x1f{sample}"


def _judgement(judgement: str | None) -> Text:
    if judgement is None:
        return cell(UNKNOWN)
    return cell(f"{JUDGEMENT_MARKS[judgement]} {judgement}", JUDGEMENT_STYLES[judgement])


class QueuedPathScreen(PathScreen, inherit_bindings=False):
    """Judging goes on to the next path by itself. Blind, it shows nothing that tells which model wrote the path."""

    WHERE = QUEUED
    BINDINGS = bindings(QUEUED)
    said_for = 3.0
    """Over the next path already."""

    def __init__(self, location: Location, queue: Mapping[str, QueuedPath], key: str, *, blind: bool) -> None:
        self.queue = dict(queue)
        self.key = key
        self.blind = blind
        self.problem: Problem | None = None
        path = self.queue[key]
        super().__init__(location.to(run=path.run, problem=path.problem_key, sample=path.sample), path.label)

    def reload(self) -> None:
        """The path, and what was asked."""
        super().reload()
        key = self.location.problem or 0
        if self.problem is None or self.problem.key != key:
            self.problem = None
            self.ask("problem", lambda reader: reader.problem(key), self.show_problem)

    def show_problem(self, problem: Problem) -> None:
        self.problem = problem
        if self.record is not None:
            self.show_path(self.record)

    def show_path(self, record: PathRecord) -> None:
        """The path, without what tells its model."""
        super().show_path(record)
        mine = sum(path.mine is not None for path in self.queue.values())
        progress = f"you have judged {mine:,} of {with_noun(len(self.queue), 'path')} in the queue"
        if self.blind:
            self.crumbs(self.location.benchmark, "judging queue", f"problem {self.problem_label}", "model hidden")
            answer = record.path.sample.answer
            known = "no answer extracted" if answer is None else f"answer: {answer}"
            heading = join_words([literal("✓ correct", "bold green"), literal("model hidden", "bold"), known])
        else:
            heading = path_heading(record.path, record.samples)
        self.tell("heading", join_lines([heading, literal(progress, "dim"), *self._asked()]))

    def _asked(self) -> list[str | Content]:
        """The statement in two lines at most, and the reference answer in one; z shows them whole."""
        if self.problem is None:
            # As many lines as there will be, so that the path does not jump.
            return ["", ""]
        width = max(self.size.width - 2, 20)
        statement = self.problem.statement or "No statement is stored for this problem."
        reference = visible_line(self.problem.reference or UNKNOWN, width - 30)
        return [
            visible_line(statement, 2 * width),
            literal(f"reference answer: {reference}  (z shows everything)", "dim"),
        ]

    def show_judgements(self, said: tuple[PathJudgement, ...]) -> None:
        """Blind, only what this person said: what others said would bias."""
        mine = self.explorer.judgement_book.author
        self.said = said
        shown: Sequence[PathJudgement] = [entry for entry in said if entry.author == mine] if self.blind else said
        self.tell("judgements", judgements_line(shown))

    def judged(self, path: Response, made: JudgementMade) -> None:
        """Remember it, and go on when the reasoning was judged."""
        super().judged(path, made)
        judgement = made.judgement
        key = _key(path.run.name, path.problem_key, path.sample.index)
        if judgement is None:
            return
        self.queue[key] = replace(self.queue[key], mine=judgement)
        # Whoever went on by hand meanwhile stays there.
        if self.key == key and self.record is not None:
            self.show_path(self.record)
            self.action_next()

    def action_next(self) -> None:
        """The next path of the queue that this person has not judged, in a circle."""
        keys = list(self.queue)
        here = keys.index(self.key)
        ahead = [key for key in (*keys[here + 1 :], *keys[:here]) if self.queue[key].mine is None]
        if not ahead:
            self.refuse("You have judged every path in the queue")
            return
        self._show_queued(ahead[0])

    def action_previous(self) -> None:
        keys = list(self.queue)
        self._show_queued(keys[keys.index(self.key) - 1])

    def _show_queued(self, key: str) -> None:
        self.key = key
        path = self.queue[key]
        self.problem_label = path.label
        self.location = self.location.to(run=path.run, problem=path.problem_key, sample=path.sample)
        self.hide_surprise()
        self.reload()
