"""Fields to type and to choose in: lines of input, one of a few things, a filter, the fields of an export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from backend import form_of
from backend.records.exports import ExportRequest
from explorer.render.export_form import ExportChoice, with_ending
from explorer.render.text import literal

# A line of input whose keys act in the order in which they are typed.


class Field(Input):
    """An input that does what its keys say at once.

    Textual lets a key that stands for an action (ctrl+u, enter) travel up to the app before it acts. Letters that come
    in the same packet, as they do over a slow connection, would overtake it.
    """

    async def _on_key(self, event: events.Key) -> None:
        bound = self._bindings.key_to_bindings.get(event.key)
        if bound and not event.is_printable:
            event.stop().prevent_default()
            await self.run_action(bound[0].action)
        else:
            await super()._on_key(event)


# One of a few things, chosen with left and right.


class Choice(Static, can_focus=True):
    """Shows what is chosen between two marks; `Changed` tells that it is another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", "Previous", show=False),
        Binding("right,l,space", "choose(1)", "Next", show=False),
    ]

    class Changed(Message):
        """Something else is chosen."""

    chosen = reactive(0)
    """Its place among the options."""

    def __init__(self, options: Sequence[str], name: str) -> None:
        super().__init__(id=name)
        self.options = tuple(options)

    def render(self) -> Content:
        """The option, with marks where there are others."""
        words = self.options[self.chosen]
        return literal(f"‹ {words} ›" if len(self.options) > 1 else f"  {words}")

    def watch_chosen(self) -> None:
        """Tell it."""
        self.post_message(self.Changed())

    def action_choose(self, by: int) -> None:
        """The next option, or the previous one."""
        self.chosen = (self.chosen + by) % len(self.options)


# The line at the bottom in which a filter is written, with what it means beside it while one types.

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


# The fields of an export: what, in which form, to which file. The form is the ending of the file.


class ExportFields(Vertical):
    """Three fields under each other; `Changed` tells that one of them is different."""

    class Changed(Message):
        """What is asked for is different."""

    def __init__(self, choices: Sequence[ExportChoice]) -> None:
        super().__init__()
        self.choices = tuple(choices)
        self.shown = 0
        """The choice whose forms are shown."""

    def compose(self) -> ComposeResult:
        """Names and fields."""
        first = self.choices[0]
        with Horizontal():
            yield Static("what", classes="name")
            yield Choice([choice.words for choice in self.choices], "what")
        with Horizontal():
            yield Static("form", classes="name")
            yield Choice(first.forms, "form")
        with Horizontal():
            yield Static("file", classes="name")
            yield Input(first.file_name(first.forms[0]), id="file", compact=True)

    @property
    def choice(self) -> ExportChoice:
        """What is to be exported."""
        return self.choices[self.query_one("#what", Choice).chosen]

    def request(self) -> tuple[ExportRequest, Path]:
        """What the fields say; raises UsageError where the file's ending is of no form."""
        path = Path(self.query_one(Input).value.strip() or ".")
        wanted = self.choice.forms[self.query_one("#form", Choice).chosen]
        form = form_of(self.choice.request.what, path, wanted == "verl")
        self._show_form(self.choice.forms.index(form))
        return replace(self.choice.request, form=form), path

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Another thing, or another form of it: the file's name follows."""
        event.stop()
        what, form, file = self.query_one("#what", Choice), self.query_one("#form", Choice), self.query_one(Input)
        if what.chosen != self.shown:
            self.shown = what.chosen
            form.options = self.choice.forms
            self._show_form(0)
            file.value = self.choice.file_name(form.options[0])
        else:
            file.value = with_ending(file.value, form.options[form.chosen])
        self.post_message(self.Changed())

    def on_input_changed(self, event: Input.Changed) -> None:
        """Another file."""
        event.stop()
        self.post_message(self.Changed())

    def _show_form(self, chosen: int) -> None:
        form = self.query_one("#form", Choice)
        with form.prevent(Choice.Changed):
            form.chosen = chosen
        form.refresh()
