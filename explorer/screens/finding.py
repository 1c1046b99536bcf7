"""What was searched for, in the text of a path: pointed out, and a way from match to match."""

from __future__ import annotations

from backend import pattern
from backend.errors import UsageError
from backend.records import Path
from explorer.render.found import pointed_out
from explorer.render.shown import Shown
from explorer.screens.base import DataScreen
from explorer.widgets.text_view import TextView


class FindingScreen(DataScreen):
    """The part of the Path screen that knows what was searched for (`Place.find`)."""

    matches: tuple[tuple[int, int], ...] = ()
    """Start and end of every match in the stored text."""

    def with_matches(self, shown: Shown, path: Path) -> Shown:
        """The text with every match pointed out; called in the gateway's thread."""
        spans = _spans(self.place.find, path.text)
        return pointed_out(shown, spans) if spans else shown

    def show_match(self, path: Path) -> None:
        """Go to the first match, if there is one."""
        self.matches = tuple(_spans(self.place.find, path.text))
        if self.matches:
            # The text may not have been laid out yet: then there is nothing to scroll.
            self._to(self.matches[0])
            self.call_after_refresh(self._reveal_first)

    def _reveal_first(self) -> None:
        text = self.query_one(TextView)
        if self.matches and text.mark == self.matches[0]:
            text.reveal_mark()

    def action_match(self, by: int) -> None:
        """The next or previous match."""
        if not self.matches:
            words = f"{self.place.find} is not in this text" if self.place.find else "Nothing was searched for"
            self.refuse(words, "/ searches.")
            return
        text = self.query_one(TextView)
        here = text.mark if text.mark in self.matches else None
        at = self.matches.index(here) + by if here is not None else 0
        if not 0 <= at < len(self.matches):
            self.refuse(f"No {'further' if by > 0 else 'earlier'} match in this text")
            return
        self._to(self.matches[at])
        self.explorer.say(f"match {at + 1:,} of {len(self.matches):,}")

    def _to(self, match: tuple[int, int]) -> None:
        text = self.query_one(TextView)
        text.mark = match
        text.reveal_mark()


def _spans(written: str, text: str | None) -> list[tuple[int, int]]:
    if not written or not text:
        return []
    try:
        return pattern(written).spans(text)
    except UsageError:
        # From a place that somebody wrote by hand; the text is there all the same.
        return []
