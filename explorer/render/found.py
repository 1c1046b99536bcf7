"""Stretches of a text that are pointed out over whatever else is painted: the matches of a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.render.shown import Shown

STYLE = "bold underline reverse"


def pointed_out(shown: Shown, stretches: Sequence[tuple[int, int]]) -> Shown:
    """The text with these stretches of the stored text pointed out; they go over the styles that were there.

    Args:
        stretches: start and end in the stored text, ascending, without overlaps.
    """
    placed = [(shown.place(start), shown.place(end)) for start, end in stretches]
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
