"""The judging queue after the paper's protocol: right paths of the hardest solvable problems, the models hidden."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from backend import Reader, author_name, judging_queue, problems_meant
from backend.records.judgements import QueuedPath
from explorer.actions import QUEUE, bindings
from explorer.navigation import Place
from explorer.render.judgement_words import JUDGEMENT_MARKS, JUDGEMENT_STYLES, queue_in_words
from explorer.render.literal import cell, literal
from explorer.render.names import squeezed
from explorer.render.numbers import UNKNOWN
from explorer.screens.base import DataScreen
from explorer.widgets.paged_table import Column, PagedTable


class QueueScreen(DataScreen):
    """What is to be judged, how far one has come, and the next one on one key."""

    WHERE = QUEUE
    BINDINGS = bindings(QUEUE)

    def __init__(self, place: Place) -> None:
        super().__init__(place.to(problem=None, run=None, sample=None))
        self.blind = True
        """Whether the models are hidden."""
        self.queue: dict[str, QueuedPath] = {}
        self.author = author_name()

    def compose_body(self) -> ComposeResult:
        """How far, and the list."""
        yield Static(id="words")
        yield PagedTable(id="queue")

    def on_mount(self) -> None:
        """The cursor starts in the table."""
        super().on_mount()
        self.query_one(PagedTable).focus()

    def reload(self) -> None:
        """Ask for the queue."""
        self.crumbs(self.place.benchmark, "judging queue")
        place, author = self.place, self.author

        def read(reader: Reader) -> tuple[QueuedPath, ...]:
            runs = [reader.run(name) for name in place.runs]
            problems = problems_meant(reader, runs, place.filter) if place.filter else None
            return judging_queue(reader, runs, author, problems=problems)

        self.ask("queue", read, self.show_queue)

    def show_queue(self, queue: tuple[QueuedPath, ...]) -> None:
        """The list; the cursor stays."""
        self.queue = {f"{path.run}\x1f{path.problem_key}\x1f{path.sample}": path for path in queue}
        self._show()

    def _show(self) -> None:
        queue = tuple(self.queue.values())
        self.query_one("#words", Static).update(literal(queue_in_words(queue, self.author, blind=self.blind)))
        width = self.size.width
        fixed = [
            Column("problem", "problem", 14),
            Column("rate", "c/n", 9, True),
            Column("mine", "you", 9),
            Column("settled", "settled", 9),
        ]
        room = min(max(width - 4 - sum(column.width + 2 for column in fixed) - 8, 12), 48)
        columns = [fixed[0], Column("run", "run", room), Column("sample", "#", 6, True), *fixed[1:]]
        self.query_one(PagedTable).show(columns, list(self.queue), lambda key: self.row(key, room))

    def row(self, key: str, room: int) -> Sequence[Text]:
        """The cells of one path; a hidden model's run, index and rate would tell which it is."""
        path = self.queue[key]
        run = "hidden" if self.blind else squeezed(path.run.removesuffix(f"@{self.place.benchmark}"), room)
        return [
            cell(path.label, longest=14),
            cell(run),
            cell(UNKNOWN if self.blind else str(path.sample), right=True),
            cell(UNKNOWN if self.blind else f"{path.c}/{path.n}", right=True),
            _judgement(path.mine),
            _judgement(None if self.blind and path.mine is None else path.settled),
        ]

    def on_resize(self) -> None:
        """Columns follow the width."""
        super().on_resize()
        self._show()

    # Keys

    def action_blind(self) -> None:
        """Hide the models, or show them."""
        self.blind = not self.blind
        self._show()

    def on_data_table_row_selected(self) -> None:
        """Enter or a click."""
        self.action_open()

    def action_open(self) -> None:
        """Read and judge the path under the cursor."""
        key = self.query_one(PagedTable).cursor_key
        if key is None:
            self.refuse("There is nothing to judge", "No problem has 0 < c/n < 5 % with a stored right path.")
        else:
            self._read(key)

    def action_next(self) -> None:
        """The next one that this person has not judged."""
        key = next((key for key, path in self.queue.items() if path.mine is None), None)
        if key is None:
            self.refuse("You have judged every path of the queue")
        else:
            self._read(key)

    def _read(self, key: str) -> None:
        from explorer.screens.queued_path import QueuedPathScreen

        self.app.push_screen(QueuedPathScreen(self.place, self.queue, key, blind=self.blind))


def _judgement(judgement: str | None) -> Text:
    if judgement is None:
        return cell(UNKNOWN)
    return cell(f"{JUDGEMENT_MARKS[judgement]} {judgement}", JUDGEMENT_STYLES[judgement])
