"""Breaking long text into lines of a given width, fast enough for half a million characters."""

from __future__ import annotations

from rich.cells import get_character_cell_size

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
