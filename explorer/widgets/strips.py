"""Choices on a line: the solve sets with their counts, the names of views."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from backend.wording import UNKNOWN
from explorer.render.text import join_lines, join_words, literal

# The solve sets with their counts on a line or two; one of them is selected.

EXPECTED = "95 % prediction"
"""Below the last chip: the kind of the intervals. The words below the strip say of what."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One set: its name and how many problems it holds."""

    name: str
    count: int
    solved: tuple[bool, ...] | None
    """None for all problems."""
    expected: tuple[int, int] | None = None
    """95 % prediction interval of the count in a replication; None while it is not known."""

    def label(self, chosen: bool) -> str:
        """Name and count; the chosen one in brackets, so that it shows without colour."""
        text = f"{self.name} {self.count:,}"
        return f"[{text}]" if chosen else f" {text} "

    def expected_range(self) -> str:
        """The expected counts, or a dash."""
        return UNKNOWN if self.expected is None else f"{self.expected[0]:,}–{self.expected[1]:,}"


class SetStrip(Widget):
    """Chips that add up to the last one, which is all problems."""

    class Picked(Message):
        def __init__(self, solved: tuple[bool, ...] | None) -> None:
            super().__init__()
            self.solved = solved

    chips: reactive[Sequence[Chip]] = reactive((), layout=True)
    selected: reactive[tuple[bool, ...] | None] = reactive(None)

    def render(self) -> Content:
        """The chips; below each its prediction interval in a replication, or beside it where lines wrap."""
        names, below = [], []
        for index, chip in enumerate(self.chips):
            chosen = chip.solved == self.selected
            between = "" if not index else " = " if index == len(self.chips) - 1 else " + "
            text = chip.label(chosen)
            label = literal(text, "bold reverse" if chosen else "").stylize(f"@click=pick({index})")
            names.append(join_words([between, label], ""))
            last = index == len(self.chips) - 1
            expected = EXPECTED if last else chip.expected_range()
            below.append(f"{' ' * len(between)} {expected}".ljust(len(between) + len(text)))
        if sum(name.cell_length for name in names) <= self.size.width:
            line = "".join(below).rstrip()
            return join_lines([join_words(names, ""), literal(line[: self.size.width], "dim")])
        wrapped = [
            name if chip.expected is None else name.append(literal(f"({chip.expected_range()})", "dim"))
            for name, chip in zip(names, self.chips, strict=True)
        ]
        return join_words(wrapped, "")

    def action_pick(self, index: int) -> None:
        self.post_message(self.Picked(self.chips[index].solved))

    def on_click(self, event: Click) -> None:
        """Clicks between chips do nothing."""
        event.stop()


# The names of views on one line, each with its number; one of them is chosen.


class ViewStrip(Widget):
    """Names with their numbers; the chosen one in reverse and in brackets, so that it shows without colour."""

    class Picked(Message):
        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    chosen: reactive[int] = reactive(0)

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = tuple(names)

    def render(self) -> Content:
        """The names; where room is short, numbers alone for all but the chosen one."""
        wide = self._line(short=False)
        return wide if wide.cell_length <= self.size.width else self._line(short=True)

    def _line(self, *, short: bool) -> Content:
        parts = []
        for index, name in enumerate(self.names):
            chosen = index == self.chosen
            number = str(index + 1)
            words = number if short else f"{number} {name}"
            label = literal(f"[{name}]" if chosen else words, "bold reverse" if chosen else "")
            parts.append(label.stylize(f"@click=pick({index})"))
        return join_words(parts, " ")

    def action_pick(self, index: int) -> None:
        self.post_message(self.Picked(index))
