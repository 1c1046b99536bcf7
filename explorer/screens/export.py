"""The dialog for exports: what, in which form, to which file; the same as `passk export`, whose words it shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from backend import Reader, export, form_of
from backend.errors import AlreadyThere, Cancelled, PasskError
from backend.records.exports import Exported, ExportRequest
from explorer.gateway import Failed, Loaded
from explorer.navigation import Place
from explorer.render.export_choices import ExportChoice, export_choices, with_ending
from explorer.render.export_words import command_words, written_in_words
from explorer.render.literal import literal
from explorer.widgets.choice import Choice

if TYPE_CHECKING:
    from explorer.app import Explorer


class ExportDialog(ModalScreen[None]):
    """Enter writes the file, esc stops it or closes the dialog."""

    CSS_PATH = "../styles/export.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", "Stop or close", priority=True),
        Binding("enter", "write(False)", "Write", priority=True),
        Binding("ctrl+o", "write(True)", "Overwrite", priority=True),
        Binding("up", "app.focus_previous", "Previous", priority=True),
        Binding("down", "app.focus_next", "Next", priority=True),
    ]

    class Wrote(Message):
        """How far the file is."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done, self.total = done, total

    def __init__(self, where: str, place: Place) -> None:
        super().__init__()
        self.where = where
        self.place = place
        self.choices: list[ExportChoice] = []
        self.shown = 0
        """The choice whose forms are shown."""
        self.stopping: Event | None = None
        """Set to stop the export that is being written; None while there is none."""

    def compose(self) -> ComposeResult:
        """The fields come when it is known what there is."""
        with VerticalScroll(can_focus=False) as box:
            box.border_title = "Export"
            box.border_subtitle = "enter writes  ↑↓ field  ←→ choose  esc closes"
            yield Static(id="command")
            yield Static(id="state")

    @property
    def explorer(self) -> Explorer:
        """The app, by its type."""
        return cast("Explorer", self.app)

    def on_mount(self) -> None:
        """Ask what the place holds."""
        where, place = self.where, self.place

        def read(reader: Reader) -> list[ExportChoice]:
            label = None if place.problem is None else reader.problem(place.problem).label
            return export_choices(where, place, label, [run.name for run in reader.runs(place.benchmark)])

        self.explorer.gateway.ask(self, "choices", read)

    def on_unmount(self) -> None:
        """What is being written is given up."""
        if self.stopping is not None:
            self.stopping.set()
        self.explorer.gateway.forget(self)

    async def show_choices(self, choices: list[ExportChoice]) -> None:
        """The fields."""
        self.choices = choices
        rows: Sequence[tuple[str, Choice | Input]] = (
            ("what", Choice([choice.words for choice in choices], "what")),
            ("form", Choice(choices[0].forms, "form")),
            ("file", Input(choices[0].file_name(choices[0].forms[0]), id="file", compact=True)),
        )
        fields = [Horizontal(Static(literal(name), classes="name"), field) for name, field in rows]
        await self.query_one(VerticalScroll).mount_all(fields, before=0)
        self.query_one("#what", Choice).focus()
        self.show_command()

    # What is chosen

    @property
    def choice(self) -> ExportChoice:
        """What is to be exported."""
        return self.choices[self.query_one("#what", Choice).chosen]

    @property
    def form(self) -> str:
        """In which form."""
        return self.choice.forms[self.query_one("#form", Choice).chosen]

    def request(self) -> tuple[ExportRequest, Path]:
        """What the fields say; raises UsageError where the file's ending is of no form."""
        path = Path(self.query_one("#file", Input).value.strip() or ".")
        what = self.choice.request.what
        return replace(self.choice.request, form=form_of(what, path, self.form == "verl")), path

    def on_choice_changed(self) -> None:
        """Another thing, or another form of it: the file's name follows."""
        what, form, file = self.query_one("#what", Choice), self.query_one("#form", Choice), self.query_one(Input)
        if what.chosen != self.shown:
            self.shown = what.chosen
            form.options = self.choice.forms
            self.show_form(0)
            file.value = self.choice.file_name(self.form)
        else:
            file.value = with_ending(file.value, self.form)
        self.show_command()

    def show_form(self, chosen: int) -> None:
        """Put another form into its field."""
        form = self.query_one("#form", Choice)
        with form.prevent(Choice.Changed):
            form.chosen = chosen
        form.refresh()

    def on_input_changed(self) -> None:
        """Another file."""
        self.show_command()

    def show_command(self) -> None:
        """The command that writes the same file, or what is wrong."""
        try:
            request, path = self.request()
        except PasskError as error:
            self.say(str(error))
            return
        self.show_form(self.choice.forms.index(request.form))
        self.query_one("#command", Static).update(literal(shlex.join(command_words(request, str(path)))))
        self.say("")

    def say(self, text: str) -> None:
        """What has come of it so far."""
        self.query_one("#state", Static).update(literal(text))

    # Writing

    def action_write(self, force: bool) -> None:
        """Write the file in a thread."""
        if self.stopping is not None or not self.choices:
            return
        try:
            request, path = self.request()
        except PasskError as error:
            self.say(str(error))
            return
        stopping = self.stopping = Event()

        def tell(done: int, total: int) -> None:
            if stopping.is_set():
                raise Cancelled("The export was stopped")
            self.post_message(self.Wrote(done, total))

        self.say("writing …  esc stops")
        self.explorer.gateway.ask(self, "export", lambda reader: export(reader, request, path, force=force, tell=tell))

    def on_export_dialog_wrote(self, event: Wrote) -> None:
        """A bar while it is written."""
        if self.stopping is not None and not self.stopping.is_set():
            share = event.done / max(event.total, 1)
            self.say(f"{'█' * round(30 * share):░<30} {share:4.0%}  {event.done:,} of {event.total:,}  esc stops")

    def action_stop(self) -> None:
        """Stop writing; when nothing is being written, close."""
        if self.stopping is None:
            self.dismiss()
            return
        self.stopping.set()
        self.stopping = None
        self.explorer.gateway.cancel(self, "export")
        self.say("Stopped; nothing is left of the file.")

    async def on_loaded(self, event: Loaded) -> None:
        """The choices have come, or the file is written."""
        event.stop()
        if not self.explorer.gateway.is_current(event.request):
            return
        if event.request.slot == "choices":
            await self.show_choices(event.record)
            return
        made: Exported = event.record
        self.stopping = None
        self.explorer.say("\n".join(written_in_words(made)))
        self.dismiss()

    def on_failed(self, event: Failed) -> None:
        """Say so in the dialog."""
        event.stop()
        self.stopping = None
        error = event.error
        self.say(f"{error.title}\nctrl+o overwrites it." if isinstance(error, AlreadyThere) else str(error))
