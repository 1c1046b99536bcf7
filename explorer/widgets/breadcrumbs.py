"""The line at the top: where one is, and whether an answer is still on its way."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.timer import Timer
from textual.widget import Widget

from explorer.render.literal import literal
from explorer.render.visible import visible_line

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
        arrow = Content.styled(" › ", "dim")
        line = arrow.join(
            literal(visible_line(part), "bold" if index == len(self.parts) - 1 else "")
            for index, part in enumerate(self.parts)
        )
        if self.activity:
            line = Content.assemble(literal(self.activity, "bold reverse"), " ", line)
        if self.frame < 0:
            return line
        return Content.assemble((FRAMES[self.frame % len(FRAMES)], "bold"), " reading… ", line)

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
