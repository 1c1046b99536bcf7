"""One of a few things, chosen with left and right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from explorer.render.literal import literal


class Choice(Static, can_focus=True):
    """Shows what is chosen between two marks; `Changed` tells that it is another."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "choose(-1)", "Previous", show=False),
        Binding("right,l,space", "choose(1)", "Next", show=False),
    ]

    class Changed(Message):
        """Something else is chosen."""

    chosen = reactive(0)
    """Its place among the options."""

    def __init__(self, options: Sequence[str], name: str) -> None:
        super().__init__(id=name)
        self.options = tuple(options)

    def render(self) -> Content:
        """The option, with marks where there are others."""
        words = self.options[self.chosen]
        return literal(f"‹ {words} ›" if len(self.options) > 1 else f"  {words}")

    def watch_chosen(self) -> None:
        """Tell it."""
        self.post_message(self.Changed())

    def action_choose(self, by: int) -> None:
        """The next option, or the previous one."""
        self.chosen = (self.chosen + by) % len(self.options)
