"""Compare: a path beside another of its problem, differences marked, row by row."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import ComposeResult
from textual.containers import Container, Vertical

from backend import Reader, compare_paths, neighbours
from backend.errors import UsageError
from backend.records.reading import Neighbour, PathComparison
from explorer.actions import COMPARE, bindings
from explorer.location import Location
from explorer.render.compare import (
    KINDS,
    AlignedPair,
    align_paths,
    candidates,
    compare_status,
    kind_words,
    side_heading,
)
from explorer.screens.base import DataScreen, next_of
from explorer.widgets.plain import Plain
from explorer.widgets.text_view import AlignedView

ABOVE = 3
"""Lines above a difference that one jumps to."""


@dataclass(frozen=True, slots=True)
class CompareRecord:
    """Both paths, aligned and painted, and the others that one may choose."""

    comparison: PathComparison
    pair: AlignedPair
    near: tuple[Neighbour, ...]


class CompareScreen(DataScreen):
    """Left what one came from, right the other; one above the other where it is narrow."""

    WHERE = COMPARE
    BINDINGS = bindings(COMPARE)

    def __init__(self, location: Location, problem_label: str) -> None:
        super().__init__(location, problem_label)
        self.record: CompareRecord | None = None
        self.kind = KINDS[0]
        self.chosen: tuple[str, int] | None = None
        """Run and sample of the other path; None for the nearest of the kind."""
        self.at: int | None = None
        """The difference one is at."""
        self.is_together = True

    def compose_body(self) -> ComposeResult:
        with Container(id="pair"):
            for side in ("left", "right"):
                with Vertical(id=f"{side}-side"):
                    yield Plain(id=f"{side}-heading")
                    yield AlignedView(id=side)
        yield Plain(id="status")

    def on_mount(self) -> None:
        self.crumbs(self.location.benchmark, f"problem {self.problem_label}", "two paths")
        left, right = self.views
        left.partner, right.partner = right, left

    @property
    def views(self) -> tuple[AlignedView, AlignedView]:
        """Left and right."""
        return self.query_one("#left", AlignedView), self.query_one("#right", AlignedView)

    def reload(self) -> None:
        """Read both paths; which others there are only when the store has grown."""
        self._ask(afresh=True)

    def _ask(self, *, afresh: bool) -> None:
        location, kind, chosen, before = self.location, self.kind, self.chosen, self.record

        def read(reader: Reader) -> CompareRecord:
            key = location.problem or 0
            path = reader.path(reader.run(location.run or ""), key, location.sample or 0)
            if before is None or afresh:
                wanted = {reader.run(name).key for name in (*location.runs, path.run.name)}
                runs = [run for run in reader.runs_with_texts(key) if run.key in wanted]
                near = neighbours(reader, path, runs)
            else:
                near = before.near
            offered = candidates(near, path, kind) or near
            other = next((n for n in near if (n.run.name, n.index) == chosen), offered[0] if offered else None)
            if other is None:
                raise UsageError("There is no other path of this problem", next_step="Esc goes back.")
            comparison = compare_paths(path, reader.path(other.run, key, other.index))
            return CompareRecord(comparison, align_paths(comparison), near)

        self.ask("pair", read, self.show_pair)

    def show_pair(self, record: CompareRecord) -> None:
        """Another pair from its first difference; the same stays where it is."""
        before, self.record = self.record, record
        right = record.comparison.right
        self.chosen = (right.run.name, right.sample.index)
        same = before is not None and before.comparison == record.comparison
        if not same:
            texts = (record.comparison.left.text or "", record.comparison.right.text or "")
            for side, view in enumerate(self.views):
                view.show_side(texts[side], record.pair, side)
            self.at = None
            if record.pair.differences:
                self.go_to(0)
        self._say()

    def _say(self) -> None:
        record = self.record
        if record is None:
            return
        width = self.size.width if self.narrow else self.size.width // 2
        for side, path in (("left", record.comparison.left), ("right", record.comparison.right)):
            self.tell(f"{side}-heading", side_heading(path, width))
        offered = candidates(record.near, record.comparison.left, self.kind)
        number = next((i for i, n in enumerate(offered, 1) if (n.run.name, n.index) == self.chosen), None)
        which = f"match {number or '–'} of {len(offered)} {kind_words(self.kind, record.comparison.left)}"
        self.tell("status", compare_status(record.pair, record.comparison, self.at, which, together=self.is_together))

    def reflow(self) -> None:
        """Both sides are equally wide, or rows that belong together would not be as many."""
        for side in ("left", "right"):
            self.query_one(f"#{side}-side").styles.width = self.size.width // (1 if self.narrow else 2)
        self._say()

    def go_to(self, number: int) -> None:
        """To a difference, in both texts."""
        assert self.record is not None
        self.at = number
        for view, difference in zip(self.views, self.record.pair.differences[number], strict=True):
            view.point_out(difference, ABOVE)
        self._say()

    # Keys

    def action_difference(self, by: int) -> None:
        total = len(self.record.pair.differences) if self.record else 0
        wanted = (0 if by > 0 else total - 1) if self.at is None else self.at + by
        if 0 <= wanted < total:
            self.go_to(wanted)
        else:
            self.refuse(f"No {'further' if by > 0 else 'earlier'} difference")

    def action_first_difference(self) -> None:
        if self.record is not None and self.record.pair.differences:
            self.go_to(0)
        else:
            self.refuse("The two paths differ in white space at most")

    def action_other(self, by: int) -> None:
        if self.record is None:
            return
        offered = candidates(self.record.near, self.record.comparison.left, self.kind)
        at = next((i for i, n in enumerate(offered) if (n.run.name, n.index) == self.chosen), -1)
        if not 0 <= at + by < len(offered):
            self.refuse(f"No {'further' if by > 0 else 'nearer'} path to compare with")
            return
        self.chosen = (offered[at + by].run.name, offered[at + by].index)
        self._ask(afresh=False)

    def action_kind(self) -> None:
        if self.record is None:
            return
        kind = next_of(KINDS, self.kind)
        while kind != self.kind and not candidates(self.record.near, self.record.comparison.left, kind):
            kind = next_of(KINDS, kind)
        if kind == self.kind:
            self.refuse("There are no other paths to choose from")
        else:
            self.kind, self.chosen = kind, None
            self._ask(afresh=False)

    def action_together(self) -> None:
        self.is_together = not self.is_together
        for view in self.views:
            view.follows = self.is_together
        self._say()

    def action_open(self) -> None:
        if self.chosen is not None:
            self.read_path(*self.chosen)
