"""Bookmarks of this user in stores of this name."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult

from backend.errors import PasskError
from backend.wording import count
from explorer.actions import BOOKMARKS, bindings
from explorer.location import resolve_permalink
from explorer.reading_marks import Bookmark
from explorer.render.text import Column, room_beside
from explorer.screens.base import DataScreen
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain


class BookmarksScreen(DataScreen):
    """The newest first; enter opens the location."""

    WHERE = BOOKMARKS
    BINDINGS = bindings(BOOKMARKS)

    def compose_body(self) -> ComposeResult:
        yield PagedTable(id="bookmarks")
        yield Plain(id="status")

    def reload(self) -> None:
        """Bookmarks are no part of the store: they are here at once."""
        self.crumbs("bookmarks")
        self.marks: dict[str, Bookmark] = {mark.line: mark for mark in self.explorer.marks.bookmarks}
        created = Column("created", "added (UTC)", 16, value=lambda mark: mark.created[:16].replace("T", " "))
        room = max(room_beside([created], self.size.width) - 2, 20)
        columns = [created, Column("title", "path", room, value=lambda mark: mark.title)]
        self.query_one(PagedTable).show(columns, self.marks)
        many = "1 bookmark" if len(self.marks) == 1 else f"{count(len(self.marks))} bookmarks"
        words = f"{many}, kept in {_short(self.explorer.marks.path)}"
        self.tell("status", words if self.marks else "No bookmarks yet: press b on a path to add one.")

    def reflow(self) -> None:
        self.reload()

    # Keys

    def action_open(self) -> None:
        line = self.query_one(PagedTable).cursor_key
        if line is not None:
            self.ask("location", lambda reader: resolve_permalink(reader, line), self.explorer.from_home_to)

    def action_remove(self) -> None:
        line = self.query_one(PagedTable).cursor_key
        if line is None:
            return
        try:
            self.explorer.marks.toggle_bookmark(line, self.marks[line].title)
        except PasskError as error:
            self.refuse(error.title, error.next_step)
        self.reload()


def _short(path: Path) -> str:
    """With ~ for the user's folder."""
    return f"~/{path.relative_to(Path.home())}" if path.is_relative_to(Path.home()) else str(path)
