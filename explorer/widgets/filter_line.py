"""The line at the bottom in which a filter is written, with what it means beside it while one types."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, Static

from explorer.render.literal import literal

HINT = "words separated by spaces, all must hold; enter keeps, esc clears"


class FilterLine(Vertical):
    """Closed until it is asked for. It says what was typed; whoever has the store says what that means."""

    class Typed(Message):
        """The text has changed."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Kept(Message):
        """Enter."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        """The feedback above the line that one types in."""
        yield Static(id="filter-feedback")
        yield Input(placeholder=HINT, id="filter", compact=True, select_on_focus=False)

    @property
    def is_open(self) -> bool:
        """Whether one can type in it."""
        return self.has_class("open")

    def open(self, text: str) -> None:
        """Show the line with this text and give it the keys."""
        self.add_class("open")
        line = self.query_one(Input)
        with self.prevent(Input.Changed):
            line.value = text
        line.cursor_position = len(text)
        line.focus()
        self.post_message(self.Typed(text))

    def close(self) -> None:
        """Put the line away."""
        self.remove_class("open")

    def say(self, words: str, *, wrong: bool) -> None:
        """What the text means, or what is wrong with it."""
        self.set_class(wrong, "wrong")
        said: Content = literal(words)
        self.query_one(Static).update(said)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Every letter."""
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter."""
        event.stop()
        self.post_message(self.Kept(event.value))
