"""One of two texts that stand side by side: its lines have partners in the other, and both may scroll as one."""

from __future__ import annotations

from explorer.render.compare import AlignedPair
from explorer.render.wrap import Line
from explorer.widgets.text_view import TextView


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
        self.show(text, shown=pair.right if side else pair.left)

    def broken(self, width: int) -> list[Line]:
        """The pair's lines; the screen makes both sides equally wide."""
        return [(0, 0)] if self._pair is None else self._pair.lines(self._side, width)

    def point_out(self, place: tuple[int, int], above: int) -> None:
        """Mark a stretch of what is painted, and bring it below so many lines."""
        self._difference = place
        self.show_place(place[0], above)
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
