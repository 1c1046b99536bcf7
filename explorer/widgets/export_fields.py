"""The fields of an export: what, in which form, to which file. The form is the ending of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from backend import form_of
from backend.records.exports import ExportRequest
from explorer.render.export_choices import ExportChoice, with_ending
from explorer.widgets.choice import Choice


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
