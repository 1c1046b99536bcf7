"""Branch: the samples that took one branch of the search tree."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.widgets import Static

from backend.records.reading import Branch, BranchSample
from explorer.actions import BRANCH, bindings
from explorer.navigation import Place
from explorer.render.branch_table import branch_cells, branch_columns, branch_heading
from explorer.screens.base import DataScreen
from explorer.widgets.paged_table import Column, PagedTable


class BranchScreen(DataScreen):
    """A list as it was when it was opened; the tree behind it follows the store."""

    WHERE = BRANCH
    BINDINGS = bindings(BRANCH)

    def __init__(self, place: Place, label: str, branch: Branch, samples: Sequence[BranchSample]) -> None:
        super().__init__(place)
        self.problem_label = label
        self.branch = branch
        # Right ones first: they are what one looks for.
        ordered = sorted(samples, key=lambda sample: sample.verdict != "correct")
        self.samples = {str(number): sample for number, sample in enumerate(ordered)}
        self.columns: list[Column] = []

    def compose_body(self) -> ComposeResult:
        """What the branch is, and its samples."""
        yield Static(id="heading")
        yield PagedTable(id="samples")

    def on_mount(self) -> None:
        """The cursor starts in the samples."""
        super().on_mount()
        self.query_one(PagedTable).focus()

    def on_resize(self) -> None:
        """Columns follow the width."""
        super().on_resize()
        self.reload()

    def reload(self) -> None:
        """Show the list; there is nothing to ask for."""
        self.crumbs(self.place.benchmark, f"problem {self.problem_label}", "search tree", "samples of a branch")
        self.query_one("#heading", Static).update(branch_heading(self.branch, len(self.samples)))
        self.columns = branch_columns(self.size.width)
        self.query_one(PagedTable).show(self.columns, list(self.samples), self.row)

    def row(self, key: str) -> Sequence[Text]:
        """The cells of one sample."""
        return branch_cells(self.samples[key], self.columns)

    def on_data_table_row_selected(self) -> None:
        """A click."""
        self.action_open()

    def action_open(self) -> None:
        """Read the sample under the cursor."""
        from explorer.screens.path import PathScreen

        sample = self.samples.get(self.query_one(PagedTable).cursor_key or "")
        if sample is not None:
            place = self.place.to(run=sample.run.name, sample=sample.index)
            self.app.push_screen(PathScreen(place, self.problem_label))
