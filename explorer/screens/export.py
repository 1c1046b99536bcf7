"""The dialog for exports: what, in which form, to which file; the same as `passk export`, whose words it shows."""

from __future__ import annotations

import shlex
from threading import Event
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Static

from backend import Reader, export
from backend.errors import AlreadyThere, Cancelled, PasskError
from backend.records.exports import Exported
from explorer.gateway import Failed, Loaded
from explorer.location import ExportContext, Location
from explorer.render.export_form import ExportChoice, export_choices
from explorer.render.exports import command_words, written_in_words
from explorer.render.text import literal
from explorer.widgets.fields import Choice, ExportFields

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

    def __init__(self, where: str, place: Location, shown: ExportContext) -> None:
        super().__init__()
        self.where = where
        self.place = place
        self.shown = shown
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
        where, place, shown = self.where, self.place, self.shown

        def read(reader: Reader) -> list[ExportChoice]:
            label = None if place.problem is None else reader.problem(place.problem).label
            runs = [run for run in reader.runs(place.benchmark or None) if place.benchmark or run.texts]
            return export_choices(where, place, label, [run.name for run in runs], shown)

        self.explorer.gateway.ask(self, "choices", read)

    def on_unmount(self) -> None:
        """What is being written is given up."""
        if self.stopping is not None:
            self.stopping.set()
        self.explorer.gateway.forget(self)

    async def show_choices(self, choices: list[ExportChoice]) -> None:
        """The fields."""
        if self.is_attached:
            await self.query_one(VerticalScroll).mount(ExportFields(choices), before=0)
            self.query("#what").focus()
            self.show_command()

    def on_export_fields_changed(self) -> None:
        """Another thing, form or file."""
        self.show_command()

    def show_command(self) -> None:
        """The command that writes the same file, or what is wrong."""
        if not self.query(Choice):  # closed meanwhile
            return
        try:
            request, path = self.query_one(ExportFields).request()
        except PasskError as error:
            self.say(str(error))
            return
        store = None if self.explorer.is_sample else self.explorer.store_path
        words = command_words(request, str(path), store)
        self.query_one("#command", Static).update(literal(shlex.join(words)))
        self.say("")

    def say(self, text: str) -> None:
        """What has come of it so far."""
        self.query_one("#state", Static).update(literal(text))

    # Writing

    def action_write(self, force: bool) -> None:
        """Write the file in a thread."""
        if self.stopping is not None or not self.query(ExportFields):
            return
        try:
            request, path = self.query_one(ExportFields).request()
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
        self.say("Stopped. No file was written.")

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
