"""Dialogs: what went wrong, and the keys of a screen."""

from __future__ import annotations

import traceback

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from backend.errors import PasskError
from backend.records import Problem
from backend.visible_text import visible_line
from backend.wording import UNKNOWN
from explorer.actions import MOVING, actions_of
from explorer.render.text import literal

LONGEST_STATEMENT = 20_000
"""Characters of a statement that a dialog shows."""


class Dialog(ModalScreen[None]):
    """Some text in a box; Esc, Enter or q closes it."""

    CSS_PATH = "../styles/dialogs.tcss"
    BINDINGS = [Binding("escape,enter,q,question_mark", "dismiss", "Close")]

    body: Content

    def __init__(self, heading: str, body: Content) -> None:
        super().__init__()
        self.heading = heading
        self.body = body

    def compose(self) -> ComposeResult:
        """Heading and text, scrolled when long."""
        with VerticalScroll() as box:
            box.border_title = literal(self.heading)
            box.border_subtitle = "esc closes"
            yield Static(self.body)


def error_dialog(error: PasskError) -> Dialog:
    """What went wrong, where, and what to do; the cause too when passk itself is at fault."""
    parts = [literal(error.title, "bold")]
    parts += [literal(text) for text in (error.detail, error.next_step) if text]
    if error.__cause__ is not None and not isinstance(error.__cause__, PasskError):
        parts.append(literal("".join(traceback.format_exception(error.__cause__)[-6:]), "dim"))
    return Dialog("Something went wrong", Content("\n\n").join(parts))


def problem_dialog(problem: Problem) -> Dialog:
    """What was asked, and the reference answer: what one needs beside a path to judge it."""
    statement = problem.statement or "No statement is stored for this problem."
    more = len(statement) - LONGEST_STATEMENT
    parts = [literal(statement[:LONGEST_STATEMENT])]
    if more > 0:
        parts.append(literal(f"… and {more:,} more characters, on the problem's screen", "dim"))
    parts.append(Content.assemble(literal("reference answer: ", "dim"), literal(problem.reference or UNKNOWN)))
    return Dialog(f"Problem {visible_line(problem.label, 40)}", Content("\n\n").join(parts))


def help_dialog(where: str) -> Dialog:
    """The keys of one screen, from the action table."""
    rows = [(action.shown_key, action.help) for action in actions_of(where)]
    width = max(len(keys) for keys, _ in [*rows, *MOVING])
    lines = [
        Content.assemble(literal(keys.ljust(width + 2), "bold"), literal(help_text))
        for keys, help_text in [*rows, *MOVING]
    ]
    return Dialog(f"Keys of this screen: {where}", Content("\n").join(lines))
