"""Text as a widget may show it: never as markup, never as terminal control; wrapped, and with stretches pointed out."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rich.cells import get_character_cell_size
from rich.text import Text
from textual.content import Content

from backend.visible_text import visible, visible_line

# The one way in which text from data reaches a widget: never as markup, never as terminal control.


def literal(text: str, style: str = "") -> Content:
    """Text as it is, in a style."""
    return Content.styled(visible(text), style) if style else Content(visible(text))


def join_words(parts: Iterable[str | Content], between: str = "  ") -> Content:
    """Text beside each other."""
    return Content(between).join(literal(part) if isinstance(part, str) else part for part in parts)


def join_lines(parts: Iterable[str | Content]) -> Content:
    """Text under each other."""
    return join_words(parts, "\n")


def cell(text: str, style: str = "", *, longest: int = 200, right: bool = False) -> Text:
    """Text on one line for a table cell."""
    return Text(visible_line(text, longest), style=style, justify="right" if right else "left", no_wrap=True)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table on a screen: all that is said of it, in one place. Equal ones may differ in their values."""

    key: str
    heading: str
    width: int
    """In cells."""
    right: bool = False
    value: Callable[[Any], str | Text] = field(default=str, compare=False)
    """What stands in it of an item; a `Text` where parts of it look different."""
    style: Callable[[Any], str] = field(default=lambda _: "", compare=False)

    def cell(self, item: Any) -> Text:
        made = self.value(item)
        return made if isinstance(made, Text) else cell(made, self.style(item), longest=self.width, right=self.right)


def room_beside(columns: Iterable[Column], width: int) -> int:
    """Cells that these columns leave to another one in so many, each with a space on both sides."""
    return width - 2 - sum(column.width + 2 for column in columns)


SPECIAL = re.compile(r"<[|｜][^<>|｜\n]{1,48}[|｜]>|</?(?:s|bos|eos|pad|unk|think|answer|tool_call)>|\[/?INST\]")
"""Tokens that templates and tokenizers give a meaning."""

SPECIAL_STYLE = "bold magenta"


# A text as it is painted: what stands there, how it looks, and which character of it is which of the stored text.


@dataclass(frozen=True, slots=True)
class VisibleText:
    """Made by the views of a path. What a view adds or replaces is recorded in `moves`."""

    text: str
    """Went through `visible`."""
    spans: tuple[tuple[int, int, str], ...] = ()
    """Start, end and style (rich's words) of stretches of `text`; in order, none over another."""
    moves: tuple[tuple[int, int], ...] = ((0, 0),)
    """Positions in the stored text and in `text` that belong together, ascending; between two of them both go on
    character by character, as far as the next one."""

    def shown_position(self, stored: int) -> int:
        """Where a character of the stored text is shown."""
        return _across(self.moves, stored, 0)

    def stored_position(self, shown: int) -> int:
        """Which character of the stored text is shown there."""
        return _across(self.moves, shown, 1)


def to_visible(text: str) -> VisibleText:
    """The text as it is stored."""
    return VisibleText(visible(text))


def _across(moves: tuple[tuple[int, int], ...], position: int, side: int) -> int:
    at = max(bisect_right(moves, position, key=lambda move: move[side]) - 1, 0)
    other = moves[at][1 - side] + max(position - moves[at][side], 0)
    return min(other, moves[at + 1][1 - side]) if at + 1 < len(moves) else other


# Breaking long text into lines of a given width, fast enough for half a million characters.

Line = tuple[int, int]
"""Start and end of one shown line, in characters of the text; the line feed and the space at a break are in none."""


def wrap(text: str, width: int) -> list[Line]:
    """The lines of a text at a width in terminal cells; words stay whole where they fit.

    Every character of the text but line feeds and the spaces at breaks is in exactly one line, in order.
    """
    width = max(width, 2)
    lines: list[Line] = []
    start = 0
    while True:
        end = text.find("\n", start)
        last = end < 0
        if last:
            end = len(text)
        if end - start <= width and text[start:end].isascii():
            lines.append((start, end))
        elif text[start:end].isascii():
            _wrap_ascii(text, start, end, width, lines)
        else:
            _wrap_wide(text, start, end, width, lines)
        if last:
            return lines
        start = end + 1


def _wrap_ascii(text: str, start: int, end: int, width: int, lines: list[Line]) -> None:
    while end - start > width:
        space = text.rfind(" ", start + 1, start + width + 1)
        if space < 0:
            lines.append((start, start + width))
            start += width
        else:
            lines.append((start, space))
            start = space + 1
    lines.append((start, end))


def _wrap_wide(text: str, start: int, end: int, width: int, lines: list[Line]) -> None:
    used = 0
    space = -1
    position = start
    while position < end:
        size = get_character_cell_size(text[position])
        if used + size > width and position > start:
            if text[position] == " ":
                lines.append((start, position))
                start = position + 1
                position += 1
            elif space > start:
                lines.append((start, space))
                start = space + 1
                position = start
            else:
                lines.append((start, position))
                start = position
            used, space = 0, -1
            continue
        if text[position] == " ":
            space = position
        used += size
        position += 1
    lines.append((start, end))


# Stretches of a text that are pointed out over whatever else is painted: the matches of a search.

STYLE = "bold underline reverse"


def highlight(shown: VisibleText, stretches: Sequence[tuple[int, int]]) -> VisibleText:
    """The text with these stretches of the stored text pointed out; they go over the styles that were there.

    Args:
        stretches: start and end in the stored text, ascending, without overlaps.
    """
    placed = [(shown.shown_position(start), shown.shown_position(end)) for start, end in stretches]
    over = [(start, end, STYLE) for start, end in placed if end > start]
    spans = list(over)
    for start, end, style in shown.spans:
        spans += [(first, last, style) for first, last in _without(start, end, over)]
    return replace(shown, spans=tuple(sorted(spans)))


def _without(start: int, end: int, over: Sequence[tuple[int, int, str]]) -> list[tuple[int, int]]:
    """What is left of a stretch beside others."""
    left: list[tuple[int, int]] = []
    for first, last, _ in over:
        if last <= start or first >= end:
            continue
        if first > start:
            left.append((start, first))
        start = max(start, last)
    if start < end:
        left.append((start, end))
    return left
