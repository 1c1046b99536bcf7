"""The app: first screen, global keys, errors, and the look-out for what others add to the store."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable, Sequence, Set
from functools import partial
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any, ClassVar

from textual.binding import BindingType
from textual.command import DiscoveryHit, Hit, Hits, Provider

from backend import (
    Database,
    JudgementBook,
    Reader,
    Stray,
    author_name,
    is_arriving,
    is_sample_store,
    running_jobs,
    strays_in_words,
)
from backend.errors import PasskError, StoreAway, StoreReplaced
from backend.records import Run
from backend.visible_text import visible
from explorer.actions import EVERYWHERE, Action, actions_of, bindings
from explorer.gateway import Failed, Gateway, Loaded
from explorer.location import SCREENS, Location, ResolvedPermalink, permalink
from explorer.reading_marks import ReadingMarks, marks_path
from explorer.screens.base import DECIDED, DataScreen
from explorer.screens.dialogs import Dialog, error_dialog, help_dialog
from explorer.steady import SteadyApp
from explorer.terminal import driver, end_on_signals

if TYPE_CHECKING:
    from explorer.following import FollowerTold, Following, LookedOver

LOOK_OUT = 1.0
"""Seconds between looks into the store's parts."""

MOST_TITLES = 8
"""Damaged parts that one dialog names."""

LONGEST_START = 10.0
"""Seconds after which garbage is collected again, whether or not the start has come to its end."""


class Actions(Provider):
    """The command palette offers the actions of the screen in front, from the action table."""

    def _offers(self) -> list[tuple[Action, Callable[[], Any]]]:
        where = getattr(self.screen, "WHERE", "")
        return [
            (action, partial(self.app.run_action, action.name, self.screen if where in action.where else self.app))
            for action in actions_of(where)
            if action.name != "command_palette"
        ]

    async def discover(self) -> AsyncIterator[DiscoveryHit]:
        for action, run in self._offers():
            yield DiscoveryHit(action.help, run, help=f"key {action.shown_key}")

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for action, run in self._offers():
            if (score := matcher.match(action.help)) > 0:
                yield Hit(score, matcher.highlight(action.help), run, help=f"key {action.shown_key}")


