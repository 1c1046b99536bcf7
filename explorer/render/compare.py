"""Two paths side by side: the signs at their differences, and lines that belong together in the same row.

A stretch that only this text has, or has otherwise, stands in ⟦ ⟧; an empty ⟦⟧ is where only the other has something;
⟦≉ is a stretch in which no common words were looked for. After every difference both texts begin a new row together
where the next line begins that they share; in long paragraphs behind the next sentence, which then ends in ⤶.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from textual.content import Content

from backend.records import Response
from backend.records.reading import Neighbour, PathComparison, Stretch
from backend.visible_text import visible, visible_line
from backend.wording import run_label, with_noun
from explorer.render.names import VERDICT_STYLES, is_correct, sample_verdict, shorten_middle
from explorer.render.text import Line, VisibleText, join_words, literal, wrap

OPENS, CLOSES, NOT_SEARCHED, BROKEN = "⟦", "⟧", "≉", "⤶"
DIFFERENCE_STYLE, SIGN_STYLE = "bold yellow", "dim"

_SENTENCE = re.compile(r"[.!?](?=[ ])")
NEAR = 300
"""Characters to the next line feed from which on a row begins behind a sentence instead."""


@dataclass(frozen=True)
class AlignedPair:
    """Both texts as they are painted, the places of their differences, and where rows begin on both sides."""

    left: VisibleText
    right: VisibleText
    differences: tuple[tuple[tuple[int, int], tuple[int, int]], ...]
    """Left and right, from sign to sign, in what is painted."""
    rows: tuple[tuple[int, int], ...]
    """Positions, left and right, from which a new row begins on both sides."""
    _kept: dict[int, tuple[list[Line], list[Line]]] = field(default_factory=dict, repr=False, compare=False)

    def lines(self, side: int, width: int) -> list[Line]:
        """The lines of one side at a width in cells; both sides have equally many."""
        if width not in self._kept:
            self._kept.clear()
            self._kept[width] = self._broken(width)
        return self._kept[width][side]

    def _broken(self, width: int) -> tuple[list[Line], list[Line]]:
        found: tuple[list[Line], list[Line]] = ([], [])
        texts = (self.left.text, self.right.text)
        starts = ((0, 0), *self.rows)
        ends = (*self.rows, (len(texts[0]), len(texts[1])))
        for first, last in zip(starts, ends, strict=True):
            for side, text in enumerate(texts):
                # What ends a row is in no line, as in `wrap`.
                stretch = text[first[side] : last[side]]
                stretch = stretch if last == ends[-1] else stretch.removesuffix("\n")
                found[side].extend((first[side] + a, first[side] + b) for a, b in wrap(stretch, width))
            longest = max(len(found[0]), len(found[1]))
            for side, lines in enumerate(found):
                lines.extend([(last[side], last[side])] * (longest - len(lines)))
        return found


def align_paths(comparison: PathComparison) -> AlignedPair:
    """A comparison as it is painted."""
    left, right = _Side(comparison.left.text or ""), _Side(comparison.right.text or "")
    differences, rows = [], []
    apart = False
    for stretch in comparison.stretches:
        if not stretch.same:
            differences.append((left.differs(stretch.left, stretch), right.differs(stretch.right, stretch)))
            apart = True
            continue
        place = _row_begins(left, right, stretch) if apart else None
        if place is not None:
            left.broken(stretch.left[0] + place)
            right.broken(stretch.right[0] + place)
            rows.append((left.length, right.length))
            apart = False
        left.same(stretch.left[1])
        right.same(stretch.right[1])
    return AlignedPair(left.finished(), right.finished(), tuple(differences), tuple(rows))


def _row_begins(left: _Side, right: _Side, stretch: Stretch) -> int | None:
    """How far into a common stretch both begin a new row; None where they cannot."""
    if left.ends_line and right.ends_line:
        return 0
    here, there = left.text[slice(*stretch.left)], right.text[slice(*stretch.right)]
    place = here.find("\n") + 1
    if (not place or place > NEAR) and (sentence := _SENTENCE.search(here)) is not None:
        place = sentence.end()
    # Where white space differs, places do too.
    return place if place and there.startswith(here[:place]) else None


class _Side:
    """One of the texts as far as it has been put together."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.pieces: list[str] = []
        self.length = 0
        self.spans: list[tuple[int, int, str]] = []
        self.moves = [(0, 0)]

    def _add(self, piece: str, style: str = "") -> None:
        if style and piece:
            self.spans.append((self.length, self.length + len(piece), style))
        self.pieces.append(piece)
        self.length += len(piece)

    @property
    def ends_line(self) -> bool:
        """Whether what has been put together ends in a line feed."""
        return bool(self.pieces) and self.pieces[-1].endswith("\n")

    def same(self, end: int) -> None:
        """Everything up to a place, as it is."""
        if end > self.at:
            self.moves.append((self.at, self.length))
            self._add(self.text[self.at : end])
            self.at = end

    def broken(self, end: int) -> None:
        """Everything up to a place, behind which a new row begins; a sign says so where no line ends."""
        self.same(end)
        if not self.ends_line:
            self._add(BROKEN, SIGN_STYLE)

    def differs(self, span: tuple[int, int], stretch: Stretch) -> tuple[int, int]:
        """A stretch that the other has otherwise; returns where it is painted."""
        start = self.length
        body = self.text[slice(*span)]
        words = body.rstrip()
        self._add(OPENS if stretch.searched else f"{OPENS}{NOT_SEARCHED} ", SIGN_STYLE)
        self.moves.append((span[0], self.length))
        self._add(words, DIFFERENCE_STYLE)
        self.moves.append((span[0] + len(words), self.length))
        self._add(CLOSES, SIGN_STYLE)
        self.moves.append((span[0] + len(words), self.length))
        end = self.length
        if len(words) < len(body):
            self._add(body[len(words) :])
        self.at = span[1]
        return start, end

    def finished(self) -> VisibleText:
        return VisibleText(visible("".join(self.pieces)), tuple(self.spans), tuple(self.moves))


