"""The lines at the edges of a screen: where one is, and its keys."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from backend.visible_text import visible_line
from explorer.actions import Action, actions_of
from explorer.render.text import join_words, literal

# The line at the top: where one is, and whether an answer is still on its way.

FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
PATIENCE = 0.2
"""Seconds before the spinner appears: most answers are there sooner, and a flash would only disturb."""


class Breadcrumbs(Widget):
    """`store › benchmark › runs › set › problem`, and a spinner while something is read."""

    parts: reactive[tuple[str, ...]] = reactive(())
    activity: reactive[str] = reactive("")
    """Running jobs in a few words; empty while there are none."""
    frame: reactive[int] = reactive(-1)
    """Frame of the spinner; -1 while it is hidden."""

    _timer: Timer | None = None

    def render(self) -> Content:
        """The whole line; the last part is bright."""
        *above, last = [visible_line(part) for part in self.parts] or [""]
        words: list[str | Content] = []
        if self.frame >= 0:
            words += [literal(FRAMES[self.frame % len(FRAMES)], "bold"), "reading…"]
        if self.activity:
            words.append(literal(self.activity, "bold reverse"))
        way = [part for name in above for part in (literal(name), literal(" › ", "dim"))]
        return join_words([*words, join_words([*way, literal(last, "bold")], "")], " ")

    def wait(self) -> None:
        """An answer is on its way; show it if it takes long."""
        if self._timer is None:
            self._timer = self.set_timer(PATIENCE, self._turn)

    def _turn(self) -> None:
        if self._timer is None:
            # The answer came while this turn was already on its way.
            return
        self.frame += 1
        self._timer = self.set_timer(0.1, self._turn)

    def done(self) -> None:
        """Every answer is there."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.frame = -1


# The keys of a screen on its last line, from the action table. One widget: a widget a key takes 40 ms a screen.

LAST = 2
"""Keys of everywhere, at the end: back and help."""


def first_key(shown_key: str) -> str:
    """One key of an action; what is held down with it belongs to it: ctrl+o, but → of → and n."""
    first, *others = shown_key.split()
    return f"{first}+{others[0]}" if first in ("ctrl", "shift") and others else first


class KeyBar(Widget):
    """What the keys do here; a click on one presses it."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._actions: list[Action] = [action for action in actions_of(where) if action.in_footer]

    def render(self) -> Content:
        """Keys and labels, one key of each action. Where room is short, the way back and the help stay."""
        parts = [
            join_words([literal(first_key(action.shown_key), "bold $accent"), action.label], " ").stylize(
                f"@click=press({index})"
            )
            for index, action in enumerate(self._actions)
        ]
        wide, tight = join_words(parts), join_words(parts, " ")
        if wide.cell_length <= self.size.width:
            return wide
        while tight.cell_length > self.size.width and len(parts) > LAST:
            del parts[-LAST - 1]
            tight = join_words(parts, " ")
        return tight

    def action_press(self, index: int) -> None:
        self.app.simulate_key(self._actions[index].keys.split(",")[0])
