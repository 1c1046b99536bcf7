"""The solve sets with their counts on a line or two; one of them is selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from explorer.render.literal import literal


@dataclass(frozen=True, slots=True)
class Chip:
    """One set: its name and how many problems it holds."""

    name: str
    count: int
    solved: tuple[bool, ...] | None
    """None for all problems."""


class SetStrip(Widget):
    """Chips that add up to the last one, which is all problems."""

    class Picked(Message):
        """A set was clicked."""

        def __init__(self, solved: tuple[bool, ...] | None) -> None:
            super().__init__()
            self.solved = solved

    chips: reactive[Sequence[Chip]] = reactive((), layout=True)
    selected: reactive[tuple[bool, ...] | None] = reactive(None)

    def render(self) -> Content:
        """The chips; the selected one in reverse and in brackets, so that it shows without colour."""
        parts: list[Content] = []
        for index, chip in enumerate(self.chips):
            chosen = chip.solved == self.selected
            style = "bold reverse" if chosen else ""
            label = literal(f"[{chip.name} {chip.count:,}]" if chosen else f" {chip.name} {chip.count:,} ", style)
            parts.append(label.stylize(f"@click=pick({index})"))
            if index < len(self.chips) - 1:
                parts.append(Content(" = " if index == len(self.chips) - 2 else " + "))
        return Content("").join(parts)

    def action_pick(self, index: int) -> None:
        """A click on a chip."""
        self.post_message(self.Picked(self.chips[index].solved))

    def on_click(self, event: Click) -> None:
        """Clicks between chips do nothing."""
        event.stop()
