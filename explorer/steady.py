"""Keys and messages that come too early or too late: their target is not there yet, or no more.

Keys wait in queues, so that two of one packet may reach a screen of which the first has led away, and an answer may
reach one that is being taken down. An action of a screen that is not in front is dropped. What does not find its row or
widget while its screen is being built, left, or waiting for an answer is dropped too. On a screen that stands still the
same is an error of passk, and stays one.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

from textual.app import App, ScreenStackError
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.css.query import NoMatches
from textual.dom import DOMNode, NoScreen
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets.data_table import CellDoesNotExist, ColumnDoesNotExist, RowDoesNotExist

Result = TypeVar("Result")

GONE = (NoMatches, NoScreen, ScreenStackError, LookupError, RowDoesNotExist, CellDoesNotExist, ColumnDoesNotExist)
"""What is raised where something is not there."""


def is_settled(screen: Screen[Any]) -> bool:
    """Whether a screen stands still: in front, built, and with an answer to all that it asked."""
    stack = screen.app._screen_stack  # the property raises where there is none
    return (
        # What Textual's palette does to an empty list is not ours to mend.
        not isinstance(screen, CommandPalette)
        and screen.is_running
        and screen.is_mounted
        and bool(stack)
        and stack[-1] is screen
        and not screen.message_queue_size
        and bool(getattr(screen, "idle", True))
    )


class Steady(MessagePump):
    """A screen or widget that drops messages whose subject is not there while its screen changes."""

    async def _dispatch_message(self, message: Message) -> None:
        try:
            await super()._dispatch_message(message)
        except GONE:
            screen = _screen_of(self)
            if screen is not None and is_settled(screen):
                raise


class SteadyDialog(Steady, ModalScreen[Result]):
    """A dialog that is dismissed once: a second time would take away what is behind it."""

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        return super().dismiss(result) if _is_in_front(self) else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


class Palette(Steady, CommandPalette):
    """Textual's palette, in which enter may come twice."""

    def dismiss(self, result: Any = None) -> AwaitComplete:
        return super().dismiss(result) if _is_in_front(self) else AwaitComplete.nothing()  # type: ignore[no-untyped-call]


def _is_in_front(screen: Screen[Any]) -> bool:
    stack = screen.app._screen_stack
    return bool(stack) and stack[-1] is screen


class SteadyApp(App[None]):
    """An app that drops actions whose target is not there yet or no more."""

    async def _dispatch_action(self, namespace: DOMNode, action_name: str, params: Any) -> bool:
        screen = _screen_of(namespace)
        if screen is not None and not self._takes_actions(screen):
            return True
        # The app's own actions ask the screen in front.
        asked = screen or (self._screen_stack[-1] if self._screen_stack else None)
        try:
            return await super()._dispatch_action(namespace, action_name, params)
        except GONE:
            if asked is not None and is_settled(asked):
                raise
            return True

    def action_command_palette(self) -> None:
        if not CommandPalette.is_open(cast("App[object]", self)):
            self.push_screen(Palette(id="--command-palette"))

    def _handle_exception(self, error: Exception) -> None:
        # The last screen is gone: keys that come now have nobody to go to.
        if isinstance(error, GONE) and not self._screen_stack:
            return
        super()._handle_exception(error)

    def _takes_actions(self, screen: Screen[Any]) -> bool:
        stack = self._screen_stack
        # The palette is still in front when what was chosen in it runs.
        in_front = bool(stack) and (screen is stack[-1] or isinstance(stack[-1], CommandPalette))
        return in_front and screen.is_running


def _screen_of(namespace: object) -> Screen[Any] | None:
    """The screen that an action is of; None for the app's own, and for a widget that has just been taken away."""
    if isinstance(namespace, Screen):
        return namespace
    try:
        return namespace.screen if isinstance(namespace, Widget) else None
    except NoScreen:
        return None
