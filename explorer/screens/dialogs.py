"""Dialogs that only say something (what went wrong, a problem, the keys of a screen), and the one for a note."""

from __future__ import annotations

import traceback

from textual.app import ComposeResult
from textual.binding import Binding
from textual.content import Content
from textual.widgets import Input

from backend.errors import PasskError
from backend.records import Problem
from backend.visible_text import visible_line
from backend.wording import UNKNOWN
from explorer.actions import MOVING, actions_of
from explorer.render.text import join_lines, join_words, literal
from explorer.steady import SteadyDialog
from explorer.widgets.fields import Field
from explorer.widgets.plain import Box, Plain

LONGEST_STATEMENT = 20_000
"""Characters of a statement that a dialog shows."""


class Dialog(SteadyDialog[None]):
    """Some text in a box; Esc, Enter or q closes it."""

    BINDINGS = [Binding("escape,enter,q,question_mark", "dismiss", "Close")]

    def __init__(self, heading: str, body: str | Content) -> None:
        super().__init__()
        self.heading = heading
        self.body = body

    def compose(self) -> ComposeResult:
        with Box(self.heading, "esc closes"):
            yield Plain(self.body)


class ConfirmDialog(SteadyDialog[bool]):
    """Something that is done only if the user says yes to it."""

    BINDINGS = [Binding("y", "dismiss(True)", "Yes"), Binding("escape,n,q", "dismiss(False)", "No")]

    def __init__(self, heading: str, body: str | Content) -> None:
        super().__init__()
        self.heading = heading
        self.body = body

    def compose(self) -> ComposeResult:
        with Box(self.heading, "y does it, esc leaves it"):
            yield Plain(self.body)


def error_dialog(error: PasskError) -> Dialog:
    """What went wrong, where, and what to do; the cause too when passk itself is at fault."""
    parts: list[str | Content] = [
        literal(error.title, "bold"),
        *(text for text in (error.detail, error.next_step) if text),
    ]
    if error.__cause__ is not None and not isinstance(error.__cause__, PasskError):
        parts.append(literal("".join(traceback.format_exception(error.__cause__)[-6:]), "dim"))
    return Dialog("Something went wrong", join_words(parts, "\n\n"))


def problem_dialog(problem: Problem) -> Dialog:
    """What was asked, and the reference answer: what one needs beside a path to judge it."""
    statement = problem.statement or "No statement is stored for this problem."
    more = len(statement) - LONGEST_STATEMENT
    parts = [literal(statement[:LONGEST_STATEMENT])]
    if more > 0:
        parts.append(literal(f"… and {more:,} more characters: see the problem's screen", "dim"))
    parts.append(join_words([literal("reference answer:", "dim"), problem.reference or UNKNOWN], " "))
    return Dialog(f"Problem {visible_line(problem.label, 40)}", join_words(parts, "\n\n"))


def help_dialog(where: str) -> Dialog:
    """The keys of one screen, from the action table."""
    rows = [*((action.shown_key, action.help) for action in actions_of(where)), *MOVING]
    width = max(len(keys) for keys, _ in rows)
    lines = (join_words([literal(keys.ljust(width), "bold"), help_text]) for keys, help_text in rows)
    return Dialog(f"Keys of this screen: {where}", join_lines(lines))


class NoteDialog(SteadyDialog[str]):
    """One line for a note; enter keeps it, esc leaves without."""

    BINDINGS = [Binding("escape", "dismiss('')", "Leave")]

    def __init__(self, about: str = "a note on this path") -> None:
        super().__init__()
        self.about = about

    def compose(self) -> ComposeResult:
        line = Field(placeholder=f"{self.about}; enter saves, esc cancels", id="note")
        line.border_title = "Note"
        yield line

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value)
