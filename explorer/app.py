"""The app: first screen, global keys, errors, and the look-out for what others add to the store."""

from __future__ import annotations

from typing import ClassVar

from textual.app import App
from textual.binding import BindingType

from backend import Database, Reader
from backend.errors import PasskError
from explorer.actions import EVERYWHERE, bindings
from explorer.gateway import Failed, Gateway, Loaded
from explorer.navigation import Place
from explorer.palette import Actions
from explorer.render.visible import visible
from explorer.screens.base import DataScreen
from explorer.screens.dialogs import error_dialog, help_dialog

LOOK_OUT = 1.0
"""Seconds between looks into the store's parts."""


class Explorer(App[None]):
    """Opens a store at Home."""

    TITLE = "passk"
    CSS_PATH = "styles/app.tcss"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {Actions}
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    PAUSE_GC_ON_SCROLL: ClassVar = True

    def __init__(self, database: Database) -> None:
        super().__init__()
        # Every frame of an animation is bytes on a slow link.
        self.animation_level = "none"
        self.database = database
        self.gateway = Gateway(database)
        self.store_path = str(database.layout.root)
        self.store_name = database.layout.root.name
        self._seen_failure = ""

    def on_mount(self) -> None:
        """Home first; then look out once a second."""
        from explorer.screens.home import HomeScreen

        self.push_screen(HomeScreen(Place()))
        self.set_interval(LOOK_OUT, self.look_out)

    def look_out(self) -> None:
        """See whether parts have come; the answer decides whether screens ask again."""
        self.gateway.ask(self, "look-out", lambda reader: refreshed(reader))

    def on_loaded(self, event: Loaded) -> None:
        """The look-out's answer: the screen in front asks again, those behind when they come to the front."""
        self._seen_failure = ""
        if event.record:
            for screen in self.screen_stack:
                if isinstance(screen, DataScreen):
                    screen.stale = screen is not self.screen
            if isinstance(self.screen, DataScreen):
                self.screen.reload()

    def on_failed(self, event: Failed) -> None:
        """A damaged part, for example. It fails at every look; one dialog says so."""
        if str(event.error) != self._seen_failure:
            self._seen_failure = str(event.error)
            self.show_error(event.error)

    def show_error(self, error: PasskError) -> None:
        """The one place where failures become visible."""
        self.push_screen(error_dialog(error))

    def say(self, text: str) -> None:
        """A word in the corner, instead of the one before; never markup."""
        self.clear_notifications()
        self.notify(visible(text), markup=False, timeout=4)

    async def action_back(self) -> None:
        """To where one was; at Home there is nothing behind."""
        screen = self.screen
        go_back = getattr(screen, "go_back", None)
        if go_back is not None and go_back():
            return
        if len(self.screen_stack) > 2:
            self.pop_screen()

    def action_help(self) -> None:
        """The keys of the screen in front."""
        self.push_screen(help_dialog(getattr(self.screen, "WHERE", "")))

    async def on_unmount(self) -> None:
        """Threads end before the store is closed."""
        self.gateway.close()


def refreshed(reader: Reader) -> bool:
    """Take in new parts; whether there were any."""
    return reader.database.refresh()
