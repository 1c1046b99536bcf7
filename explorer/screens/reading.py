"""What a reader of many paths needs: seen ones are remembered, an unseen one is a key away, places are bookmarked."""

from __future__ import annotations

from random import choice

from backend.errors import PasskError
from backend.records import Path
from explorer.actions import PATH
from explorer.places import place_line
from explorer.render.names import run_label
from explorer.screens.base import DataScreen


class ReadingScreen(DataScreen):
    """The part of the Path screen that knows what was read; a subclass calls `follow_reading` with every path."""

    read_path: Path | None = None
    read_indices: tuple[int, ...] = ()
    """Samples of the run and problem that may be read."""

    def follow_reading(self, path: Path, indices: tuple[int, ...]) -> None:
        """The screen shows this path: it is seen."""
        self.read_path, self.read_indices = path, indices
        try:
            self.explorer.marks.see(path.run.key, path.problem_key, path.sample.index)
        except PasskError as error:
            self.refuse(error.title, error.next_step)

    def action_random(self) -> None:
        """A path of this run and problem that this user has not read."""
        path = self.read_path
        if path is None:
            return
        seen = self.explorer.marks.seen(path.run.key, path.problem_key)
        unseen = [index for index in self.read_indices if index not in seen]
        if not unseen:
            self.refuse("You have seen every path of this run and problem")
            return
        self.place = self.place.to(sample=choice(unseen))
        self.reload()

    def action_bookmark(self) -> None:
        """Set a bookmark here, or take it away."""
        path = self.read_path
        if path is None:
            return
        name = f"{path.run.benchmark} · {path.problem_label} · {run_label(path.run)} · sample {path.sample.index}"
        try:
            kept = self.explorer.marks.toggle_bookmark(place_line(PATH, self.place), name)
        except PasskError as error:
            self.refuse(error.title, error.next_step)
            return
        self.explorer.say("Bookmarked; B lists the bookmarks." if kept else "The bookmark is taken away.")
