"""Fields to type and to choose in: a line of input, one of a few things, a filter, and forms of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Input

from explorer.options import Number, Option
from explorer.widgets.plain import Plain

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


class Choice(Plain, can_focus=True):
    """Shows what is chosen between two marks; `Changed` tells that it is another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", "Previous", show=False),
        Binding("right,l,space", "choose(1)", "Next", show=False),
    ]

    class Changed(Message):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    chosen = reactive(0)
    """Its place among the options."""

    def __init__(self, options: Sequence[str], name: str) -> None:
        super().__init__(id=name)
        self.options = tuple(options)

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        """Show what is chosen, with marks where there are others."""
        words = self.options[self.chosen]
        self.update(f"‹ {words} ›" if len(self.options) > 1 else f"  {words}")

    def watch_chosen(self) -> None:
        self.show()
        self.post_message(self.Changed(self.id or ""))

    def action_choose(self, by: int) -> None:
        self.chosen = (self.chosen + by) % len(self.options)


# The line at the bottom in which a filter is written, with what it means beside it while one types.

HINT = "words separated by spaces, all must hold; enter keeps, esc clears"


class FilterLine(Vertical):
    """Closed until it is asked for. It says what was typed; whoever has the store says what that means."""

    class Typed(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Kept(Message):
        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def compose(self) -> ComposeResult:
        yield Plain(id="filter-feedback")
        yield Field(placeholder=HINT, id="filter", compact=True, select_on_focus=False)

    @property
    def is_open(self) -> bool:
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
        self.remove_class("open")

    def say(self, words: str, *, wrong: bool) -> None:
        """What the text means, or what is wrong with it."""
        self.set_class(wrong, "wrong")
        self.query_one(Plain).update(words)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Kept(event.value))


# A form: a row for each option, made of the declaration that the command line uses too.


@dataclass(frozen=True, slots=True)
class FormField:
    """A row of a form: something to choose, or a line to type in."""

    option: Option
    label: str
    choices: tuple[str, ...] = ()
    value: str = ""
    """What stands in the line at first."""

    def widget(self) -> Widget:
        if self.choices:
            return Choice(self.choices, self.option.name)
        check = self.option.check
        kind: Literal["integer", "number", "text"] = "text"
        if isinstance(check, Number):
            kind = "integer" if check.kind is int else "number"
        return Field(self.value, type=kind, id=self.option.name, compact=True)


class Form(Vertical):
    """Fields under each other, a note beside each, and below them the help of the one that has the focus."""

    class Changed(Message):
        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    class Submitted(Message):
        """Enter in a line."""

    def __init__(self, fields: Sequence[FormField]) -> None:
        super().__init__()
        self.options = {field.option.name: field.option for field in fields}
        self.fields = tuple(fields)

    def compose(self) -> ComposeResult:
        for field in self.fields:
            with Horizontal(id=f"{field.option.name}-row"):
                yield Plain(field.label, classes="name")
                yield field.widget()
                if not field.choices:
                    yield Plain(id=f"{field.option.name}-note", classes="note")
        yield Plain(id="help")

    def chosen(self, name: str) -> int:
        return self.query_one(f"#{name}", Choice).chosen

    def value(self, name: str) -> Any:
        """What is typed in a line, as the command line would read it.

        Raises:
            UsageError: nothing that the option takes.
        """
        return self.options[name].read(self.text(name))

    def text(self, name: str) -> str:
        return self.query_one(f"#{name}", Field).value

    def is_filled(self, name: str) -> bool:
        return bool(self.text(name).strip())

    def note(self, name: str, text: str) -> None:
        """Say something beside a field."""
        self.query_one(f"#{name}-note", Plain).update(text)

    def show(self, name: str, shown: bool) -> None:
        self.query_one(f"#{name}-row").display = shown

    def choose(self, name: str, chosen: int, choices: Sequence[str] | None = None) -> None:
        """Choose one of a field's things, or of other things, without saying that it has changed."""
        field = self.query_one(f"#{name}", Choice)
        field.options = tuple(choices or field.options)
        with field.prevent(Choice.Changed):
            field.chosen = chosen
        field.show()

    def type(self, name: str, text: str) -> None:
        self.query_one(f"#{name}", Field).value = text

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        option = self.options.get(event.widget.id or "")
        self.query_one("#help", Plain).update(option.help if option else "")

    def on_choice_changed(self, event: Choice.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.name))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed(event.input.id or ""))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Submitted())
