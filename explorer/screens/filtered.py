"""What screens of a benchmark's figures share: a filter that holds on all of them and is written out in words."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from textual.app import ComposeResult
from textual.widget import Widget

from backend import Reader, resolve_selector
from backend.errors import PasskError, UsageError
from backend.records.samples import Selection
from explorer.location import Location
from explorer.options import error_rates
from explorer.render.search import feedback, filter_line
from explorer.screens.base import DataScreen
from explorer.widgets.bars import KeyBar
from explorer.widgets.fields import FilterLine
from explorer.widgets.plain import Plain

T = TypeVar("T")


class FilteredScreen(DataScreen):
    """A screen that shows figures of the problems that the location's filter means.

    A subclass asks with `ask_filtered`, whose query gets the problems that count.
    """

    _before: Widget | None = None
    """What had the keys before the line was opened."""

    def compose(self) -> ComposeResult:
        """The filter in words above the keys, and the line in which it is written."""
        for widget in super().compose():
            if isinstance(widget, KeyBar):
                yield Plain(id="filtered")
                yield FilterLine()
            yield widget

    def ask_filtered(
        self, slot: str, query: Callable[[Reader, frozenset[int] | None], T], show: Callable[[T], None]
    ) -> None:
        """Like `ask`; the query also gets the keys of the problems that count, None for all.

        A filter that was right where it was written may mean nothing among other runs (`set:` is of two). It leaves
        nothing out there, which is said where it else stands in words.
        """
        location = self.location

        def read(reader: Reader) -> tuple[Selection | UsageError, T]:
            try:
                meant = _meant(reader, location)
            except UsageError as error:
                return error, query(reader, None)
            return meant, query(reader, meant.problems)

        def handle(answer: tuple[Selection | UsageError, T]) -> None:
            meant, record = answer
            words = self.query_one("#filtered", Plain)
            words.display = bool(location.filter)
            words.set_class(isinstance(meant, UsageError), "wrong")
            words.update(filter_line(location.filter, meant))
            show(record)

        self.ask(slot, read, handle)

    def set_filter(self, text: str) -> None:
        """The filter of this and of every other screen of the benchmark."""
        self.location = self.location.to(filter=text)
        for screen in self.app.screen_stack:
            if isinstance(screen, DataScreen) and screen.location.benchmark == self.location.benchmark:
                screen.stale = screen.stale or (screen is not self and screen.location.filter != text)
                screen.location = screen.location.to(filter=text)
        self.reload()

    def action_suppose(self) -> None:
        """Ask for a rate of false positives; where one is supposed, suppose none."""
        from explorer.screens.dialogs import NoteDialog

        def suppose(text: str | None) -> None:
            if not text:
                return
            try:
                error_rates(text)
            except PasskError as error:
                self.refuse(str(error))
                return
            self.location = self.location.to(false_positives=text.strip())
            self.reload()

        if self.location.false_positives:
            self.location = self.location.to(false_positives="")
            self.reload()
        else:
            self.app.push_screen(NoteDialog("share of incorrect samples called correct: 0.001, or audit"), suppose)

    # The line

    def action_filter(self) -> None:
        self._before = self.focused
        self.query_one(FilterLine).open(self.location.filter)

    def on_filter_line_typed(self, event: FilterLine.Typed) -> None:
        """Say what it means so far."""
        self._try(event.text, lambda _: None)

    def on_filter_line_kept(self, event: FilterLine.Kept) -> None:
        """Keep it, unless it means nothing."""

        def keep(text: str) -> None:
            self._close_line()
            self.set_filter(text.strip())

        self._try(event.text, keep)

    def _try(self, text: str, if_right: Callable[[str], None]) -> None:
        location = self.location.to(filter=text)

        def read(reader: Reader) -> Selection | UsageError:
            try:
                return _meant(reader, location)
            except UsageError as error:
                return error

        def show(answer: Selection | UsageError) -> None:
            line = self.query_one(FilterLine)
            line.say(feedback(answer), wrong=isinstance(answer, UsageError))
            if not isinstance(answer, UsageError):
                if_right(text)

        self.ask("filter", read, show)

    def _close_line(self) -> None:
        self.query_one(FilterLine).close()
        self.set_focus(self._before)

    def go_back(self) -> bool:
        """Esc in the line takes the filter away; True when the line was open."""
        if not self.query_one(FilterLine).is_open:
            return False
        self._close_line()
        if self.location.filter:
            self.set_filter("")
        return True

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While one types, no key is taken before the line has it."""
        typing = any(line.is_open for line in self.query(FilterLine))
        return not (typing and action in ("k_first", "k_last"))


def _meant(reader: Reader, location: Location) -> Selection:
    return resolve_selector(reader, [reader.run(name, location.benchmark) for name in location.runs], location.filter)
