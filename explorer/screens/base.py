"""What all screens share: asking, waiting, showing, and staying up to date without moving anything.

Screens lead to one another in circles (a path to a search, a hit to a path), and each of them costs start-up time:
they import one another where a key opens them, inside the function.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual.app import ComposeResult
from textual.content import Content
from textual.screen import Screen

from backend import Reader
from backend.errors import PasskError
from backend.wording import with_noun
from explorer.gateway import Ended, Failed, Loaded
from explorer.location import ExportContext, Location, permalink
from explorer.steady import Steady
from explorer.widgets.bars import Breadcrumbs, KeyBar
from explorer.widgets.plain import Plain

if TYPE_CHECKING:
    from explorer.app import Explorer

T = TypeVar("T")

NARROW = 110
"""Below this many columns a screen leaves out what it can show on demand."""

SHORT = 32
"""Below this many lines as well."""

DECIDED = 10.0
"""Seconds for which it is said what was written into the store, and how it is taken back."""

BLANK = 0.06
"""Seconds before a screen appears without what it asked for: painting it twice would take as long as most answers."""


class DataScreen(Steady, Screen[None]):
    """A screen that shows records of one location.

    A subclass composes (`compose_body`), asks (`reload`), handles (the methods it gave to `ask`), and shows anew what
    it has when the terminal gets another size (`reflow`). Textual calls the `on_` methods of every class of a screen,
    the subclass's first: they never call `super()`, which would do everything twice.
    """

    WHERE = ""
    """Name of the screen in the action table."""
    ON_CLICK = "open"
    """The action of a click on the row under the cursor."""

    def __init__(self, location: Location, problem_label: str = "") -> None:
        super().__init__()
        self.location = location
        self.problem_label = problem_label
        """Of the location's problem, where it has one."""
        self.stale = False
        """Something was added to the store while another screen was in front."""
        self.lost: str | None = ""
        """A run of its location that is there no more: it closes when it comes to the front."""
        self._handlers: dict[str, Callable[[Any], None]] = {}
        self._waiting: set[str] = set()
        self._held = False
        """Nothing is painted as yet, since the first answer is about to come."""

    def compose(self) -> ComposeResult:
        # Before there are children: later, each of them would be styled twice.
        self._follow_size()
        yield Breadcrumbs()
        yield from self.compose_body()
        yield KeyBar(self.WHERE)

    def compose_body(self) -> ComposeResult:
        """What is between the breadcrumbs and the keys. The first that takes keys has them, unless AUTO_FOCUS says."""
        raise NotImplementedError

    def reload(self) -> None:
        """Ask for everything that the screen shows; also called when the store has grown."""
        raise NotImplementedError

    def reflow(self) -> None:
        """Show what is there at another size; called before anything is there, too."""

    @property
    def explorer(self) -> Explorer:
        return cast("Explorer", self.app)

    # Size

    @property
    def narrow(self) -> bool:
        return self.app.size.width < NARROW

    @property
    def short(self) -> bool:
        return self.app.size.height < SHORT

    def on_resize(self) -> None:
        self._follow_size()
        self.reflow()

    def _follow_size(self) -> None:
        self.set_class(self.narrow, "narrow")
        self.set_class(self.short, "short")

    # From being opened to being left

    def on_mount(self) -> None:
        self.reload()
        if self._waiting:
            self._held = True
            self.set_timer(BLANK, self._appear)

    def _appear(self) -> None:
        if self._held:
            self._held = False
            self.refresh()

    def _compositor_refresh(self) -> None:
        if not self._held:
            super()._compositor_refresh()

    def on_screen_resume(self) -> None:
        """Catch up with what came while another screen was in front."""
        if self.lost:
            self.app.pop_screen()
        elif self.stale:
            self.stale = False
            self.reload()

    def on_unmount(self) -> None:
        self.explorer.gateway.forget(self)

    def catch_up(self) -> None:
        """The store has grown."""
        # A screen that is still to be composed will ask by itself, and one that is being taken down no more.
        if self.query(Breadcrumbs):
            self.reload()

    # Asking

    def ask(self, slot: str, query: Callable[[Reader], T], show: Callable[[T], None]) -> None:
        """Put a question to the store; `show` gets the record, unless something newer was asked in this slot."""
        self._handlers[slot] = show
        self._waiting.add(slot)
        self.query_one(Breadcrumbs).wait()
        self.explorer.gateway.ask(self, slot, query)

    def ask_stream(
        self, slot: str, query: Callable[[Reader], Generator[T, None, None]], show: Callable[[T], None]
    ) -> None:
        """The same for a question that is answered by record after record; `show` gets each as it comes."""
        self.ask(slot, cast("Callable[[Reader], T]", query), show)

    def stop(self, slot: str) -> None:
        """The answer in this slot is no longer wanted."""
        self.explorer.gateway.cancel(self, slot)
        self._settle(slot)

    def _settle(self, slot: str) -> None:
        self._waiting.discard(slot)
        if not self._waiting:
            self.query_one(Breadcrumbs).done()

    def on_loaded(self, event: Loaded) -> None:
        """Hand the record to whoever asked for it."""
        event.stop()
        if self.explorer.gateway.is_current(event.request):
            if not event.more:
                self._settle(event.request.slot)
            self._handlers[event.request.slot](event.record)
            self._appear()

    def on_ended(self, event: Ended) -> None:
        event.stop()
        if self.explorer.gateway.is_current(event.request):
            self._settle(event.request.slot)

    def on_failed(self, event: Failed) -> None:
        """Show what went wrong; there is no silent path."""
        event.stop()
        if self.explorer.gateway.is_current(event.request):
            self._settle(event.request.slot)
            self._appear()
            self.explorer.show_error(event.error)

    @property
    def idle(self) -> bool:
        """Whether every question has been answered; tests wait for it."""
        return not self._waiting

    # Saying

    def tell(self, name: str, text: str | Content) -> None:
        """Show a text in the `Plain` of this id: the heading, the status line, what stands between."""
        self.query_one(f"#{name}", Plain).update(text)

    def crumbs(self, *parts: str) -> None:
        self.query_one(Breadcrumbs).parts = (self.explorer.store_name, *(part for part in parts if part))

    def show_activity(self, activity: str) -> None:
        """A small sign while jobs run."""
        # The first look-out may be answered before the screen is composed.
        for crumbs in self.query(Breadcrumbs):
            crumbs.activity = activity

    def show_strays(self) -> None:
        """Other parts of the store do not count than did."""

    def refuse(self, title: str, next_step: str = "") -> None:
        """A key that cannot do anything here says why."""
        self.explorer.say(str(PasskError(title, next_step=next_step)))

    def copy(self, text: str, what: str) -> None:
        """Put the exact text on the user's clipboard through the terminal (OSC 52), also over SSH."""
        self.explorer.copy_to_clipboard(text)
        self.explorer.say(f"Copied {what}: {with_noun(len(text), 'character')}.")

    # Keys of many screens

    async def on_data_table_row_selected(self) -> None:
        if self.ON_CLICK:
            await self.run_action(self.ON_CLICK)

    def action_search(self) -> None:
        from explorer.screens.search import SearchScreen

        self.app.push_screen(SearchScreen(self.location))

    def action_perplexity(self) -> None:
        """Perplexity of the responses of this location: of its problem, or of all that its filter means."""
        from explorer.screens.perplexity import PerplexityScreen

        self.app.push_screen(PerplexityScreen(self.location, self.problem_label))

    def action_imports(self) -> None:
        from explorer.screens.imports import ImportsScreen

        self.app.clear_notifications()
        self.app.push_screen(ImportsScreen(Location()))

    def action_queue(self) -> None:
        from explorer.screens.queue import QueueScreen

        self.app.push_screen(QueueScreen(self.location))

    def action_audit(self) -> None:
        from explorer.screens.audit import AuditScreen

        if len(self.location.runs) == 2:
            self.app.push_screen(AuditScreen(self.location))
        else:
            self.refuse("An audit is of two runs, base and RL", "Open the curves of a pair.")

    def action_matching(self) -> None:
        """Which problems are one, of the two runs that this screen would export."""
        from explorer.screens.matching import MatchingScreen

        location = self.export_location()
        if len(location.runs) == 2:
            self.app.push_screen(MatchingScreen(location))
        else:
            self.refuse("Problems are matched between two runs", "Show exactly two, or move the cursor to a pair.")

    def read_path(self, run: str, sample: int) -> None:
        """Open a path of this location's problem."""
        from explorer.screens.path import PathScreen

        self.app.push_screen(PathScreen(self.location.to(run=run, sample=sample), self.problem_label))

    def action_copy_permalink(self) -> None:
        line = f"passk {permalink(self.WHERE, self.location)}"
        self.explorer.copy_to_clipboard(line)
        self.explorer.say(f"Copied: {line}")

    def export_location(self) -> Location:
        """The location whose export is asked for; a screen that shows some of its runs names these."""
        return self.location

    def export_context(self) -> ExportContext:
        """What it shows of that location; exports begin with it."""
        return ExportContext()

    def action_export(self) -> None:
        from explorer.screens.export import ExportDialog

        location, context = self.export_location(), self.export_context()
        if not location.benchmark and not context.find:
            self.refuse("There is nothing to export here", "Move the cursor to a pair or a run first.")
            return
        self.app.push_screen(ExportDialog(self.WHERE, location, context))


def next_of(options: Sequence[T], current: T, by: int = 1) -> T:
    """The next (by = 1) or previous of the options, in a circle; the first where the current one is none of them."""
    return options[(options.index(current) + by) % len(options)] if current in options else options[0]
