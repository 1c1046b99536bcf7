"""A form over a screen: what its fields come to is said below them, and enter does it. The same keys in every form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content

from backend import Reader
from backend.errors import PasskError
from explorer.gateway import Failed, Loaded
from explorer.steady import SteadyDialog
from explorer.widgets.fields import Form, FormField
from explorer.widgets.plain import Box, Plain

if TYPE_CHECKING:
    from explorer.app import Explorer

Result = TypeVar("Result")


class FormDialog(SteadyDialog[Result]):
    """The frame, the keys, and the way of questions and answers."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close"),
        Binding("enter", "start", "Start"),
        Binding("up", "app.focus_previous", "Previous", priority=True),
        Binding("down", "app.focus_next", "Next", priority=True),
    ]

    def __init__(self, heading: str, verb: str, about: str = "", fields: Sequence[FormField] = ()) -> None:
        """`verb` says what enter does; `about` stands above the fields."""
        super().__init__()
        self.heading, self.verb, self.about = heading, verb, about
        self.fields = tuple(fields)

    def compose(self) -> ComposeResult:
        with Box(self.heading, f"enter {self.verb}  ↑↓ field  ←→ choose  esc closes", can_focus=False):
            if self.about:
                yield Plain(self.about, id="about")
            if self.fields:
                yield Form(self.fields)
            yield Plain(id="state")

    @property
    def explorer(self) -> Explorer:
        return cast("Explorer", self.app)

    @property
    def form(self) -> Form:
        return self.query_one(Form)

    def say(self, words: str | Content) -> None:
        """What the fields come to, or what is wrong."""
        self.query_one("#state", Plain).update(words)

    def ask(self, slot: str, question: Callable[[Reader], Any]) -> None:
        """Ask something of the store; the answer comes to `answered`."""
        self.explorer.gateway.ask(self, slot, question)

    def on_unmount(self) -> None:
        """Nobody waits any more."""
        self.explorer.gateway.forget(self)

    async def on_loaded(self, event: Loaded) -> None:
        event.stop()
        if self.explorer.gateway.is_current(event.request):
            await self.answered(event.request.slot, event.record)

    def on_failed(self, event: Failed) -> None:
        event.stop()
        self.failed(event.error)

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        self.changed(event.name)

    def on_form_submitted(self, event: Form.Submitted) -> None:
        event.stop()
        self.action_start()

    async def answered(self, slot: str, record: Any) -> None:
        raise NotImplementedError

    def failed(self, error: PasskError) -> None:
        self.say(str(error))

    def changed(self, name: str) -> None:
        raise NotImplementedError

    def action_start(self) -> None:
        raise NotImplementedError

    def action_close(self) -> None:
        self.dismiss()


class PlanDialog(FormDialog[Result]):
    """A form that starts jobs: whatever is typed is planned at once, and enter starts what was planned."""

    nothing: ClassVar[str]
    """What is said where a plan has nothing to start."""

    planned: Any = None
    """What the fields come to; None while that is on its way, or cannot be."""
    start_soon = False
    """Whether it is to be started when it comes."""
    waiting = False
    starting = False

    def plan(self) -> Callable[[Reader], Any]:
        """The question that the fields ask. Raises UsageError: a field is wrong."""
        raise NotImplementedError

    def words(self, planned: Any) -> Content:
        """What a plan takes."""
        raise NotImplementedError

    def begin(self, planned: Any) -> Callable[[Reader], Result] | None:
        """Starts a plan, and gives the dialog's result; None where there is nothing to start."""
        raise NotImplementedError

    def is_complete(self, planned: Any) -> bool:
        """Whether it may be started without having been read."""
        return True

    def on_mount(self) -> None:
        self.changed("")

    def changed(self, name: str) -> None:
        self.planned, self.start_soon, self.waiting = None, False, False
        try:
            question = self.plan()
        except PasskError as error:
            self.explorer.gateway.cancel(self, "plan")
            self.say(str(error))
        else:
            self.waiting = True
            self.ask("plan", question)

    async def answered(self, slot: str, record: Any) -> None:
        if slot == "start":
            self.dismiss(record)
            return
        soon = self.start_soon and self.is_complete(record)
        self.planned, self.waiting, self.start_soon = record, False, False
        self.say(self.words(record))
        if soon:
            self.action_start()

    def failed(self, error: PasskError) -> None:
        self.planned, self.waiting, self.starting = None, False, False
        self.say(str(error))

    def action_start(self) -> None:
        if self.waiting:
            self.start_soon = True
            return
        begin = None if self.planned is None else self.begin(self.planned)
        if begin is None:
            self.explorer.say(self.nothing)
        elif not self.starting:
            self.starting = True
            self.say("Starting ...")
            self.ask("start", begin)
