"""Tree: all samples of a problem merged by steps: where base and RL part, which ways end right; and one branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult

from backend import Reader, SearchTree, TreeView, search_tree
from backend.records.reading import TREE_CUTS, TREE_ORDERS, Branch, BranchSample, TreeRow
from explorer.actions import BRANCH, TREE, bindings
from explorer.location import Location
from explorer.render.tree import (
    branch_columns,
    branch_heading,
    branch_status,
    branch_text,
    tree_columns,
    tree_heading,
)
from explorer.screens.base import DataScreen, next_of
from explorer.widgets.paged_table import PagedTable
from explorer.widgets.plain import Plain
from explorer.widgets.text_view import TextView


@dataclass(frozen=True, slots=True)
class TreeRecord:
    view: TreeView
    rows: tuple[TreeRow, ...]
    cursor: int | None = None
    """Branch to go to; None to stay."""


class TreeScreen(DataScreen):
    """Branches in a table, the whole text of the one under the cursor below it."""

    WHERE = TREE
    BINDINGS = bindings(TREE)
    ON_CLICK = "expand"

    def __init__(self, location: Location, problem_label: str) -> None:
        super().__init__(location, problem_label)
        self.view: TreeView | None = None
        self.rows: dict[str, TreeRow] = {}
        self.by: str | None = None
        """What the tree is made by; None until it has been chosen."""

    def compose_body(self) -> ComposeResult:
        yield Plain(id="heading")
        yield PagedTable(id="branches")
        yield TextView(id="branch")
        yield Plain(id="status")

    def on_mount(self) -> None:
        self.crumbs(self.location.benchmark, f"problem {self.problem_label}", "search tree")

    def reflow(self) -> None:
        if self.view is not None:
            self.show_tree(TreeRecord(self.view, tuple(self.rows.values())))

    def reload(self) -> None:
        """Make the tree anew; what was open stays open, and the cursor stays on its branch."""
        location, by, before, here = self.location, self.by, self.view, self.cursor

        def read(reader: Reader) -> TreeRecord:
            key = location.problem or 0
            compared = [reader.run(name).key for name in location.runs]
            stored = reader.runs_with_texts(key, compared)
            tree = search_tree(reader, key, [run for run in stored if run.key in compared] or stored[:1], by)
            if before is None or before.tree.by != tree.by:
                view = TreeView(tree).at_first()
            else:
                view = before.of(tree, None if here is None else here.key)
            return TreeRecord(view, view.rows())

        self.ask("tree", read, self.show_tree)

    def show_tree(self, record: TreeRecord) -> None:
        """The rows anew; the cursor stays on its branch or goes where a key leads."""
        view = self.view = record.view
        self.by = view.tree.by
        self.rows = {str(row.branch.key): row for row in record.rows}
        columns = tree_columns(view.tree.runs, view.tree.root, self.size.width)
        self.tell("heading", tree_heading(view.tree, view.order))
        cursor = None if record.cursor is None else str(record.cursor)
        self.query_one(PagedTable).show(columns, self.rows, cursor=cursor)

    def on_paged_table_moved(self, event: PagedTable.Moved) -> None:
        row = self.rows.get(event.key)
        if self.view is None or row is None:
            return
        text = self.query_one(TextView)
        wanted = branch_text(row.branch)
        if text.text != wanted:
            text.show(wanted)
        self.tell("status", branch_status(row.branch, self.view.tree))

    @property
    def cursor(self) -> Branch | None:
        row = self.rows.get(self.query_one(PagedTable).cursor_key or "")
        return None if row is None else row.branch

    def _turn(self, view: TreeView, cursor: Branch | None = None) -> None:
        """Show other branches of the same tree."""
        key = None if cursor is None else cursor.key
        self.ask("tree", lambda _: TreeRecord(view, view.rows(), key), self.show_tree)

    def _follow(self, find: Callable[[SearchTree], Branch | None], otherwise: str) -> None:
        """To the branch that this finds, opening what is above it."""
        view = self.view
        if view is None:
            return

        def look(_: Reader) -> TreeRecord | None:
            target = find(view.tree)
            if target is None:
                return None
            shown = view.revealing(target)
            return TreeRecord(shown, shown.rows(), target.key)

        self.ask("tree", look, lambda found: self.refuse(otherwise) if found is None else self.show_tree(found))

    # Keys

    def action_expand(self) -> None:
        """Show how the samples of the branch go on; from an open one, go to the first way."""
        branch = self.cursor
        if self.view is None or branch is None:
            return
        if self.rows[str(branch.key)].open:
            self.query_one(PagedTable).action_cursor_down()
        elif branch.kind in ("branch", "more"):
            self._turn(*self.view.opening(branch))
        else:
            self.refuse("This branch does not split any further", "Enter lists its samples.")

    def action_collapse(self) -> None:
        """Hide what is below the branch; from a closed one, go to the branch that it belongs to."""
        branch = self.cursor
        if self.view is None or branch is None:
            return
        above = self.view.tree.above(branch)
        if self.rows[str(branch.key)].open:
            self._turn(self.view.closing(branch), branch)
        elif above.key != self.view.tree.root.key:
            self._turn(self.view, above)
        else:
            self.refuse("This branch is on the top level")

    def action_most_taken(self) -> None:
        if (here := self.cursor) is not None:
            self._follow(lambda tree: tree.most_taken(here), "This branch does not split any further")

    def action_right_one(self) -> None:
        if (here := self.cursor) is not None:
            words = (
                "The correct samples do not split from here on" if here.right else "No sample of this branch is correct"
            )
            self._follow(lambda tree: tree.towards_right(here), words)

    def action_parting(self) -> None:
        """To the first branch that one model never takes; from there to the next of the same level."""
        here = None if self.cursor is None else self.cursor.key

        def next_parting(tree: SearchTree) -> Branch | None:
            found = tree.partings()
            at = next((index for index, branch in enumerate(found) if branch.key == here), -1)
            return found[(at + 1) % len(found)] if found else None

        self._follow(next_parting, "All runs take every branch")

    def action_cut(self) -> None:
        if self.by is not None:
            self.by = next_of(TREE_CUTS, self.by)
            self.reload()

    def action_sort(self) -> None:
        if self.view is not None:
            self._turn(self.view.sorted_by(next_of(TREE_ORDERS, self.view.order)))

    def action_copy(self) -> None:
        if (branch := self.cursor) is None or not branch.text:
            self.refuse("This row has no text to copy")
        else:
            self.copy(branch.text, "the branch" if len(branch.text) == branch.characters else "the branch's beginning")

    def action_open(self) -> None:
        if self.view is None or self.cursor is None:
            return
        samples = self.view.tree.samples(self.cursor)
        if len(samples) == 1:
            self.read_path(samples[0].run.name, samples[0].index)
        else:
            self.app.push_screen(BranchScreen(self.location, self.problem_label, self.cursor, samples))


class BranchScreen(DataScreen):
    """A list as it was when it was opened; the tree behind it follows the store."""

    WHERE = BRANCH
    BINDINGS = bindings(BRANCH)

    def __init__(self, location: Location, problem_label: str, branch: Branch, samples: Sequence[BranchSample]) -> None:
        super().__init__(location, problem_label)
        self.branch = branch
        # Right ones first: they are what one looks for.
        ordered = sorted(samples, key=lambda sample: sample.verdict != "correct")
        self.samples = {str(number): sample for number, sample in enumerate(ordered)}

    def compose_body(self) -> ComposeResult:
        yield Plain(id="heading")
        yield PagedTable(id="samples")

    def reflow(self) -> None:
        self.reload()

    def reload(self) -> None:
        """Show the list; there is nothing to ask for."""
        self.crumbs(self.location.benchmark, f"problem {self.problem_label}", "search tree", "samples of a branch")
        self.tell("heading", branch_heading(self.branch, len(self.samples)))
        self.query_one(PagedTable).show(branch_columns(self.size.width), self.samples)

    def action_open(self) -> None:
        sample = self.samples.get(self.query_one(PagedTable).cursor_key or "")
        if sample is not None:
            self.read_path(sample.run.name, sample.index)