class Explorer(SteadyApp):
    """Opens a store at Home."""

    TITLE = "passk"
    CSS_PATH: ClassVar = [f"styles/{name}.tcss" for name in ("screens", "form")]
    ENABLE_COMMAND_PALETTE = True
    COMMANDS: ClassVar = {Actions}
    BINDINGS: ClassVar[list[BindingType]] = bindings(EVERYWHERE)
    PAUSE_GC_ON_SCROLL: ClassVar = True

    def __init__(
        self, database: Database, at: ResolvedPermalink | None = None, following: Following | None = None
    ) -> None:
        """`following` is the path whose results the store is of."""
        super().__init__(driver_class=driver())
        self._at = at
        self.following = following
        # Every frame of an animation is bytes on a slow link.
        self.animation_level = "none"
        self.database = database
        self.gateway = Gateway(database)
        self.store_path = str(database.layout.root)
        self.store_name = database.layout.root.name
        self.is_sample = is_sample_store(database.layout)
        self.judgement_book = JudgementBook(database.layout, author_name(), own_key=database.own_key)
        self.marks = ReadingMarks(marks_path(self.store_name))
        self._seen_failure = ""
        self.strays: Sequence[Stray] = tuple(database.strays)
        """Folders of the store's parts that do not count."""
        self._seen_strays: set[str] = set()
        self._looking = False
        self._away: Dialog | None = None
        """What says that the store is not there, as long as it is not."""
        self.reopen_at: str | None = None
        """The permalink at which the store is to be opened anew, after this explorer has ended."""

    def on_mount(self) -> None:
        from explorer.screens.home import HomeScreen

        end_on_signals(self)
        self.push_screen(HomeScreen(Location()))
        if self._at is not None:
            self.go_to(self._at)
        self.set_interval(LOOK_OUT, self.look_out)
        if self.following is not None:
            self.following.begin(self)
        # Also where Home never comes, because the store cannot be read.
        self.set_timer(LONGEST_START, collect_again)

    def go_to(self, at: ResolvedPermalink) -> None:
        """From Home down to a location, so that Esc leads up again."""
        from explorer.screens.curves import CurvesScreen
        from explorer.screens.path import PathScreen
        from explorer.screens.problem import ProblemScreen
        from explorer.screens.sets import SetsScreen

        way = SCREENS[1 : SCREENS.index(at.screen) + 1]
        location = at.location
        above: dict[str, Callable[[], DataScreen]] = {
            "curves": lambda: CurvesScreen(location.to(solved=None, problem=None, run=None, sample=None)),
            "sets": lambda: SetsScreen(location.to(problem=None, run=None, sample=None)),
            "problem": lambda: ProblemScreen(location.to(sample=None), at.label),
            "path": lambda: PathScreen(location, at.label),
        }
        for screen in way:
            # Solve sets are of two runs or more.
            if screen != "sets" or len(location.runs) > 1:
                self.push_screen(above[screen]())

    def from_home_to(self, at: ResolvedPermalink) -> None:
        """Leave where one is, and go down to another location from Home."""
        while len(self.screen_stack) > 2:
            self.pop_screen()
        self.go_to(at)

    def action_bookmarks(self) -> None:
        from explorer.screens.bookmarks import BookmarksScreen

        if not isinstance(self.screen, BookmarksScreen):
            self.push_screen(BookmarksScreen(Location()))

    def load_screens(self) -> None:
        """Import what comes after Home while the user looks at it."""

        def load() -> None:
            for name in ("curves", "sets", "problem", "path"):
                import_module(f"explorer.screens.{name}")
            collect_again()

        Thread(target=load, name="load-screens", daemon=True).start()

    def look_out(self) -> None:
        """See whether parts have come; the answer decides whether screens ask again."""
        # One look that takes long must not be superseded: what it has taken in would be news to nobody.
        if not self._looking:
            self._looking = True
            self.gateway.ask(self, "look-out", look_out)

    def on_loaded(self, event: Loaded) -> None:
        """The look-out's answer: the screen in front asks again, those behind when they come to the front."""
        self._seen_failure, self._looking = "", False
        self._is_back()
        changed, activity, strays = event.record
        self._show_strays(strays)
        for screen in self.screen_stack:
            if isinstance(screen, DataScreen):
                screen.show_activity(activity)
        if changed:
            self.mark_stale()
            if isinstance(self.screen, DataScreen):
                self.screen.catch_up()

    def _show_strays(self, strays: Sequence[Stray]) -> None:
        """Home says how many do not count; what is no mere arrival is told once as well, all that is new together."""
        if [str(stray) for stray in strays] != [str(stray) for stray in self.strays]:
            self.strays = strays
            for screen in self.screen_stack:
                if isinstance(screen, DataScreen):
                    screen.show_strays()
        new = [stray for stray in strays if not is_arriving(stray) and str(stray) not in self._seen_strays]
        self._seen_strays.update(map(str, new))
        if len(new) > 1:
            titles = "\n".join(stray.title for stray in new[:MOST_TITLES])
            more = f"\nand {len(new) - MOST_TITLES} more" if len(new) > MOST_TITLES else ""
            self.show_error(PasskError(strays_in_words(new), titles + more, new[0].next_step))
        elif new:
            self.show_error(new[0])

    def show_following(self) -> None:
        """Home says what is followed."""
        from explorer.screens.home import HomeScreen

        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.show_following()

    def on_looked_over(self, event: LookedOver) -> None:
        if self.following is not None:
            self.following.looked_over(event.outlook)

    def on_follower_told(self, event: FollowerTold) -> None:
        if self.following is not None:
            self.following.told(event.event)

    def mark_stale(self) -> None:
        """The store holds more: screens behind the one in front ask again when they come to the front."""
        for screen in self.screen_stack:
            if isinstance(screen, DataScreen):
                screen.stale = screen is not self.screen

    def on_failed(self, event: Failed) -> None:
        """A damaged part, for example. It fails at every look; one dialog says so."""
        self._looking = False
        if isinstance(event.error, StoreReplaced):
            # What is open is of a file that no path leads to any more.
            screens = [screen for screen in self.screen_stack if isinstance(screen, DataScreen)]
            self.reopen_at = permalink(screens[-1].WHERE, screens[-1].location) if screens else "@home"
            self.exit()
        elif str(event.error) != self._seen_failure:
            self._seen_failure = str(event.error)
            dialog = error_dialog(event.error)
            self._away = dialog if isinstance(event.error, StoreAway) else None
            self.push_screen(dialog)

    def _is_back(self) -> None:
        """The store is there again; nothing had to be opened anew."""
        if self._away is not None:
            if self.screen is self._away:
                self.pop_screen()
            self._away = None
            self.say(f"{self.store_path} is there again.")

    def show_error(self, error: PasskError) -> None:
        """The one place where failures become visible."""
        self.push_screen(error_dialog(error))

    def say(self, text: str, seconds: float = 4.0) -> None:
        """A word in the corner, instead of the one before; never markup."""
        self.clear_notifications()
        self.notify(visible(text), markup=False, timeout=seconds)

    def run_names(self) -> frozenset[str]:
        """The runs that the screens show, by name."""
        shown = [screen.location for screen in self.screen_stack if isinstance(screen, DataScreen)]
        return frozenset(name for at in shown for name in (*at.runs, at.run) if name is not None)

    def decided(self, lines: Sequence[str], gone: Set[str]) -> None:
        """Something was decided in a dialog: say it, and let every screen follow; those of runs that are gone close."""
        for screen in self.screen_stack:
            if isinstance(screen, DataScreen):
                screen.lost = next((name for name in (*screen.location.runs, screen.location.run) if name in gone), "")
        self.mark_stale()
        if isinstance(self.screen, DataScreen):
            self.screen.catch_up()
        self.say("\n".join(lines), DECIDED)

    async def action_back(self) -> None:
        """To where one was; at Home there is nothing behind."""
        screen = self.screen
        go_back = getattr(screen, "go_back", None)
        if go_back is not None and go_back():
            return
        if len(self.screen_stack) > 2:
            self.pop_screen()

    def action_jobs(self) -> None:
        from explorer.screens.jobs import JobsScreen

        if not isinstance(self.screen, JobsScreen):
            self.push_screen(JobsScreen(Location()))

    def resample(self, runs: Sequence[Run], problems: Sequence[str]) -> None:
        """Ask how many more samples of these problems, and start the jobs."""
        from explorer.screens.resample import ResampleDialog

        def started(jobs: int | None) -> None:
            if jobs:
                self.say(f"{jobs} {'job' if jobs == 1 else 'jobs'} started; J shows them. They go on when you leave.")

        self.push_screen(ResampleDialog(runs, problems), started)

    def action_help(self) -> None:
        self.push_screen(help_dialog(getattr(self.screen, "WHERE", "")))

    async def on_unmount(self) -> None:
        """Threads end before the store is closed."""
        self.gateway.close()


def collect_again() -> None:
    """Switch the garbage collection on that `open_explorer` switched off; what is there now is not looked through.

    To look through it would take 80 ms each time.
    """
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def look_out(reader: Reader) -> tuple[bool, str, Sequence[Stray]]:
    """Take in new parts; whether there were any, the running jobs in a few words, and which parts do not count."""
    changed, strays = reader.database.refresh(), reader.database.strays
    running = running_jobs(reader.database.layout)
    if not running:
        return changed, "", strays
    share = sum(status.samples for status in running) / max(sum(status.wanted for status in running), 1)
    return changed, f"▶ {len(running)} {'job' if len(running) == 1 else 'jobs'} {share:.0%}", strays
