"""Exact text of any length, wrapped, scrolled line by line; only the lines in view are ever painted."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from explorer.render.visible import visible
from explorer.render.wrap import Line, wrap


class TextView(ScrollView, can_focus=True, inherit_bindings=False):
    """Shows text from data; what could command the terminal is shown as symbols. Copying takes `text`, the original.

    The keys for left and right are the screen's: lines are wrapped, there is nothing to scroll to.
    """

    COMPONENT_CLASSES = {"text-view--mark"}
    BINDINGS = [
        Binding("down,j", "scroll_down", show=False),
        Binding("up,k", "scroll_up", show=False),
        Binding("g,home", "scroll_home", show=False),
        Binding("G,end", "scroll_end", show=False),
        Binding("pagedown,space", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
    ]

    text: reactive[str] = reactive("", init=False)
    mark: reactive[tuple[int, int] | None] = reactive(None, init=False)
    """Start and end of a stretch to point out, in characters."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self._visible = ""
        self._lines: list[Line] = [(0, 0)]
        self._wrapped_at = 0

    def show(self, text: str, mark: tuple[int, int] | None = None) -> None:
        """Show another text from its beginning."""
        self.set_reactive(TextView.text, text)
        self.set_reactive(TextView.mark, mark)
        self._visible = visible(text)
        self._wrapped_at = 0
        self._wrap()
        self.scroll_to(0, 0, animate=False, immediate=True)
        self.refresh()

    @property
    def lines(self) -> int:
        """How many lines the text takes at this width."""
        return len(self._lines)

    def _wrap(self) -> None:
        # Room for the scrollbar is kept always: when it comes, no line is cut, and none is wrapped twice.
        width = self.content_region.width - self.styles.scrollbar_size_vertical
        if width > 0 and width != self._wrapped_at:
            self._wrapped_at = width
            self._lines = wrap(self._visible, width)
            self.virtual_size = Size(width, len(self._lines))

    def on_resize(self) -> None:
        """Wrap anew, and keep the character at the top at the top."""
        first = self._lines[min(self.scroll_offset.y, len(self._lines) - 1)][0]
        before = self._wrapped_at
        self._wrap()
        if self._wrapped_at != before:
            if before:
                self.scroll_to(y=self._line_of(first), animate=False, immediate=True)
            self.refresh()

    def _line_of(self, position: int) -> int:
        from bisect import bisect_right

        return max(bisect_right(self._lines, position, key=lambda line: line[0]) - 1, 0)

    def scroll_to_mark(self) -> bool:
        """Bring the marked stretch into the middle; False when there is none."""
        if self.mark is None:
            return False
        line = self._line_of(self.mark[0])
        self.scroll_to(y=max(line - self.size.height // 2, 0), animate=False, immediate=True)
        return True

    def render_line(self, y: int) -> Strip:
        """One line of the window."""
        style = self.rich_style
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, style)
        start, end = self._lines[index]
        return Strip(self._segments(start, end, style)).adjust_cell_length(width, style)

    def _segments(self, start: int, end: int, style: Style) -> list[Segment]:
        text, mark = self._visible, self.mark
        if mark is None or mark[1] <= start or mark[0] >= end:
            return [Segment(text[start:end], style)]
        first, last = max(mark[0], start), min(mark[1], end)
        marked = style + self.get_component_rich_style("text-view--mark", partial=True)
        pieces = ((start, first, style), (first, last, marked), (last, end, style))
        return [Segment(text[a:b], look) for a, b, look in pieces if b > a]
