"""The one way in which text from data reaches a widget: never as markup, never as terminal control."""

from __future__ import annotations

from rich.text import Text
from textual.content import Content

from explorer.render.visible import visible, visible_line


def literal(text: str, style: str = "") -> Content:
    """Text for a `Static`, a title or any other widget that takes `Content`."""
    return Content.styled(visible(text), style) if style else Content(visible(text))


def cell(text: str, style: str = "", *, longest: int = 200, right: bool = False) -> Text:
    """Text on one line for a table cell."""
    return Text(visible_line(text, longest), style=style, justify="right" if right else "left", no_wrap=True)
