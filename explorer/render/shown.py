"""A text as it is painted: what stands there, how it looks, and which character of it is which of the stored text."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from explorer.render.visible import visible


@dataclass(frozen=True, slots=True)
class Shown:
    """Made by the views of a path. What a view adds or replaces is recorded in `moves`."""

    text: str
    """Went through `visible`."""
    spans: tuple[tuple[int, int, str], ...] = ()
    """Start, end and style (rich's words) of stretches of `text`; in order, none over another."""
    moves: tuple[tuple[int, int], ...] = ((0, 0),)
    """Positions in the stored text and in `text` that belong together, ascending; between two of them both go on
    character by character, as far as the next one."""

    def place(self, stored: int) -> int:
        """Where a character of the stored text is shown."""
        return _across(self.moves, stored, 0)

    def origin(self, shown: int) -> int:
        """Which character of the stored text is shown there."""
        return _across(self.moves, shown, 1)


def plain(text: str) -> Shown:
    """The text as it is stored."""
    return Shown(visible(text))


def _across(moves: tuple[tuple[int, int], ...], position: int, side: int) -> int:
    at = max(bisect_right(moves, position, key=lambda move: move[side]) - 1, 0)
    other = moves[at][1 - side] + max(position - moves[at][side], 0)
    return min(other, moves[at + 1][1 - side]) if at + 1 < len(moves) else other
