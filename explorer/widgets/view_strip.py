"""The names of views on one line, each with its number; one of them is chosen."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from explorer.render.literal import literal


class ViewStrip(Widget):
    """Names with their numbers; the chosen one in reverse and in brackets, so that it shows without colour."""

    class Picked(Message):
        """A name was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    chosen: reactive[int] = reactive(0)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)

    def render(self) -> Content:
        """The names; where room is short, numbers alone for all but the chosen one."""
        wide = self._line(short=False)
        return wide if wide.cell_length <= self.size.width else self._line(short=True)

    def _line(self, *, short: bool) -> Content:
        parts = []
        for index, name in enumerate(self.names):
            chosen = index == self.chosen
            number = str(index + 1)
            words = number if short else f"{number} {name}"
            label = literal(f"[{name}]" if chosen else words, "bold reverse" if chosen else "")
            parts.append(label.stylize(f"@click=pick({index})"))
        return Content(" ").join(parts)

    def action_pick(self, index: int) -> None:
        """A click on a name."""
        self.post_message(self.Picked(index))
