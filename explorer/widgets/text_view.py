"""Exact text of any length, wrapped and scrolled line by line, alone or beside another; only lines in view are made."""

from __future__ import annotations

from bisect import bisect_right

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.geometry import Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from explorer.render.compare import AlignedPair
from explorer.render.text import Line, VisibleText, to_visible, wrap

# Exact text of any length, wrapped, scrolled line by line; only the lines in view are ever painted.


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
        self.painted = to_visible("")
        """What is painted."""
        self._lines: list[Line] = [(0, 0)]
        self._wrapped_at = 0
        self._revealing = False
        """The mark is to be brought into sight as soon as the text is laid out."""

    def show(
        self, text: str, mark: tuple[int, int] | None = None, painted: VisibleText | None = None, *, keep: bool = False
    ) -> None:
        """Show a text.

        Args:
            text: as it is stored; this is what is copied.
            mark: a stretch of it to point out.
            painted: the text as it is to be painted; as it is stored when omitted.
            keep: it is the text that was there, painted otherwise: the character at the top stays there.
        """
        first = self.painted.stored_position(self._first) if keep else 0
        self.set_reactive(TextView.text, text)
        self.set_reactive(TextView.mark, mark)
        self.painted = to_visible(text) if painted is None else painted
        self._wrapped_at = 0
        self._wrap()
        top = self._line_of(self.painted.shown_position(first)) if first else 0
        self.scroll_to(0, top, animate=False, immediate=True)
        self.refresh()

    @property
    def _first(self) -> int:
        """The character at the top, of what is painted."""
        return self._lines[min(self.scroll_offset.y, len(self._lines) - 1)][0]

    @property
    def lines(self) -> int:
        return len(self._lines)

    def _wrap(self) -> None:
        # Room for the scrollbar is kept always: when it comes, no line is cut, and none is wrapped twice.
        width = self.content_region.width - self.styles.scrollbar_size_vertical
        if width > 0 and width != self._wrapped_at:
            self._wrapped_at = width
            self._lines = self.broken(width)
            self.virtual_size = Size(width, len(self._lines))

    def broken(self, width: int) -> list[Line]:
        return wrap(self.painted.text, width)

    def on_resize(self) -> None:
        """Wrap anew, and keep the character at the top at the top."""
        first = self._first
        before = self._wrapped_at
        self._wrap()
        if self._wrapped_at != before:
            if before:
                self.scroll_to(y=self._line_of(first), animate=False, immediate=True)
            elif self._revealing:
                self.call_after_refresh(self.reveal_mark)
            self.refresh()

    def _line_of(self, position: int) -> int:
        return max(bisect_right(self._lines, position, key=lambda line: line[0]) - 1, 0)

    def scroll_to_mark(self) -> bool:
        """Bring the marked stretch into the middle; False when there is none."""
        if (marked := self.pointed_out) is None:
            return False
        self.show_position(marked[0], self.size.height // 2)
        return True

    @property
    def pointed_out(self) -> tuple[int, int] | None:
        """The marked stretch, in what is painted."""
        return (
            None
            if self.mark is None
            else (self.painted.shown_position(self.mark[0]), self.painted.shown_position(self.mark[1]))
        )

    def point_at(self, stretch: tuple[int, int]) -> None:
        """Mark a stretch of the stored text, and bring it into sight."""
        self.mark = stretch
        self.reveal_mark()

    def reveal_mark(self) -> None:
        """Bring the marked stretch into the middle, unless it is in sight; once there is room, if there is none yet."""
        self._revealing = not self._wrapped_at
        if (marked := self.pointed_out) is not None:
            line = self._line_of(marked[0]) - self.scroll_offset.y
            if not 0 <= line < self.size.height:
                self.scroll_to_mark()

    @property
    def first_stored(self) -> int:
        """The character at the top, of the stored text."""
        return self.painted.stored_position(self._first)

    def show_position(self, position: int, above: int) -> None:
        """Scroll so that a character of what is painted stands below this many lines."""
        # By force: a long text that has just come has no scroll bar yet, without which it would stay where it is.
        self.scroll_to(y=max(self._line_of(position) - above, 0), animate=False, immediate=True, force=True)

    def render_line(self, y: int) -> Strip:
        style = self.rich_style
        width = self.scrollable_content_region.width
        index = y + self.scroll_offset.y
        if index >= len(self._lines):
            return Strip.blank(width, style)
        start, end = self._lines[index]
        return Strip(self._segments(start, end, style)).adjust_cell_length(width, style)

    def _segments(self, start: int, end: int, style: Style) -> list[Segment]:
        """The pieces of one line: as the spans say, and the marked stretch over them."""
        text, spans = self.painted.text, self.painted.spans
        pieces: list[tuple[int, int, Style]] = []
        at = start
        for first, last, words in spans[bisect_right(spans, start, key=lambda span: span[1]) :]:
            if first >= end:
                break
            pieces.append((at, first, style))
            pieces.append((max(first, start), min(last, end), style + Style.parse(words)))
            at = min(last, end)
        pieces.append((at, end, style))
        if (marked := self.pointed_out) is not None:
            over = self.get_component_rich_style("text-view--mark", partial=True)
            pieces = [part for piece in pieces for part in _over(piece, *marked, over)]
        return [Segment(text[a:b], look) for a, b, look in pieces if b > a]


def _over(piece: tuple[int, int, Style], first: int, last: int, look: Style) -> list[tuple[int, int, Style]]:
    """A piece of a line, what is in a stretch of it looking otherwise."""
    start, end, style = piece
    first, last = max(first, start), min(last, end)
    if first >= last:
        return [piece]
    return [(start, first, style), (first, last, style + look), (last, end, style)]


# One of two texts that stand side by side: its lines have partners in the other, and both may scroll as one.


class AlignedView(TextView):
    """A text whose lines are those of a pair."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - as Textual calls it
        super().__init__(id=id)
        self.partner: AlignedView | None = None
        self.follows = True
        """Whether it scrolls when its partner does."""
        self._difference: tuple[int, int] | None = None
        self._pair: AlignedPair | None = None
        self._side = 0

    def show_side(self, text: str, pair: AlignedPair, side: int) -> None:
        """Show one text of a pair: side 0 is left."""
        self._pair, self._side, self._difference = pair, side, None
        self.show(text, painted=pair.right if side else pair.left)

    def broken(self, width: int) -> list[Line]:
        """The pair's lines; the screen makes both sides equally wide."""
        return [(0, 0)] if self._pair is None else self._pair.lines(self._side, width)

    def point_out(self, stretch: tuple[int, int], above: int) -> None:
        """Mark a stretch of what is painted, and bring it below so many lines."""
        self._difference = stretch
        self.show_position(stretch[0], above)
        self.refresh()

    @property
    def pointed_out(self) -> tuple[int, int] | None:
        """The difference one is at, with its signs."""
        return self._difference

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take the partner along."""
        super().watch_scroll_y(old_value, new_value)
        partner = self.partner
        if partner is not None and partner.follows and partner.scroll_y != new_value:
            partner.scroll_to(y=new_value, animate=False, immediate=True)