def side_heading(path: Response, width: int) -> Content:
    """Whose path it is, its verdict and its answer, on one line."""
    sample = path.sample
    answer = "no answer" if sample.answer is None else f"answer: {visible_line(sample.answer, 40)}"
    mark = sample_verdict(sample)
    name = shorten_middle(run_label(path.run), max(width - 40, 16))
    return join_words(
        [
            literal(mark, VERDICT_STYLES.get(sample.verdict, "bold")),
            literal(f"{name}, sample {sample.index}", "bold"),
            literal(answer),
        ]
    )


KINDS = ("other", "turned", "any")
"""Which paths are offered: of other runs; correct ones for an incorrect path and vice versa; all."""


def kind_words(kind: str, path: Response) -> str:
    """A kind in words."""
    if kind == "turned":
        return "incorrect" if path.sample.verdict == "correct" else "correct"
    return "in the other run" if kind == "other" else "in all runs"


def candidates(neighbours: tuple[Neighbour, ...], path: Response, kind: str) -> tuple[Neighbour, ...]:
    """The paths of a kind, nearest first."""
    wanted = path.sample.verdict != "correct"
    return tuple(
        neighbour
        for neighbour in neighbours
        if kind == "any"
        or (kind == "other" and neighbour.run.key != path.run.key)
        or (kind == "turned" and is_correct(neighbour.verdict) is wanted)
    )


def compare_status(
    pair: AlignedPair, comparison: PathComparison, at: int | None, place: str, *, together: bool
) -> Content:
    """Which difference of how many, how long the common beginning is, which match it is, and how they scroll."""
    total = len(pair.differences)
    first = comparison.differences[0].left[0] if total else len(comparison.left.text or "")
    found = (
        "no difference"
        if not total
        else with_noun(total, "difference")
        if at is None
        else f"difference {at + 1} of {total}"
    )
    parts = [
        found,
        f"first {with_noun(first, 'character')} identical",
        place,
        "scrolling locked" if together else "scrolling unlocked",
    ]
    if any(not stretch.searched for stretch in comparison.stretches):
        parts.insert(1, f"{NOT_SEARCHED} too different to align")
    return literal("  ".join(parts))
