"""What is shown of a search tree: which branches are open, in what order, and the lines that follow from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from backend.reading.tree import SearchTree, more_key
from backend.records.reading import Branch, TreeRow

MOST_BRANCHES = 12
"""Branches of one place that are shown before the rarer ones are taken together."""


@dataclass(frozen=True)
class TreeView:
    """A tree with some branches open. Opening, closing and sorting make other views of the same tree."""

    tree: SearchTree
    opened: frozenset[int] = frozenset()
    """Keys of the steps of open branches (each may be a branch of its own once samples are added), and of the `more`
    lines that show what they stand for."""
    order: str = "taken"
    """One of `TREE_ORDERS`."""
    most: int | None = MOST_BRANCHES
    """Branches of one place before the rarer ones are taken together; None for all."""

    def rows(self) -> tuple[TreeRow, ...]:
        """The lines, without the root."""
        rows: list[TreeRow] = []
        # A stack instead of recursion: by words a tree may be as deep as a text is long.
        waiting = [(branch, 0) for branch in reversed(self.level(self.tree.root))]
        while waiting:
            branch, depth = waiting.pop()
            is_open = branch.kind == "branch" and branch.key in self.opened
            rows.append(TreeRow(branch, depth, is_open))
            if is_open:
                waiting.extend((child, depth + 1) for child in reversed(self.level(branch)))
        return tuple(rows)

    def level(self, branch: Branch) -> list[Branch]:
        """The branches of a branch as they are shown below it."""
        below = sorted(self.tree.branches(branch), key=self._rank)
        if self.most is None or len(below) <= self.most + 1 or more_key(branch) in self.opened:
            return below
        return [*below[: self.most], self.tree.together(branch, below[self.most :])]

    def _rank(self, branch: Branch) -> tuple[float, ...]:
        if self.order == "right":
            return -branch.right, -branch.taken
        if self.order == "difference":
            pairs = zip(branch.tallies, self.tree.root.tallies, strict=True)
            shares = [tally.taken / whole.taken for tally, whole in pairs if whole.taken]
            return min(shares) - max(shares), -branch.taken
        return -branch.taken, -branch.right

    def sorted_by(self, order: str) -> TreeView:
        """In another order."""
        return replace(self, order=order)

    def opening(self, branch: Branch) -> tuple[TreeView, Branch]:
        """The branch opened, and where the cursor belongs: a `more` makes way for the first that it stood for."""
        below = self.level(self.tree.above(branch)) if branch.kind == "more" else []
        view = replace(self, opened=self.opened.union(self.tree.keys_of(branch)))
        if branch.kind != "more":
            return view, branch
        return view, view.level(self.tree.above(branch))[len(below) - 1]

    def closing(self, branch: Branch) -> TreeView:
        """The branch closed; what was open below it will be so again."""
        return replace(self, opened=self.opened.difference(self.tree.keys_of(branch)))

    def revealing(self, branch: Branch) -> TreeView:
        """Whatever must be open besides, so that a branch is among the lines."""
        view, child = self, branch
        while child.key != self.tree.root.key:
            above = self.tree.above(child)
            if above.key != self.tree.root.key:
                view = replace(view, opened=view.opened.union(self.tree.keys_of(above)))
            if all(shown.key != child.key for shown in view.level(above)):
                view = replace(view, opened=view.opened | {more_key(above)})
            child = above
        return view

    def opened_to(self, depth: int) -> TreeView:
        """So many levels open, where there are as many."""
        opened: set[int] = set()
        level: Collection[Branch] = self.level(self.tree.root)
        for _ in range(depth - 1):
            opened.update(key for branch in level if branch.kind == "branch" for key in self.tree.keys_of(branch))
            level = [child for branch in level for child in self.level(branch)]
        return replace(self, opened=self.opened | opened)

    def at_first(self) -> TreeView:
        """Open as far as the first parting, also when all samples begin alike."""
        level = self.tree.branches(self.tree.root)
        return self.opened_to(2) if len(level) == 1 else self

    def of(self, tree: SearchTree, cursor: int | None) -> TreeView:
        """The same branches of a tree with other samples; the cursor's, if it is still there, among the lines."""
        view = replace(self, tree=tree)
        if cursor is None or cursor in {row.branch.key for row in view.rows()}:
            return view
        # It may stand below an open branch that is among the rarer ones now; looking below makes its branches.
        replace(view, most=None).rows()
        kept = tree.find(cursor)
        return view if kept is None else view.revealing(kept)
