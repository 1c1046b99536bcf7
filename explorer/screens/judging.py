"""Judging the reasoning of a path: valid, invalid, unsure, a note; kept in the store with author and time."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backend import NewJudgement, Reader, judgements_of
from backend.records import Path, Problem
from backend.records.judgements import PathJudgement
from explorer.render.judgement_words import judgements_line
from explorer.screens.base import DataScreen


class NoteDialog(ModalScreen[str]):
    """One line for a note; enter keeps it, esc leaves without."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS = [Binding("escape", "leave", "Leave")]

    def compose(self) -> ComposeResult:
        """The line."""
        line = Input(placeholder="a note on this path; enter keeps it, esc leaves", id="note")
        line.border_title = "Note"
        yield line

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep it."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Without a note."""
        self.dismiss("")


class JudgingScreen(DataScreen):
    """The part of the Path screen that takes judgements; a subclass calls `follow_judgements` with every path."""

    judged_path: Path | None = None
    said: str | None = None
    """What was said last; None after a note."""

    def follow_judgements(self, path: Path) -> None:
        """The screen shows this path: ask what was said of it."""
        self.judged_path = path

        def read(reader: Reader) -> tuple[PathJudgement, ...]:
            return judgements_of(reader, path.run, path.problem_key, path.sample.index)

        self.ask("judgements", read, self.show_judgements)

    def show_judgements(self, said: tuple[PathJudgement, ...]) -> None:
        """In words, below the heading."""
        self.query_one("#judgements", Static).update(judgements_line(said))

    def say_judgement(self, judgement: str | None, note: str | None = None) -> None:
        """Write it into the store, and show it."""
        path = self.judged_path
        if path is None or path.text is None:
            self.refuse("No text is stored for this sample", "Reasoning is judged by reading it.")
            return
        new = NewJudgement(path.run.key, path.problem_key, path.sample.index, judgement, note)
        book = self.explorer.judgement_book
        self.said = judgement

        def write(reader: Reader) -> None:
            book.say([new])
            reader.database.refresh()

        self.ask("judge", write, lambda _: self.judged(path))

    def judged(self, path: Path) -> None:
        """A judgement has been written."""
        self.explorer.mark_stale()
        if self.judged_path is path:
            self.follow_judgements(path)

    # Keys

    def action_statement(self) -> None:
        """What was asked: one cannot judge an answer without the question."""
        path = self.judged_path
        if path is not None:
            key = path.problem_key
            self.ask("statement", lambda reader: reader.problem(key), self._show_statement)

    def _show_statement(self, problem: Problem) -> None:
        from explorer.screens.dialogs import problem_dialog

        self.app.push_screen(problem_dialog(problem))

    def action_judge(self, judgement: str) -> None:
        """Say valid, invalid or unsure."""
        self.say_judgement(judgement)

    def action_note(self) -> None:
        """Write a note."""

        def written(text: str | None) -> None:
            if text and text.strip():
                self.say_judgement(None, text)

        self.app.push_screen(NoteDialog(), written)
