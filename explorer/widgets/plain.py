"""Text on a screen, and a box around it: the one place in the explorer where Textual is given something to show."""

from __future__ import annotations

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from backend.visible_text import visible
from explorer.render.text import literal


class Plain(Static):
    """Shows a string as it is: never markup, and what could command the terminal becomes a visible symbol."""

    def __init__(self, text: str | Content = "", *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(_shown(text), markup=False, id=id, classes=classes)

    def update(self, text: str | Content = "", *, layout: bool = True) -> None:  # type: ignore[override]
        super().update(_shown(text), layout=layout)


def _shown(text: str | Content) -> Content:
    """`visible` keeps the length, so spans stay where they are."""
    return literal(text) if isinstance(text, str) else Content(visible(text.plain), list(text.spans))


class Box(VerticalScroll):
    """A box with a title above and a hint below; what stands in it scrolls."""

    def __init__(self, title: str, hint: str, *, can_focus: bool = True) -> None:
        super().__init__(can_focus=can_focus)
        self.border_title = literal(title)
        self.border_subtitle = literal(hint)
