"""The form for exports: what, in which form, to which file; the same as `passk export`, whose words it shows."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message

from backend import Reader, export, form_of
from backend.errors import AlreadyThere, Cancelled, PasskError
from backend.records.exports import ExportRequest
from explorer.location import ExportContext, Location
from explorer.options import FILE, Option
from explorer.render.export_form import ExportChoice, export_choices, with_ending
from explorer.render.exports import command_words, written_in_words
from explorer.render.names import progress_bar
from explorer.screens.form import FormDialog
from explorer.widgets.fields import Form, FormField
from explorer.widgets.plain import Box, Plain

WHAT = Option("what", "what is exported, the nearest things first")
FORM = Option("form", "the kind of file, which its ending says too")


class ExportDialog(FormDialog[None]):
    """Enter writes the file, esc stops it or closes the dialog."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+o", "write(True)", "Overwrite", priority=True)]

    class Wrote(Message):
        """How far the file is."""

        def __init__(self, done: int, total: int) -> None:
            super().__init__()
            self.done, self.total = done, total

    def __init__(self, where: str, location: Location, shown: ExportContext) -> None:
        super().__init__("Export", "writes")
        self.where, self.location, self.shown = where, location, shown
        self.choices: Sequence[ExportChoice] = ()
        """What there is; the fields come when it is known."""
        self.chosen = 0
        """The choice whose forms are shown."""
        self.stopping: Event | None = None
        """Set to stop the export that is being written; None while there is none."""

    def on_mount(self) -> None:
        where, location, shown = self.where, self.location, self.shown

        def read(reader: Reader) -> list[ExportChoice]:
            label = None if location.problem is None else reader.problem(location.problem).label
            runs = [run for run in reader.runs(location.benchmark or None) if location.benchmark or run.texts]
            return export_choices(where, location, label, [run.name for run in runs], shown)

        self.ask("choices", read)

    def on_unmount(self) -> None:
        """What is being written is given up."""
        if self.stopping is not None:
            self.stopping.set()
        super().on_unmount()

    async def _show_fields(self) -> None:
        first = self.choices[0]
        fields = (
            FormField(WHAT, "what", tuple(choice.words for choice in self.choices)),
            FormField(FORM, "form", first.forms),
            FormField(FILE, "file", value=first.file_name(first.forms[0])),
        )
        if self.is_attached:
            await self.query_one(Box).mount(Form(fields), Plain(id="command"), before="#state")
            self.query("#what").focus()
            self.show_command()

    def changed(self, name: str) -> None:
        """Another thing or another form of it: the file's name follows."""
        if not self.query(Form):  # closed meanwhile
            return
        form = self.form
        if name == WHAT.name and form.chosen("what") != self.chosen:
            self.chosen = form.chosen("what")
            choice = self.choices[self.chosen]
            form.choose("form", 0, choice.forms)
            form.type("to", choice.file_name(choice.forms[0]))
        elif name == FORM.name:
            form.type("to", with_ending(form.text("to"), self.choices[self.chosen].forms[form.chosen("form")]))
        self.show_command()

    def request(self) -> tuple[ExportRequest, Path]:
        """What the fields say. Raises UsageError: the file's ending is of no form."""
        choice = self.choices[self.chosen]
        path = Path(self.form.text("to").strip() or ".")
        form = form_of(choice.request.what, path, choice.forms[self.form.chosen("form")] == "verl")
        self.form.choose("form", choice.forms.index(form))
        return replace(choice.request, form=form), path

    def show_command(self) -> None:
        """The command that writes the same file, or what is wrong."""
        try:
            request, path = self.request()
        except PasskError as error:
            self.say(str(error))
            return
        store = None if self.explorer.is_sample else self.explorer.store_path
        self.query_one("#command", Plain).update(shlex.join(command_words(request, str(path), store)))
        self.say("")

    def action_start(self) -> None:
        self.action_write(False)

    def action_write(self, force: bool) -> None:
        if self.stopping is not None or not self.query(Form):
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
        self.ask("export", lambda reader: export(reader, request, path, force=force, tell=tell))

    def on_export_dialog_wrote(self, event: Wrote) -> None:
        if self.stopping is not None and not self.stopping.is_set():
            bar, share = progress_bar(event.done, event.total), event.done / max(event.total, 1)
            self.say(f"{bar} {share:4.0%}  {event.done:,} of {event.total:,}  esc stops")

    def action_close(self) -> None:
        if self.stopping is None:
            self.dismiss()
            return
        self.stopping.set()
        self.stopping = None
        self.explorer.gateway.cancel(self, "export")
        self.say("Stopped. No file was written.")

    async def answered(self, slot: str, record: Any) -> None:
        if slot == "choices":
            self.choices = record
            await self._show_fields()
            return
        self.stopping = None
        self.explorer.say("\n".join(written_in_words(record)))
        self.dismiss()

    def failed(self, error: PasskError) -> None:
        self.stopping = None
        self.say(f"{error.title}\nctrl+o overwrites it." if isinstance(error, AlreadyThere) else str(error))
